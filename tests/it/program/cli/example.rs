//! Does `.env.example` say what the program reads? It is what people copy.

use counterfoil::config::settings::{self, Setting};

const EXAMPLE: &str = include_str!("../../../../.env.example");

/// The lines that set something, with their comment mark taken away: `NAME=value`.
fn assignments() -> Vec<(&'static str, &'static str)> {
    let lines = EXAMPLE.lines().filter_map(|line| line.strip_prefix('#').or(Some(line)));
    lines
        .filter_map(|line| line.split_once('='))
        .filter(|(name, _)| {
            !name.is_empty() && name.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_')
        })
        .collect()
}

#[test]
fn the_example_names_each_setting_once_and_in_order() {
    let named: Vec<&str> = assignments().into_iter().map(|(name, _)| name).collect();
    let known: Vec<&str> = settings::ALL.iter().map(|setting| setting.name).collect();
    assert_eq!(named, known);
}

#[test]
fn the_example_shows_the_defaults() {
    for Setting { name, default, .. } in settings::ALL {
        let Some(default) = default else { continue };
        assert!(assignments().contains(&(name, default)), "{name}={default} is not in the example");
    }
}

#[test]
fn the_example_explains_each_setting_as_the_help_does() {
    let words = |text: &str| text.replace("\n# ", " ").split_whitespace().collect::<Vec<_>>().join(" ");
    let example = words(EXAMPLE);
    for Setting { name, help, .. } in settings::ALL {
        assert!(example.contains(&words(help)), "the help of {name} is not in the example: {help}");
    }
}

#[test]
fn the_example_has_no_secret_in_it() {
    for setting in settings::ALL.into_iter().filter(|setting| setting.secret) {
        assert!(assignments().contains(&(setting.name, "")), "{} has a value in the example", setting.name);
    }
}
