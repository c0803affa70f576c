//! Which loop runs the consumers of a shard?
//!
//! One task a shard, in each process. It waits until it leads the shard, and then until its bell rings.
//! Each consumer that has something to do gets a task of its own, for as long as it has: so consumers use all cores,
//! and none waits for another one that is slow, has stopped or tries again.

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::domain::recorded::Shard;

use super::{Consumers, follower::Follower};

impl Consumers {
    /// Follows a shard, whenever this process leads it, until `stop` is cancelled.
    pub(super) async fn follow(self, shard: Shard, stop: CancellationToken) {
        let mut led = self.leadership.watch();
        while let Some(Ok(())) =
            stop.run_until_cancelled(async { led.wait_for(|led| led.contains(&shard)).await.map(drop) }).await
        {
            let ended = stop.child_token();
            let leading = async {
                let lost = led.wait_for(|led| !led.contains(&shard));
                let _: Option<Result<(), _>> =
                    ended.run_until_cancelled(async { lost.await.map(drop) }).await;
                ended.cancel();
            };
            tokio::join!(leading, self.lead(shard, &ended));
        }
    }

    /// Lets each consumer do what there is to do, until `ended` is cancelled and the last step is done.
    async fn lead(&self, shard: Shard, ended: &CancellationToken) {
        let Some(bell) = self.bells.of(shard) else { return };
        let mut rung = bell.listen();
        let mut idle: Vec<Follower> =
            self.consumers.iter().map(|consumer| Follower::new(self, consumer, shard, bell)).collect();
        let mut working = JoinSet::new();
        while !ended.is_cancelled() {
            rung.mark_unchanged();
            for follower in idle.extract_if(.., |follower| follower.is_called()) {
                working.spawn(follower.work(ended.clone()));
            }
            tokio::select! {
                // Who panicked is not followed by this process any more; that was reported when it happened.
                Some(Ok(follower)) = working.join_next() => idle.push(follower),
                _ = rung.changed() => {}
                () = ended.cancelled() => {}
            }
        }
        while working.join_next().await.is_some() {}
        for consumer in self.consumers.iter() {
            self.publish(consumer.name(), shard, super::wait::FollowerProgress::default());
        }
    }
}
