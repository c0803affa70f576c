//! What if a person stops an import? After the first signal, begun accounts are finished; after the second, not.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use super::super::{exit::CliFailure, output::Output, signals::Signals};

/// Whether no more accounts should be begun. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Stop(Arc<AtomicBool>);

impl Stop {
    pub(super) fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn ask(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Does work that checks whether it should stop.
    ///
    /// # Errors
    /// Those of the work; also at a second signal.
    pub(super) async fn at_a_signal<T>(
        &self,
        output: Output,
        work: impl Future<Output = Result<T, CliFailure>>,
    ) -> Result<T, CliFailure> {
        let mut signals = Signals::listen().map_err(CliFailure::broken)?;
        let watch = async {
            let signal = signals.next().await;
            self.ask();
            output.note(&format!("{signal}: finishing what is on its way; a second one ends at once"));
            signals.next().await;
        };
        tokio::select! {
            done = work => done,
            () = watch => Err(CliFailure::Interrupted),
        }
    }
}
