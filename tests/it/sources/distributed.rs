//! Is there a statement that a Postgres with several nodes refuses, or has to ask all of its nodes for one shard?
//!
//! Where each table is, is said in `crates/postgres/src/placement/mod.rs`. What Citus refuses is the list of
//! `docs/decisions/0062-one-list-of-where-tables-are.md`.

use std::path::Path;

use counterfoil::postgres::placement::{Placement, ShardGroup, placement_of};

use crate::support::statements::{files, plain};

/// What has a reason to ask all shards.
const ALL_SHARDS: [(&str, &str); 4] = [
    ("consumer/forget_checkpoints.sql", "a pass is given up on every shard"),
    ("consumer/forget_parked.sql", "a pass is given up on every shard"),
    ("consumer/resume.sql", "a consumer that stopped tries again on every shard, when an operator says so"),
    ("consumer/shard_of_parked.sql", "an operator names an account, and the row says the shard"),
];

/// A table as a statement names it: `ledger.events`, `read.usage_vN`, or the view `read.usage`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Named {
    name: String,
    placement: Placement,
    is_view: bool,
}

impl Named {
    /// `None`: it is a function, or not a table of the program.
    fn parse(word: &str) -> Option<Self> {
        let name = word.trim_start_matches('(').trim_end_matches([',', ')', ';']);
        let is_ours = name.starts_with("ledger.") || name.starts_with("read.");
        if !is_ours || name.contains('(') || name.matches('.').count() != 1 {
            return None;
        }
        let version = ["_vN", "_vM"].iter().fold(name.to_owned(), |name, word| name.replace(word, "_v1"));
        let view = name.starts_with("read.").then_some(Placement::ByShard(ShardGroup::ReadModels));
        let placement = placement_of(&version);
        let is_view = placement.is_none();
        placement.or(view).map(|placement| Self { name: name.to_owned(), placement, is_view })
    }

    fn group(&self) -> Option<ShardGroup> {
        match self.placement {
            Placement::ByShard(group) => Some(group),
            Placement::Everywhere | Placement::OnePlace => None,
        }
    }
}

fn named(sql: &str) -> Vec<Named> {
    sql.split(' ').filter_map(Named::parse).collect()
}

fn is_by_shard(sql: &str) -> bool {
    named(sql).iter().any(|table| table.group().is_some())
}

/// Whether a shard is a parameter, or the number that takes the place of `SHARD`.
fn names_the_shard(sql: &str) -> bool {
    sql.contains("shard = $") || sql.contains("shard = SHARD")
}

/// What is in the parentheses that begin after each occurrence of a text, and what is around them.
fn bodies<'a>(sql: &'a str, before: &str) -> Vec<(&'a str, String)> {
    let mut found = Vec::new();
    for (at, _) in sql.match_indices(before) {
        let begin = at + before.len();
        let mut depth = 1;
        let end = sql[begin..].find(|character| {
            depth += i32::from(character == '(') - i32::from(character == ')');
            depth == 0
        });
        let end = end.map_or(sql.len(), |length| begin + length);
        found.push((&sql[begin..end], format!("{}{}", &sql[..at], &sql[end..])));
    }
    found
}

/// Names before a dot that the text itself does not give to a table.
fn outer_names(body: &str) -> Vec<&str> {
    let words = || body.split(|character: char| !character.is_alphanumeric() && !"_.".contains(character));
    let is_given = |name: &str| words().any(|word| word == name || word.ends_with(&format!(".{name}")));
    let qualified = words().filter(|word| !word.starts_with("ledger.") && !word.starts_with("read."));
    qualified
        .filter_map(|word| word.split_once('.').map(|(name, _)| name))
        .filter(|name| name.starts_with(|first: char| first.is_alphabetic()) && !is_given(name))
        .collect()
}

/// Why several nodes would refuse a statement, or why it is not for one shard.
fn mistakes(sql: &str) -> Vec<&'static str> {
    let mut found = Vec::new();
    let tables = named(sql);
    let has = |group| tables.iter().any(|table| table.group() == Some(group));
    let mut note = |is_wrong: bool, why| {
        if is_wrong && !found.contains(&why) {
            found.push(why);
        }
    };
    note(has(ShardGroup::Journal) && has(ShardGroup::ReadModels), "it has tables of both groups");
    let locks = [" for update", " for share", "skip locked"].iter().any(|lock| sql.contains(lock));
    note(locks && is_by_shard(sql) && !names_the_shard(sql), "it locks rows of several shards");
    for change in ["delete from ", "update ", "insert into "] {
        for (at, _) in sql.match_indices(change) {
            let changed = sql[at + change.len()..].split(' ').next().and_then(Named::parse);
            let Some(changed) = changed else { continue };
            note(changed.is_view, "it changes rows through a view");
            let is_for_one = names_the_shard(sql) || change == "insert into " && sql.contains("shard");
            note(changed.group().is_some() && !is_for_one, "it changes rows and does not name their shard");
        }
    }
    for (body, _) in bodies(sql, "lateral (") {
        note(is_by_shard(body) && !names_the_shard(body), "it looks up rows of several shards, one by one");
    }
    let others = sql.replace("lateral (select ", "lateral (all ");
    for before in ["exists (", "(select "] {
        for (body, around) in bodies(&others, before) {
            let outer = outer_names(body);
            let joins_shards = outer.iter().any(|name| body.contains(&format!("shard = {name}.shard")));
            let is_of_one = names_the_shard(body) || joins_shards && is_by_shard(&around);
            let is_everywhere = named(body).iter().any(|table| table.placement == Placement::Everywhere);
            note(
                !outer.is_empty() && is_everywhere,
                "a subquery depends on a row and reads a reference table",
            );
            note(
                !outer.is_empty() && is_by_shard(body) && !is_of_one,
                "a subquery depends on a row and reads several shards",
            );
        }
    }
    note(
        sql.contains("count(distinct ") && is_by_shard(sql) && !names_the_shard(sql),
        "it counts what differs over several shards",
    );
    let of_an_account = ["account_id = $", "aggregate_id = $", "account_id = any", "aggregate_id = any"];
    let is_of_accounts = of_an_account.iter().any(|text| sql.contains(text));
    note(
        is_of_accounts && is_by_shard(sql) && !names_the_shard(sql),
        "it is of accounts and not of one shard",
    );
    found
}

/// Every statement of the program, by its file.
fn statements() -> Vec<(String, String)> {
    let mut paths = Vec::new();
    for directory in ["src", "crates", "projections"] {
        files(Path::new(directory), &mut paths);
    }
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "sql"));
    let read = |path: &Path| plain(&std::fs::read_to_string(path).expect("a file"));
    paths.iter().map(|path| (path.display().to_string(), read(path))).collect()
}

#[test]
fn each_statement_is_one_that_several_nodes_answer() {
    let statements = statements();
    assert!(statements.len() > 180, "{} statements", statements.len());
    let mut wrong = Vec::new();
    for (place, sql) in &statements {
        let is_excepted = ALL_SHARDS.iter().any(|(known, _)| place.ends_with(known));
        let found = mistakes(sql);
        assert!(!is_excepted || !found.is_empty(), "{place} is no exception any more");
        if !is_excepted {
            wrong.extend(found.into_iter().map(|why| format!("{place}: {why}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_statement_that_several_nodes_refuse_is_found() {
    for (why, wrong) in [
        ("it has tables of both groups", "select * from read.checkpoints join ledger.heads using (shard)"),
        ("it has tables of both groups", "select * from read.usage, ledger.events where shard = $1"),
        ("it locks rows of several shards", "select position from read.checkpoints for update"),
        ("it locks rows of several shards", "select 1 from ledger.events limit 1 for update skip locked"),
        ("it changes rows through a view", "delete from read.deadlines where shard = $1 and account_id = $2"),
        ("it changes rows through a view", "update read.usage set count = 0 where shard = $1"),
        ("it changes rows and does not name their shard", "update read.usage_vN set count = $1"),
        (
            "it changes rows and does not name their shard",
            "insert into read.usage_vN (account_id) values ($1)",
        ),
        (
            "it looks up rows of several shards, one by one",
            "select * from unnest($1::text[]) as wanted (status) cross join lateral (select account_id from \
             read.accounts where status = wanted.status limit 5) as found",
        ),
        (
            "a subquery depends on a row and reads a reference table",
            "select shard from read.checkpoints known where not exists (select from read.projections model where \
             model.projection = known.projection)",
        ),
        (
            "a subquery depends on a row and reads several shards",
            "select shard from unnest($1::smallint[]) as shards (shard) where not exists (select from \
             read.checkpoints known where known.shard = shards.shard)",
        ),
        (
            "it counts what differs over several shards",
            "select day, count(distinct account_id) as accounts from read.usage group by day",
        ),
        ("it is of accounts and not of one shard", "select count from read.usage where account_id = $1"),
        (
            "it is of accounts and not of one shard",
            "select 1 from ledger.events where aggregate_id = any ($1)",
        ),
    ] {
        assert_eq!(mistakes(wrong), [why], "{wrong}");
    }
    for right in [
        "select position from read.checkpoints where shard = $1 for update",
        "select number from ledger.stripe_inbox order by arrival for update skip locked",
        "delete from read.deadlines_vN where shard = $1 and account_id = $2",
        "select (select count(*) from read.usage_vN usage) as rows",
        "select count(distinct generation_type) from read.usage_vN where shard = $1",
        "select day, count(*) from (select day from read.usage group by day, shard, account_id) accounts group by day",
        "select ledger.append($1, $2)",
        "select * from unnest($2::text[]) as wanted (id) cross join lateral (select * from ledger.events where \
         shard = $1 and aggregate_id = wanted.id) as found",
        "select plan from read.accounts account where not exists (select from read.account_plans held where \
         held.shard = account.shard and held.account_id = account.account_id)",
    ] {
        assert_eq!(mistakes(right), Vec::<&str>::new(), "{right}");
    }
}
