//! Does each rule in the pages name its test, and is that test there?
//!
//! A rule is a row of a table whose last column is `test`, an item of one of the lists in [`LISTS`], which ends with
//! `(test: …)`, or a decision, which says what keeps it closed. A module stands for all of the tests in it. The level
//! of a test is not named: a topic stays what it is when its tests are moved to another level.

use std::{collections::BTreeSet, fs, path::Path};

use super::lists::pages;
use crate::{
    sources::architecture::KNOWLEDGE,
    support::pages::{page, root, section},
};

/// Lists in which every item is a rule.
const LISTS: [(&str, &str); 26] = [
    ("docs/ARCHITECTURE.md", "## Invariants"),
    ("docs/CATALOG.md", "## What is written how"),
    ("docs/CATALOG.md", "## What is not sold any more"),
    ("docs/DOMAIN.md", "## Accounts and closing"),
    ("docs/DOMAIN.md", "## Grants, sources and the spending order"),
    ("docs/DOMAIN.md", "## Deductions, generations and refunds"),
    ("docs/DOMAIN.md", "## Holds"),
    ("docs/DOMAIN.md", "## Months and allocations"),
    ("docs/DOMAIN.md", "## Proration, upgrades and downgrades"),
    ("docs/DOMAIN.md", "## Rollover"),
    ("docs/DOMAIN.md", "## Expiry and trials"),
    ("docs/DOMAIN.md", "## Ends and days of grace"),
    ("docs/DOMAIN.md", "## Clawback, debt and disputes"),
    ("docs/DOMAIN.md", "## Time and the order of reports"),
    ("docs/DOMAIN.md", "## Limits and features"),
    ("docs/MOVING.md", "## What holds"),
    ("docs/MOVING.md", "## The subscription at Stripe"),
    ("docs/STRIPE.md", "## Setting up test and live"),
    ("docs/STRIPE.md", "## Rotating secrets"),
    ("docs/STRIPE.md", "### Customers and their cards"),
    ("docs/STRIPE.md", "### One subscription at a time"),
    ("docs/STRIPE.md", "### Changes that wait"),
    ("docs/STRIPE.md", "### Packs"),
    ("docs/STRIPE.md", "### Reports of subscriptions"),
    ("docs/STRIPE.md", "### Money that goes back"),
    ("docs/STRIPE.md", "## Subscriptions over HTTP"),
];

/// The folders of `tests/it` that say what is started. That of the sandbox is also a topic.
const LEVELS: [&str; 5] = ["functions", "database", "server", "program", "sources"];

/// Says what was measured, and rules nothing.
const MEASURED: &str = "docs/decisions/0010-what-is-measured.md";

/// Fewer tables than this would mean that they are not found any more.
const TABLES_MIN: usize = 20;

/// What can be named: the tests of this program, as `cargo test` prints them but for their level, and their modules.
struct Known {
    tests: BTreeSet<String>,
    /// Also those that have no tests of their own.
    modules: BTreeSet<String>,
}

impl Known {
    fn read() -> Self {
        let mut known = Self { tests: BTreeSet::new(), modules: BTreeSet::new() };
        let it = root().join("tests/it");
        for level in LEVELS {
            known.read_folder(&it.join(level), "");
        }
        for topic in ["sandbox", "support"] {
            known.read_folder(&it.join(topic), topic);
        }
        known.read_folder(&root().join("tests/domain"), "");
        known.read_folder(&root().join("tests/unit"), "");
        assert!(known.tests.len() > 1_000, "the tests were found");
        known
    }

    fn read_folder(&mut self, folder: &Path, module: &str) {
        for entry in fs::read_dir(folder).expect("it is a folder") {
            let path = entry.expect("it can be read").path();
            let name = path.file_stem().expect("it has a name").to_string_lossy().into_owned();
            let inside = if ["mod", "main"].contains(&name.as_str()) { String::new() } else { name };
            let module = [module, &inside].into_iter().filter(|part| !part.is_empty());
            let module = module.collect::<Vec<&str>>().join("::");
            if path.is_dir() {
                self.read_folder(&path, &module);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("it is a source");
                for name in names_of_tests(&text).map(|name| format!("{module}::{name}")) {
                    assert!(!self.tests.contains(&name), "{name} is in two levels");
                    self.tests.insert(name);
                }
                self.modules.insert(module);
            }
        }
    }

    fn has_tests(&self, module: &str) -> bool {
        let inside = format!("{module}::");
        self.tests.range(inside.clone()..).next().is_some_and(|test| test.starts_with(&inside))
    }

    /// Whether the name is that of a test, or of a module with tests.
    fn proves(&self, name: &str) -> bool {
        self.tests.contains(name) || self.has_tests(name)
    }

    /// Whether a text in backticks is to be a test: its path begins with a module of this program, or with a level.
    fn is_meant(&self, quoted: &str) -> bool {
        let is_lower =
            |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "_:".contains(letter);
        let Some((first, _)) = quoted.split_once("::") else { return false };
        quoted.chars().all(is_lower) && (LEVELS.contains(&first) || self.has_tests(first))
    }

    /// The names in a text that prove something.
    fn proofs(&self, text: &str) -> usize {
        quoted(text).filter(|name| self.proves(name)).count()
    }
}

/// The functions below `#[test]` and `#[tokio::test]`, also inside of `proptest!`, and the stories of `siblings!`.
fn names_of_tests(text: &str) -> impl Iterator<Item = &str> {
    let (mut is_test, mut is_story) = (false, false);
    text.lines().filter_map(move |line| {
        is_story = (is_story && line != "}") || line == "siblings! {";
        let line = line.trim_start();
        if let Some((name, _)) = line.split_once(": [").filter(|_| is_story) {
            return Some(name);
        }
        is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
        let (before, name) = line.split_once("fn ")?;
        let is_function = ["", "async "].contains(&before);
        let name = name.split_once('(').map(|(name, _)| name);
        name.filter(|_| is_function && std::mem::take(&mut is_test))
    })
}

/// What stands in backticks, but for blocks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    let mut is_block = false;
    let lines = text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_block ^= is_fence;
        !is_block && !is_fence
    });
    lines.flat_map(|line| line.split('`').skip(1).step_by(2))
}

fn cells(row: &str) -> Vec<&str> {
    row.trim().trim_matches('|').split(" | ").map(str::trim).collect()
}

/// The rows of the tables whose last column is `test`.
fn rows_of_rules(text: &str) -> Vec<Vec<&str>> {
    let (mut tables, mut is_open) = (Vec::new(), false);
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let is_head = lines.peek().is_some_and(|next| next.starts_with("|--"));
        if is_head {
            is_open = cells(line).last() == Some(&"test");
            if is_open {
                tables.push(Vec::new());
            }
        } else if !line.starts_with('|') {
            is_open = false;
        } else if is_open && !line.starts_with("|--") {
            tables.last_mut().expect("it has begun").push(line);
        }
    }
    tables
}

/// The items of a section's lists, each with the lines that go on with it.
fn items(section: &str) -> Vec<String> {
    let (mut items, mut is_open) = (Vec::<String>::new(), false);
    for line in section.lines() {
        let begins = line.starts_with("- ");
        is_open = begins || (is_open && line.starts_with("  "));
        if begins {
            items.push(line.to_owned());
        } else if is_open {
            let item = items.last_mut().expect("it has begun");
            *item = format!("{item} {}", line.trim_start());
        }
    }
    items
}

#[test]
fn every_test_that_a_page_names_is_there() {
    let known = Known::read();
    let mut missing = Vec::new();
    for name in pages() {
        let text = page(&name);
        for quoted in quoted(&text) {
            let is_there = known.proves(quoted) || known.modules.contains(quoted);
            let is_file_missing = quoted.starts_with("tests/") && !root().join(quoted).exists();
            // A part of the program is no test.
            let is_part = KNOWLEDGE.iter().any(|(part, _)| *part == quoted);
            if (known.is_meant(quoted) && !is_there && !is_part) || is_file_missing {
                missing.push(format!("{name}: {quoted}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn each_row_of_a_table_of_rules_names_its_test() {
    let known = Known::read();
    let (mut tables, mut silent) = (0, Vec::new());
    for name in pages() {
        let text = page(&name);
        let found = rows_of_rules(&text);
        tables += found.len();
        let rows = found.into_iter().flatten();
        let untested = rows.filter(|row| cells(row).last().is_none_or(|cell| known.proofs(cell) == 0));
        silent.extend(untested.map(|row| format!("{name}: {row}")));
    }
    assert!(silent.is_empty(), "{silent:#?}");
    assert!(tables >= TABLES_MIN, "{tables} tables");
}

#[test]
fn each_item_of_a_list_of_rules_names_its_test() {
    let known = Known::read();
    let mut silent = Vec::new();
    for (name, heading) in LISTS {
        let text = page(name);
        let items = items(section(&text, heading));
        assert!(items.len() > 2, "{name}: {heading} has no list");
        let untested = items.iter().filter(|item| {
            let named = item.split_once("(test: ").or_else(|| item.split_once("(tests: "));
            named.is_none_or(|(_, named)| known.proofs(named) == 0)
        });
        silent.extend(untested.map(|item| format!("{name}: {item}")));
    }
    assert!(silent.is_empty(), "{silent:#?}");
}

#[test]
fn each_decision_says_what_keeps_it_closed() {
    let known = Known::read();
    for name in pages().into_iter().filter(|name| name.contains("/decisions/") && name != MEASURED) {
        let text = page(&name);
        let kept = text.split_once("**Kept closed by**");
        assert!(kept.is_some_and(|(_, kept)| known.proofs(kept) > 0), "{name}");
    }
}

#[test]
fn tests_rows_and_items_are_read_as_they_are_written() {
    let source = "#[test]\nfn one() {}\nfn helper() {}\n    /// Why.\n    #[tokio::test(flavor = \"x\")]\n    async fn two(";
    assert_eq!(names_of_tests(source).collect::<Vec<&str>>(), ["one", "two"]);
    assert_eq!(quoted("`a::b` and `c`\n```sh\n`d`\n```\n`e`").collect::<Vec<&str>>(), ["a::b", "c", "e"]);
    let table = "| rule | test |\n|---|---|\n| r | `a::b` |\n\n| other | text |\n|---|---|\n| o | t |\n";
    assert_eq!(rows_of_rules(table), [["| r | `a::b` |"]]);
    assert_eq!(items("text\n- one\n  more\n\n- two\nend"), ["- one more", "- two"]);
}
