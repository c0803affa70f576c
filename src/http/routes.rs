//! What is at which address? The one list of routes.

use axum::{
    Router,
    body::{Body, Bytes},
    extract::MatchedPath,
    handler::Handler,
    http::{HeaderValue, Method, Response, StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use utoipa::openapi::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::{
    AppState,
    billing::{
        self, customers, found_customers, invoices, payment_methods, payments, products, subscriptions,
    },
    commands::{accounts, batch, grants, holds, imports, quote, refunds, spending},
    edge::{Access, Edge},
    failure::Failure,
    health, openapi,
    operations::{api_keys, audit, inbox, projections, webhooks},
    reads::{
        self, account, accounts as list_of_accounts, all_subscriptions, analytics, events, history, holdings,
        money, overview, plan, statement, subscriptions as list_of_subscriptions, usage,
    },
    sharing::{self, OPENAPI_PATH},
};

/// Routes for whoever has a key.
fn keyed() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(accounts::put, account::get))
        .routes(routes!(spending::generate))
        .routes(routes!(spending::deduct))
        .routes(routes!(holds::hold, holdings::holds))
        .routes(routes!(holds::commit))
        .routes(routes!(holds::release))
        .routes(routes!(holds::extend))
        .routes(routes!(refunds::refund))
        .routes(routes!(grants::grant, holdings::grants))
        .routes(routes!(grants::adjust))
        .routes(routes!(grants::forgive))
        .routes(routes!(grants::close))
        .routes(routes!(imports::import))
        .routes(routes!(quote::quote))
        .routes(routes!(batch::execute))
        .routes(routes!(list_of_accounts::list))
        .routes(routes!(account::balance))
        .routes(routes!(overview::overview))
        .routes(routes!(plan::limits))
        .routes(routes!(plan::entitlements))
        .routes(routes!(plan::subscription))
        .routes(routes!(list_of_subscriptions::list, subscriptions::subscribe))
        .routes(routes!(history::history))
        .routes(routes!(events::list))
        .routes(routes!(statement::statement))
        .routes(routes!(all_subscriptions::list))
        .routes(routes!(money::payments))
        .routes(routes!(money::refunds))
        .routes(routes!(usage::of_account))
        .routes(routes!(usage::overall))
        .routes(routes!(analytics::mrr))
        .routes(routes!(analytics::movements))
        .routes(routes!(billing::checkout))
        .routes(routes!(billing::portal))
        .routes(routes!(subscriptions::preview_change))
        .routes(routes!(subscriptions::change, subscriptions::pending_change))
        .routes(routes!(subscriptions::withdraw_change))
        .routes(routes!(subscriptions::cancel))
        .routes(routes!(subscriptions::withdraw))
        .routes(routes!(subscriptions::pause))
        .routes(routes!(subscriptions::resume))
        .routes(routes!(subscriptions::upcoming_invoice))
        .routes(routes!(customers::put, customers::get, customers::patch, customers::delete))
        .routes(routes!(found_customers::find))
        .routes(routes!(payment_methods::list, payment_methods::attach))
        .routes(routes!(payment_methods::detach))
        .routes(routes!(payment_methods::prefer))
        .routes(routes!(payments::create, payments::list))
        .routes(routes!(payments::get))
        .routes(routes!(payments::confirm))
        .routes(routes!(payments::capture))
        .routes(routes!(payments::cancel))
        .routes(routes!(payments::refund))
        .routes(routes!(invoices::list))
        .routes(routes!(products::create))
        .routes(routes!(products::create_price))
        .routes(routes!(inbox::list))
        .routes(routes!(inbox::show))
        .routes(routes!(inbox::retry))
        .routes(routes!(inbox::discard))
        .routes(routes!(projections::list))
        .routes(routes!(audit::replay))
        .routes(routes!(audit::verify))
        .routes(routes!(api_keys::create, api_keys::list))
        .routes(routes!(api_keys::revoke))
        .routes(routes!(health::metrics))
}

/// Routes for everybody.
fn open() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(webhooks::stripe))
        .routes(routes!(reads::catalog::get))
        .routes(routes!(products::list))
        .routes(routes!(products::get))
        .routes(routes!(products::prices))
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
}

/// The document of all routes.
#[must_use]
pub fn document() -> OpenApi {
    let (_, document) = OpenApiRouter::<AppState>::with_openapi(openapi::base())
        .merge(keyed())
        .merge(open())
        .split_for_parts();
    let mut document = document;
    openapi::finish(&mut document);
    document
}

/// Everything that is answered.
///
/// # Errors
/// When the document cannot be written as JSON.
pub fn router(state: AppState) -> Router {
    // Plain data with text keys: writing it cannot fail.
    let document: Bytes = serde_json::to_vec(&document()).unwrap_or_default().into();
    let (keyed, _) = keyed().split_for_parts();
    let (open, _) = open().split_for_parts();
    let open = open
        .route(OPENAPI_PATH, get(async move || ([(header::CONTENT_TYPE, JSON)], document)))
        .merge(SwaggerUi::new("/docs").config(Config::from(OPENAPI_PATH)));
    let keyed = keyed.layer(Edge::new(state.clone(), Access::Keys));
    let open = open.fallback(async || Failure::RouteNotFound).layer(Edge::new(state.clone(), Access::Open));
    // An address can have methods behind both doors, so what neither has is answered once for both.
    let no_method = no_method.layer(Edge::new(state.clone(), Access::Open));
    keyed.merge(open).method_not_allowed_fallback(no_method).with_state(state)
}

/// A browser asks with a method of its own whether a page may read what is shared.
async fn no_method(method: Method, route: MatchedPath) -> Response<Body> {
    if method != Method::OPTIONS || !sharing::is_shared(&method, route.as_str()) {
        return Failure::MethodNotAllowed.into_response();
    }
    let mut allowed = StatusCode::NO_CONTENT.into_response();
    sharing::allow(allowed.headers_mut());
    allowed
}

/// What is answered where nobody but those come who watch the server: no key is asked for.
pub fn metrics_router(state: AppState) -> Router {
    Router::new()
        .route("/metrics", get(health::open_metrics))
        .fallback(async || Failure::RouteNotFound)
        .method_not_allowed_fallback(async || Failure::MethodNotAllowed)
        .layer(Edge::new(state.clone(), Access::Open))
        .with_state(state)
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");
