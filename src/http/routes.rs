//! Which routes are there? This is the only list.

use std::sync::LazyLock;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::MatchedPath,
    handler::Handler,
    http::{HeaderValue, Method, Response, StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use utoipa::{OpenApi as _, openapi::OpenApi};
use utoipa_axum::routes;
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::{
    AppState,
    billing::{
        self, customers, found_customers, invoices, payment_methods, payments, products, subscriptions,
    },
    commands::{self, account, batch, quote},
    edge::{Access, Edge},
    failure::Failure,
    figures::{
        churn, churn_rows, cohorts, credits as figures_of_credits, deferred, lots, movements, paying,
        restatements, retention, revenue, runway, summary,
    },
    health,
    openapi::{self, OperationSpec, Operations, inputs_of},
    operations::{api_keys, audit, inbox, projections, shards, webhooks},
    problems::RequestError,
    reads::{
        self, accounts as list_of_accounts, all_subscriptions, balance, events, history, holdings,
        interval::IntervalQuery,
        money, overview, plan,
        statement::{self, StatementOrder},
        subscriptions as list_of_subscriptions, usage,
    },
    sharing::{self, OPENAPI_PATH},
};
use crate::stripe::client::BillStatus;

macro_rules! operations {
    ($($part:ident $(:: $rest:ident)*),+ $(,)?) => {
        Operations::default()$(.with(inputs_of(&$part $(:: $rest)*), routes!($part $(:: $rest)*)))+
    };
}

/// Routes that need a key.
fn keyed() -> Operations {
    change_accounts().merge(ask()).merge(bill()).merge(operate())
}

/// Routes that change an account, or preview a change.
fn change_accounts() -> Operations {
    commands::operations().merge(operations![quote::quote, batch::execute])
}

/// Routes that are answered from events and read models.
fn ask() -> Operations {
    operations![
        account::get,
        balance::balance,
        overview::overview,
        holdings::grants,
        holdings::holds,
        plan::limits,
        plan::entitlements,
        plan::subscription,
        list_of_subscriptions::list,
        events::list,
        list_of_accounts::list,
        history::history,
        statement::statement,
        usage::of_account,
        all_subscriptions::list,
        money::payments,
        money::refunds,
        usage::overall,
        revenue::mrr,
        paying::rows,
        movements::movements,
        churn::churn,
        churn_rows::rows,
        churn_rows::at_risk,
        cohorts::cohorts,
        cohorts::rows,
        retention::retention,
        retention::rows,
        figures_of_credits::credits,
        figures_of_credits::rows,
        restatements::restatements,
        deferred::deferred,
        deferred::rows,
        lots::lots,
        lots::periods,
        runway::runway,
        summary::summary,
    ]
}

/// Routes that do something at Stripe.
fn bill() -> Operations {
    operations![
        billing::checkout,
        billing::portal,
        subscriptions::subscribe,
        subscriptions::preview_change,
        subscriptions::change,
        subscriptions::pending_change,
        subscriptions::withdraw_change,
        subscriptions::cancel,
        subscriptions::withdraw,
        subscriptions::pause,
        subscriptions::resume,
        subscriptions::upcoming_invoice,
        customers::put,
        customers::get,
        customers::patch,
        customers::delete,
        found_customers::find,
        payment_methods::list,
        payment_methods::attach,
        payments::create,
        payments::list,
        payments::get,
        payments::confirm,
        payments::capture,
        payments::cancel,
        payments::refund,
        invoices::list,
        products::create,
        products::create_price,
        payment_methods::prefer,
        payment_methods::detach,
    ]
}

/// Routes for operators.
fn operate() -> Operations {
    operations![
        inbox::list,
        inbox::show,
        inbox::retry,
        inbox::discard,
        projections::list,
        shards::list,
        audit::replay,
        audit::verify,
        api_keys::create,
        api_keys::list,
        api_keys::revoke,
        health::metrics,
    ]
}

/// Routes that need no key.
fn open() -> Operations {
    operations![
        products::list,
        products::get,
        products::prices,
        webhooks::stripe,
        reads::catalog::get,
        health::healthz,
        health::readyz,
    ]
}

/// All operations.
#[must_use]
pub fn operations() -> &'static [OperationSpec] {
    static OPERATIONS: LazyLock<Vec<OperationSpec>> = LazyLock::new(|| keyed().merge(open()).into_specs());
    &OPERATIONS
}

/// Schemas of parameters and answers that no route adds by itself.
#[derive(utoipa::OpenApi)]
#[openapi(components(schemas(BillStatus, IntervalQuery, StatementOrder)))]
struct Described;

/// The OpenAPI document of all routes.
#[must_use]
pub fn document() -> OpenApi {
    let mut base = openapi::base();
    base.merge(Described::openapi());
    keyed().merge(open()).into_document(base)
}

/// The router of all routes.
///
/// # Errors
/// If the document cannot be written as JSON.
pub fn router(state: AppState) -> Router {
    // Plain data with text keys cannot fail to be written.
    let document: Bytes = serde_json::to_vec(&document()).unwrap_or_default().into();
    let open = open()
        .into_router()
        .route(OPENAPI_PATH, get(async move || ([(header::CONTENT_TYPE, JSON)], document)))
        .merge(SwaggerUi::new("/docs").config(Config::from(OPENAPI_PATH)));
    let keyed = keyed().into_router().layer(Edge::new(state.clone(), Access::Keys));
    let open = open
        .fallback(async || Failure::from(RequestError::RouteNotFound))
        .layer(Edge::new(state.clone(), Access::Open));
    // A path can have methods with and without keys, so an unknown method is answered once for both.
    let no_method = no_method.layer(Edge::new(state.clone(), Access::Open));
    keyed.merge(open).method_not_allowed_fallback(no_method).with_state(state)
}

/// Answers preflight requests, by which a browser asks whether a page may read an answer.
async fn no_method(method: Method, route: MatchedPath) -> Response<Body> {
    if method != Method::OPTIONS || !sharing::is_shared(&method, route.as_str()) {
        return Failure::from(RequestError::MethodNotAllowed).into_response();
    }
    let mut allowed = StatusCode::NO_CONTENT.into_response();
    sharing::allow(allowed.headers_mut());
    allowed
}

/// The router of the metrics listener, which needs no key.
pub fn metrics_router(state: AppState) -> Router {
    Router::new()
        .route("/metrics", get(health::open_metrics))
        .fallback(async || Failure::from(RequestError::RouteNotFound))
        .method_not_allowed_fallback(async || Failure::from(RequestError::MethodNotAllowed))
        .layer(Edge::new(state.clone(), Access::Open))
        .with_state(state)
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");
