//! What happens to every request?
//! It gets an id; its key is checked and counted; its answer is measured, and a failure is written as a problem.
//! This is one layer, so that a deduction takes few steps.

use std::{
    convert::Infallible,
    future::Future,
    net::IpAddr,
    num::NonZeroU32,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use axum::{
    body::Body,
    extract::MatchedPath,
    http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header},
};
use tower::{Layer, Service};

use super::{
    AppState,
    address_limit::Peer,
    connections::ConnectionPlace,
    failure::Failure,
    passed_on::PASSED_ON,
    problem,
    problems::AccessError,
    request::{Authenticated, RequestId},
    request_metrics::Meters,
    sharing::{self, OPENAPI_PATH},
};
use crate::auth::rate_limit::{RateLimitState, TooMany};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Browsers must not guess another content type.
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
/// The page of the document only loads what this server has, and cannot be embedded in another page.
const PAGE: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'none'; \
     frame-ancestors 'none'",
);
/// Answers that are not pages load nothing.
const NO_PAGE: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");

/// As how many visits a visit to a document of about a megabyte counts.
const DOCUMENT_WEIGHT: u32 = 50;

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Open,
    /// Callers with a key. The route says which scopes the key needs.
    Keys,
}

#[derive(Clone)]
pub struct Edge {
    state: AppState,
    door: Access,
    meters: Arc<Meters>,
}

impl Edge {
    #[must_use]
    pub fn new(state: AppState, door: Access) -> Self {
        Self { state, door, meters: Arc::new(Meters::default()) }
    }
}

impl<S> Layer<S> for Edge {
    type Service = EdgeService<S>;

    fn layer(&self, inner: S) -> EdgeService<S> {
        EdgeService { inner, edge: self.clone() }
    }
}

#[derive(Clone)]
pub struct EdgeService<S> {
    inner: S,
    edge: Edge,
}

impl<S> Service<Request<Body>> for EdgeService<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // The service that reported to be ready must be the one that is used.
        let next = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, next);
        let edge = self.edge.clone();
        Box::pin(edge.pass(inner, request))
    }
}

impl Edge {
    async fn pass<S>(self, mut inner: S, mut request: Request<Body>) -> Result<Response<Body>, Infallible>
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    {
        let begun = Instant::now();
        let request_id = RequestId::of(request.headers().get(&REQUEST_ID), request.headers().get(&PASSED_ON));
        let method = request.method().clone();
        let route = request.extensions().get::<MatchedPath>().cloned();
        let visitor = self.find_visitor(&mut request);
        let (mut response, standing) = match self.admit(&mut request, &request_id, visitor).await {
            Ok(standing) => (inner.call(request).await?, standing),
            Err((failure, standing)) => (axum::response::IntoResponse::into_response(failure), standing),
        };
        if let Some(failure) = response.extensions_mut().remove::<Arc<Failure>>() {
            self.log(&failure, (&request_id, &method, route.as_ref()), visitor);
            response = problem::response(&failure, request_id.as_str(), self.state.ledger.clock().now());
        }
        let counted_since = response.extensions_mut().remove::<RateLimitState>();
        let headers = response.headers_mut();
        if let Ok(value) = HeaderValue::from_str(request_id.as_str()) {
            headers.insert(REQUEST_ID, value);
        }
        // A handler that counted more has set the limit that was left then.
        if let Some(standing) = counted_since.or(standing) {
            standing.write(headers);
        }
        self.guard(headers, route.as_ref());
        let route = route.as_ref().map_or("", MatchedPath::as_str);
        if self.door == Access::Open && sharing::is_shared(&method, route) {
            sharing::share(headers);
        }
        let elapsed = begun.elapsed();
        self.meters.record(&method, route, response.status(), elapsed);
        tracing::debug!(
            request_id = request_id.as_str(), %method, route, status = response.status().as_u16(),
            micros = elapsed.as_micros(), "answered"
        );
        Ok(response)
    }

    /// The address of the visitor, as far as it is known.
    fn find_visitor(&self, request: &mut Request<Body>) -> Option<IpAddr> {
        let Peer(peer) = *request.extensions().get::<Peer>()?;
        let visitor = self.state.settings.proxies.visitor(peer, request);
        if visitor != peer
            && let Some(place) = request.extensions_mut().get_mut::<ConnectionPlace>()
        {
            *place = place.of(visitor);
        }
        Some(visitor)
    }

    /// Headers that say what a browser may do with an answer. Answers for one caller are not cached.
    fn guard(&self, headers: &mut HeaderMap, route: Option<&MatchedPath>) {
        let is_page = route.is_some_and(|route| route.as_str().starts_with("/docs"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF);
        headers.insert(header::CONTENT_SECURITY_POLICY, if is_page { PAGE } else { NO_PAGE });
        if self.door == Access::Keys {
            headers.entry(header::CACHE_CONTROL).or_insert(NO_STORE);
        }
    }

    /// Checks the key and the rate limit. The state of the limit is returned in both cases.
    async fn admit(
        &self,
        request: &mut Request<Body>,
        request_id: &RequestId,
        visitor: Option<IpAddr>,
    ) -> Result<Option<RateLimitState>, (Failure, Option<RateLimitState>)> {
        let place = request.extensions().get::<ConnectionPlace>().cloned();
        if self.door == Access::Open {
            place.inspect(ConnectionPlace::works);
            return self.visit(request, visitor).map(|()| None).map_err(|error| (error.into(), None));
        }
        let caller = self.state.keys.authenticate(request.headers()).await;
        let caller = caller.map_err(|error| (error.into(), None))?;
        let counted = caller.count(NonZeroU32::MIN);
        let standing = counted.map_err(|TooMany(standing)| {
            (AccessError::RateLimited { wait_s: standing.wait_s }.into(), Some(standing))
        })?;
        place.inspect(ConnectionPlace::works_for_caller);
        request.extensions_mut().insert(Authenticated { caller, request_id: request_id.clone() });
        Ok(standing)
    }

    /// Counts the visit of a caller without a key.
    fn visit(&self, request: &Request<Body>, visitor: Option<IpAddr>) -> Result<(), AccessError> {
        let weight = weight(request.extensions().get::<MatchedPath>());
        let Some(address) = visitor else { return Ok(()) };
        self.state.visits.count(address, weight).map_err(|wait_s| AccessError::RateLimited { wait_s })
    }

    /// Logs the cause of a failure: here, once, and nowhere else. A refusal is an answer and not an error.
    fn log(
        &self,
        failure: &Failure,
        (request_id, method, route): (&RequestId, &Method, Option<&MatchedPath>),
        visitor: Option<IpAddr>,
    ) {
        let route = route.map_or("", MatchedPath::as_str);
        let (request_id, code) = (request_id.as_str(), failure.code().name);
        if failure.cause().is_some() {
            if let Some((error, unsaid)) = self.state.outages.line(failure) {
                tracing::error!(request_id, %method, route, code, error, unsaid, "a request failed");
            }
            return;
        }
        if failure.status() != StatusCode::UNAUTHORIZED {
            // Metrics show that the ledger is busy.
            tracing::debug!(request_id, %method, route, code, "refused");
            return;
        }
        metrics::counter!("counterfoil_keys_refused_total", "code" => code).increment(1);
        // Attempts with invalid keys are logged, but not each one.
        if let Some(unsaid) = self.state.refused.count(visitor) {
            let address = visitor.map(tracing::field::display);
            tracing::info!(request_id, %method, route, code, address, unsaid, "a key was not accepted");
        }
    }
}

/// As how many visits a visit counts. Monitoring and Stripe's deliveries have no limit.
fn weight(route: Option<&MatchedPath>) -> u32 {
    match route.map_or("", MatchedPath::as_str) {
        "/healthz" | "/readyz" | "/metrics" | "/v1/webhooks/stripe" => 0,
        OPENAPI_PATH => DOCUMENT_WEIGHT,
        route if route.starts_with("/docs") => DOCUMENT_WEIGHT,
        _ => 1,
    }
}
