//! How does this Stripe behave? By settings of the dashboard, and by choices where Stripe's behaviour is not verified.

use std::sync::Arc;

use axum::{extract::State as Shares, response::Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    super::{
        failure::SandboxFailure,
        shared::SharedSandbox,
        state::{AfterRetries, SandboxState},
    },
    answer,
    body::ControlBody,
};

/// The longest time for a bank debit, in business days.
const DEBIT_DAYS_MAX: i64 = 60;

/// Settings of Stripe's dashboard, and behaviours of Stripe's that are not verified.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SandboxSettings {
    /// `cancel`, `unpaid`, `past_due`, `pause` or `pause_at_once`.
    after_retries: Option<String>,
    /// The business days until bank debits are decided.
    debit_days: Option<i64>,
    /// `active` or `incomplete`: the status of a subscription while its first debit is processing.
    first_debit: Option<String>,
    /// `rising` or `random`.
    event_ids: Option<String>,
    /// Whether a dispute that the network prevented withdraws funds.
    prevented_withdraws: Option<bool>,
    /// Whether the charge of a whole period after the anchor moved is a proration, in the flexible mode.
    anchor_debits_are_prorations: Option<bool>,
}

pub(super) async fn set(
    Shares(shared): Shares<Arc<SharedSandbox>>,
    ControlBody(settings): ControlBody<SandboxSettings>,
) -> Response {
    let set = shared.with(|state| change_settings(state, &settings));
    answer(&shared, set)
}

fn change_settings(state: &mut SandboxState, settings: &SandboxSettings) -> Result<Value, SandboxFailure> {
    if let Some(after) = &settings.after_retries {
        state.after_retries = AfterRetries::parse(after).ok_or_else(|| {
            SandboxFailure::invalid("It is `cancel`, `unpaid`, `past_due`, `pause` or `pause_at_once`.")
                .param("after_retries")
        })?;
    }
    if let Some(first) = &settings.first_debit {
        state.trusts_first_debit = match first.as_str() {
            "active" => true,
            "incomplete" => false,
            _ => return Err(SandboxFailure::invalid("It is `active` or `incomplete`.").param("first_debit")),
        };
    }
    if let Some(days) = settings.debit_days {
        let known = (1..=DEBIT_DAYS_MAX).contains(&days);
        let refused = || SandboxFailure::invalid("Debits take 1 to 60 business days.").param("debit_days");
        state.debit_days = Some(known.then_some(days).ok_or_else(refused)?);
    }
    if let Some(ids) = &settings.event_ids {
        state.outbox.event_ids_rise = match ids.as_str() {
            "rising" => true,
            "random" => false,
            _ => return Err(SandboxFailure::invalid("It is `rising` or `random`.").param("event_ids")),
        };
    }
    state.prevented_withdraws = settings.prevented_withdraws.unwrap_or(state.prevented_withdraws);
    state.anchor_debits_are_prorations =
        settings.anchor_debits_are_prorations.unwrap_or(state.anchor_debits_are_prorations);
    Ok(json!({
        "after_retries": state.after_retries.as_str(),
        "debit_days": state.debit_days,
        "first_debit": if state.trusts_first_debit { "active" } else { "incomplete" },
        "event_ids": if state.outbox.event_ids_rise { "rising" } else { "random" },
        "prevented_withdraws": state.prevented_withdraws,
        "anchor_debits_are_prorations": state.anchor_debits_are_prorations,
    }))
}
