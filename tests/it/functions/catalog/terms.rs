//! What may be sold, what was sold, and what can be charged at all?

use counterfoil::{
    catalog::{Mode, parse, parse_former},
    domain::{
        amount::Credits,
        catalog::{Availability, Catalog, Downgrade},
        ids::PlanId,
    },
};

use super::{nothing_is_set, right, show};
use crate::support::catalogs::{MUSIC, without};

const TOP_UP: &str = "
[top_up]
price_per_credit = \"0.0125\"
smallest = 100
largest = 50_000
";

fn mistakes(text: &str) -> Vec<String> {
    let mistakes = parse(text, &nothing_is_set, Mode::Test).expect_err("there is a mistake in the text");
    mistakes.iter().map(ToString::to_string).collect()
}

fn plans(catalog: &Catalog) -> Vec<&str> {
    catalog.plans.iter().map(|plan| plan.id.as_str()).collect()
}

fn plan(id: &str) -> PlanId {
    PlanId::parse(id).expect("an id")
}

// ------------------------------------------------------------------------------------------------------------ trials

/// A catalog with a plan that can be tried.
fn with_trial(trial: &str, payments: &str) -> String {
    format!(
        "name = \"Test\"\nfree_plan = \"free\"\n[plans.free]\nname = \"Free\"\n[plans.pro]\nname = \"Pro\"\n\
         prices.month = {{ amount = \"9.99\" }}\ntrial = {trial}\n{payments}"
    )
}

#[test]
fn a_trial_that_does_not_say_how_long_it_is_has_the_days_that_the_catalog_says() {
    let days = |trial: &str, payments: &str| {
        let catalog = right(&with_trial(trial, payments), &nothing_is_set);
        let pro = catalog.plans.into_iter().find(|plan| plan.id.as_str() == "pro").expect("it is there");
        pro.trial.expect("it can be tried").days
    };
    assert_eq!(days("{}", ""), 14);
    assert_eq!(days("{}", "[payments]\ntrial_days = 30"), 30);
    assert_eq!(days("{ days = 7 }", "[payments]\ntrial_days = 30"), 7);
    assert_eq!(days("{ days = 7 }", "[payments]\ntrial_days = 0"), 7);
}

/// Stripe refuses a trial of no days when somebody buys it, which is too late.
#[test]
fn a_trial_of_no_days_is_a_mistake() {
    let said = mistakes(&with_trial("{ credits = 5 }", "[payments]\ntrial_days = 0"));
    assert_eq!(
        said,
        [
            "line 8: plans.pro.trial: a trial has a day at least: say `days` here, or more in `payments.trial_days`"
        ]
    );
}

// ------------------------------------------------------------------------------------ retired plans, earlier amounts

#[test]
fn what_is_retired_has_terms_and_no_price_to_sell_at() {
    let text = MUSIC.replace("name = \"Team\"\n", "name = \"Team\"\nretired = true\n");
    let set = |name: &str| (name == "STRIPE_PRICE_TEAM").then(|| "price_team".to_owned());
    let catalog = right(&text, &set);
    let team = catalog.plan(&plan("team")).expect("it is in the file");
    assert_eq!((team.standing, team.is_offered()), (Availability::Retired, false));
    assert_eq!(team.prices[0].stripe.sale_id(), None);
    assert_eq!(catalog.plan_by_price_id("price_team").expect("it is known").0.id, team.id);
    let all = catalog.plans_with(&team.features).count();
    assert_eq!(all, 0, "no plan that is sold has all of these features");
}

#[test]
fn an_earlier_amount_is_known_by_its_id_and_never_sold() {
    let earlier =
        "earlier = [{ amount = \"7.99\", stripe.test.price = \"price_7\", stripe.live.price = \"price_8\" }]";
    let text = MUSIC.replace("amount = \"9.99\"\n", &format!("amount = \"9.99\"\n{earlier}\n"));
    // Somebody has not taken the old id out of the setting yet.
    let set = |name: &str| (name == "STRIPE_PRICE_BASIC").then(|| "price_7,price_9".to_owned());
    let catalog = right(&text, &set);
    let basic = catalog.plan(&plan("basic")).expect("it is in the file");
    let price = basic.prices.first().expect("by the month");
    assert_eq!((price.amount.minor, price.stripe.sale_id()), (999, Some("price_9")));
    let (of, price) = catalog.plan_by_price_id("price_7").expect("it is known");
    assert_eq!((of.id.as_str(), price.amount.minor), ("basic", 799));
}

#[test]
fn what_contradicts_itself_is_a_mistake_with_its_line() {
    for (line, replacement, expected) in [
        ("name = \"Free\"\n", "name = \"Free\"\nretired = true\n", "free_plan: `free` is retired, but"),
        (
            "name = \"Creator\"\n",
            "name = \"Creator\"\nretired = true\n",
            "plans.creator: a retired plan is not",
        ),
        (
            "amount = \"9.99\"\n",
            "amount = \"9.99\"\nearlier = [{ amount = \"9.99\" }]\n",
            "earlier[0]: this is today's amount",
        ),
        (
            "amount = \"9.99\"\n",
            "amount = \"9.99\"\nearlier = [{ amount = \"7.99\", strip = {} }]\n",
            "earlier[0].strip: unknown key `strip`; did you mean `stripe`?",
        ),
    ] {
        assert_eq!(MUSIC.matches(line).count(), 1, "{line}");
        let said = mistakes(&MUSIC.replace(line, replacement));
        assert!(said.iter().any(|said| said.contains(expected)), "{expected}\n{}", said.join("\n"));
    }
}

#[test]
fn former_plans_stand_where_they_stood() {
    let read = |text: &str| parse_former(text, Mode::Test).expect("it can be made out");
    let fewer = without(MUSIC, &["[plans.basic", "[plans.creator"]);
    let mut catalog = read(&fewer);
    catalog.take_over(read(MUSIC));
    assert_eq!(plans(&catalog), ["free", "basic", "creator", "team"]);

    // A new plan between them: by the month, 24.99 lies between Creator's 19.99 and Team's 29.99.
    let pro = "[plans.pro]\nname = \"Pro\"\ncredits = { monthly = 3_000 }\nprices.month = { amount = \"24.99\" }\n\n";
    let fewer = without(MUSIC, &["[plans.basic", "[plans.creator", "[plans.team"]);
    let mut catalog = read(&fewer.replace("[packs.pack_500]", &format!("{pro}[packs.pack_500]")));
    catalog.take_over(read(MUSIC));
    assert_eq!(plans(&catalog), ["free", "basic", "creator", "pro", "team"]);
    let former = catalog.plans.iter().filter(|plan| plan.standing == Availability::Former).count();
    assert_eq!((former, catalog.plan(&plan("team"))), (3, None));
    assert!(catalog.terms_of(&plan("team")).is_some());
}

#[test]
fn an_id_that_means_something_today_means_only_that() {
    let read = |text: &str| parse_former(text, Mode::Test).expect("it can be made out");
    let ids = |plan: &str, id: &str| {
        format!(
            "[plans.{plan}]\nname = \"X\"\nprices.month = {{ amount = \"9.99\", stripe.test.price = \"{id}\" }}\n"
        )
    };
    let head = "name = \"T\"\nfree_plan = \"free\"\n[plans.free]\nname = \"Free\"\n";
    let mut catalog = read(&format!("{head}{}", ids("new", "price_1")));
    catalog.take_over(read(&format!("{head}{}{}", ids("new", "price_2"), ids("old", "price_1"))));
    let of = |id: &str| catalog.plan_by_price_id(id).map(|(plan, _)| plan.id.as_str());
    assert_eq!((of("price_1"), of("price_2"), of("price_3")), (Some("new"), Some("new"), None));
    assert!(catalog.terms_of(&plan("old")).is_some());
}

/// A catalog that was right under the rules of its time.
#[test]
fn a_former_catalog_is_read_in_spite_of_what_are_mistakes_today() {
    let old = MUSIC.replace("[payments]\n", "[payments]\nretries = 3\n").replace("\"usd\"", "\"isk\"");
    assert!(parse(&old, &nothing_is_set, Mode::Test).is_err());
    assert_eq!(plans(&parse_former(&old, Mode::Test).expect("it can be made out")).len(), 4);
}

// ------------------------------------------------------------------------------------ amounts that can be charged

fn in_currency(code: &str, amount: &str, price: &str) -> String {
    format!(
        "name = \"Test\"\ncurrency = \"{code}\"\nfree_plan = \"free\"\n[plans.free]\nname = \"Free\"\n\
         [plans.basic]\nname = \"Basic\"\ncredits = {{ monthly = 500 }}\nprices.month = {{ amount = \"{amount}\" }}\n\
         [packs.small]\nname = \"Small\"\ncredits = 100\nprice = \"{price}\"\n[payments]\nlargest = \"1000000\"\n"
    )
}

#[test]
fn an_amount_that_stripe_cannot_charge_is_a_mistake_with_its_line() {
    for (code, amount, price, first, second) in [
        ("isk", "9.99", "6.50", "9.99 isk: an amount in isk ends in .00, such as 10.00 isk", "6.50 isk"),
        (
            "ugx",
            "2000.10",
            "999.50",
            "2000.10 ugx: an amount in ugx ends in .00, such as 2001.00",
            "999.50 ugx",
        ),
        ("kwd", "9.991", "6.505", "9.991 kwd: an amount in kwd ends in 0, such as 10.000 kwd", "6.505 kwd"),
        ("bhd", "9.995", "6.509", "9.995 bhd: an amount in bhd ends in 0, such as 10.000 bhd", "6.509 bhd"),
        ("tnd", "9.001", "6.001", "9.001 tnd: an amount in tnd ends in 0, such as 9.010 tnd", "6.001 tnd"),
    ] {
        let said = mistakes(&in_currency(code, amount, price));
        let expected = [
            format!("line 9: plans.basic.prices.month.amount: Stripe cannot charge {first}"),
            format!("line 13: packs.small.price: Stripe cannot charge {second}"),
        ];
        assert_eq!(said.len(), 2, "{}", said.join("\n"));
        assert!(said.iter().zip(&expected).all(|(said, expected)| said.starts_with(expected)), "{said:#?}");
    }
}

#[test]
fn an_amount_that_stripe_can_charge_is_none() {
    for (code, amount, price) in [
        ("isk", "990.00", "650"),
        ("ugx", "2000", "9000.00"),
        ("kwd", "9.990", "6.50"),
        ("huf", "3990.50", "1990"),
        ("twd", "99.50", "190"),
        ("jpy", "990", "650"),
    ] {
        right(&in_currency(code, amount, price), &nothing_is_set);
    }
}

#[test]
fn what_is_less_than_stripe_charges_is_a_mistake() {
    for (code, amount, least) in
        [("huf", "174", "175.00 huf"), ("czk", "14.99", "15.00 czk"), ("usd", "0.49", "0.50 usd")]
    {
        let said = mistakes(&in_currency(code, amount, "500"));
        assert_eq!(said.len(), 1, "{}", said.join("\n"));
        assert!(said[0].contains(&format!("too small; the smallest payment is {least}")), "{}", said[0]);
    }
    let smallest =
        in_currency("huf", "175", "500").replace("[payments]\n", "[payments]\nsmallest = \"100\"\n");
    let said = mistakes(&smallest);
    assert_eq!(said, ["line 15: payments.smallest: Stripe cannot charge less than 175.00 huf"]);
}

// ------------------------------------------------------------------------------------ a free amount of credits

#[test]
fn a_free_amount_is_priced_exactly_and_rounded_up_to_what_can_be_charged() {
    let price = |text: &str, credits: i64| {
        let catalog = right(text, &nothing_is_set);
        let credits = Credits::new(credits).expect("not negative");
        catalog.top_up.expect("it is sold").price_of(credits).map(|money| money.minor)
    };
    let text = format!("{MUSIC}{TOP_UP}");
    // 1.25 cents each.
    for (credits, minor) in [
        (99, None),
        (100, Some(125)),
        (101, Some(127)),
        (102, Some(128)),
        (104, Some(130)),
        (50_000, Some(62_500)),
        (50_001, None),
    ] {
        assert_eq!(price(&text, credits), minor, "{credits}");
    }
    // Of thousandths, to the next ten: 101 × 0.0333 = 3.3633.
    let dinars = in_currency("kwd", "9.990", "6.50") + &TOP_UP.replace("0.0125", "0.0333");
    assert_eq!((price(&dinars, 100), price(&dinars, 101)), (Some(3_330), Some(3_370)));
    // Krónur have no minor unit: 101 × 1.99 = 200.99.
    let kronur = in_currency("isk", "990", "650") + &TOP_UP.replace("0.0125", "1.99");
    assert_eq!(price(&kronur, 101), Some(20_100));
}

#[test]
fn a_free_amount_that_cannot_be_sold_is_a_mistake_with_its_line() {
    for (line, replacement, expected) in [
        ("\"0.0125\"", "0.0125", "price_per_credit: write a price in quotes"),
        ("\"0.0125\"", "\"0\"", "price_per_credit: credits that are given away are a bonus"),
        ("\"0.0125\"", "\"1,5\"", "price_per_credit: `1,5` is not a price"),
        ("\"0.0125\"", "\"0.123456789012\"", "price_per_credit: `0.123456789012` has more than 11 decimals"),
        (
            "smallest = 100\n",
            "smallest = 10\n",
            "smallest: 10 credits cost 0.13 usd: too small; the smallest",
        ),
        ("50_000", "90_000", "largest: 90000 credits cost 1125.00 usd: too large; the largest payment"),
        ("50_000", "50", "top_up: the smallest, 100 credits, is more than the largest, 50"),
        ("largest = 50_000\n", "", "top_up: `largest` is missing"),
        (
            "smallest = 100\n",
            "smallest = 100\nexpires_after_days = 0\n",
            "expires_after_days: 0 is too small",
        ),
        ("smallest = 100\n", "smallest = 100\nprice = \"1\"\n", "price: unknown key `price`"),
    ] {
        assert_eq!(TOP_UP.matches(line).count(), 1, "{line}");
        let said = mistakes(&format!("{MUSIC}{}", TOP_UP.replace(line, replacement)));
        assert!(said.iter().any(|said| said.contains(expected)), "{expected}\n{}", said.join("\n"));
    }
}

// ------------------------------------------------------------------------------------ when changes take effect

#[test]
fn changes_to_less_wait_for_the_end_of_the_period_unless_the_catalog_says_otherwise() {
    let catalog = right(MUSIC, &nothing_is_set);
    let payments = &catalog.payments;
    let defaults = (payments.downgrade, payments.trust_processing, payments.bridge_days);
    assert_eq!(defaults, (Downgrade::PeriodEnd, false, 21));
    let said = "[payments]\ndowngrade = \"at_once\"\ntrust_processing = true\nbridge_days = 0\n";
    let catalog = right(&plain(said), &nothing_is_set);
    let payments = &catalog.payments;
    let said = (payments.downgrade, payments.trust_processing, payments.bridge_days);
    assert_eq!(said, (Downgrade::AtOnce, true, 0));
}

fn plain(payments: &str) -> String {
    format!("name = \"Test\"\nfree_plan = \"free\"\n[plans.free]\nname = \"Free\"\n{payments}")
}

#[test]
fn what_the_settings_of_payments_cannot_be_is_said_with_its_line() {
    for (line, expected) in [
        (
            "downgrade = \"later\"",
            "payments.downgrade: unknown downgrade `later`; known: `at_period_end`, `at_once`",
        ),
        ("trust_processing = \"yes\"", "payments.trust_processing: expected true or false, found a text"),
        ("bridge_days = 61", "payments.bridge_days: 61 is too large; at most 60"),
        ("bridge_days = -1", "payments.bridge_days: -1 is negative"),
        ("grace_days = 91", "payments.grace_days: 91 is too large; at most 90"),
        ("trial_days = 731", "payments.trial_days: 731 is too large; at most 730"),
        (
            "proration = \"later\"",
            "payments.proration: unknown proration `later`; known: `create_prorations`, ",
        ),
        ("cancellation = \"later\"", "payments.cancellation: unknown cancellation `later`; known: "),
        (
            "second_subscription = \"refund\"",
            "payments.second_subscription: unknown second_subscription `refund`; known: `keep`, ",
        ),
        (
            "retries = 3",
            "payments.retries: `retries` never did anything, and is gone: how often a failed payment",
        ),
    ] {
        let said = mistakes(&plain(&format!("[payments]\n{line}\n")));
        assert_eq!(said.len(), 1, "{}", said.join("\n"));
        assert!(said[0].starts_with(&format!("line 6: {expected}")), "{}", said[0]);
    }
    let most = "bridge_days = 60\ngrace_days = 90\ntrial_days = 730\n";
    let payments = right(&plain(&format!("[payments]\n{most}")), &nothing_is_set).payments;
    assert_eq!((payments.bridge_days, payments.grace_days, payments.trial_days), (60, 90, 730));
}

#[test]
fn the_music_catalog_with_all_of_it_is_right() {
    let text = format!("{MUSIC}{TOP_UP}product = {{ setting = \"STRIPE_PRODUCT_CREDITS\" }}\n");
    let parsed = parse(
        &text,
        &|name| Some(format!("prod_{name}")).filter(|_| name == "STRIPE_PRODUCT_CREDITS"),
        Mode::Test,
    );
    let catalog = parsed.unwrap_or_else(|mistakes| panic!("{}", show(&mistakes)));
    let product = catalog.top_up.and_then(|top_up| top_up.product_id);
    assert_eq!(product.as_deref(), Some("prod_STRIPE_PRODUCT_CREDITS"));
}

#[test]
fn a_check_says_what_is_not_sold_any_more_and_what_any_number_of_credits_costs() {
    let file = std::env::temp_dir().join(format!("counterfoil-terms-{}.toml", std::process::id()));
    let text = format!("{MUSIC}{TOP_UP}").replace("name = \"Team\"\n", "name = \"Team\"\nretired = true\n");
    std::fs::write(&file, text).expect("it can be written");
    let report = counterfoil::catalog::check(&file, &nothing_is_set, Mode::Test);
    std::fs::remove_file(&file).expect("it was written");
    let said = report.to_string();
    assert!(
        said.contains(
            "any number of credits: 100 credits for 1.25 usd, up to 50000 credits for 625.00 usd\n"
        ),
        "{said}"
    );
    assert!(said.contains("not sold any more: plan `team`\n"), "{said}");
    assert!(!said.contains("plan `team` by the month cannot be bought"), "{said}");
}

#[test]
fn the_price_of_one_credit_is_told_exactly() {
    for (written, minor) in [("0.0125", "1.25"), ("0.01", "1"), ("1.5", "150"), ("0.00001", "0.001")] {
        let text = format!("{MUSIC}{}", TOP_UP.replace("0.0125", written).replace("= 100\n", "= 50000\n"));
        let text = text.replace("largest = \"1000.00\"", "largest = \"900000.00\"");
        assert_eq!(right(&text, &nothing_is_set).top_up.expect("it is sold").minor_per_credit(), minor);
    }
}
