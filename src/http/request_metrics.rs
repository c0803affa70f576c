//! How long do requests take, by route and status?

use std::{
    collections::BTreeMap,
    sync::{PoisonError, RwLock},
    time::Duration,
};

use axum::http::{Method, StatusCode};
use metrics::Histogram;
use rustc_hash::FxHashMap;

/// The histograms of a route, by method and status.
type Answers = BTreeMap<(&'static str, u16), Histogram>;

/// The histograms that were used before, so that a request does not look its own up by name.
#[derive(Default)]
pub struct Meters {
    routes: RwLock<FxHashMap<String, Answers>>,
}

impl Meters {
    pub fn record(&self, method: &Method, route: &str, status: StatusCode, elapsed: Duration) {
        let key = (name(method), status.as_u16());
        let seconds = elapsed.as_secs_f64();
        // The map is valid even if somebody panicked while holding the lock.
        let known = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(histogram) = known.get(route).and_then(|route| route.get(&key)) {
            histogram.record(seconds);
            return;
        }
        drop(known);
        let histogram = metrics::histogram!(
            "counterfoil_http_request_seconds",
            "method" => key.0, "route" => route.to_owned(), "status" => status.as_str().to_owned()
        );
        histogram.record(seconds);
        let mut known = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        known.entry(route.to_owned()).or_default().insert(key, histogram);
    }
}

/// Unknown methods share one name, so that callers cannot create new series.
fn name(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "PUT" => "PUT",
        "POST" => "POST",
        "DELETE" => "DELETE",
        "HEAD" => "HEAD",
        _ => "other",
    }
}
