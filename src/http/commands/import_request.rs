//! What does the import of an account have: in a request, in a batch, and in a file?

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Deserializer, de};
use utoipa::ToSchema;

use crate::{
    catalog::check_currency,
    domain::{
        amount::{Currency, Money},
        catalog::Measure,
        credits::Source,
        ids::{AccountId, GrantId, PlanId, ProviderId},
        moving::{GRANTS_MOVED_MAX, ImportAccount, MonthOf, MovedGrant, Used},
        time::{CalendarUnit, Timestamp},
    },
    http::{
        failure::Failure,
        request::{Amount, Pairs, Text, parse, word},
        schema::{Id, MoneySchema, Time},
    },
};

use super::item::CommandItem;

/// An account as it was elsewhere.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "as_of": "2026-06-01T00:00:00Z",
    "customer": "cus_NffrFeUfNV2Hib",
    "grants": [
        {
            "source": "allocation", "amount": 300, "granted_at": "2026-05-20T09:30:00Z",
            "expires_at": "2026-06-20T09:30:00Z", "subscription": "sub_1MowQVLkdIwHu7ix", "plan": "pro"
        },
        {
            "source": "top_up", "amount": 150, "granted_at": "2026-03-02T18:00:00Z",
            "cost": { "minor": 300, "currency": "usd" }
        }
    ],
    "used": [{ "measure": "credits", "per": "month", "count": 700 }]
}))]
pub struct AccountImport {
    /// The time of this state. What was paid before it gives nothing here. Now if left out.
    #[schema(value_type = Option<Time>)]
    #[serde(default)]
    pub as_of: Option<Timestamp>,
    #[serde(default)]
    pub metadata: Option<Pairs>,
    /// The customer at Stripe. Reports on this customer are assigned to the account.
    #[schema(value_type = Option<Id>)]
    #[serde(default)]
    pub customer: Option<ProviderId>,
    /// What is left. At most 200 grants.
    #[schema(max_items = 200)]
    #[serde(default)]
    pub grants: Vec<ImportedGrant>,
    /// What was used in the running day, week or month, so that limits do not start again at 0.
    #[serde(default)]
    pub used: Vec<ImportedUse>,
    /// The debt. The grants pay it first.
    #[serde(default)]
    pub debt: Option<Amount>,
}

/// What is left of a grant that was made elsewhere.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportedGrant {
    #[serde(deserialize_with = "word")]
    pub source: ImportedSource,
    /// What is left.
    pub amount: Amount,
    /// What was paid for what is left.
    #[schema(value_type = Option<MoneySchema>)]
    #[serde(default)]
    pub cost: Option<Cost>,
    /// The payment that bought it: refunds and disputes of that payment take the credits back.
    #[schema(value_type = Option<Id>)]
    #[serde(default)]
    pub payment: Option<ProviderId>,
    /// When it was given or bought; `as_of` if left out.
    #[schema(value_type = Option<Time>)]
    #[serde(default)]
    pub granted_at: Option<Timestamp>,
    /// `granted_at` if left out.
    #[schema(value_type = Option<Time>)]
    #[serde(default)]
    pub starts_at: Option<Timestamp>,
    /// Never if left out.
    #[schema(value_type = Option<Time>)]
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// 0 is spent first; 50 if left out.
    #[serde(default)]
    pub priority: Option<u8>,
    /// Unique in the account; `moved_1`, `moved_2` and so on if left out.
    #[schema(value_type = Option<Id>)]
    #[serde(default)]
    pub grant_id: Option<GrantId>,
    /// For an `allocation`: the subscription whose running month it is.
    /// The month ends at `expires_at`, and unused credits then roll over as the catalog says.
    #[schema(value_type = Option<Id>)]
    #[serde(default)]
    pub subscription: Option<ProviderId>,
    /// The plan of that subscription.
    #[schema(value_type = Option<Id>)]
    #[serde(default)]
    pub plan: Option<PlanId>,
    #[serde(default)]
    pub reason: Option<Text>,
}

/// Where imported credits came from.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImportedSource {
    /// A plan's credits for the running month.
    Allocation,
    /// The unused part of the month before.
    Rollover,
    /// A free plan's one-time credits.
    Signup,
    /// Bought.
    TopUp,
    Bonus,
    Adjustment,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    #[serde(deserialize_with = "minor")]
    pub minor: i64,
    #[serde(deserialize_with = "currency")]
    pub currency: Currency,
}

/// Whole minor units. The message explains them, since an amount with a decimal point is probably not in minor units.
fn minor<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    struct Visitor;
    impl de::Visitor<'_> for Visitor {
        type Value = i64;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a whole number of minor units, such as 300 for 3.00 usd")
        }

        fn visit_i64<E: de::Error>(self, value: i64) -> Result<i64, E> {
            if value < 0 { Err(E::invalid_value(de::Unexpected::Signed(value), &self)) } else { Ok(value) }
        }

        fn visit_u64<E: de::Error>(self, value: u64) -> Result<i64, E> {
            i64::try_from(value).map_err(|_| E::invalid_value(de::Unexpected::Unsigned(value), &self))
        }
    }
    deserializer.deserialize_i64(Visitor)
}

/// Any currency that exists. It need not be the catalog's.
fn currency<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Currency, D::Error> {
    let currency = Currency::deserialize(deserializer)?;
    check_currency(&currency).map_err(de::Error::custom)?;
    Ok(currency)
}

/// How much was used in a running calendar unit.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportedUse {
    #[schema(value_type = ImportedMeasure)]
    pub measure: Measure,
    #[schema(value_type = ImportedUnit)]
    pub per: CalendarUnit,
    pub count: u32,
}

/// What is counted.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "it describes what another type reads")]
pub enum ImportedMeasure {
    Generations,
    Credits,
}

/// The unit in which it is counted.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "it describes what another type reads")]
pub enum ImportedUnit {
    Day,
    Week,
    Month,
}

impl AccountImport {
    /// # Errors
    /// If fields do not fit together.
    pub fn into_import(self) -> Result<ImportAccount, Failure> {
        if self.grants.len() > GRANTS_MOVED_MAX {
            return Err(Failure::body("$.grants", format!("there are at most {GRANTS_MOVED_MAX} grants")));
        }
        let given: Vec<Option<GrantId>> = self.grants.iter().map(|grant| grant.grant_id.clone()).collect();
        let ids = name_grants(&given).map_err(|taken| {
            Failure::body(format!("$.grants[{}].grant_id", taken.index), taken.to_string())
        })?;
        let grants = self.grants.into_iter().zip(ids).enumerate();
        let grants: Result<Vec<MovedGrant>, Failure> =
            grants.map(|(index, (grant, id))| grant.into_moved(index, id)).collect();
        let used = self.used.into_iter();
        Ok(ImportAccount {
            as_of: self.as_of,
            metadata: self.metadata.map(|Pairs(metadata)| metadata).unwrap_or_default(),
            customer: self.customer,
            grants: grants?,
            used: used
                .map(|used| Used { measure: used.measure, per: used.per, count: used.count.into() })
                .collect(),
            debt: self.debt.map(Amount::credits),
        })
    }
}

impl ImportedGrant {
    fn into_moved(self, index: usize, grant_id: GrantId) -> Result<MovedGrant, Failure> {
        let wrong =
            |field: &str, expected: &str| Failure::body(format!("$.grants[{index}].{field}"), expected);
        let source = self.source.into();
        let month_of = match (self.subscription, self.plan) {
            (None, None) => None,
            (Some(_), None) => return Err(wrong("plan", "the plan of the subscription is expected")),
            (None, Some(_)) => return Err(wrong("subscription", "the subscription of the plan is expected")),
            (Some(_), Some(_)) if source != Source::Allocation => {
                return Err(wrong("subscription", "it can only be sent with `\"source\": \"allocation\"`"));
            }
            (Some(_), Some(_)) if self.expires_at.is_none() => {
                return Err(wrong("expires_at", "the end of the subscription's month is expected"));
            }
            (Some(subscription), Some(plan)) => Some(MonthOf { subscription, plan }),
        };
        Ok(MovedGrant {
            grant_id,
            source,
            amount: self.amount.credits(),
            cost: self.cost.map(|Cost { minor, currency }| Money { minor, currency }),
            payment: self.payment,
            granted_at: self.granted_at,
            starts_at: self.starts_at,
            expires_at: self.expires_at,
            priority: self.priority,
            reason: self.reason.map(String::from),
            month_of,
        })
    }
}

impl From<ImportedSource> for Source {
    fn from(source: ImportedSource) -> Self {
        match source {
            ImportedSource::Allocation => Self::Allocation,
            ImportedSource::Rollover => Self::Rollover,
            ImportedSource::Signup => Self::Signup,
            ImportedSource::TopUp => Self::TopUp,
            ImportedSource::Bonus => Self::Bonus,
            ImportedSource::Adjustment => Self::Adjustment,
        }
    }
}

/// Two grants of one account have the same id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{id}` is the id of another grant of the account")]
pub struct GrantIdTaken {
    /// Which of the grants is the second one.
    pub index: usize,
    pub id: GrantId,
}

/// The ids of all grants.
/// Those without an id get `moved_1`, `moved_2` and so on by their place, or the next number that no other grant has.
///
/// # Errors
/// If two grants have the same id.
pub fn name_grants(given: &[Option<GrantId>]) -> Result<Vec<GrantId>, GrantIdTaken> {
    let mut taken = BTreeSet::new();
    for (index, id) in given.iter().enumerate() {
        if let Some(id) = id
            && !taken.insert(id.to_string())
        {
            return Err(GrantIdTaken { index, id: id.clone() });
        }
    }
    let mut spare = given.len().saturating_add(1)..;
    let mut own = |index: usize| {
        let places = [index.saturating_add(1)].into_iter().chain(&mut spare);
        let names = places.map(|number| format!("moved_{number}"));
        let mut free = names.filter(|name| !taken.contains(name));
        // Such a name is always a valid id.
        free.find_map(|name| GrantId::parse(&name).ok())
    };
    let ids = given.iter().enumerate();
    Ok(ids.filter_map(|(index, id)| id.clone().or_else(|| own(index))).collect())
}

/// An account in a file that is imported.
#[derive(Debug)]
pub struct MovedAccount {
    pub account: AccountId,
    pub import: ImportAccount,
}

/// Parses an account that is written as in a batch.
///
/// # Errors
/// What is wrong, and where.
pub fn read_account(json: &[u8]) -> Result<MovedAccount, String> {
    let read = || {
        let CommandItem { head, fields }: CommandItem<AccountImport> = parse(json, "$")?;
        if head.hold_id.is_some() {
            return Err(Failure::body("$.hold_id", "unknown field `hold_id`"));
        }
        let account = head.account.ok_or_else(|| Failure::body("$.account", "missing field `account`"))?;
        Ok(MovedAccount { account, import: fields.into_import()? })
    };
    read().map_err(|failure: Failure| failure.explanation().detail())
}
