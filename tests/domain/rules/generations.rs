//! Does a generation cost what the catalog says, if the plan's features, every limit and the balance allow it?

use std::collections::BTreeSet;

use domain::{
    command::{Command, CreditsCommand},
    ids::{FeatureId, GenerationType, OptionName},
    refusal::Refusal,
};

use crate::builders::{
    catalog::plan_id,
    scenario::{Scenario, given},
    words::{generate, generate_as, generation, granted_forever, month, opened, pay, report, terms},
};
use domain::command::SubscriptionChange as Change;

fn on(plan: &str) -> Scenario {
    given([opened()]).at(month(0).start).when(report(Change::Started, terms(plan, month(0)))).when(pay(
        "in_1",
        plan,
        month(0),
    ))
}

fn option(name: &str) -> OptionName {
    OptionName::parse(name).expect("a test's option is an identifier")
}

#[test]
fn a_generation_costs_its_base_and_its_options() {
    given([opened(), granted_forever("a", 100)])
        .when(generate("standard"))
        .then_available(95)
        .when(Command::Credits(CreditsCommand::Generate(generation("standard", &[("quality", "standard")]))))
        .then_available(90)
        .when(Command::Credits(CreditsCommand::Generate(generation(
            "standard",
            &[("quality", "high"), ("length", "long")],
        ))))
        .then_available(78);
}

#[test]
fn a_plans_discount_is_rounded_up_to_whole_credits() {
    on("creator").when(generate("standard")).then_available(1500 - 5);
    on("creator").when(generate("stems")).then_available(1500 - 14);
    on("team").when(generate("standard")).then_available(5000 - 4);
    on("team").when(generate("batch")).then_available(5000 - 20);
}

#[test]
fn a_generation_that_needs_a_feature_is_refused_with_the_plans_that_have_it() {
    let refused = |plan: &str| Refusal::FeatureNotInPlan {
        missing: vec![FeatureId::parse("stem_separation").expect("it is an identifier")],
        plan: plan_id(plan),
        plans: vec![plan_id("creator"), plan_id("team")],
    };
    given([opened(), granted_forever("a", 100)]).when(generate("stems")).then_refused(refused("free"));
    on("basic").when(generate("stems")).then_refused(refused("basic"));
    on("team").when(generate("stems")).then_accepted();
}

#[test]
fn what_the_catalog_does_not_know_is_refused_with_what_it_knows() {
    let scenario = given([opened(), granted_forever("a", 100)]);
    let known: BTreeSet<_> = ["batch", "standard", "stems"].into_iter().collect();
    let kind = |name: &str| GenerationType::parse(name).expect("it is an identifier");
    scenario
        .when(generate("opera"))
        .then_refused(Refusal::UnknownGenerationType { known: known.into_iter().map(kind).collect() })
        .when(Command::Credits(CreditsCommand::Generate(generation("standard", &[("mood", "high")]))))
        .then_refused(Refusal::UnknownOption {
            option: option("mood"),
            known: vec![option("length"), option("quality")],
        })
        .when(Command::Credits(CreditsCommand::Generate(generation("standard", &[("quality", "best")]))))
        .then_refused(Refusal::UnknownOptionValue {
            option: option("quality"),
            known: vec![option("high"), option("standard")],
        })
        .then_available(100);
}

#[test]
fn a_generation_that_cannot_be_paid_is_refused() {
    let scenario = given([opened(), granted_forever("a", 4)]).when(generate("standard"));
    assert!(matches!(scenario.refusal(), Refusal::InsufficientCredits { .. }));
    scenario.then_available(4);
}

#[test]
fn a_generations_id_is_in_its_deduction() {
    let scenario = given([opened(), granted_forever("a", 100)]).when(generate_as("standard", "gen_1"));
    let deduction = scenario.deduction("ded_3");
    assert_eq!(deduction.purpose.generation_id().map(|id| id.as_str()), Some("gen_1"));
    scenario.refund("ded_3", None).then_available(100);
}
