//! The answers to commands, field by field. Callers rely on these names, and on their order.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    domain::{
        amount::Credits,
        credits::{Balance, Source},
        event::Draw,
        ids::{AccountId, PlanId},
        metadata::Metadata,
        time::Timestamp,
    },
    http::{
        position::Token,
        request::Pairs,
        schema::{BalanceSchema, Count, DrawSchema, Id, Place, SourceSchema, Time},
    },
    projections::accounts,
};

/// An account as it was when it was opened, or as it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountResponse<'a> {
    #[schema(value_type = Id)]
    pub account: &'a AccountId,
    #[schema(value_type = Id)]
    pub plan: &'a PlanId,
    pub status: AccountStatus,
    #[schema(value_type = BalanceSchema)]
    pub balance: Balance,
    /// As it was given.
    #[schema(value_type = Pairs)]
    pub metadata: &'a Metadata,
    #[schema(value_type = Place)]
    pub position: Token,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccountStatus {
    Open,
    Closed,
}

impl From<AccountStatus> for accounts::ListedStatus {
    fn from(status: AccountStatus) -> Self {
        match status {
            AccountStatus::Open => Self::Open,
            AccountStatus::Closed => Self::Closed,
        }
    }
}

/// Credits were spent.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeductedResponse<'a> {
    #[schema(value_type = Id)]
    pub deduction_id: &'a str,
    #[schema(value_type = Option<Id>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation_id: Option<&'a str>,
    #[schema(value_type = Count)]
    pub amount: Credits,
    /// Which grants paid. Sums to `amount`.
    #[schema(value_type = Vec<DrawSchema>)]
    pub draws: &'a [Draw],
    #[schema(value_type = BalanceSchema)]
    pub balance: Balance,
    #[schema(value_type = Place)]
    pub position: Token,
}

/// Credits were set aside.
#[derive(Debug, Serialize, ToSchema)]
pub struct HoldPlacedResponse<'a> {
    #[schema(value_type = Id)]
    pub hold_id: &'a str,
    #[schema(value_type = Option<Id>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation_id: Option<&'a str>,
    #[schema(value_type = Count)]
    pub amount: Credits,
    /// Which grants they were taken from. Sums to `amount`.
    #[schema(value_type = Vec<DrawSchema>)]
    pub draws: &'a [Draw],
    #[schema(value_type = Time)]
    pub expires_at: Timestamp,
    #[schema(value_type = BalanceSchema)]
    pub balance: Balance,
    #[schema(value_type = Place)]
    pub position: Token,
}

/// A hold was spent, wholly or in part. The rest went back.
#[derive(Debug, Serialize, ToSchema)]
pub struct CommittedResponse<'a> {
    #[schema(value_type = Id)]
    pub hold_id: &'a str,
    /// `committed`
    #[schema(value_type = String)]
    pub status: &'static str,
    /// What a refund names.
    #[schema(value_type = Id)]
    pub deduction_id: &'a str,
    #[schema(value_type = Option<Id>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation_id: Option<&'a str>,
    /// What was spent out of the hold.
    #[schema(value_type = Count)]
    pub amount: Credits,
    #[schema(value_type = Vec<DrawSchema>)]
    pub draws: &'a [Draw],
    /// Which grants got the rest back.
    #[schema(value_type = Vec<DrawSchema>)]
    pub returns: &'a [Draw],
    /// What was asked for beyond the hold and not spent, with `"excess": "cap"`.
    #[schema(value_type = Count)]
    pub shortfall: Credits,
    /// The deduction of what was spent beyond the hold, with `"excess": "take"`.
    #[schema(value_type = Option<Id>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beyond_deduction_id: Option<&'a str>,
    #[schema(value_type = Count)]
    pub beyond_amount: Credits,
    #[schema(value_type = BalanceSchema)]
    pub balance: Balance,
    #[schema(value_type = Place)]
    pub position: Token,
}

/// A hold was given up. Everything went back.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReleasedResponse<'a> {
    #[schema(value_type = Id)]
    pub hold_id: &'a str,
    /// `released`
    #[schema(value_type = String)]
    pub status: &'static str,
    #[schema(value_type = Vec<DrawSchema>)]
    pub returns: &'a [Draw],
    #[schema(value_type = BalanceSchema)]
    pub balance: Balance,
    #[schema(value_type = Place)]
    pub position: Token,
}

/// A hold lives longer, or shorter.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExtendedResponse<'a> {
    #[schema(value_type = Id)]
    pub hold_id: &'a str,
    #[schema(value_type = Time)]
    pub expires_at: Timestamp,
    #[schema(value_type = BalanceSchema)]
    pub balance: Balance,
    #[schema(value_type = Place)]
    pub position: Token,
}

/// How much of one deduction came back.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefundedDeductionResponse<'a> {
    #[schema(value_type = Id)]
    pub deduction_id: &'a str,
    #[schema(value_type = Count)]
    pub amount: Credits,
}

/// Spent credits came back.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefundedResponse<'a> {
    /// The newest deduction that was given back, wholly or in part.
    #[schema(value_type = Id)]
    pub deduction_id: &'a str,
    /// Every deduction that was given back, wholly or in part, the newest first.
    pub deductions: Vec<RefundedDeductionResponse<'a>>,
    #[schema(value_type = Option<Id>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation_id: Option<&'a str>,
    #[schema(value_type = Count)]
    pub amount: Credits,
    /// Which grants got credits back, the last that had paid first.
    #[schema(value_type = Vec<DrawSchema>)]
    pub returns: Vec<&'a Draw>,
    /// Which grants have ended meanwhile. A new grant has what would have gone back to them, for 72 hours.
    #[schema(value_type = Vec<DrawSchema>)]
    pub reissued: Vec<&'a Draw>,
    pub reason: &'a str,
    #[schema(value_type = BalanceSchema)]
    pub balance: Balance,
    #[schema(value_type = Place)]
    pub position: Token,
}

/// Credits were given.
#[derive(Debug, Serialize, ToSchema)]
pub struct GrantedResponse<'a> {
    #[schema(value_type = Id)]
    pub grant_id: &'a str,
    #[schema(value_type = SourceSchema)]
    pub source: Source,
    #[schema(value_type = Count)]
    pub amount: Credits,
    #[schema(value_type = Time)]
    pub starts_at: Timestamp,
    /// `null`: never.
    #[schema(value_type = Option<Time>)]
    pub expires_at: Option<Timestamp>,
    /// 0 is spent first.
    pub priority: u8,
    /// How much of it went to what the account owed.
    #[schema(value_type = Count)]
    pub debt_paid: Credits,
    pub reason: Option<&'a str>,
    #[schema(value_type = BalanceSchema)]
    pub balance: Balance,
    #[schema(value_type = Place)]
    pub position: Token,
}

/// Credits were taken away.
#[derive(Debug, Serialize, ToSchema)]
pub struct AdjustedResponse<'a> {
    #[schema(value_type = Count)]
    pub amount: Credits,
    #[schema(value_type = Vec<DrawSchema>)]
    pub draws: &'a [Draw],
    pub reason: &'a str,
    #[schema(value_type = BalanceSchema)]
    pub balance: Balance,
    #[schema(value_type = Place)]
    pub position: Token,
}

/// Debt was forgiven.
#[derive(Debug, Serialize, ToSchema)]
pub struct ForgivenResponse<'a> {
    #[schema(value_type = Count)]
    pub amount: Credits,
    pub reason: &'a str,
    #[schema(value_type = BalanceSchema)]
    pub balance: Balance,
    #[schema(value_type = Place)]
    pub position: Token,
}

/// Nothing more can be spent or granted.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClosedResponse<'a> {
    #[schema(value_type = Id)]
    pub account: &'a str,
    /// `closed`
    #[schema(value_type = String)]
    pub status: &'static str,
    pub reason: &'a str,
    #[schema(value_type = BalanceSchema)]
    pub balance: Balance,
    #[schema(value_type = Place)]
    pub position: Token,
}
