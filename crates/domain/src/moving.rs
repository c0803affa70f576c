//! What does an account that moves in have from elsewhere?
//!
//! What was paid for before it moved in, and had begun by then, was granted elsewhere: nothing is granted for it here,
//! however late it is reported.
//! The rest of it is imported as grants.

use serde::{Deserialize, Serialize};

use super::{
    amount::{Credits, Money},
    catalog::Measure,
    credits::Source,
    ids::{GrantId, PlanId, ProviderId},
    limits::UsageWindow,
    metadata::Metadata,
    time::{CalendarUnit, Timestamp},
};

/// The most grants that can be imported with an account.
pub const GRANTS_MOVED_MAX: usize = 200;

/// An account as it was elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ImportAccount {
    /// At which time this was its state. `None`: now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Timestamp>,
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
    /// Its customer at the payment provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<ProviderId>,
    pub grants: Vec<MovedGrant>,
    /// What was used in the calendar units that are still running.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub used: Vec<Used>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub debt: Option<Credits>,
}

/// The rest of a grant that was made elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MovedGrant {
    pub grant_id: GrantId,
    pub source: Source,
    pub amount: Credits,
    /// What was paid for these credits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<Money>,
    /// The payment that bought it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment: Option<ProviderId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub granted_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The subscription whose running month this grant is for. The month ends when the grant does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub month_of: Option<MonthOf>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MonthOf {
    pub subscription: ProviderId,
    pub plan: PlanId,
}

/// How much was used in a calendar unit, or in the time before now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Used {
    pub measure: Measure,
    pub per: CalendarUnit,
    pub count: u64,
}

/// What an account had when it moved in, besides grants.
///
/// **These names and fields are part of the storage format**, as those of events are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct MovedIn {
    /// What was paid for before this time, and had begun by then, was granted elsewhere.
    pub as_of: Timestamp,
    /// What was used in windows of limits that are still running.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<UsageWindow>,
    /// The debt.
    #[serde(default)]
    pub debt: Credits,
}
