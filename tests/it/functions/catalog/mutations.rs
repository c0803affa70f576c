//! Can any text bring the program down? Files that are right, broken at random.

use counterfoil::{
    catalog::{Mode, parse},
    domain::catalog::Catalog,
};
use proptest::{prelude::*, sample::Index};

use super::{FILES, everything_is_set, nothing_is_set, text};

/// Pieces that are likely to mean something else in the place where they end up.
const PIECES: [&str; 24] = [
    "",
    "[",
    "]]",
    "{",
    "}",
    "=",
    "\"",
    "'''",
    "#",
    "\n",
    ".",
    ",",
    "-1",
    "1.5",
    "true",
    "1979-05-27",
    "0xffffffffffffffffff",
    "9999999999999999999999",
    "inf",
    "\u{feff}",
    "\0",
    "ß€😀",
    "\"\\u0000\"",
    "[plans.free]\n",
];

#[derive(Clone, Debug)]
enum Mutation {
    Replace { from: Index, length: usize, with: usize },
    SwapLines { one: Index, other: Index },
    RepeatLine { line: Index },
    DropLine { line: Index },
}

fn mutation() -> impl Strategy<Value = Mutation> {
    prop_oneof![
        (any::<Index>(), 0..12_usize, 0..PIECES.len()).prop_map(|(from, length, with)| Mutation::Replace {
            from,
            length,
            with
        }),
        (any::<Index>(), any::<Index>()).prop_map(|(one, other)| Mutation::SwapLines { one, other }),
        any::<Index>().prop_map(|line| Mutation::RepeatLine { line }),
        any::<Index>().prop_map(|line| Mutation::DropLine { line }),
    ]
}

fn mutate(text: &str, mutation: &Mutation) -> String {
    let mut lines: Vec<_> = text.lines().collect();
    let count = lines.len();
    match mutation {
        Mutation::Replace { from, length, with } => return replace(text, from, *length, PIECES[*with]),
        _ if lines.is_empty() => return text.to_owned(),
        Mutation::SwapLines { one, other } => lines.swap(one.index(count), other.index(count)),
        Mutation::RepeatLine { line } => lines.push(lines[line.index(count)]),
        Mutation::DropLine { line } => drop(lines.remove(line.index(count))),
    }
    lines.join("\n")
}

fn replace(text: &str, from: &Index, length: usize, with: &str) -> String {
    let letters: Vec<_> = text.chars().collect();
    let start = from.index(letters.len() + 1);
    let end = (start + length).min(letters.len());
    let piece = |letters: &[char]| letters.iter().collect::<String>();
    format!("{}{with}{}", piece(&letters[..start]), piece(&letters[end..]))
}

/// What every catalog keeps, however it came about.
fn holds_together(catalog: &Catalog) -> bool {
    let features = |named: &std::collections::BTreeSet<_>| {
        named.iter().all(|feature| catalog.features.contains_key(feature))
    };
    catalog.plan(&catalog.free_plan).is_some()
        && catalog.scale <= 6
        && catalog.plans.iter().all(|plan| plan.discount_percent <= 100 && features(&plan.features))
        && catalog.generations.values().all(|generation| features(&generation.needs))
        && catalog.packs.iter().all(|pack| pack.price.minor > 0 && !pack.credits.is_zero())
}

fn try_to_read(text: &str) {
    for mode in [Mode::Test, Mode::Live] {
        for settings in [nothing_is_set, everything_is_set] {
            match parse(text, &settings, mode) {
                Ok(catalog) => assert!(holds_together(&catalog)),
                Err(mistakes) => {
                    assert!(!mistakes.is_empty(), "a refusal says why");
                    let lines = text.matches('\n').count() + 1;
                    assert!(mistakes.iter().all(|mistake| (1..=lines).contains(&mistake.line)));
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_broken_catalog_is_refused_with_lines(
        file in 0..FILES.len(),
        mutations in prop::collection::vec(mutation(), 1..8),
    ) {
        try_to_read(&mutations.iter().fold(text(FILES[file]), |text, mutation| mutate(&text, mutation)));
    }

    #[test]
    fn any_text_is_refused_with_lines(text in "(?s).{0,200}") {
        try_to_read(&text);
    }
}
