//! What do all requests share? One sandbox, which handles one request at a time, and its clocks.

use std::sync::{Mutex, PoisonError};

use clock::Clock;
use tokio::sync::Notify;

use crate::{billing::passing, state::SandboxState};

/// The state and the clocks that all requests share.
pub struct SharedSandbox {
    state: Mutex<SandboxState>,
    /// Wakes the sender, because a delivery may be due.
    pub wake: Notify,
    pub clock: Clock,
    pub signing_clock: Clock,
}

impl SharedSandbox {
    pub const fn new(state: SandboxState, clock: Clock, signing_clock: Clock) -> Self {
        Self { state: Mutex::new(state), wake: Notify::const_new(), clock, signing_clock }
    }

    /// Lets time pass, does `work`, and queues the events of both.
    pub fn with<T>(&self, work: impl FnOnce(&mut SandboxState) -> T) -> T {
        let mut guard = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = &mut *guard;
        passing::pass(state, self.clock_seconds());
        let answer = work(state);
        state.outbox.publish(&state.store);
        answer
    }

    /// Looks at the state as it is, without letting time pass.
    pub fn look<T>(&self, look: impl FnOnce(&mut SandboxState) -> T) -> T {
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn clock_seconds(&self) -> i64 {
        self.clock.now().seconds()
    }
}
