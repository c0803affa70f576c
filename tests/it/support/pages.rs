//! A page of the documentation, as far as the tests read it.

use std::{fs, path::PathBuf};

pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The text of a page.
pub fn page(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A fenced block.
#[derive(Debug, PartialEq, Eq)]
pub struct Block<'a> {
    pub language: &'a str,
    pub lines: Vec<&'a str>,
}

pub fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut open: Option<Block<'_>> = None;
    for line in text.lines() {
        match (line.strip_prefix("```"), open.take()) {
            (Some(language), None) => open = Some(Block { language, lines: Vec::new() }),
            (Some(_), Some(block)) => blocks.push(block),
            (None, Some(mut block)) => {
                block.lines.push(line);
                open = Some(block);
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

/// What stands between a heading and the next one of its rank or above.
pub fn section<'a>(text: &'a str, heading: &str) -> &'a str {
    let start = text.find(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("there is no {heading}")) + 1;
    let rank = heading.chars().take_while(|letter| *letter == '#').count();
    let rest = &text[start + heading.len()..];
    let ends = (1..=rank).filter_map(|rank| rest.find(&format!("\n{} ", "#".repeat(rank))));
    &rest[..ends.min().unwrap_or(rest.len())]
}

/// The names in backticks with which the rows of a section's tables begin.
pub fn first_cells(section: &str) -> Vec<&str> {
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| row.split_once('`')).map(|(name, _)| name).collect()
}

/// Whether an output is as it is shown: `…` stands for any text, or, on a line of its own, for any lines.
pub fn is_as_shown(shown: &[&str], output: &[&str]) -> bool {
    match shown.split_first() {
        None => output.is_empty(),
        Some((&"…", rest)) => (0..=output.len()).any(|skipped| is_as_shown(rest, &output[skipped..])),
        Some((line, rest)) => output
            .split_first()
            .is_some_and(|(first, others)| matches(line, first) && is_as_shown(rest, others)),
    }
}

fn matches(shown: &str, line: &str) -> bool {
    let Some((first, rest)) = shown.split_once('…') else { return shown == line };
    let Some(mut line) = line.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('…').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some((_, after)) = line.split_once(part) else { return false };
        line = after;
    }
    line.ends_with(last)
}

#[test]
fn what_is_shown_may_leave_things_out() {
    assert!(is_as_shown(&["a…c", "…", "z"], &["abc", "x", "y", "z"]));
    assert!(is_as_shown(&["…"], &[]));
    assert!(!is_as_shown(&["a…c"], &["abd"]));
    assert!(!is_as_shown(&["a"], &["a", "b"]));
}

#[test]
fn a_section_ends_where_the_next_one_begins() {
    let text = "# T\n\n## A\none\n### B\ntwo\n## C\nthree\n";
    assert_eq!(section(text, "## A"), "\none\n### B\ntwo");
    assert_eq!(section(text, "### B"), "\ntwo");
}
