//! How is an audit done by several connections at once? In parts, whose findings are added up.

use tokio::task::JoinSet;

use super::{
    finding::{Verification, VerifyError},
    moment::{JournalMoment, MomentReader},
};

pub(super) struct Work<'a, P> {
    moment: &'a JournalMoment,
    parts: JoinSet<Result<Verification, VerifyError>>,
    pub found: Verification,
    /// Gets how many more events were checked.
    progress: &'a mut P,
}

impl<'a, P: FnMut(u64) + Send> Work<'a, P> {
    pub fn new(moment: &'a JournalMoment, progress: &'a mut P) -> Self {
        Self { moment, parts: JoinSet::new(), found: Verification::default(), progress }
    }

    /// Begins a part as soon as a connection is free.
    ///
    /// # Errors
    /// If an earlier part failed.
    pub async fn add<F>(&mut self, part: impl FnOnce(MomentReader) -> F) -> Result<(), VerifyError>
    where
        F: Future<Output = Result<Verification, VerifyError>> + Send + 'static,
    {
        while self.parts.len() >= self.moment.count() {
            self.take_next().await?;
        }
        let reader = self.moment.reader().await?;
        self.parts.spawn(part(reader));
        Ok(())
    }

    /// Waits for all parts.
    ///
    /// # Errors
    /// If one of them failed.
    pub async fn finish(mut self) -> Result<Verification, VerifyError> {
        while !self.parts.is_empty() {
            self.take_next().await?;
        }
        Ok(self.found)
    }

    async fn take_next(&mut self) -> Result<(), VerifyError> {
        if let Some(done) = self.parts.join_next().await {
            let part = done.map_err(|_| VerifyError::Interrupted)??;
            (self.progress)(part.events);
            self.found.add(part);
        }
        Ok(())
    }
}
