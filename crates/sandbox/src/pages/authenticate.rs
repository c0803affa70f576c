//! Does the person agree? The bank's question about a payment that was begun over the API, or by a renewal.

use std::sync::Arc;

use axum::{
    extract::{Path, State as Shares},
    response::Response,
};

use super::{
    super::{
        failure::SandboxFailure, operations, shared::SharedSandbox,
        store::payment_intent::PaymentIntentStatus,
    },
    filled,
    html::{money, status},
    lead_to, show, wrong,
};

pub(super) async fn page(Shares(shared): Shares<Arc<SharedSandbox>>, Path(id): Path<String>) -> Response {
    let main = shared.with(|state| {
        let intent = state.store.payment_intents.get(&id)?;
        if intent.status != PaymentIntentStatus::RequiresAction {
            return Ok::<_, SandboxFailure>(status("Nothing is asked of you any more."));
        }
        Ok(format!(
            "<p>A payment of <strong>{}</strong> needs authentication (3-D Secure). Is it you?</p><form method=\"post\">\
             <div class=\"row\"><button name=\"bank\" value=\"yes\">Complete authentication</button>\
             <button name=\"bank\" value=\"no\" class=\"quiet\">Fail authentication</button></div></form>",
            money(intent.amount, &intent.currency)
        ))
    });
    match main {
        Ok(main) => show("Your bank wants to ask you", &main),
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
        Ok(Some(url)) if url.starts_with("http") => lead_to(&url),
        Ok(_) => show(
            "Thank you",
            &status(if agrees {
                "The payment is authenticated."
            } else {
                "The payment was not authenticated."
            }),
        ),
        Err(failure) => wrong(&failure),
    }
}
