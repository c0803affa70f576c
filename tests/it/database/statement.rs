//! Does a statement have every movement of its account once, page by page, in both directions, narrowed as asked?

use std::collections::BTreeSet;

use counterfoil::{
    domain::{
        ids::{AccountId, GenerationType},
        statement::LineKind,
    },
    projections,
    queries::statement::{
        Direction, EVENTS_SEARCHED_MAX, Filter, StatementCursor, StatementLine, StatementOf, StatementPart,
        csv_header, csv_row,
    },
};
use sqlx::PgPool;
use strum::IntoEnumIterator;

use crate::support::{database::TestDatabase, ledger::account, shards};

use super::projections::catch_up;

const ID: &str = "account-000000";

/// The pages of 7 lines of one account, in order.
async fn pages(pool: &PgPool, of: &str, filter: &Filter, direction: Direction) -> Vec<Vec<StatementLine>> {
    let account = account(of);
    let last = "select coalesce(max(sequence), 0) from ledger.events where aggregate_id = $1";
    let last = sqlx::query_scalar(last).bind(of).fetch_one(pool).await.expect("an answer");
    let shard = shards::shard_of(pool, of).await;
    let of = StatementOf { pool, shard, account: &account, last };
    let (mut pages, mut after): (Vec<Vec<StatementLine>>, Option<StatementCursor>) = (Vec::new(), None);
    loop {
        let part = StatementPart { direction, after, limit: 7 };
        let page = of.page(filter, part).await.expect("an answer");
        pages.push(page.lines);
        let Some(next) = page.next else { return pages };
        after = StatementCursor::parse(&next.token());
        assert!(after.is_some());
    }
}

async fn every_line(pool: &PgPool, of: &str, filter: &Filter, direction: Direction) -> Vec<StatementLine> {
    pages(pool, of, filter, direction).await.concat()
}

async fn all_of(pool: &PgPool, of: &str) -> Vec<StatementLine> {
    every_line(pool, of, &Filter::default(), Direction::OldestFirst).await
}

#[tokio::test]
async fn pages_have_every_line_once_in_both_directions() {
    let database = TestDatabase::of_shards(1).await;
    let pool = database.pool();
    catch_up::fill(&pool, 500, 3).await.expect("the journal takes it");
    let all = all_of(&pool, ID).await;
    assert!(all.len() > 100);
    let places: BTreeSet<StatementCursor> = all.iter().map(StatementLine::cursor).collect();
    assert_eq!(places.len(), all.len(), "each line is there once");
    assert!(all.is_sorted_by_key(StatementLine::cursor));
    let mut backwards = every_line(&pool, ID, &Filter::default(), Direction::NewestFirst).await;
    backwards.reverse();
    assert_eq!(backwards, all);
    let pages = pages(&pool, ID, &Filter::default(), Direction::NewestFirst).await;
    let full = pages.iter().rev().skip(1).all(|page| page.len() == 7);
    assert!(full && pages.last().is_some_and(|last| !last.is_empty()), "no page is short but the last one");

    let mut seen = 0;
    for kind in LineKind::iter() {
        let filter = Filter { kinds: vec![kind], ..Filter::default() };
        let expected: Vec<_> = all.iter().filter(|line| line.kind == kind).cloned().collect();
        seen += usize::from(!expected.is_empty());
        assert_eq!(every_line(&pool, ID, &filter, Direction::OldestFirst).await, expected);
    }
    assert!(seen >= 4, "{seen} kinds of lines");

    let middle = all[all.len() / 2].effective_at;
    let kind = GenerationType::parse("stem_separation").expect("a type");
    let is_meant = |line: &&StatementLine| line.generation_type.as_ref() == Some(&kind);
    for (filter, expected) in [
        (
            Filter { from: Some(middle), ..Filter::default() },
            all.iter()
                .filter(|line| line.effective_at >= middle)
                .filter(is_meant)
                .cloned()
                .collect::<Vec<_>>(),
        ),
        (
            Filter { until: Some(middle), ..Filter::default() },
            all.iter().filter(|line| line.effective_at < middle).filter(is_meant).cloned().collect(),
        ),
    ] {
        let filter = Filter { generation_type: Some(kind.clone()), ..filter };
        assert!(!expected.is_empty());
        assert_eq!(every_line(&pool, ID, &filter, Direction::OldestFirst).await, expected);
    }
    assert_eq!(csv_row(&all[0], chrono_tz::UTC).len(), csv_header().len());
}

#[tokio::test]
async fn lines_add_up_and_usage_is_what_they_say() {
    let database = TestDatabase::of_shards(1).await;
    let pool = database.pool();
    catch_up::fill(&pool, 3_000, 50).await.expect("the journal takes it");
    catch_up::catch_up(&pool, projections::all()).await.expect("they catch up");
    let ids = sqlx::query_scalar::<_, String>("select distinct aggregate_id from ledger.events");
    let ids = ids.fetch_all(&pool).await.expect("an answer");
    assert_eq!(ids.len(), 50);
    let mut spent = 0;
    for id in ids {
        let mut before = 0;
        for line in all_of(&pool, &id).await {
            assert_eq!(line.available, before + line.amount, "{line:?}");
            before = line.available;
            if line.kind == LineKind::Usage {
                spent -= line.amount;
            }
        }
    }
    let used: i64 = sqlx::query_scalar("select sum(credits)::bigint from read.usage")
        .fetch_one(&pool)
        .await
        .expect("an answer");
    assert!(spent > 0);
    assert_eq!(used, spent);
}

#[tokio::test]
async fn every_line_has_a_description() {
    let database = TestDatabase::of_shards(1).await;
    let pool = database.pool();
    catch_up::fill(&pool, 500, 3).await.expect("the journal takes it");
    let lines = all_of(&pool, ID).await;
    assert!(lines.len() > 100);
    for line in &lines {
        assert!(!line.words().is_empty(), "{line:?}");
        let said = line.description.as_deref().filter(|said| !said.is_empty());
        assert!(said.is_none_or(|said| said == line.words()), "{line:?}");
    }
}

/// One request reads so many events at most, however few of them match.
#[tokio::test]
async fn a_page_of_few_lines_among_many_events_goes_on_with_the_next() {
    let database = TestDatabase::of_shards(1).await;
    let pool = database.pool();
    let events = usize::try_from(EVENTS_SEARCHED_MAX).expect("it fits") + 10_000;
    catch_up::fill(&pool, events, 1).await.expect("the journal takes it");
    let opened = Filter { kinds: vec![LineKind::Signup, LineKind::Allocation], ..Filter::default() };
    let none = Filter { kinds: vec![LineKind::Freeze], ..Filter::default() };
    for direction in [Direction::NewestFirst, Direction::OldestFirst] {
        assert_eq!(pages(&pool, ID, &none, direction).await, [vec![], vec![]]);
        let some = every_line(&pool, ID, &opened, direction).await;
        assert_eq!(some.iter().filter(|line| line.sequence < 10).count(), some.len().min(1), "{some:?}");
    }
    let unknown = AccountId::parse("nobody").expect("an id");
    assert_eq!(all_of(&pool, unknown.as_str()).await, []);
}
