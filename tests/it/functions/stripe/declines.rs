//! Is the table of declines in `docs/STRIPE.md` the program's own? `UPDATE_GOLDEN=1` rewrites it.

use std::{collections::BTreeSet, fs, path::PathBuf};

use counterfoil::stripe::client::declines::{DECLINES, Remedy, remedy};

const BEGIN: &str = "<!-- declines: written by the program -->\n";
const END: &str = "<!-- declines: end -->\n";

fn table() -> String {
    let line = |remedy: Remedy| {
        let codes = DECLINES.iter().filter(|(_, known)| *known == remedy);
        let codes: Vec<String> = codes.map(|(code, _)| format!("`{code}`")).collect();
        format!("| `{}` | {} | {} |\n", remedy.as_str(), remedy.advice(), codes.join(", "))
    };
    let lines: String = Remedy::ALL.into_iter().map(line).collect();
    format!("\n| `next_step` | `advice` | when the bank, or Stripe, says |\n|---|---|---|\n{lines}\n")
}

#[test]
fn the_page_has_the_programs_table() {
    let page = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/STRIPE.md");
    let text = fs::read_to_string(&page).expect("the page is there");
    let (before, rest) = text.split_once(BEGIN).expect("the table begins");
    let (_, after) = rest.split_once(END).expect("the table ends");
    let written = [before, BEGIN, &table(), END, after].concat();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(page, &written).expect("the page can be written");
    } else {
        assert_eq!(text, written, "the table of docs/STRIPE.md differs from the program's");
    }
}

#[test]
fn each_code_is_found_and_listed_once() {
    let codes: Vec<&str> = DECLINES.iter().map(|(code, _)| *code).collect();
    assert!(codes.is_sorted(), "they are looked up by halves");
    assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), codes.len());
    for (code, known) in DECLINES {
        assert_eq!(remedy(Some(code), Some("card_declined")), *known);
        assert_eq!(remedy(None, Some(code)), *known, "some come without a decline code");
    }
}

#[test]
fn a_code_that_nobody_knows_is_the_banks_plain_no() {
    assert_eq!(remedy(Some("of_tomorrow"), Some("card_declined")), remedy(Some("generic_decline"), None));
    assert_eq!(remedy(None, None), Remedy::CallBank);
}

#[test]
fn a_thief_is_told_no_more_than_anybody_else() {
    for code in ["lost_card", "stolen_card", "pickup_card", "fraudulent", "merchant_blacklist"] {
        assert_eq!(remedy(Some(code), None), remedy(Some("expired_card"), None), "{code}");
    }
}
