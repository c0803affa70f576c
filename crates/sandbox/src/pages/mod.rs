//! Which pages does a person see? They need only a browser, and each is marked as a sandbox's.

mod authenticate;
mod checkout;
mod html;
mod index;
mod invoice;
mod link;
mod offers;
mod portal;
mod shop;

use std::sync::Arc;

use axum::{
    Router,
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use maud::Markup;

use super::{call::Params, failure::SandboxFailure, form, shared::SharedSandbox};

pub(super) fn routes() -> Router<Arc<SharedSandbox>> {
    Router::new()
        .route("/", get(index::page))
        .route("/clock", post(index::advance))
        .route("/buy", post(shop::buy))
        .route("/resend/{event}", post(index::resend))
        .route("/pay/{link}", get(link::open))
        .route("/checkout/{session}", get(checkout::page).post(checkout::pay))
        .route("/authenticate/{intent}", get(authenticate::page).post(authenticate::decide))
        .route("/invoices/{invoice}", get(invoice::page))
        .route("/invoices/{invoice}/pdf", get(invoice::file))
        .route("/portal/{secret}", get(portal::page).post(portal::change))
}

/// The fields of a form that a person sent.
fn filled(body: &str) -> Params {
    Params(form::parse(body))
}

fn show(title: &str, main: &Markup) -> Response {
    show_as(StatusCode::OK, title, main)
}

fn show_as(status: StatusCode, title: &str, main: &Markup) -> Response {
    let mut response = (status, Html(html::page(title, main).into_string())).into_response();
    // Nothing is loaded. Forms are not restricted, because they lead here and then to the caller's URLs.
    let policy = HeaderValue::from_static(
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    );
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn wrong(failure: &SandboxFailure) -> Response {
    let status = StatusCode::from_u16(failure.status).unwrap_or(StatusCode::BAD_REQUEST);
    show_as(status, "This does not work", &html::alert(failure.message()))
}

/// Redirects with a GET. A URL that cannot be a header's value leads to the index.
fn lead_to(url: &str) -> Response {
    let location = HeaderValue::from_str(url).unwrap_or_else(|_| HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}
