//! How is a generation charged? By the catalog's price: now, or held until the work is done.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    domain::{
        command::{Command, CreditsCommand, Generation, HoldFor},
        ids::{GenerationId, GenerationType, OptionName},
    },
    http::{
        failure::Failure,
        openapi::{KeyRule, Problems},
        problems::{
            FeatureNotInPlan, HoldTooLong, Spending, UnknownGenerationType, UnknownOption, UnknownOptionValue,
        },
        request::{Deducts, names_once},
        schema::Id,
    },
    ledger::Outcome,
};

use super::{
    call::{ApiCommand, CallResult, CommandCall, NamedCommand as _, Target},
    deduct::DeductedResponse,
    hold::{HoldPlacedResponse, HoldRequest},
};

/// A generation that the catalog has a price for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "type": "standard_generation", "generation_id": "gen_1" }))]
pub struct GenerationRequest {
    #[schema(value_type = Id)]
    pub r#type: GenerationType,
    /// Options of the type, such as `{"quality": "high"}`.
    #[schema(value_type = BTreeMap<String, String>)]
    #[serde(default, deserialize_with = "names_once")]
    pub options: BTreeMap<OptionName, OptionName>,
    /// The caller's own id of the work.
    /// It is charged or held for once, whatever `Idempotency-Key` is sent; with it, no key is needed.
    #[schema(value_type = Option<Id>)]
    #[serde(default)]
    pub generation_id: Option<GenerationId>,
    /// Only hold the credits, to be committed when the work is done.
    #[serde(default)]
    pub hold: bool,
    /// How many seconds the hold lives; 900 if left out.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 86400)]
    pub expires_in_s: Option<u32>,
}

/// The answer to a generation: a deduction or a hold, as requested.
#[derive(Serialize, ToSchema)]
#[schema(as = Generated)]
#[serde(untagged)]
pub enum Generated<'a> {
    Deducted(DeductedResponse<'a>),
    Held(HoldPlacedResponse<'a>),
}

impl ApiCommand for GenerationRequest {
    const STATUS: StatusCode = StatusCode::CREATED;
    const KEY: KeyRule = KeyRule::OrOwnId;
    type Scope = Deducts;
    type Subject = ();
    type Reply<'a> = Generated<'a>;

    fn name(&self) -> &'static str {
        if self.hold { HoldRequest::NAME } else { Self::NAME }
    }

    /// The generation's id identifies repetitions.
    fn own_key(&self) -> Option<String> {
        self.generation_id.as_ref().map(|id| format!("generation:{id}"))
    }

    async fn command(self, (): (), _: Target<'_>) -> Result<Command, Failure> {
        let generation = Generation { kind: self.r#type, options: self.options, id: self.generation_id };
        match (self.hold, self.expires_in_s) {
            (true, expires_in_s) => Ok(Command::Credits(CreditsCommand::HoldCredits {
                what: HoldFor::Generation(generation),
                expires_in_s,
            })),
            (false, None) => Ok(Command::Credits(CreditsCommand::Generate(generation))),
            (false, Some(_)) => {
                Err(Failure::body("$.expires_in_s", "it can only be sent with `\"hold\": true`"))
            }
        }
    }

    fn reply<'a>(done: &'a Outcome) -> Option<Generated<'a>> {
        done.find(|event| {
            let deducted = DeductedResponse::of(event, done).map(Generated::Deducted);
            deducted.or_else(|| HoldPlacedResponse::of(event, done).map(Generated::Held))
        })
    }
}

/// Deduct what a generation costs
///
/// The catalog has the price. The plan's features and limits and the balance are checked in the same step that deducts.
/// With `"hold": true` the credits are only held, and the answer is that of a hold.
#[utoipa::path(
    post, path = "/v1/accounts/{account}/generations", operation_id = "generate", tag = "Spending",
    params(("account" = Id, Path)), request_body = GenerationRequest,
    responses(
        (status = 201, description = "Deducted, or held.", body = inline(Generated)),
        Problems<(
            Spending, FeatureNotInPlan, UnknownGenerationType, UnknownOption, UnknownOptionValue, HoldTooLong,
        )>,
    )
)]
pub async fn generate(call: CommandCall<GenerationRequest>) -> CallResult {
    call.execute().await
}
