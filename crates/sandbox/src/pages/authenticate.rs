//! Does the person authenticate a payment that the API or a renewal began?

use std::sync::Arc;

use axum::{
    extract::{Path, State as Shares},
    response::Response,
};
use maud::{Markup, html};

use super::{
    super::{
        failure::SandboxFailure, money, operations, shared::SharedSandbox,
        store::payment_intent::PaymentIntentStatus,
    },
    filled,
    html::{status, web_address},
    lead_to, show, wrong,
};

pub(super) const QUESTION: &str = "Your bank wants to ask you";

/// The bank's question, with other fields of the form in `kept`.
pub(super) fn question(asked: &Markup, kept: &Markup) -> Markup {
    html! {
        p { (asked) }
        form method="post" {
            (kept)
            div.row {
                button name="bank" value="yes" { "Complete authentication" }
                button.quiet name="bank" value="no" { "Fail authentication" }
            }
        }
    }
}

pub(super) async fn page(Shares(shared): Shares<Arc<SharedSandbox>>, Path(id): Path<String>) -> Response {
    let main = shared.with(|state| {
        let intent = state.store.payment_intents.get(&id)?;
        if intent.status != PaymentIntentStatus::RequiresAction {
            return Ok::<_, SandboxFailure>(status("Nothing is asked of you any more."));
        }
        let asked = html! {
            "A payment of " strong { (money::shown(intent.amount, &intent.currency)) }
            " needs authentication (3-D Secure). Is it you?"
        };
        Ok(question(&asked, &html! {}))
    });
    match main {
        Ok(main) => show(QUESTION, &main),
        Err(failure) => wrong(&failure),
    }
}

pub(super) async fn decide(
    Shares(shared): Shares<Arc<SharedSandbox>>,
    Path(id): Path<String>,
    body: String,
) -> Response {
    let agrees = filled(&body).text("bank") == Some("yes");
    let done = shared.with(|state| {
        operations::authenticate(state, &id, agrees)?;
        Ok::<_, SandboxFailure>(state.store.payment_intents.get(&id)?.return_url.clone())
    });
    shared.wake.notify_one();
    match done {
        Ok(url) => match url.as_deref().and_then(web_address) {
            Some(url) => lead_to(url),
            None if agrees => show("Thank you", &status("The payment is authenticated.")),
            None => show("Thank you", &status("The payment was not authenticated.")),
        },
        Err(failure) => wrong(&failure),
    }
}
