//! How are answers shared that are asked for often? Frequent callers get the last one, so that they cost no more.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use tokio::sync::Mutex;

/// How old an answer may be.
const LOOK_EACH: Duration = Duration::from_secs(1);

/// The last answer. Callers at the same time wait for one new answer.
#[derive(Debug)]
pub struct Sampled<T>(Mutex<Option<(Instant, T)>>);

impl<T> Default for Sampled<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Sampled<T> {
    pub async fn sample(&self, look: impl Future<Output = T>) -> T {
        let mut last = self.0.lock().await;
        if let Some((_, found)) = last.as_ref().filter(|(at, _)| at.elapsed() < LOOK_EACH) {
            return found.clone();
        }
        let found = look.await;
        *last = Some((Instant::now(), found.clone()));
        found
    }
}
