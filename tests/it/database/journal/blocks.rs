//! Is a block that is appended together with those of other shards the same as one that is appended by itself?

use counterfoil::{
    domain::{
        command::{AccountCommand, Command},
        recorded::{Position, Shard},
        time::Timestamp,
    },
    journal::{
        append::{self, AppendError, NewBlock},
        load::LoadedAccount,
        row::NewRows,
    },
    ledger::{IdempotencyKey, OfflineDecisions},
};
use sqlx::PgPool;

use crate::support::{
    database::TestDatabase,
    ledger::{account, deduct, music, noon, request},
};

const SHARDS: u16 = 4;

/// The shards of a database that has so many.
async fn shards(pool: &PgPool) -> [Shard; SHARDS as usize] {
    let all: Vec<i16> = sqlx::query_scalar("select shard from ledger.heads order by shard")
        .fetch_all(pool)
        .await
        .expect("it is read");
    all.into_iter().map(Shard).collect::<Vec<_>>().try_into().expect("four shards")
}

/// What one shard has to store, and where it ends before.
struct Decided {
    shard: Shard,
    expected: Position,
    rows: NewRows,
    recorded_at: Timestamp,
}

impl Decided {
    /// An account that is opened, and `deductions` from it.
    fn first(shard: Shard, deductions: usize) -> Self {
        let catalog = music();
        let mut decisions = OfflineDecisions::new(shard, &catalog, Position(0));
        let id = format!("a{}", shard.0);
        let mut known = LoadedAccount::nothing(account(&id));
        let opening = Command::Account(AccountCommand::OpenAccount);
        let opening = request(&id, opening, IdempotencyKey::opening());
        let spent = (0..deductions).map(|number| deduct(&id, 1, &format!("k{number}")));
        for request in [opening].into_iter().chain(spent) {
            decisions.decide(request, noon(), &mut known).expect("it is allowed");
        }
        let expected = Position(0);
        let (rows, recorded_at) = decisions.end_block();
        Self { shard, expected, rows, recorded_at }
    }

    fn block(&self) -> NewBlock<'_> {
        let Self { shard, expected, rows, recorded_at } = self;
        NewBlock { shard: *shard, shardings: 1, expected: *expected, recorded_at: *recorded_at, rows }
    }
}

/// All that a journal has, as text.
async fn journal(pool: &PgPool) -> Vec<String> {
    let rows = "select events::text from ledger.events union all select blocks::text from ledger.blocks
        union all select heads::text from ledger.heads order by 1";
    sqlx::query_scalar(rows).fetch_all(pool).await.expect("it is read")
}

#[tokio::test]
async fn blocks_that_are_appended_together_are_those_that_are_appended_one_by_one() {
    let (alone, together) = (TestDatabase::of_shards(SHARDS).await, TestDatabase::of_shards(SHARDS).await);
    let [first, second, _, last] = shards(&alone.pool()).await;
    let decided = [Decided::first(first, 0), Decided::first(second, 5), Decided::first(last, 2)];
    let blocks = decided.each_ref().map(Decided::block);
    let mut connection = alone.pool().acquire().await.expect("a connection");
    let mut ends = Vec::new();
    for block in blocks {
        ends.push(append::append(&mut connection, block).await.expect("it is stored"));
    }
    let mut connection = together.pool().acquire().await.expect("a connection");
    let appended = append::append_all(&mut connection, &blocks).await.expect("they are stored");
    assert_eq!(appended, ends);
    assert_eq!(journal(&together.pool()).await, journal(&alone.pool()).await);
}

#[tokio::test]
async fn one_block_that_is_refused_keeps_out_the_others() {
    let database = TestDatabase::of_shards(SHARDS).await;
    let before = journal(&database.pool()).await;
    let [first, second, third, _] = shards(&database.pool()).await;
    let (first, second, none) = (Decided::first(first, 1), Decided::first(second, 2), NewRows::default());
    let (first, second) = (first.block(), second.block());
    let empty = NewBlock { rows: &none, ..second };
    let stale = NewBlock { expected: Position(1), ..second };
    let outgrown = NewBlock { shardings: 0, ..second };
    let unknown = NewBlock { shard: Shard(1_000), ..second };
    let mut connection = database.pool().acquire().await.expect("a connection");
    for (blocks, why) in [
        ([first, stale], "Stale"),
        ([first, outgrown], "Grown"),
        ([first, unknown], "Refused"),
        ([second, first], "Refused"),
        ([first, first], "Refused"),
        ([first, empty], "Refused"),
        ([empty, NewBlock { shard: third, ..second }], "Refused"),
    ] {
        let refused = append::append_all(&mut connection, &blocks).await.expect_err(why);
        let name = match refused {
            AppendError::Stale => "Stale",
            AppendError::Grown => "Grown",
            AppendError::Refused(_) => "Refused",
            AppendError::Taken | AppendError::Unknown(_) => "another reason",
        };
        assert_eq!(name, why, "{refused:?}");
    }
    assert_eq!(journal(&database.pool()).await, before);
}
