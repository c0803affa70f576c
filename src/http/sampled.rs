//! What was found last, for those who ask often? So they cost no more than those who ask now and then.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use tokio::sync::Mutex;

/// How old what is answered may be.
const LOOK_EACH: Duration = Duration::from_secs(1);

/// What was found last: whoever asks often is told the same, and those who ask at once wait for one answer.
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
