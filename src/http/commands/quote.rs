//! What would a generation cost, would it be allowed, and if not, why? A quote changes nothing.

use std::collections::BTreeMap;

use axum::{body::Body, extract::State, http::Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    domain::{
        amount::Credits,
        command::{Command, CreditsCommand, Generation},
        credits::Balance,
        decide::{Context, decide},
        event::{CreditsEvent, Draw, Event},
        ids::{AccountId, GenerationType, OptionName, PlanId},
        refusal::Refusal,
    },
    http::{
        AppState,
        failure::Failure,
        openapi::Problems,
        position::Token,
        problems::{
            AccountClosed, AccountNotFound, AmountTooLarge, ClockBehind, Explain as _, ProblemCode, Reading,
            UnknownGenerationType, UnknownOption, UnknownOptionValue,
        },
        request::{AccountOf, Json, Quotes, names_once},
        response::fresh,
        schema::{BalanceSchema, Count, DrawSchema, Id, Place},
    },
    ledger::ExecuteError,
    queries::account_now,
};

use super::call::offering;

/// A generation to price.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "type": "standard_generation", "options": { "quality": "high" } }))]
pub struct QuoteRequest {
    #[schema(value_type = Id)]
    pub r#type: GenerationType,
    /// Options of the type.
    #[schema(value_type = BTreeMap<String, String>)]
    #[serde(default, deserialize_with = "names_once")]
    pub options: BTreeMap<OptionName, OptionName>,
}

/// What a generation would cost now.
#[derive(Debug, Serialize, ToSchema)]
pub struct QuoteResponse<'a> {
    #[schema(value_type = Id)]
    account: &'a AccountId,
    #[schema(value_type = Id)]
    plan: &'a PlanId,
    #[schema(value_type = Id)]
    r#type: &'a GenerationType,
    #[schema(value_type = Count)]
    amount: Credits,
    allowed: bool,
    /// Which grants would pay; empty if it is not allowed.
    #[schema(value_type = Vec<DrawSchema>)]
    draws: Vec<Draw>,
    /// Why not, with the members of the problem that the generation would be answered with.
    refusal: Option<QuoteReason>,
    #[schema(value_type = BalanceSchema)]
    balance: Balance,
    #[schema(value_type = Place)]
    position: Token,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct QuoteReason {
    code: &'static str,
    title: &'static str,
    detail: String,
    #[serde(flatten)]
    #[schema(value_type = Object)]
    members: serde_json::Map<String, Value>,
}

/// Ask what a generation would cost
///
/// Decided as the generation itself would be now; nothing is deducted.
#[utoipa::path(
    post, path = "/v1/accounts/{account}/quote", operation_id = "quote", tag = "Spending",
    params(("account" = Id, Path)), request_body = QuoteRequest,
    responses(
        (status = 200, description = "The price, and whether it would be allowed.", body = QuoteResponse),
        Problems<(
            Reading, AccountNotFound, AccountClosed, UnknownGenerationType, UnknownOption,
            UnknownOptionValue, AmountTooLarge, ClockBehind,
        )>,
    )
)]
pub async fn quote(
    State(state): State<AppState>,
    to: AccountOf<Quotes>,
    Json(order): Json<QuoteRequest>,
) -> Result<Response<Body>, Failure> {
    let catalog = state.ledger.catalog();
    let now = account_now(&state.ledger, &to.account).await?;
    let generation = Generation { kind: order.r#type, options: order.options, id: None };
    let command = Command::Credits(CreditsCommand::Generate(generation.clone()));
    let decided = decide(&now.account, &command, Context { at: now.at, catalog });
    let account = now.opened()?;
    let plan = account.plan(now.at, catalog);
    let (amount, draws, refusal) = match decided {
        Ok(events) => {
            let (amount, draws) = spent(&events).ok_or_else(|| Failure::unexpected("a price is missing"))?;
            (amount, draws, None)
        }
        Err(refusal) => {
            // Without a price there is nothing to quote.
            let price = catalog.price(plan, &generation.kind, &generation.options);
            let Ok(amount) = price else { return Err(refusal.into()) };
            if refusal == Refusal::AccountClosed {
                return Err(refusal.into());
            }
            if let Some(behind_s) = state.ledger.refused_by_the_clock_s(&refusal).await {
                return Err(ExecuteError::ClockBehind { behind_s }.into());
            }
            (amount, Vec::new(), Some(why(offering(&state, &to.account, refusal))))
        }
    };
    fresh(
        now.position,
        &QuoteResponse {
            account: &to.account,
            plan,
            r#type: &generation.kind,
            amount,
            allowed: refusal.is_none(),
            draws,
            refusal,
            balance: account.wallet.balance(now.at),
            position: Token::of(now.position),
        },
    )
}

fn spent(events: &[Event]) -> Option<(Credits, Vec<Draw>)> {
    events.iter().rev().find_map(|event| {
        let Event::Credits(CreditsEvent::CreditsDeducted { amount, draws, .. }) = event else {
            return None;
        };
        Some((*amount, draws.clone()))
    })
}

fn why(refusal: Refusal) -> QuoteReason {
    let explanation = refusal.explain();
    let (ProblemCode { name, title, .. }, detail) = (explanation.code, explanation.detail());
    QuoteReason { code: name, title, detail, members: explanation.members }
}
