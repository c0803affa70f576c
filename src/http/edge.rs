//! What happens to every request, whatever it asks? It gets an id; its key is checked and counted; its answer is
//! measured, and a failure written as a problem. One layer, so that a deduction passes few hands.

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
    problem,
    problems::AccessError,
    request::{Authenticated, RequestId},
    request_metrics::Meters,
    sharing::{self, OPENAPI_PATH},
};
use crate::auth::rate_limit::{RateLimitState, TooMany};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// An answer is what it says it is, whatever a browser makes of its bytes.
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
/// The page of the document loads what this server has, and nobody shows it inside of another page.
const PAGE: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'none'; \
     frame-ancestors 'none'",
);
/// What is no page loads nothing.
const NO_PAGE: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");

/// As how many visits one to a document of a megabyte counts.
const DOCUMENT_WEIGHT: u32 = 50;

/// Who may come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Open,
    /// Whoever has a key. What the key allows is for the route to say.
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
        // The service that was found ready is the one that is used.
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
        let request_id = RequestId::of(request.headers().get(&REQUEST_ID));
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
        // Whoever counted more has said what was left then.
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

    /// Who sent the request, as far as that is known.
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

    /// What a browser may do with an answer: what is for one caller is kept nowhere.
    fn guard(&self, headers: &mut HeaderMap, route: Option<&MatchedPath>) {
        let is_page = route.is_some_and(|route| route.as_str().starts_with("/docs"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF);
        headers.insert(header::CONTENT_SECURITY_POLICY, if is_page { PAGE } else { NO_PAGE });
        if self.door == Access::Keys {
            headers.entry(header::CACHE_CONTROL).or_insert(NO_STORE);
        }
    }

    /// Lets a request in, or says why not. Either way, what is left of the key's rate is told.
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

    /// Counts the visit of somebody without a key.
    fn visit(&self, request: &Request<Body>, visitor: Option<IpAddr>) -> Result<(), AccessError> {
        let weight = weight(request.extensions().get::<MatchedPath>());
        let Some(address) = visitor else { return Ok(()) };
        self.state.visits.count(address, weight).map_err(|wait_s| AccessError::RateLimited { wait_s })
    }

    /// Causes are logged here, once, and nowhere else. A refusal is an answer and no error.
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
            // That the ledger is busy is seen in the metrics.
            tracing::debug!(request_id, %method, route, code, "refused");
            return;
        }
        metrics::counter!("counterfoil_keys_refused_total", "code" => code).increment(1);
        // Whoever tries keys is worth a line, and not a line for each.
        if let Some(unsaid) = self.state.refused.count(visitor) {
            let address = visitor.map(tracing::field::display);
            tracing::info!(request_id, %method, route, code, address, unsaid, "a key was not accepted");
        }
    }
}

/// As how many visits one counts. Those who watch the server, and Stripe, have no limit.
fn weight(route: Option<&MatchedPath>) -> u32 {
    match route.map_or("", MatchedPath::as_str) {
        "/healthz" | "/readyz" | "/metrics" | "/v1/webhooks/stripe" => 0,
        OPENAPI_PATH => DOCUMENT_WEIGHT,
        route if route.starts_with("/docs") => DOCUMENT_WEIGHT,
        _ => 1,
    }
}
