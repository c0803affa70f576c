//! Where does a payment link lead? To a new checkout session.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    extract::{Path, Query, State as Shares},
    response::Response,
};

use super::{
    super::{operations::linking, shared::SharedSandbox},
    lead_to, wrong,
};

pub(super) async fn open(
    Shares(shared): Shares<Arc<SharedSandbox>>,
    Path(link): Path<String>,
    Query(asked): Query<BTreeMap<String, String>>,
) -> Response {
    let reference = asked.get("client_reference_id").map(String::as_str);
    match shared.with(|state| linking::open_link(state, &link, reference)) {
        Ok(session) => lead_to(&format!("/checkout/{session}")),
        Err(failure) => wrong(&failure),
    }
}
