//! How many shards do the journals of the tests have? One, or as many as `COUNTERFOIL_TEST_SHARDS` says.

use std::time::Duration;

use counterfoil::{
    consumer::AsOf,
    domain::{
        ids::AccountId,
        recorded::{JournalPosition, JournalPositions, Shard},
    },
    journal::shards::{self, Shards},
    projector::Projector,
};
use sqlx::PgPool;

/// How many shards a test's database is made with.
pub fn count() -> u16 {
    std::env::var("COUNTERFOIL_TEST_SHARDS").map_or(1, |count| count.parse().expect("a number"))
}

pub async fn shards(pool: &PgPool) -> Shards {
    let mut connection = pool.acquire().await.expect("the database answers");
    Shards::read(&mut connection).await.expect("all shards are there")
}

/// The shard of an account.
pub async fn shard_of(pool: &PgPool, id: &str) -> Shard {
    shards(pool).await.of(&AccountId::parse(id).expect("an id"))
}

/// Where the order of each shard ends.
pub async fn heads(pool: &PgPool) -> JournalPositions {
    let mut connection = pool.acquire().await.expect("the database answers");
    shards::heads(&mut connection).await.expect("the database answers")
}

/// How callers name these positions.
pub fn token(positions: &JournalPositions) -> String {
    let places = positions.iter().map(|place| format!("{}-{}", place.shard.0, place.position.0));
    format!("p{}", places.collect::<Vec<_>>().join("."))
}

/// How many events the journal has.
pub async fn events(pool: &PgPool) -> i64 {
    heads(pool).await.iter().map(|head| head.position.0).sum()
}

/// Waits until a read model has everything up to these positions. The answer is that of the shard that is behind most.
pub async fn wait_for(
    projector: &Projector,
    name: &str,
    positions: &JournalPositions,
    patience: Duration,
) -> AsOf {
    let mut last: Option<AsOf> = None;
    for JournalPosition { shard, position } in positions.iter() {
        let as_of =
            projector.wait_for(name, shard, None, position, patience).await.expect("the database answers");
        if last.is_none_or(|last| !as_of.reached || last.reached && as_of.lag_ms > last.lag_ms) {
            last = Some(as_of);
        }
    }
    last.expect("a journal has a shard")
}
