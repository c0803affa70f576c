//! The shape of the program, as far as reading its source can check it: who may know whom, and what is pure.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Who may use whom. Knowledge goes down this table and never up; a change of it is a decision, with a reason in
/// `docs/decisions/`.
///
/// `audit` asks the ledger what callers see, to compare it with the journal. `cli` composes the program and may use
/// everything, as may the library's root and `main`.
pub const KNOWLEDGE: [(&str, &[&str]); 18] = [
    (
        "http",
        &[
            "auth",
            "queries",
            "audit",
            "ledger",
            "stripe",
            "projections",
            "projector",
            "scheduler",
            "journal",
            "catalog",
            "postgres",
            "clock",
            "domain",
        ],
    ),
    (
        "dashboard",
        &["auth", "queries", "audit", "ledger", "stripe", "projections", "catalog", "clock", "domain"],
    ),
    ("auth", &["catalog", "postgres", "clock", "domain"]),
    ("queries", &["ledger", "projector", "projections", "catalog", "journal", "postgres", "clock", "domain"]),
    ("scheduler", &["ledger", "stripe", "projections", "catalog", "journal", "postgres", "clock", "domain"]),
    ("notify", &["ledger", "stripe", "projections", "catalog", "postgres", "clock", "domain"]),
    ("stripe", &["ledger", "catalog", "journal", "postgres", "clock", "domain"]),
    ("audit", &["ledger", "journal", "projections", "projector", "postgres", "clock", "domain"]),
    ("ledger", &["journal", "postgres", "clock", "domain"]),
    ("projector", &["journal", "projections", "postgres", "clock", "domain"]),
    ("journal", &["postgres", "clock", "domain"]),
    ("projections", &["domain"]),
    ("catalog", &["domain"]),
    ("postgres", &[]),
    ("load", &[]),
    // Outside of the ledger: it knows what time it is, and nothing else.
    ("sandbox", &["clock"]),
    ("clock", &["domain"]),
    ("domain", &[]),
];

/// Parts that put the others together.
const COMPOSERS: [&str; 6] = ["app", "cli", "main", "lib", "config", "telemetry"];

/// Words that would make the domain depend on the moment, on chance, on the machine or on a framework.
const IMPURE: [&str; 20] = [
    "async ",
    ".await",
    "tokio",
    "sqlx",
    "axum",
    "reqwest",
    "tracing",
    "cqrs_es",
    "std::time",
    "Utc::now",
    "Local::now",
    "SystemTime",
    "Instant",
    "rand::",
    "getrandom",
    "HashMap",
    "HashSet",
    "std::fs",
    "std::net",
    "std::env",
];

const FORBIDDEN_NAMES: [&str; 6] = ["utils", "helpers", "common", "core", "manager", "service"];
const FILE_LINES_MAX: usize = 500;

struct Source {
    path: PathBuf,
    /// The part of the program that it belongs to.
    part: String,
    text: String,
}

fn sources() -> Vec<Source> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for folder in ["src", "projections"] {
        walk(&root.join(folder), &mut |path| {
            let inside = path.strip_prefix(root.join(folder)).expect("it was found there");
            let first = inside.components().next().expect("a file has a name").as_os_str();
            let first = first.to_string_lossy().trim_end_matches(".rs").to_owned();
            let part = if folder == "src" { first } else { "projections".to_owned() };
            let text = fs::read_to_string(path).expect("a source can be read");
            found.push(Source { path: path.to_owned(), part, text });
        });
    }
    assert!(found.len() > 20, "the sources were found");
    found
}

fn walk(folder: &Path, visit: &mut impl FnMut(&Path)) {
    // Read models come later than the domain; until then there is no such folder.
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.expect("a folder can be read").path();
        if path.is_dir() {
            walk(&path, visit);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            visit(&path);
        }
    }
}

/// The source without its comments.
fn code(text: &str) -> String {
    let lines = text.lines().map(|line| line.split_once("//").map_or(line, |(code, _)| code));
    lines.collect::<Vec<&str>>().join("\n")
}

/// The parts that a source names as `crate::part`, or in a group as `crate::{part, …}`.
fn used(text: &str) -> BTreeSet<String> {
    let code = code(text);
    let mut used = BTreeSet::new();
    for (start, _) in code.match_indices("crate::") {
        let rest = &code[start + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            used.extend(heads(group).into_iter().filter(|name| !name.is_empty()));
        } else {
            used.insert(word(rest));
        }
    }
    used
}

/// The first name of each path in a group, which ends where its bracket closes.
fn heads(group: &str) -> Vec<String> {
    let mut depth = 0;
    let mut names = vec![word(group.trim_start())];
    for (index, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(word(group[index + 1..].trim_start())),
            _ => {}
        }
    }
    names
}

fn word(text: &str) -> String {
    text.chars().take_while(|character| character.is_alphanumeric() || *character == '_').collect()
}

#[test]
fn knowledge_goes_down_and_never_up() {
    let table: BTreeMap<&str, &[&str]> = KNOWLEDGE.into_iter().collect();
    let mut mistakes = Vec::new();
    for source in sources() {
        if COMPOSERS.contains(&source.part.as_str()) {
            continue;
        }
        let Some(allowed) = table.get(source.part.as_str()) else {
            mistakes.push(format!("{} is a part that the table does not have", source.path.display()));
            continue;
        };
        for part in used(&source.text) {
            let is_part = table.contains_key(part.as_str()) || COMPOSERS.contains(&part.as_str());
            if is_part && part != source.part && !allowed.contains(&part.as_str()) {
                mistakes.push(format!("{} uses {part}", source.path.display()));
            }
        }
    }
    assert!(mistakes.is_empty(), "{mistakes:#?}");
}

#[test]
fn the_table_itself_never_goes_up() {
    for (row, (part, allowed)) in KNOWLEDGE.iter().enumerate() {
        for other in *allowed {
            let below = KNOWLEDGE.iter().position(|(name, _)| name == other).expect("each part has a row");
            assert!(below > row, "{part} is below {other}");
        }
    }
}

#[test]
fn the_domain_is_pure() {
    let mut mistakes = Vec::new();
    for source in sources().into_iter().filter(|source| source.part == "domain") {
        let code = code(&source.text);
        let found = IMPURE.into_iter().filter(|impure| code.contains(impure));
        mistakes.extend(found.map(|impure| format!("{} has {impure}", source.path.display())));
    }
    assert!(mistakes.is_empty(), "{mistakes:#?}");
}

/// What orders and decides is tried in any order, so it must not do input or output by itself.
#[test]
fn the_sequencer_is_pure() {
    let impure = ["async ", ".await", "tokio", "sqlx", "std::time", "Instant", "Clock", "metrics::"];
    let mut found = 0;
    for source in sources().into_iter().filter(|source| source.path.iter().any(|part| part == "sequencer")) {
        let code = code(&source.text);
        let words: Vec<&str> = impure.into_iter().filter(|word| code.contains(word)).collect();
        assert!(words.is_empty(), "{} has {words:?}", source.path.display());
        found += 1;
    }
    assert!(found >= 4, "the sequencer was found");
}

#[test]
fn the_domain_has_no_floats() {
    for source in sources().into_iter().filter(|source| source.part == "domain") {
        let code = code(&source.text);
        assert!(!code.contains("f64") && !code.contains("f32"), "{}", source.path.display());
    }
}

#[test]
fn files_are_short() {
    let long = sources().into_iter().filter(|source| source.text.lines().count() >= FILE_LINES_MAX);
    let long: Vec<PathBuf> = long.map(|source| source.path).collect();
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn modules_are_named_for_what_they_are() {
    for source in sources() {
        let names = source.path.iter().map(|name| name.to_string_lossy().trim_end_matches(".rs").to_owned());
        let folder = source.path.strip_prefix(env!("CARGO_MANIFEST_DIR")).expect("it is inside");
        let forbidden = names.clone().filter(|name| FORBIDDEN_NAMES.contains(&name.as_str()));
        let inside: Vec<String> =
            forbidden.filter(|name| folder.to_string_lossy().contains(name.as_str())).collect();
        assert!(inside.is_empty(), "{} is named {inside:?}", source.path.display());
    }
}

#[test]
fn modules_open_with_what_they_answer() {
    let silent = sources().into_iter().filter(|source| {
        !source.path.ends_with("main.rs")
            && !source.path.ends_with("tests.rs")
            && !source.text.starts_with("//!")
            && source.text.lines().count() > 5
    });
    let silent: Vec<PathBuf> = silent.map(|source| source.path).collect();
    assert!(silent.is_empty(), "{silent:#?}");
}

#[test]
fn groups_of_names_are_read_to_their_end() {
    let text = "use crate::{\n    domain::{amount::Credits, event::Event},\n    journal,\n};\nuse crate::ledger::Job;";
    let expected = ["domain", "journal", "ledger"].map(str::to_owned);
    assert_eq!(used(text), BTreeSet::from(expected));
    assert!(used("// crate::http is deliberately absent").is_empty());
}
