//! Which modules does a module name? Paths in the source are followed to the module that has what they mean, through
//! `crate`, `self`, `super`, modules below, other crates of the workspace, and what is handed on by `pub use`.
//!
//! A crate of the workspace is a module like the others, as the program's own crate hands them on by their names.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

/// A module by its place, such as `stripe::client`. The root of the crate is empty.
pub type Module = Vec<String>;

/// The crates of the workspace, and those that each may use.
static CRATES: LazyLock<BTreeMap<String, BTreeSet<String>>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates");
    let folders = fs::read_dir(&folder).expect("there are crates");
    let names = folders.map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned());
    let names: BTreeSet<String> = names.collect();
    let used = |of: &String| {
        let manifest = fs::read_to_string(folder.join(of).join("Cargo.toml")).expect("each has a manifest");
        let used = names.iter().filter(|name| manifest.contains(&format!("\n{name}.workspace")));
        used.cloned().collect()
    };
    names.iter().map(|name| (name.clone(), used(name))).collect()
});

/// How often a path may be handed on.
const HOPS_MAX: usize = 8;

pub struct Source {
    pub path: PathBuf,
    pub module: Module,
    pub text: String,
}

/// All modules, and what each hands on under its own name.
pub struct Program {
    modules: BTreeMap<Module, Source>,
    exports: BTreeMap<Module, BTreeMap<String, Module>>,
}

/// A path, as it is written, and the name that it is known by.
struct Written<'a> {
    names: Vec<&'a str>,
    known_as: Option<&'a str>,
}

impl Source {
    /// The part of the program that it belongs to.
    pub fn part(&self) -> &str {
        self.module.first().map_or("lib", String::as_str)
    }

    /// What it says itself, and what its tests say in a module of their own.
    fn sections(&self) -> Vec<(Module, String)> {
        let (own, tests) = match self.text.split_once("#[cfg(test)]\nmod tests {") {
            Some((own, tests)) => (own, Some(tests)),
            None => (self.text.as_str(), None),
        };
        let tests = tests.map(|tests| (below(&self.module, &["tests"]), code(tests)));
        [(self.module.clone(), code(own))].into_iter().chain(tests).collect()
    }
}

impl Program {
    /// The program as it is.
    pub fn read() -> Self {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let mut found = Vec::new();
        let crates = CRATES.keys().map(|name| format!("crates/{name}/src"));
        for folder in ["src", "projections"].map(str::to_owned).into_iter().chain(crates) {
            walk(&root.join(folder), &mut |path| {
                let inside = path.strip_prefix(&root).expect("it was found there");
                let text = fs::read_to_string(path).expect("a source can be read");
                found.push(Source { path: path.to_owned(), module: module_of(inside), text });
            });
        }
        assert!(found.len() > 300, "the sources were found");
        Self::of(found)
    }

    pub fn of(sources: Vec<Source>) -> Self {
        let modules: BTreeMap<Module, Source> =
            sources.into_iter().map(|source| (source.module.clone(), source)).collect();
        let exports = modules.iter().map(|(module, source)| (module.clone(), exports(source))).collect();
        Self { modules, exports }
    }

    /// The same with one more file.
    pub fn with(self, path: &str, text: &str) -> Self {
        let path = PathBuf::from(path);
        let planted = Source { module: module_of(&path), path, text: text.to_owned() };
        Self::of(self.modules.into_values().chain([planted]).collect())
    }

    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        self.modules.values()
    }

    /// The modules that it names, without itself and without the root.
    pub fn uses(&self, source: &Source) -> BTreeSet<Module> {
        let mut used = BTreeSet::new();
        for (module, code) in source.sections() {
            let paths = paths(&module, &code).into_iter();
            used.extend(paths.map(|(path, _)| self.home(path)));
        }
        used.retain(|module| !module.is_empty() && *module != source.module);
        used
    }

    /// The module that has what the path means.
    fn home(&self, mut path: Module) -> Module {
        for _ in 0..HOPS_MAX {
            let (module, rest) = self.split(&path);
            let handed_on = rest.first().and_then(|name| self.exports.get(&module)?.get(name));
            let Some(there) = handed_on else { return module };
            path = there.iter().chain(rest.iter().skip(1)).cloned().collect();
        }
        self.split(&path).0
    }

    /// The longest part of a path that is a module, and what comes after it.
    fn split(&self, path: &[String]) -> (Module, Module) {
        let lengths = (0..=path.len()).rev();
        let length =
            lengths.into_iter().find(|length| self.modules.contains_key(&path[..*length])).unwrap_or(0);
        (path[..length].to_vec(), path[length..].to_vec())
    }
}

/// Where a file is in the tree of modules.
fn module_of(path: &Path) -> Module {
    let names = path.with_extension("");
    let names = names.iter().map(|name| name.to_string_lossy().into_owned());
    let mut names: Module = names.filter(|name| name != "src" && name != "crates").collect();
    if matches!(names.last().map(String::as_str), Some("mod" | "lib")) {
        names.pop();
    }
    names
}

pub fn walk(folder: &Path, visit: &mut impl FnMut(&Path)) {
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("a folder can be read").path();
        if path.is_dir() {
            walk(&path, visit);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            visit(&path);
        }
    }
}

/// The source without its comments.
pub fn code(text: &str) -> String {
    let lines = text.lines().map(|line| line.split_once("//").map_or(line, |(code, _)| code));
    lines.collect::<Vec<&str>>().join("\n")
}

/// What is handed on by `pub use`, with the path that it has there.
fn exports(source: &Source) -> BTreeMap<String, Module> {
    let code = code(&source.text);
    let mut found = BTreeMap::new();
    for (start, _) in code.match_indices("pub") {
        let rest = &code[start + "pub".len()..];
        let rest =
            if rest.starts_with('(') { rest.split_once(')').map_or("", |(_, rest)| rest) } else { rest };
        if let Some(rest) = rest.strip_prefix(" use ") {
            let end = rest.find(';').unwrap_or(rest.len());
            let named = paths(&source.module, &format!("{}{}", &rest[..end], declared(&code)));
            found.extend(named.into_iter().filter_map(|(path, known_as)| Some((known_as?, path))));
        }
    }
    found
}

/// The modules below, as they are declared.
fn declared(code: &str) -> String {
    children(code).into_iter().map(|name| format!("\nmod {name};")).collect()
}

fn children(code: &str) -> BTreeSet<&str> {
    let declared = code.match_indices("mod ").filter_map(|(start, mod_)| {
        let name = word(&code[start + mod_.len()..]);
        code[start + mod_.len() + name.len()..].starts_with(';').then_some(name)
    });
    declared.filter(|name| !name.is_empty()).collect()
}

/// The paths in the code of a module that lead to modules of this program, and the names by which they are known.
pub fn paths(module: &[String], code: &str) -> Vec<(Module, Option<String>)> {
    let children = children(code);
    let crates = module.first().and_then(|part| CRATES.get(part));
    let is_crate = |name: &str| crates.is_some_and(|crates| crates.contains(name));
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(start) = rest.find(is_of_word) {
        let before = &code[..code.len() - rest.len() + start];
        rest = &rest[start..];
        let name = word(rest);
        let begins = !before.ends_with([':', '.']) && !before.ends_with("(in ");
        let is_root = ["crate", "self", "super"].contains(&name) || children.contains(name) || is_crate(name);
        if begins && is_root && rest[name.len()..].starts_with("::") {
            let mut written = Vec::new();
            rest = read(rest, &[], &mut written);
            let known = written.into_iter();
            found.extend(known.map(|one| (absolute(module, &one.names), one.known_as.map(str::to_owned))));
        } else {
            rest = &rest[name.len()..];
        }
    }
    found
}

/// Reads a path, or all of a group, and returns what comes after it.
fn read<'a>(text: &'a str, before: &[&'a str], found: &mut Vec<Written<'a>>) -> &'a str {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        loop {
            rest = rest.trim_start_matches(|character: char| character.is_whitespace() || character == ',');
            let next = rest.chars().next();
            match next {
                None => return rest,
                Some('}') => return &rest[1..],
                Some(character) if !is_of_word(character) && !['*', '{'].contains(&character) => return rest,
                Some(_) => rest = read(rest, before, found),
            }
        }
    }
    let name = if text.starts_with('*') { "*" } else { word(text) };
    let names: Vec<&str> = before.iter().copied().chain([name]).collect();
    let rest = &text[name.len()..];
    let deeper = rest.strip_prefix("::").map(str::trim_start);
    if let Some(deeper) =
        deeper.filter(|deeper| deeper.starts_with(|next| is_of_word(next) || "*{".contains(next)))
    {
        return read(deeper, &names, found);
    }
    let alias = rest.strip_prefix(" as ").map(word);
    let rest = alias.map_or(rest, |alias| &rest[" as ".len() + alias.len()..]);
    let own = if name == "self" { before.last().copied() } else { Some(name) };
    found.push(Written { names, known_as: alias.or(own) });
    rest
}

/// The path from the root of the program.
fn absolute(module: &[String], names: &[&str]) -> Module {
    let own = module.first().and_then(|part| CRATES.get_key_value(part));
    let mut place = match (names.first(), own) {
        (Some(&"crate"), Some((own, _))) => vec![own.clone()],
        (Some(&"crate"), None) => Vec::new(),
        (Some(name), Some((_, used))) if used.contains(*name) => Vec::new(),
        _ => module.to_vec(),
    };
    for name in names {
        match *name {
            "crate" | "self" => {}
            "super" => {
                place.pop();
            }
            name => place.push(name.to_owned()),
        }
    }
    place
}

fn below(module: &[String], names: &[&str]) -> Module {
    module.iter().cloned().chain(names.iter().map(|name| (*name).to_owned())).collect()
}

fn is_of_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn word(text: &str) -> &str {
    text.split(|character| !is_of_word(character)).next().unwrap_or_default()
}

#[test]
fn paths_are_followed_to_the_module_that_has_what_they_mean() {
    let file = |path: &str, text: &str| Source {
        path: PathBuf::from(path),
        module: module_of(Path::new(path)),
        text: text.to_owned(),
    };
    let uses = |text: &str| {
        let program = Program::of(vec![
            file("src/lib.rs", "pub mod shop;\npub mod bank;"),
            file("src/bank/mod.rs", "mod vault;\npub use vault::{Coin, Bar as Ingot};"),
            file("src/bank/vault.rs", ""),
            file("src/shop/mod.rs", "mod till;\nmod shelf;"),
            file("src/shop/shelf.rs", ""),
            file("src/shop/till.rs", text),
        ]);
        let till = program.sources().find(|source| source.path.ends_with("till.rs")).unwrap();
        program.uses(till).iter().map(|module| module.join("::")).collect::<Vec<String>>()
    };
    assert_eq!(uses("use crate::{bank::{self, Money}, shop::shelf};"), ["bank", "shop::shelf"]);
    assert_eq!(uses("use crate::bank::Coin;"), ["bank::vault"]);
    assert_eq!(uses("fn pay(with: super::super::bank::Ingot) {}"), ["bank::vault"]);
    assert_eq!(uses("use super::{\n    shelf::{Row, Place},\n    super::bank,\n};"), ["bank", "shop::shelf"]);
    assert_eq!(uses("fn in_it() { super::shelf::find::<u8>() }"), ["shop::shelf"]);
    assert_eq!(uses("#[cfg(test)]\nmod tests {\n    use super::*;\n}"), Vec::<String>::new());
    assert_eq!(uses("// crate::bank is deliberately absent"), Vec::<String>::new());
    assert_eq!(uses("pub(in crate::shop) struct Till;"), Vec::<String>::new());
    let of_crate = |text: &str| {
        let program = Program::of(vec![
            file("src/lib.rs", "pub mod shop;"),
            file("crates/domain/src/time.rs", ""),
            file("crates/clock/src/hands.rs", ""),
            file("crates/clock/src/lib.rs", text),
        ]);
        let clock = program.sources().find(|source| source.module == ["clock"]).unwrap();
        program.uses(clock).iter().map(|module| module.join("::")).collect::<Vec<String>>()
    };
    assert_eq!(
        of_crate("use domain::time::Timestamp;\nuse crate::hands::Hand;"),
        ["clock::hands", "domain::time"]
    );
}

pub fn name(module: &[String]) -> String {
    module.join("::")
}

/// Whether a module is the other, or inside of it.
pub fn is_in(module: &str, other: &str) -> bool {
    module.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// The files of a part that know each other in a circle. What is inside of the other may.
pub fn in_circles<'a>(program: &Program, part: &[&'a Source]) -> Vec<&'a Module> {
    let related = |one: &Module, other: &Module| one.starts_with(other) || other.starts_with(one);
    let uses: BTreeMap<&Module, BTreeSet<Module>> = part
        .iter()
        .map(|source| {
            let mut used = program.uses(source);
            used.retain(|used| used.first() == source.module.first() && !related(used, &source.module));
            (&source.module, used)
        })
        .collect();
    let leads_back = |start: &&Module| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![*start]);
        while let Some(used) = open.pop().and_then(|module| uses.get(module)) {
            if used.contains(*start) {
                return true;
            }
            open.extend(used.iter().filter(|module| seen.insert(*module)));
        }
        false
    };
    uses.keys().copied().filter(leads_back).collect()
}
