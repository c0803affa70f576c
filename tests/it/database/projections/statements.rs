//! A statement is paged without gaps, in both directions, narrowed as asked.

use counterfoil::{
    domain::ids::GenerationType,
    projections::{
        self,
        statements::{self, Direction, Filter, LineKind, StatementCursor, StatementRow},
    },
};
use futures::TryStreamExt;
use sqlx::PgPool;

use crate::support::{database::TestDatabase, ledger::account};

use super::catch_up;

const ID: &str = "account-000000";

async fn every_page(pool: &PgPool, filter: &Filter, direction: Direction) -> Vec<StatementRow> {
    let (mut lines, mut after): (Vec<StatementRow>, Option<StatementCursor>) = (Vec::new(), None);
    loop {
        let page =
            statements::page(pool, &account(ID), filter, direction, after, 7).await.expect("an answer");
        let Some(last) = page.last() else { return lines };
        let token = last.cursor().token();
        after = StatementCursor::parse(&token);
        lines.extend(page);
    }
}

#[tokio::test]
async fn pages_have_every_line_once_in_both_directions() {
    let database = TestDatabase::create().await;
    let pool = database.pool();
    catch_up::fill(&pool, 500, 3).await.expect("the journal takes it");
    catch_up::catch_up(&pool, projections::all()).await.expect("they catch up");
    let all: Vec<StatementRow> = statements::export(pool.clone(), account(ID), Filter::default())
        .try_collect()
        .await
        .expect("an answer");
    assert!(all.len() > 100);
    let forwards = every_page(&pool, &Filter::default(), Direction::OldestFirst).await;
    let mut backwards = every_page(&pool, &Filter::default(), Direction::NewestFirst).await;
    backwards.reverse();
    assert_eq!(forwards, all);
    assert_eq!(backwards, all);

    let refunds = Filter { kinds: vec![LineKind::Refund], ..Filter::default() };
    let expected: Vec<_> = all.iter().filter(|line| line.kind == "refund").cloned().collect();
    assert!(!expected.is_empty());
    assert_eq!(every_page(&pool, &refunds, Direction::OldestFirst).await, expected);

    let middle = all[all.len() / 2].effective_at;
    let kind = GenerationType::parse("stem_separation").expect("a type");
    let narrow = Filter { from: Some(middle.into()), generation_type: Some(kind), ..Filter::default() };
    let expected: Vec<_> = all
        .iter()
        .filter(|line| line.effective_at >= middle)
        .filter(|line| line.generation_type.as_deref() == Some("stem_separation"))
        .cloned()
        .collect();
    assert!(!expected.is_empty());
    assert_eq!(every_page(&pool, &narrow, Direction::OldestFirst).await, expected);
    assert_eq!(statements::csv_row(&all[0], chrono_tz::UTC).len(), statements::csv_header().len());
}

#[tokio::test]
async fn every_line_has_a_description() {
    let database = TestDatabase::create().await;
    let pool = database.pool();
    catch_up::fill(&pool, 500, 3).await.expect("the journal takes it");
    catch_up::catch_up(&pool, projections::all()).await.expect("they catch up");
    let lines = every_page(&pool, &Filter::default(), Direction::OldestFirst).await;
    assert!(lines.len() > 100);
    for line in &lines {
        assert!(!line.words().is_empty(), "{line:?}");
        let said = line.description.as_deref().filter(|said| !said.is_empty());
        assert!(said.is_none_or(|said| said == line.words()), "{line:?}");
    }
}
