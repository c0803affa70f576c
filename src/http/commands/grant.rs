//! How are credits granted by hand?

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::{
    domain::{
        amount::Credits,
        command::{Command, CreditsCommand, GrantCredits},
        credits::{Balance, Source},
        event::{CreditsEvent, Event},
        ids::GrantId,
        time::Timestamp,
    },
    http::{
        failure::Failure,
        openapi::Problems,
        position::Token,
        problems::{GrantAlreadyExists, GrantHasEnded},
        request::{Amount, Operates, Text, word},
        schema::{BalanceSchema, Count, Id, Place, SourceSchema, Time},
    },
    ledger::Outcome,
};

use super::call::{ApiCommand, CallResult, CommandCall, Target};

/// Credits to grant.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = GrantOrder, example = json!({ "source": "bonus", "amount": 100, "reason": "a week of trouble" }))]
pub struct GrantRequest {
    #[serde(deserialize_with = "word")]
    pub source: GrantSource,
    pub amount: Amount,
    pub reason: Text,
    /// Unique in the account. Derived from the idempotency key if left out.
    #[schema(value_type = Option<Id>)]
    #[serde(default)]
    pub grant_id: Option<GrantId>,
    /// Now if left out.
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
}

/// The sources that an operator can name. The others are for plans and payments.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GrantSource {
    Bonus,
    Adjustment,
}

/// Credits were granted.
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
    /// How much of it paid the account's debt.
    #[schema(value_type = Count)]
    pub debt_paid: Credits,
    pub reason: Option<&'a str>,
    #[schema(value_type = BalanceSchema)]
    pub balance: Balance,
    #[schema(value_type = Place)]
    pub position: Token,
}

impl ApiCommand for GrantRequest {
    const STATUS: StatusCode = StatusCode::CREATED;
    type Scope = Operates;
    type Subject = ();
    type Reply<'a> = GrantedResponse<'a>;

    async fn command(self, (): (), to: Target<'_>) -> Result<Command, Failure> {
        let grant_id = match self.grant_id {
            Some(grant_id) => grant_id,
            None => made_of(to.key)?,
        };
        let source = match self.source {
            GrantSource::Bonus => Source::Bonus,
            GrantSource::Adjustment => Source::Adjustment,
        };
        Ok(Command::Credits(CreditsCommand::GrantCredits(GrantCredits {
            grant_id,
            source,
            amount: self.amount.credits(),
            starts_at: self.starts_at,
            expires_at: self.expires_at,
            priority: self.priority,
            cost: None,
            reason: self.reason.into(),
        })))
    }

    fn reply<'a>(done: &'a Outcome) -> Option<GrantedResponse<'a>> {
        let grant = done.find(|event| {
            let Event::Credits(CreditsEvent::CreditsGranted { grant, .. }) = event else {
                return None;
            };
            Some(grant)
        })?;
        let debt_paid = done.find(|event| {
            let Event::Credits(CreditsEvent::DebtPaid { grant_id, amount, .. }) = event else {
                return None;
            };
            (*grant_id == grant.grant_id).then_some(*amount)
        });
        Some(GrantedResponse {
            grant_id: grant.grant_id.as_str(),
            source: grant.source,
            amount: grant.amount,
            starts_at: grant.starts_at,
            expires_at: grant.expires_at,
            priority: grant.priority,
            debt_paid: debt_paid.unwrap_or(Credits::ZERO),
            reason: grant.reason.as_deref(),
            balance: done.balance()?,
            position: Token::of(done.position),
        })
    }
}

/// The same key gives the same id, so that a repeated request is the same request.
fn made_of(key: &str) -> Result<GrantId, Failure> {
    let hash: [u8; 32] = Sha256::digest(key.as_bytes()).into();
    let short = hash.first_chunk::<12>().map(hex::encode).unwrap_or_default();
    GrantId::parse(&format!("grant_{short}")).map_err(Failure::fault)
}

/// Grant credits
///
/// As a bonus or an adjustment. The account's debt is paid from it first.
#[utoipa::path(
    post, path = "/v1/accounts/{account}/grants", operation_id = "grant", tag = "Operating",
    params(("account" = Id, Path)), request_body = GrantRequest,
    responses(
        (status = 201, description = "Granted.", body = GrantedResponse),
        Problems<(GrantAlreadyExists, GrantHasEnded)>,
    )
)]
pub async fn grant(call: CommandCall<GrantRequest>) -> CallResult {
    call.execute().await
}
