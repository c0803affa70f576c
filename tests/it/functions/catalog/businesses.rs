//! Do the files in `catalogs/` say what the businesses say?

use std::collections::{BTreeMap, BTreeSet};

use counterfoil::{
    catalog::{MistakeCause, Mode, check, load, not_for_sale, parse},
    domain::{
        amount::Credits,
        catalog::{
            Allocation, Catalog, Interval, Limit, Measure, NoPrice, PackRefunds, Plan, RolloverCap,
            WindowKind,
        },
        ids::{GenerationType, OptionName, PlanId},
        time::CalendarUnit,
    },
};

use super::{FILES, everything_is_set, nothing_is_set, only, path, right, show, text};

const fn credits(number: i64) -> Credits {
    Credits::new(number).expect("the test has no negative amounts")
}

fn plan<'a>(catalog: &'a Catalog, id: &str) -> &'a Plan {
    catalog.plan(&PlanId::parse(id).unwrap()).unwrap()
}

fn minor(catalog: &Catalog, id: &str, interval: Interval) -> i64 {
    plan(catalog, id).price(interval).unwrap().amount.minor
}

fn cost(catalog: &Catalog, on: &str, kind: &str, options: &[(&str, &str)]) -> Result<Credits, NoPrice> {
    let name = |text: &str| OptionName::parse(text).unwrap();
    let options: BTreeMap<_, _> = options.iter().map(|(option, value)| (name(option), name(value))).collect();
    catalog.price(&PlanId::parse(on).unwrap(), &GenerationType::parse(kind).unwrap(), &options)
}

#[test]
fn all_four_can_be_read_in_both_modes() {
    for name in FILES {
        for mode in [Mode::Test, Mode::Live] {
            let catalog = load(&path(name), &everything_is_set, mode);
            let catalog = catalog.unwrap_or_else(|mistakes| panic!("{name}: {}", show(&mistakes)));
            assert_eq!(not_for_sale(&catalog), Vec::<String>::new(), "{name}");
        }
    }
}

#[test]
fn the_music_plans_are_those_of_the_table() {
    let catalog = right(&text("music"), &nothing_is_set);
    let table = [
        ("free", Allocation::Once(credits(50)), 5, None),
        ("basic", Allocation::Monthly(credits(500)), 50, Some((999, 9_990))),
        ("creator", Allocation::Monthly(credits(1_500)), 150, Some((1_999, 19_990))),
        ("team", Allocation::Monthly(credits(5_000)), 500, Some((2_999, 29_990))),
    ];
    let order: Vec<_> = catalog.plans.iter().map(|plan| plan.id.as_str()).collect();
    assert_eq!(order, table.map(|(id, ..)| id));
    for (id, allocation, max, prices) in table {
        let found = plan(&catalog, id);
        assert_eq!(found.allocation, allocation, "{id}");
        let daily = Limit {
            measure: Measure::Generations,
            unit: CalendarUnit::Day,
            window: WindowKind::Calendar,
            max,
            per_seat: false,
        };
        assert_eq!(found.limits, [daily], "{id}");
        let amount = |interval| found.price(interval).map(|price| price.amount.minor);
        assert_eq!(amount(Interval::Month).zip(amount(Interval::Year)), prices, "{id}");
    }
    assert_eq!(catalog.free_plan.as_str(), "free");
    let popular: Vec<_> =
        catalog.plans.iter().filter(|plan| plan.popular).map(|plan| plan.id.as_str()).collect();
    assert_eq!(popular, ["creator"]);
}

#[test]
fn the_music_features_grow_with_the_plan() {
    let catalog = right(&text("music"), &nothing_is_set);
    let names = |id| -> BTreeSet<_> { plan(&catalog, id).features.iter().map(|id| id.as_str()).collect() };
    let basic = BTreeSet::from(["advanced_editing", "commercial_license"]);
    let creator = &basic | &BTreeSet::from(["stem_separation", "priority_queue", "api_access"]);
    let team = &creator | &BTreeSet::from(["collaboration", "custom_models"]);
    assert!(names("free").is_empty());
    assert_eq!(names("basic"), basic);
    assert_eq!(names("creator"), creator);
    assert_eq!(names("team"), team);
    assert_eq!(catalog.features.len(), 7);
}

#[test]
fn unused_music_credits_roll_over_up_to_twice_the_allocation() {
    let catalog = right(&text("music"), &nothing_is_set);
    for (id, allocation) in [("basic", 500), ("creator", 1_500), ("team", 5_000)] {
        let cap = plan(&catalog, id).rollover.unwrap();
        assert_eq!(cap.carry_max(credits(allocation)), credits(allocation), "{id}");
    }
    assert_eq!(plan(&catalog, "free").rollover, None);
}

#[test]
fn music_generations_cost_what_the_table_says() {
    let catalog = right(&text("music"), &nothing_is_set);
    let table = [
        ("standard_generation", 5),
        ("extended_generation", 10),
        ("custom_mode", 8),
        ("instrumental_only", 3),
        ("stem_separation", 15),
        ("voice_cloning", 20),
        ("batch_generation", 25),
    ];
    assert_eq!(catalog.generations.len(), table.len());
    for (kind, base) in table {
        assert_eq!(cost(&catalog, "basic", kind, &[]), Ok(credits(base)), "{kind}");
    }
    // 5 % off 5 + 2 is 6.65, and 10 % off 5 + 4 + 1 is 9 exactly.
    assert_eq!(cost(&catalog, "creator", "standard_generation", &[("quality", "high")]), Ok(credits(7)));
    let options = [("quality", "premium"), ("format", "wav")];
    assert_eq!(cost(&catalog, "team", "standard_generation", &options), Ok(credits(9)));
    let needs = |kind: &str| catalog.generations[&GenerationType::parse(kind).unwrap()].needs.len();
    assert_eq!((needs("stem_separation"), needs("standard_generation")), (1, 0));
}

#[test]
fn the_music_packs_are_found_by_code_and_by_price_id() {
    let set = only("STRIPE_PRICE_PACK_2000", "price_new, price_old");
    let catalog = right(&text("music"), &set);
    let packs: Vec<_> =
        catalog.packs.iter().map(|pack| (pack.id.as_str(), pack.credits.get(), pack.price.minor)).collect();
    assert_eq!(packs, [("pack_500", 500, 600), ("pack_2000", 2_000, 2_000), ("pack_5500", 5_500, 5_000)]);
    assert!(catalog.packs.iter().all(|pack| pack.expires_after_days.is_none()));
    for id in ["price_new", "price_old"] {
        assert_eq!(catalog.pack_by_price_id(id).map(|pack| pack.id.as_str()), Some("pack_2000"));
    }
    assert_eq!(catalog.packs[1].stripe.sale_id(), Some("price_new"));
}

#[test]
fn recorded_music_webhooks_are_understood_without_any_setting() {
    let catalog = right(&text("music"), &nothing_is_set);
    for (price_id, id) in [
        ("price_1QLedgerBasicMonthly00001", "basic"),
        ("price_1QLedgerCreatorMonthly002", "creator"),
        ("price_1QLedgerTeamMonthly000003", "team"),
    ] {
        let (plan, price) = catalog.plan_by_price_id(price_id).unwrap();
        assert_eq!((plan.id.as_str(), price.interval), (id, Interval::Month));
        assert_eq!(price.stripe.sale_id(), None, "nothing is sold under an id that nobody configured");
    }
}

#[test]
fn a_retired_price_that_is_also_set_is_sold() {
    let catalog = right(&text("music"), &only("STRIPE_PRICE_BASIC", "price_1QLedgerBasicMonthly00001"));
    let (_, price) = catalog.plan_by_price_id("price_1QLedgerBasicMonthly00001").unwrap();
    assert_eq!(price.stripe.sale_id(), Some("price_1QLedgerBasicMonthly00001"));
}

#[test]
fn the_music_catalog_starts_without_price_ids_and_says_what_cannot_be_bought() {
    let catalog = right(&text("music"), &nothing_is_set);
    let lines = not_for_sale(&catalog);
    assert_eq!(lines.len(), 9);
    assert_eq!(lines[0], "plan `basic` by the month cannot be bought: setting STRIPE_PRICE_BASIC is missing");
    assert_eq!(lines[6], "pack `pack_500` cannot be bought: setting STRIPE_PRICE_PACK_500 is missing");
}

#[test]
fn the_hash_is_of_the_file_and_not_of_the_settings() {
    let (one, other) = (right(&text("music"), &nothing_is_set), right(&text("music"), &everything_is_set));
    assert_eq!(one.hash, other.hash);
    assert_eq!(one.hash.len(), 64);
    let changed = right(&text("music").replace("credits = 25", "credits = 26"), &nothing_is_set);
    assert_ne!(one.hash, changed.hash);
}

#[test]
fn promptforge_does_not_start_without_its_price_ids_and_names_them_all() {
    let mistakes = parse(&text("promptforge"), &nothing_is_set, Mode::Test).unwrap_err();
    assert!(mistakes.iter().all(|mistake| mistake.cause == MistakeCause::Setting));
    let named: Vec<_> =
        mistakes.iter().filter_map(|mistake| mistake.message.split_whitespace().nth(1)).collect();
    let expected = ["PILOT", "PRO", "ENTERPRISE"]
        .into_iter()
        .flat_map(|plan| ["MONTHLY", "ANNUAL"].map(|interval| format!("STRIPE_{plan}_{interval}_PRICE_ID")));
    assert_eq!(named, expected.collect::<Vec<_>>());
}

#[test]
fn promptforge_offers_three_plans_and_a_trial_on_pro() {
    let catalog = right(&text("promptforge"), &everything_is_set);
    let offered: Vec<_> =
        catalog.plans.iter().filter(|plan| plan.is_offered()).map(|plan| plan.id.as_str()).collect();
    assert_eq!(offered, ["pilot", "pro", "enterprise"]);
    assert_eq!(plan(&catalog, "pro").trial.map(|trial| trial.days), Some(14));
    assert!(offered.iter().all(|id| plan(&catalog, id).prices.len() == 2));
    assert_eq!(plan(&catalog, "pro").rollover.unwrap().carry_max(credits(10_000)), credits(5_000));
}

#[test]
fn localboxs_sells_calls_at_a_thousandth_of_a_dollar() {
    let catalog = right(&text("localboxs"), &nothing_is_set);
    for pack in &catalog.packs {
        assert_eq!(pack.price.minor * 10, pack.credits.get(), "{}", pack.id);
    }
    let sizes: Vec<_> = catalog.packs.iter().map(|pack| pack.credits.get()).collect();
    assert_eq!(sizes, [500, 1_000, 5_000, 10_000]);
    assert_eq!(cost(&catalog, "free", "api_call", &[]), Ok(Credits::ONE));
    assert_eq!(plan(&catalog, "free").allocation, Allocation::Monthly(credits(100)));
    assert_eq!(plan(&catalog, "pro").rollover, Some(RolloverCap::Carry(credits(5_000))));
    assert_eq!(catalog.payments.pack_refunds, PackRefunds::Refused);
}

#[test]
fn billing_can_be_switched_off_by_a_setting() {
    assert!(right(&text("localboxs"), &nothing_is_set).payments.enabled);
    assert!(!right(&text("localboxs"), &only("STRIPE_BILLING_ENABLED", "false")).payments.enabled);
    let required = text("localboxs").replace(", optional = true", "");
    let mistakes = parse(&required, &nothing_is_set, Mode::Test).unwrap_err();
    assert_eq!(mistakes.len(), 8);
    // What is not sold needs no price ids.
    assert!(!right(&required, &only("STRIPE_BILLING_ENABLED", "off")).payments.enabled);
}

#[test]
fn the_mode_chooses_the_price_ids_of_the_guide() {
    for mode in [Mode::Test, Mode::Live] {
        let catalog = parse(&text("guide"), &nothing_is_set, mode).unwrap();
        let price_id = format!("price_{mode}_premium_year");
        let (plan, price) = catalog.plan_by_price_id(&price_id).unwrap();
        assert_eq!((plan.id.as_str(), price.amount.minor), ("premium_plan", 49_000));
        assert_eq!(price.stripe.product_id, Some(format!("prod_{mode}_premium")));
        assert!(catalog.plan_by_price_id(&format!("price_{}_premium_year", mode.other())).is_none());
    }
    let catalog = right(&text("guide"), &nothing_is_set);
    assert_eq!(minor(&catalog, "premium_plan", Interval::Month), 4_900);
    assert_eq!((catalog.packs[0].credits.get(), catalog.packs[0].price.minor), (100, 2_900));
}

#[test]
fn the_mode_follows_from_the_secret_key() {
    assert_eq!(Mode::of_secret_key("sk_test_1"), Some(Mode::Test));
    assert_eq!(Mode::of_secret_key("rk_live_1"), Some(Mode::Live));
    assert_eq!(Mode::of_secret_key("pk_live_1"), None);
}

#[test]
fn payments_that_a_file_does_not_mention_have_the_usual_settings() {
    let payments = right(&text("guide"), &nothing_is_set).payments;
    assert!(payments.enabled && payments.automatic_capture && !payments.several_subscriptions);
    assert_eq!((payments.minor_min, payments.minor_max), (50, 100_000));
    assert_eq!((payments.trial_days, payments.grace_days), (14, 3));
    assert_eq!(payments.proration, "create_prorations");
}

#[test]
fn a_report_shows_what_the_file_sells() {
    let report = check(&path("music"), &nothing_is_set, Mode::Test);
    assert!(report.is_right() && report.can_start());
    let shown = report.to_string();
    for line in
        ["9.99 usd / month", "150 generations a day", "pack_5500", "voice_cloning", "music.toml: right"]
    {
        assert!(shown.contains(line), "{line} is not in\n{shown}");
    }
    assert_eq!(report.to_json()["catalog"]["plans"][1]["prices"][1], "99.90 usd / year");
}

#[test]
fn a_report_tells_missing_settings_from_mistakes_in_the_file() {
    let report = check(&path("promptforge"), &nothing_is_set, Mode::Live);
    assert!(report.is_right() && !report.can_start());
    assert_eq!(report.settings.len(), 6);
    assert!(report.to_string().contains("the file is right; 6 settings to set in live mode"));
    let report = check(&path("no-such-file"), &nothing_is_set, Mode::Test);
    assert!(!report.is_right() && report.to_string().contains("cannot read"));
    assert_eq!(report.to_json()["mistakes"][0]["line"], 0);
}

#[test]
fn the_example_in_the_documentation_is_right() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/CATALOG.md")).unwrap();
    let example = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    assert_eq!(right(example, &nothing_is_set).plans.len(), 2);
}
