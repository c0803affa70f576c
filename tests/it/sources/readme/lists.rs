//! What the pages list: is all of it there, and nothing that is not?

use std::{collections::BTreeSet, fs, path::Path};

use counterfoil::config::settings;

use crate::{
    sources::architecture::KNOWLEDGE,
    support::{
        pages::{first_cells, page, root, section},
        program,
    },
};

const PAGES: [&str; 16] = [
    "README.md",
    "CONTRIBUTING.md",
    "docs/ARCHITECTURE.md",
    "docs/ADDING.md",
    "docs/CATALOG.md",
    "docs/DATABASE.md",
    "docs/DOMAIN.md",
    "docs/FILES.md",
    "docs/GLOSSARY.md",
    "docs/GUIDE.md",
    "docs/MOVING.md",
    "docs/SANDBOX.md",
    "docs/SECURITY.md",
    "docs/STRIPE.md",
    "docs/STYLE.md",
    "docs/dependencies.md",
];

/// Every page, those of the decisions and the walks too.
pub(super) fn pages() -> Vec<String> {
    let others = ["docs/decisions", "docs/walks"].into_iter().flat_map(files);
    PAGES.into_iter().map(str::to_owned).chain(others).collect()
}

fn files(path: &str) -> Vec<String> {
    let entries = fs::read_dir(root().join(path)).expect("it is a folder");
    let names = entries.map(|entry| entry.expect("it can be read").file_name());
    names.map(|name| format!("{path}/{}", name.to_string_lossy())).collect()
}

fn folders(path: &str) -> Vec<String> {
    let entries = fs::read_dir(root().join(path)).expect("it is a folder");
    let folders = entries.map(|entry| entry.expect("it can be read")).filter(|entry| entry.path().is_dir());
    folders.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// `(text, target)` of each link.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target)
}

/// The name that a heading has in an address.
fn anchor(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = kept.chars().filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
    kept.collect::<String>().replace(' ', "-")
}

#[test]
fn every_link_leads_somewhere() {
    for name in pages() {
        let text = page(&name);
        let here = root().join(&name);
        for target in links(&text).filter(|target| !target.starts_with("http")) {
            let (path, heading) = target.split_once('#').unwrap_or((target, ""));
            let file = if path.is_empty() { here.clone() } else { here.parent().unwrap().join(path) };
            assert!(file.exists(), "{name}: {target} is not there");
            assert!(
                heading.is_empty() || has_heading(&file, heading),
                "{name}: {target} has no such heading"
            );
        }
    }
}

fn has_heading(file: &Path, heading: &str) -> bool {
    let text = fs::read_to_string(file).expect("it is a page");
    text.lines().filter(|line| line.starts_with('#')).any(|line| anchor(line) == heading)
}

#[test]
fn the_readme_lists_every_setting_with_its_default() {
    let readme = page("README.md");
    let listed = section(&readme, "## Settings");
    let known: Vec<&str> = settings::ALL.iter().map(|setting| setting.name).collect();
    assert_eq!(first_cells(listed), known);
    for setting in settings::ALL {
        let row = listed.lines().find(|line| line.starts_with(&format!("| `{}`", setting.name))).unwrap();
        let default = row.split(" | ").nth(1).unwrap();
        assert!(setting.default.is_none_or(|value| default.contains(&format!("`{value}`"))), "{row}");
    }
}

#[test]
fn the_readme_lists_every_command() {
    let readme = page("README.md");
    let listed = first_cells(section(&readme, "## Command line"));
    let listed: BTreeSet<&str> = listed.into_iter().filter_map(|name| name.split(' ').next()).collect();
    let help = program::run(&mut program::command(&["--help"]));
    let help = String::from_utf8(help.stdout).expect("a text");
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let commands =
        commands.take_while(|line| !line.is_empty()).filter_map(|line| line.split_whitespace().next());
    assert_eq!(listed, commands.filter(|name| *name != "help").collect());
}

#[test]
fn the_code_map_has_every_folder_and_every_read_model() {
    let page = page("docs/ARCHITECTURE.md");
    for folder in folders("src") {
        assert!(page.contains(&format!("| [`src/{folder}/`](../src/{folder}/mod.rs) |")), "src/{folder}");
    }
    for name in folders("crates") {
        assert!(page.contains(&format!("| [`crates/{name}/`](../crates/{name}/src/")), "crates/{name}");
    }
    let files = self::page("docs/FILES.md");
    for folder in folders("projections") {
        assert!(page.contains(&format!("| [`{folder}`](../projections/{folder}/mod.rs) |")), "{folder}");
        assert!(files.contains(&format!("| [`{folder}/`](../projections/{folder}/mod.rs) |")), "{folder}");
    }
}

#[test]
fn the_table_of_read_models_has_every_event_and_every_read_model() {
    let module = page("projections/mod.rs");
    let table: Vec<&str> = module.lines().filter_map(|line| line.strip_prefix("//! | ")).collect();
    let (head, rows) = table.split_first().expect("the table is there");
    let models: BTreeSet<&str> = head.trim_end_matches(" |").split(" | ").skip(1).collect();
    let folders = folders("projections");
    assert_eq!(models, folders.iter().map(String::as_str).collect());
    let events = rows.iter().filter_map(|row| row.split_once(" |"));
    let mut events: Vec<&str> = events.flat_map(|(names, _)| names.split(", ")).collect();
    events.sort_unstable();
    let golden = self::files("tests/it/functions/contracts/events").into_iter();
    let name =
        |path: String| Path::new(&path).file_stem().map(|name| format!("`{}`", name.to_string_lossy()));
    let mut known: Vec<String> = golden.filter_map(name).collect();
    known.sort_unstable();
    assert_eq!(events, known);
}

#[test]
fn the_table_of_knowledge_is_the_one_that_is_enforced() {
    let page = page("docs/ARCHITECTURE.md");
    let table = section(&page, "### Who may know whom");
    for (part, allowed) in KNOWLEDGE {
        let row = table.lines().find(|line| line.starts_with("| ") && line.contains(&format!("`{part}`")));
        let row = row.unwrap_or_else(|| panic!("{part} has no row"));
        let told = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        let told: BTreeSet<&str> = told.split(", ").filter(|name| *name != "nothing").collect();
        assert_eq!(told, allowed.iter().copied().collect(), "{part}");
    }
}
