//! Does each part know only what it may know? This reads the source: who may know whom, and what is pure.

pub mod paths;

use std::collections::{BTreeMap, BTreeSet};

use paths::{Program, Source, code, in_circles, is_in, name};

/// Who may use whom. Knowledge goes down this table and never up; a change of it is a decision, with a reason in
/// `docs/decisions/`.
///
/// A file belongs to the row with the longest name that it is in: a part may have rows for what is inside of it, and
/// then its own row is for all the rest of it. The file of its own name (`mod.rs`) puts it together and may use all of
/// it. Whoever may use a part may use what is inside of it.
///
/// `audit` asks the ledger what callers see, to compare it with the journal. `cli` composes the program and may use
/// everything, as may the library's root and `main`.
pub const KNOWLEDGE: [(&str, &[&str]); 48] = [
    (
        "http::routes",
        &[
            "http::operations",
            "http::billing",
            "http::figures",
            "http::reads",
            "http::commands",
            "http",
            "stripe",
        ],
    ),
    (
        "http::operations",
        &["http::reads", "http", "auth", "audit", "ledger", "stripe", "projector", "journal", "domain"],
    ),
    (
        "http::billing",
        &[
            "http::reads",
            "http::commands",
            "http",
            "auth",
            "queries",
            "ledger",
            "stripe",
            "projections",
            "domain",
        ],
    ),
    (
        "http::figures",
        &["http::reads", "http", "auth", "queries", "ledger", "stripe", "projections", "domain"],
    ),
    (
        "http::reads",
        &["http::commands", "http", "auth", "queries", "ledger", "stripe", "projections", "domain"],
    ),
    (
        "http::commands",
        &["http", "auth", "queries", "instances", "ledger", "stripe", "projections", "catalog", "domain"],
    ),
    (
        "http",
        &[
            "auth",
            "queries",
            "audit",
            "instances",
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
    (
        "scheduler",
        &[
            "instances",
            "ledger",
            "stripe",
            "projections",
            "catalog",
            "journal",
            "postgres",
            "clock",
            "domain",
        ],
    ),
    (
        "notify",
        &["ledger", "stripe", "projections", "catalog", "consumer", "queue", "postgres", "clock", "domain"],
    ),
    ("stripe", &["ledger", "catalog", "journal", "queue", "postgres", "clock", "domain"]),
    (
        "stripe::provisioning",
        &[
            "stripe::inbound::signature",
            "stripe::translate",
            "stripe::client",
            "stripe::documents",
            "catalog",
            "clock",
            "domain",
        ],
    ),
    (
        "stripe::outbound",
        &[
            "stripe::inbound::accounts",
            "stripe::calls",
            "stripe::translate",
            "stripe::client",
            "stripe::documents",
            "ledger",
            "domain",
        ],
    ),
    (
        "stripe::inbound",
        &[
            "stripe::inbound::accounts",
            "stripe::inbound::signature",
            "stripe::calls",
            "stripe::translate",
            "stripe::client",
            "stripe::documents",
            "ledger",
            "journal",
            "queue",
            "postgres",
            "clock",
            "domain",
        ],
    ),
    // Whose an event is: asked by those who handle events, and by those who make customers.
    ("stripe::inbound::accounts", &["stripe::translate", "ledger", "domain"]),
    ("stripe::inbound::signature", &["domain"]),
    ("stripe::calls", &["stripe::client", "stripe::documents", "queue", "domain"]),
    ("stripe::client", &["stripe::documents", "catalog", "domain"]),
    // A pure function of a document and the catalog, which is the domain's own.
    ("stripe::translate", &["stripe::documents", "domain"]),
    ("stripe::documents", &["domain"]),
    // Who else works on the same ledger. Requests are passed on by those who take them.
    ("instances", &["journal", "domain"]),
    ("audit", &["ledger", "journal", "projections", "projector", "postgres", "clock", "domain"]),
    ("ledger", &["journal", "postgres", "clock", "domain"]),
    ("projector", &["consumer", "journal", "projections", "postgres", "clock", "domain"]),
    // Knows nothing of read models: what is told of events, by e-mail and to other programs, follows in the same way.
    ("consumer", &["journal", "postgres", "clock", "domain"]),
    ("journal", &["postgres", "clock", "domain"]),
    ("projections", &["domain"]),
    ("catalog", &["domain"]),
    ("queue", &["domain"]),
    ("postgres", &[]),
    ("load", &[]),
    // Outside of the ledger: it knows what time it is, and nothing else.
    (
        "sandbox::pages",
        &[
            "sandbox::control",
            "sandbox::operations",
            "sandbox::shared",
            "sandbox::billing",
            "sandbox::state",
            "sandbox::outbox",
            "sandbox::objects",
            "sandbox::store",
            "sandbox",
        ],
    ),
    (
        "sandbox::control",
        &[
            "sandbox::operations",
            "sandbox::shared",
            "sandbox::billing",
            "sandbox::state",
            "sandbox::outbox",
            "sandbox::objects",
            "sandbox::store",
            "sandbox",
        ],
    ),
    (
        "sandbox::api",
        &[
            "sandbox::operations",
            "sandbox::shared",
            "sandbox::state",
            "sandbox::outbox",
            "sandbox::objects",
            "sandbox",
        ],
    ),
    ("sandbox::sender", &["sandbox::shared", "sandbox::outbox"]),
    (
        "sandbox::seed",
        &["sandbox::operations", "sandbox::state", "sandbox::objects", "sandbox::store", "sandbox"],
    ),
    (
        "sandbox::operations",
        &[
            "sandbox::billing",
            "sandbox::state",
            "sandbox::outbox",
            "sandbox::objects",
            "sandbox::store",
            "sandbox",
        ],
    ),
    ("sandbox::shared", &["sandbox::billing", "sandbox::state", "clock"]),
    ("sandbox::billing", &["sandbox::state", "sandbox::objects", "sandbox::store", "sandbox"]),
    ("sandbox::state", &["sandbox::outbox", "sandbox::objects", "sandbox::store", "sandbox"]),
    // What has happened, and who is told. It shows what the store keeps.
    ("sandbox::outbox", &["sandbox::objects", "sandbox::store", "sandbox"]),
    ("sandbox::objects", &["sandbox::store", "sandbox"]),
    ("sandbox::store", &["sandbox"]),
    ("sandbox", &["clock"]),
    ("clock", &["domain"]),
    ("domain", &[]),
];

/// Parts that put the others together.
const COMPOSERS: [&str; 7] = ["app", "cli", "main", "lib", "config", "telemetry", "xtask"];

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

/// The row that a module belongs to.
fn row(module: &[String]) -> Option<(&'static str, &'static [&'static str])> {
    let module = name(module);
    KNOWLEDGE.into_iter().filter(|(part, _)| is_in(&module, part)).max_by_key(|(part, _)| part.len())
}

/// Whether who may use `allowed` may use what belongs to the row `used`. What is around oneself is only the rest of it.
fn may_use(part: &str, allowed: &[&str], used: &str) -> bool {
    let inside = |name: &str| is_in(used, name) && !is_in(part, name);
    used == part || allowed.iter().any(|name| *name == used || inside(name))
}

/// Whether it puts together a part that has rows for what is inside of it.
fn composes(source: &Source) -> bool {
    let inside = |row: &str| row.strip_prefix(source.part()).is_some_and(|rest| rest.starts_with("::"));
    COMPOSERS.contains(&source.part())
        || source.module.len() == 1 && KNOWLEDGE.iter().any(|(row, _)| inside(row))
}

/// What uses what it should not know, as the file and the row.
fn upward(program: &Program) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for source in program.sources().filter(|source| !composes(source)) {
        let (part, allowed) = row(&source.module)
            .unwrap_or_else(|| panic!("{} is of a part that the table does not have", source.path.display()));
        for used in program.uses(source) {
            let used_row = row(&used).map_or_else(|| name(&used), |(row, _)| row.to_owned());
            if !may_use(part, allowed, &used_row) {
                found.insert((name(&source.module), used_row));
            }
        }
    }
    found
}

#[test]
fn knowledge_goes_down_and_never_up() {
    assert_eq!(upward(&Program::read()), BTreeSet::new());
}

#[test]
fn what_goes_up_inside_of_a_part_is_found() {
    let planted = [
        ("src/stripe/client/planted.rs", "use super::super::outbound::Billing;", "stripe::outbound"),
        ("src/stripe/translate/planted.rs", "use crate::ledger::Ledger;", "ledger"),
        ("src/http/commands/planted.rs", "use super::super::reads::{self, now};", "http::reads"),
        (
            "crates/sandbox/src/objects/planted.rs",
            "fn at() -> i64 { crate::control::now() }",
            "sandbox::control",
        ),
        ("src/consumer/planted.rs", "use crate::projector::Projector;", "projector"),
        ("crates/sandbox/src/store/planted.rs", "use crate::objects::Shown;", "sandbox::objects"),
    ];
    for (path, text, row) in planted {
        let found = upward(&Program::read().with(path, text));
        let found: Vec<&str> = found
            .iter()
            .filter(|(file, _)| file.ends_with("::planted"))
            .map(|(_, row)| row.as_str())
            .collect();
        assert_eq!(found, [row], "{path}");
    }
}

/// Leaving out those of which one is inside of the other.
#[test]
fn files_of_a_part_do_not_know_each_other_in_circles() {
    let program = Program::read();
    let mut parts: BTreeMap<&str, Vec<&Source>> = BTreeMap::new();
    for source in program.sources() {
        parts.entry(source.part()).or_default().push(source);
    }
    let found: Vec<String> =
        parts.values().flat_map(|sources| in_circles(&program, sources)).map(|module| name(module)).collect();
    assert!(found.is_empty(), "{found:#?}");
    let planted = program
        .with("crates/domain/src/refusal/planted.rs", "use crate::planted;")
        .with("crates/domain/src/planted.rs", "use crate::refusal::planted;");
    let domain: Vec<&Source> = planted.sources().filter(|source| source.part() == "domain").collect();
    assert_eq!(in_circles(&planted, &domain).len(), 2, "a circle is found");
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
fn what_is_inside_of_a_part_knows_no_more_than_the_part() {
    for (part, allowed) in KNOWLEDGE {
        let Some((around, _)) = part.split_once("::") else { continue };
        let (_, of_part) =
            KNOWLEDGE.into_iter().find(|(name, _)| *name == around).expect("the part has a row");
        let more = allowed.iter().filter(|name| !is_in(name, around) && !of_part.contains(name));
        assert_eq!(more.collect::<Vec<_>>(), Vec::<&&str>::new(), "{part}");
    }
}

#[test]
fn the_domain_is_pure() {
    let mut mistakes = Vec::new();
    for source in Program::read().sources().filter(|source| source.part() == "domain") {
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
    let program = Program::read();
    for source in program.sources().filter(|source| source.path.iter().any(|part| part == "sequencer")) {
        let code = code(&source.text);
        let words: Vec<&str> = impure.into_iter().filter(|word| code.contains(word)).collect();
        assert!(words.is_empty(), "{} has {words:?}", source.path.display());
        found += 1;
    }
    assert!(found >= 4, "the sequencer was found");
}

#[test]
fn the_domain_has_no_floats() {
    for source in Program::read().sources().filter(|source| source.part() == "domain") {
        let code = code(&source.text);
        assert!(!code.contains("f64") && !code.contains("f32"), "{}", source.path.display());
    }
}
