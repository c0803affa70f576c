//! Is each mistake found, in its line, with words that help?

use counterfoil::catalog::{Mode, parse};

use super::{nothing_is_set, only, right, show, text};

/// A catalog without mistakes, in which each line of interest can be replaced.
const RIGHT: &str = r#"name = "Test"
currency = "usd"
scale = 2
time_zone = "Europe/Berlin"
free_plan = "free"

[features]
fast = "Fast"

[plans.free]
name = "Free"
credits = { once = 50 }

[plans.basic]
name = "Basic"
credits = { monthly = 500 }
rollover = { max_balance = "2x" }
features = ["fast"]
limits = [{ measure = "generations", per = "day", window = "rolling", per_seat = true, max = 50 }]
discount_percent = 10
prices.month = { amount = "9.99", stripe = { setting = "BASIC" } }
prices.year = { amount = "99.90", stripe = { setting = "BASIC_YEAR", optional = true } }
trial = { days = 14, credits = 20 }

[packs.small]
name = "Small"
credits = 100
price = "5.00"
stripe.test = { price = "price_a", product = "prod_a" }
stripe.live = { price = "price_b", product = "prod_b" }

[generations.song]
name = "Song"
credits = 5
needs = ["fast"]
options.quality = { high = 3 }

[payments]
smallest = "0.50"
grace_days = 3
"#;

fn basic(name: &str) -> Option<String> {
    (name == "BASIC").then(|| "price_basic".to_owned())
}

fn mistakes(text: &str, settings: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    let mistakes = parse(text, settings, Mode::Test).expect_err("there is a mistake in the text");
    mistakes.iter().map(ToString::to_string).collect()
}

/// What is said when `line` is replaced in a catalog that is right otherwise.
fn said(line: &str, replacement: &str) -> Vec<String> {
    assert_eq!(RIGHT.matches(line).count(), 1, "{line} must be in the catalog once");
    mistakes(&RIGHT.replace(line, replacement), &basic)
}

#[test]
fn there_is_none_in_a_right_catalog() {
    right(RIGHT, &basic);
}

#[test]
fn each_mistake_is_said_with_its_line() {
    let table: &[(&str, &str, &str)] = &[
        // names and keys
        ("scale = 2", "scael = 2", "line 3: scael: unknown key `scael`; did you mean `scale`?"),
        ("grace_days = 3", "zzz = 3", "line 40: payments.zzz: unknown key `zzz`; known: `enabled`, "),
        ("[plans.basic]", "[plans.\"ba sic\"]", "line 14: plans.\"ba sic\": an identifier has 1 to 128"),
        ("name = \"Basic\"", "", "line 14: plans.basic: `name` is missing"),
        ("name = \"Basic\"", "name = ' '", "line 15: plans.basic.name: this cannot be empty"),
        ("name = \"Test\"", "", "line 1: `name` is missing"),
        // types and numbers
        ("credits = 100", "credits = \"100\"", "line 27: packs.small.credits: expected a whole number"),
        ("credits = 100", "credits = 100.5", "line 27: packs.small.credits: 100.5 is a float; only whole"),
        ("credits = 100", "credits = -1", "line 27: packs.small.credits: -1 is negative"),
        ("credits = 100", "credits = 0", "line 27: packs.small.credits: 0 is too small; at least 1"),
        (
            "credits = 100",
            "credits = 9_000_000_000_000",
            "line 27: packs.small.credits: 9000000000000 is too",
        ),
        ("credits = 100", "credits = 99999999999999999999", "line 27: packs.small.credits: 9999999999999999"),
        (
            "needs = [\"fast\"]",
            "needs = 1",
            "line 35: generations.song.needs: expected a list in [ ], found a",
        ),
        ("[\"fast\"]\nlimits", "[4]\nlimits", "line 18: plans.basic.features[0]: expected a text in quotes"),
        (
            "options.quality = { high = 3 }",
            "options.quality = 3",
            "line 36: generations.song.options.quality: ",
        ),
        ("scale = 2", "scale = 7", "line 3: scale: 7 is too large; at most 6"),
        ("scale = 2", "scale = -1", "line 3: scale: -1 is negative"),
        ("discount_percent = 10", "discount_percent = 101", "line 20: plans.basic.discount_percent: 101 is"),
        // money
        ("amount = \"9.99\"", "amount = 9.99", "line 21: plans.basic.prices.month.amount: write a price in"),
        ("amount = \"9.99\"", "amount = 999", "line 21: plans.basic.prices.month.amount: write a price in"),
        (
            "amount = \"9.99\"",
            "amount = \"-9.99\"",
            "line 21: plans.basic.prices.month.amount: a price cannot",
        ),
        ("amount = \"9.99\"", "amount = \"9.999\"", "line 21: plans.basic.prices.month.amount: usd has 2 "),
        ("amount = \"9.99\"", "amount = \"9,99\"", "line 21: plans.basic.prices.month.amount: `9,99` is not"),
        (
            "amount = \"9.99\"",
            "amount = \"0.49\"",
            "line 21: plans.basic.prices.month.amount: too small; the",
        ),
        (
            "amount = \"9.99\"",
            "amount = \"1000.01\"",
            "line 21: plans.basic.prices.month.amount: too large; ",
        ),
        ("price = \"5.00\"", "price = \"0\"", "line 28: packs.small.price: a pack has a price"),
        (
            "price = \"5.00\"",
            "price = \"5.00\"\nexpires_after_days = 3651",
            "line 29: packs.small.expires_after_days: 3651 is too",
        ),
        ("currency = \"usd\"", "currency = \"dollar\"", "line 2: currency: a currency is three letters"),
        ("currency = \"usd\"", "currency = \"uds\"", "line 2: currency: unknown currency `uds`"),
        (
            "smallest = \"0.50\"",
            "smallest = \"5000\"",
            "line 38: payments: the smallest payment, 5000.00 usd,",
        ),
        // references
        (
            "[\"fast\"]\nlimits",
            "[\"fsat\"]\nlimits",
            "line 18: plans.basic.features[0]: unknown feature `fsat`",
        ),
        (
            "[\"fast\"]\nlimits",
            "[\"fast\", \"fast\"]\nlimits",
            "line 18: plans.basic.features[1]: `fast` is in",
        ),
        (
            "needs = [\"fast\"]",
            "needs = [\"slow\"]",
            "line 35: generations.song.needs[0]: unknown feature `slow`",
        ),
        ("features = [\"fast\"]\n", "", "line 34: generations.song.needs: no plan has all of these features"),
        (
            "free_plan = \"free\"",
            "free_plan = \"fee\"",
            "line 5: free_plan: unknown plan `fee`; did you mean",
        ),
        ("free_plan = \"free\"", "free_plan = \"basic\"", "line 5: free_plan: `basic` has a price, so it"),
        ("free_plan = \"free\"", "", "line 1: `free_plan` is missing: name the plan of an account without"),
        ("\"Europe/Berlin\"", "\"Europe/Berln\"", "line 4: time_zone: unknown time zone `Europe/Berln`; did"),
        // duplicates
        ("[generations.song]", "[packs.small]\n[generations.song]", "line 32: `small` is defined twice"),
        ("scale = 2", "scale = 2\nscale = 3", "line 4: `scale` is defined twice"),
        ("max = 50 }]", LIMIT_TWICE, "line 19: plans.basic.limits[1]: this plan already has a limit"),
        (
            "{ once = 50 }",
            "{ once = 50 }\npopular = true\n[plans.x]\nname=\"X\"\npopular = true",
            "line 14: ",
        ),
        // credits, rollover, limits, trials
        ("{ monthly = 500 }", "500", "line 16: plans.basic.credits: say how often: { monthly = … }"),
        ("{ monthly = 500 }", "{}", "line 16: plans.basic.credits: give `monthly` or `once`"),
        ("{ monthly = 500 }", "{ monthly = 5, once = 5 }", "line 16: plans.basic.credits: give `monthly` or"),
        (
            "{ monthly = 500 }",
            "{ once = 5 }",
            "line 14: plans.basic: credits that come `once` are for a plan",
        ),
        (
            "{ monthly = 500 }",
            "{ once = 5 }",
            "line 17: plans.basic.rollover: only monthly credits roll over",
        ),
        ("\"2x\"", "\"2\"", "line 17: plans.basic.rollover.max_balance: `2` is not a multiple; write \"2x\""),
        ("\"2x\"", "\"0.5x\"", "line 17: plans.basic.rollover.max_balance: `0.5x` is not from 1x to 100x"),
        ("max_balance = \"2x\"", "carry = -5", "line 17: plans.basic.rollover.carry: -5 is negative"),
        ("max_balance = \"2x\"", "", "line 17: plans.basic.rollover: give `max_balance` or `carry`"),
        ("\"generations\"", "\"songs\"", "line 19: plans.basic.limits[0].measure: unknown measure `songs`; "),
        (
            "per = \"day\"",
            "per = \"hour\"",
            "line 19: plans.basic.limits[0].per: unknown unit `hour`; known: ",
        ),
        ("\"rolling\"", "\"roling\"", "line 19: plans.basic.limits[0].window: unknown window `roling`; did"),
        ("max = 50", "max = 0", "line 19: plans.basic.limits[0].max: 0 is too small; at least 1"),
        (", max = 50", "", "line 19: plans.basic.limits[0]: `max` is missing"),
        ("{ once = 50 }", "{ once = 50 }\ntrial = {}", "line 13: plans.free.trial: a plan without prices"),
        ("days = 14", "days = 0", "line 23: plans.basic.trial.days: 0 is too small; at least 1"),
        ("days = 14", "days = 731", "line 23: plans.basic.trial.days: 731 is too large; at most 730"),
        // Stripe
        (
            "setting = \"BASIC\"",
            "setting = \"OTHER\"",
            "line 21: plans.basic.prices.month.stripe.setting: se",
        ),
        ("\"price_b\"", "\"price_a\"", "line 30: packs.small.stripe.live.price: `price_a` is given for live"),
        (
            "\"price_b\"",
            "\"price_test_b\"",
            "line 30: packs.small.stripe.live.price: `price_test_b` is marked",
        ),
        (
            "price = \"price_a\"",
            "price = \"price_basic\"",
            "line 29: packs.small.stripe.test.price: `price_ba",
        ),
        (
            "\"price_a\"",
            "\"prod_a\"",
            "line 29: packs.small.stripe.test.price: `prod_a` is the id of a product",
        ),
        ("\"prod_a\"", "\"price_a\"", "line 29: packs.small.stripe.test.product: `price_a` is the id of a "),
        ("\"price_a\"", "\"sk_live_1\"", "line 29: packs.small.stripe.test.price: this is a secret; it does"),
        ("\"price_a\"", "\"price a\"", "line 29: packs.small.stripe.test.price: an id at Stripe has"),
        (
            "stripe.test =",
            "stripe.setting = \"X\"\n#",
            "line 29: packs.small.stripe: give either a `setting`",
        ),
        ("stripe.test =", "#", "line 30: packs.small.stripe: there are ids for live only, and the mode is "),
    ];
    let missed: Vec<_> = table.iter().filter_map(find_missed).collect();
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

fn find_missed((line, replacement, expected): &(&str, &str, &str)) -> Option<String> {
    let said = said(line, replacement);
    let is_said = said.iter().any(|said| said.starts_with(expected));
    (!is_said).then(|| format!("{replacement}\nexpected {expected}\nfound    {}", said.join("\n         ")))
}

const LIMIT_TWICE: &str =
    "max = 50 }, { measure = \"generations\", per = \"day\", window = \"rolling\", max = 9 }]";

#[test]
fn all_mistakes_are_said_at_once_in_the_order_of_the_file() {
    let text = RIGHT
        .replace("scale = 2", "scale = 9\nscale = 2")
        .replace("{ monthly = 500 }", "{ monthly = 1.5 }")
        .replace("\"9.99\"", "9.99")
        .replace("[\"fast\"]\nlimits", "[\"fsat\"]\nlimits")
        .replace("high = 3", "high = -3")
        .replace("grace_days = 3", "grace_dayz = 3");
    let said = mistakes(&text, &nothing_is_set);
    let lines: Vec<_> = said.iter().filter_map(|said| said.split(": ").next()).collect();
    let expected = ["line 3", "line 4", "line 17", "line 19", "line 22", "line 22", "line 37", "line 41"];
    assert_eq!(lines, expected, "{}", said.join("\n"));
}

#[test]
fn what_is_not_toml_is_one_mistake_with_its_line() {
    for (line, replacement, expected) in [
        ("scale = 2", "scale = ", "line 3: this is not TOML: "),
        ("name = \"Basic\"", "name = \"Basic", "line 15: this is not TOML: "),
        ("[packs.small]", "[packs.small", "line 25: this is not TOML: "),
        ("name = \"Song\"", "Song", "line 33: this is not TOML: "),
    ] {
        let said = said(line, replacement);
        assert_eq!(said.len(), 1, "{}", said.join("\n"));
        assert!(said[0].starts_with(expected), "{}", said[0]);
    }
}

#[test]
fn a_column_counts_characters() {
    let text = RIGHT
        .replace("name = \"Small\"", "name = \"Kleines Päckchen\"")
        .replace("options.quality = { high = 3 }", "options.quality = { \"hoch\" = 3, \"größer\" = 1.5 }");
    let mistakes = parse(&text, &basic, Mode::Test).unwrap_err();
    let found = mistakes.iter().find(|mistake| mistake.message.starts_with("1.5")).unwrap();
    assert_eq!((found.line, found.column), (36, 44), "{}", show(&mistakes));
}

#[test]
fn a_setting_that_is_wrong_is_named() {
    let mistakes = |value| mistakes(&text("localboxs"), &only("STRIPE_BILLING_ENABLED", value));
    assert!(mistakes("perhaps")[0].contains("setting STRIPE_BILLING_ENABLED: unknown value `perhaps`"));
}

#[test]
fn a_price_whose_id_is_a_setting_may_name_its_product() {
    let named = RIGHT.replace("{ setting = \"BASIC\" }", "{ setting = \"BASIC\", product = \"prod_b\" }");
    let stripe = &right(&named, &basic).plans[1].prices[0].stripe;
    assert_eq!((stripe.sale_id(), stripe.product_id.as_deref()), (Some("price_basic"), Some("prod_b")));
}

#[test]
fn a_setting_that_is_empty_counts_as_missing() {
    let said = mistakes(RIGHT, &only("BASIC", " "));
    assert_eq!(
        said,
        ["line 21: plans.basic.prices.month.stripe.setting: setting BASIC is missing; \
          it has the id that this price has at Stripe"]
    );
}

#[test]
fn two_settings_with_one_price_id_are_a_mistake() {
    let said = mistakes(RIGHT, &|_| Some("price_same".to_owned()));
    assert_eq!(
        said,
        ["line 22: plans.basic.prices.year.stripe.setting: `price_same` already stands for \
          plans.basic.prices.month (line 21)"]
    );
}

#[test]
fn a_secret_is_not_repeated() {
    let said = said("\"price_a\"", "\"sk_live_hidden\"").join("\n");
    assert!(!said.contains("hidden"), "{said}");
}

#[test]
fn currencies_have_their_own_decimals() {
    let yen = RIGHT.replace("\"usd\"", "\"jpy\"");
    let said = mistakes(&yen, &basic);
    assert!(said.iter().any(|said| said.contains("jpy has 0 decimals, and `9.99` has more")));
    let whole = yen.replace("\"9.99\"", "\"999\"").replace("\"99.90\"", "\"9990\"");
    let whole = whole.replace("\"5.00\"", "\"500\"").replace("\"0.50\"", "\"50\"");
    assert_eq!(right(&whole, &basic).packs[0].price.minor, 500);
}

#[test]
fn an_empty_file_is_told_what_it_lacks() {
    let said = mistakes("", &nothing_is_set);
    assert_eq!(said.len(), 3, "{}", said.join("\n"));
    assert!(said.iter().all(|said| said.starts_with("line 1: ")));
}
