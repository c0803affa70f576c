//! How are the domain's own types described to callers? The domain knows nothing of HTTP, so their schemas are here.
//!
//! These types are never constructed: they describe the domain's types in the OpenAPI document.

#![expect(dead_code, reason = "only their descriptions are used")]

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema,
        schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type},
    },
};

macro_rules! texts {
    ($($name:ident: $pattern:expr, $format:expr, $description:literal, $example:literal;)+) => {$(
        pub struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let format: Option<KnownFormat> = $format;
                let pattern: Option<&str> = $pattern;
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .pattern(pattern)
                    .format(format.map(SchemaFormat::KnownFormat))
                    .description(Some($description))
                    .examples([serde_json::json!($example)])
                    .into()
            }
        }

        impl ToSchema for $name {}
    )+};
}

texts! {
    Id: Some(r"^(?!\.{1,2}$)[A-Za-z0-9_.:-]{1,128}$"), None, "1 to 128 characters of A-Z a-z 0-9 _ . : -, and not `.` or `..`", "acme";
    Time: None, Some(KnownFormat::DateTime), "RFC 3339, UTC.", "2025-06-01T00:00:00Z";
    Day: None, Some(KnownFormat::Date), "A day, as in RFC 3339.", "2025-06-01";
    Place: Some(r"^p[0-9]+-[0-9]+(\.[0-9]+-[0-9]+)*$"), None,
        "A place in the ledger's order. Opaque: send it back as `min_position`, and do not compare it. Events of one \
         account have one order; events of different accounts need not.",
        "p0-42";
    Key: Some("^[!-~]{1,255}$"), None, "Identifies a request and its repetitions.", "order-4711-item-1";
}

/// Credits: whole, never negative.
pub struct Count;

impl PartialSchema for Count {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
            .minimum(Some(0))
            .into()
    }
}

impl ToSchema for Count {}

/// The balance of the account, at the time of the answer.
#[derive(ToSchema)]
#[schema(as = Balance, example = json!({ "available": 45, "held": 0, "settled": 45, "debt": 0 }))]
pub struct BalanceSchema {
    /// What a deduction may use.
    available: Count,
    /// What open holds reserve.
    held: Count,
    /// `available + held − debt`.
    settled: i64,
    /// What is owed because credits were taken back after they had been spent.
    debt: Count,
}

/// How many credits a movement took from, or returned to, one grant.
#[derive(ToSchema)]
#[schema(as = Draw)]
pub struct DrawSchema {
    grant_id: Id,
    amount: Count,
}

/// Where credits come from.
#[derive(ToSchema, serde::Serialize)]
#[schema(as = Source)]
#[serde(rename_all = "snake_case")]
pub enum SourceSchema {
    Allocation,
    Rollover,
    Signup,
    TopUp,
    Bonus,
    Refund,
    Adjustment,
}

/// Money, in whole minor units (cents for `usd`).
#[derive(ToSchema)]
#[schema(as = Money, example = json!({ "minor": 999, "currency": "usd" }))]
pub struct MoneySchema {
    minor: i64,
    /// ISO 4217, lower case.
    currency: String,
}

/// What is paid for in each interval.
#[derive(ToSchema)]
#[schema(as = Ordered)]
pub struct OrderSchema {
    plan: Id,
    /// `month` or `year`
    interval: String,
    quantity: u32,
}

#[derive(ToSchema)]
#[schema(as = Period)]
pub struct PeriodSchema {
    start: Time,
    /// The first instant after the period.
    end: Time,
}

/// An event that Stripe delivered.
#[derive(ToSchema)]
#[schema(as = InboxEvent)]
pub struct InboxEventSchema {
    arrival: i64,
    event_id: String,
    r#type: String,
    /// `received`, `processed`, `ignored`, `not_handled_yet`, `waiting`, `dead`, `quarantined` or `discarded`
    state: String,
    reason: Option<String>,
    attempts: i32,
    next_attempt_at: Option<Time>,
    created_at: Time,
    received_at: Time,
    changed_at: Time,
    livemode: bool,
    api_version: Option<String>,
    connect_account: Option<String>,
    /// Why it is trusted: it was delivered and `signed`; `listed` among Stripe's events; or `rebuilt` from an object
    /// that was read from Stripe.
    proof: String,
    /// The name of the secret that verified it, if it was delivered.
    secret: Option<String>,
    customer: Option<String>,
    account: Option<String>,
}

/// Something that is wrong.
#[derive(ToSchema)]
#[schema(as = Finding)]
pub struct FindingSchema {
    /// Such as `event_changed`, `chain_broken`.
    problem: String,
    /// In which shard, if the journal has several.
    shard: Option<i16>,
    /// The first bad position.
    position: Option<i64>,
    block: Option<i64>,
    account: Option<String>,
    /// For people.
    detail: String,
}
