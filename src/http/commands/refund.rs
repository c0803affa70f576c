//! How are spent credits refunded: of one deduction, or of everything that a generation cost?

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    domain::{
        amount::Credits,
        command::{Command, CreditsCommand, REFUND_DEDUCTIONS_MAX, Spent},
        credits::Balance,
        event::{CreditsEvent, Draw, Event},
        ids::{DeductionId, GenerationId},
        refusal::Refusal,
    },
    http::{
        failure::Failure,
        openapi::Problems,
        position::Token,
        problems::{
            DeductionNotFound, RefundExceedsDeduction, RefundsOutdated, TargetError, TooManyDeductions,
            TooManyRefunds,
        },
        request::{Amount, Deducts, Text},
        schema::{BalanceSchema, Count, DrawSchema, Id, Place},
    },
    ledger::Outcome,
};

use super::call::{ApiCommand, CallResult, CommandCall, Target};

/// What to refund: one of `generation_id` and `deduction_id`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "generation_id": "gen_1", "reason": "failed" }))]
pub struct RefundRequest {
    #[schema(value_type = Option<Id>)]
    #[serde(default)]
    pub generation_id: Option<GenerationId>,
    #[schema(value_type = Option<Id>)]
    #[serde(default)]
    pub deduction_id: Option<DeductionId>,
    /// All that was not refunded before, if left out. One deduction has at most a hundred refunds of a part of it.
    #[serde(default)]
    pub amount: Option<Amount>,
    pub reason: Text,
}

/// How much of one deduction was refunded.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefundedDeductionResponse<'a> {
    #[schema(value_type = Id)]
    pub deduction_id: &'a str,
    #[schema(value_type = Count)]
    pub amount: Credits,
}

/// Credits were refunded.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefundedResponse<'a> {
    /// The newest deduction of which something was refunded.
    #[schema(value_type = Id)]
    pub deduction_id: &'a str,
    /// All deductions of which something was refunded, the newest first.
    pub deductions: Vec<RefundedDeductionResponse<'a>>,
    #[schema(value_type = Option<Id>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation_id: Option<&'a str>,
    #[schema(value_type = Count)]
    pub amount: Credits,
    /// Which grants got credits back, the last that had paid first.
    #[schema(value_type = Vec<DrawSchema>)]
    pub returns: Vec<&'a Draw>,
    /// Which grants would have got credits back, but have ended. A new grant has these credits for 72 hours.
    #[schema(value_type = Vec<DrawSchema>)]
    pub reissued: Vec<&'a Draw>,
    pub reason: &'a str,
    #[schema(value_type = BalanceSchema)]
    pub balance: Balance,
    #[schema(value_type = Place)]
    pub position: Token,
}

impl ApiCommand for RefundRequest {
    const STATUS: StatusCode = StatusCode::CREATED;
    type Scope = Deducts;
    type Subject = ();
    type Reply<'a> = RefundedResponse<'a>;

    /// Includes the deductions. They never change, so they can be read before the decision.
    async fn command(self, (): (), to: Target<'_>) -> Result<Command, Failure> {
        let ledger = &to.state.ledger;
        let (of, deductions) = match (self.generation_id, self.deduction_id) {
            (Some(generation), None) => {
                let found = ledger.find_spent_on(to.account, &generation, REFUND_DEDUCTIONS_MAX + 1).await?;
                (Spent::Generation(generation), found)
            }
            (None, Some(deduction)) => {
                let found = ledger.find_deduction(to.account, &deduction).await?;
                (Spent::Deduction(deduction), found.into_iter().collect())
            }
            (None, None) => return Err(Failure::body("$", "`generation_id` or `deduction_id` is needed")),
            (Some(_), Some(_)) => {
                return Err(Failure::body(
                    "$.deduction_id",
                    "it cannot be sent together with `generation_id`",
                ));
            }
        };
        if deductions.is_empty() {
            let exists = ledger.view(to.account).await?.account.opened().is_some();
            return Err(if exists {
                TargetError::DeductionNotFound.into()
            } else {
                Refusal::AccountNotFound.into()
            });
        }
        let amount = self.amount.map(Amount::credits);
        Ok(Command::Credits(CreditsCommand::RefundDeductions {
            of,
            deductions,
            amount,
            reason: self.reason.into(),
        }))
    }

    /// The refunds of all deductions, as one answer.
    fn reply<'a>(done: &'a Outcome) -> Option<RefundedResponse<'a>> {
        let (balance, position) = (done.balance()?, done.position);
        let mut answer: Option<RefundedResponse<'a>> = None;
        for event in done.events.iter().map(|recorded| &recorded.event) {
            let Event::Credits(CreditsEvent::CreditsRefunded {
                deduction_id,
                amount,
                returns,
                reissued,
                reason,
                purpose,
                ..
            }) = event
            else {
                continue;
            };
            let deduction_id = deduction_id.as_str();
            let answer = answer.get_or_insert_with(|| RefundedResponse {
                deduction_id,
                deductions: Vec::new(),
                generation_id: purpose.generation_id().map(GenerationId::as_str),
                amount: Credits::ZERO,
                returns: Vec::new(),
                reissued: Vec::new(),
                reason,
                balance,
                position: Token::of(position),
            });
            answer.deductions.push(RefundedDeductionResponse { deduction_id, amount: *amount });
            answer.amount = answer.amount.checked_add(*amount)?;
            answer.returns.extend(returns);
            answer.reissued.extend(reissued);
        }
        answer
    }
}

/// Refund a deduction or a generation
///
/// All or a part of it, to the grants that paid. All refunds of one deduction together never exceed it.
/// After a hundred refunds of a part of one deduction, only all of the rest is refunded.
/// For a generation, all that it was charged is refunded, the newest deduction first; at most 100 deductions.
/// If all of a generation is refunded it no longer counts in limits, unless it was spent in parts of a hold.
#[utoipa::path(
    post, path = "/v1/accounts/{account}/refunds", operation_id = "refund", tag = "Spending",
    params(("account" = Id, Path)), request_body = RefundRequest,
    responses(
        (status = 201, description = "Refunded.", body = RefundedResponse),
        Problems<(
            DeductionNotFound,
            RefundExceedsDeduction,
            RefundsOutdated,
            TooManyDeductions,
            TooManyRefunds,
        )>,
    )
)]
pub async fn refund(call: CommandCall<RefundRequest>) -> CallResult {
    call.execute().await
}
