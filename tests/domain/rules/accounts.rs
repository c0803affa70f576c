//! Are accounts opened once, by their caller or by a report, linked to customers in any order, and closed for good?

use domain::{
    command::{
        AccountCommand, Command, CreditsCommand, CustomerCommand, RecordedDeduction, SubscriptionChange,
    },
    credits::DeductionRefunds,
    event::{AccountEvent, Event, Purpose},
    ids::{DeductionId, ProviderId},
    refusal::Refusal,
    time::Timestamp,
};

use crate::builders::{
    catalog::credits,
    scenario::{Scenario, given},
    words::{
        buy, commit, day, deduct, ended, extend, generate, grant, hold, month, opened, provider, refund,
        refund_payment, release, report, terms,
    },
};

fn link(customer: &ProviderId, effective_at: Timestamp) -> Command {
    Command::Customer(CustomerCommand::LinkCustomer { customer: customer.clone(), effective_at })
}

fn unlink(customer: &ProviderId, effective_at: Timestamp) -> Command {
    Command::Customer(CustomerCommand::UnlinkCustomer { customer: customer.clone(), effective_at })
}

fn close() -> Command {
    Command::Account(AccountCommand::CloseAccount { reason: "asked to".to_owned() })
}

fn closed() -> Scenario {
    given([opened()]).when(close())
}

#[test]
fn an_account_is_opened_once() {
    given([])
        .when(Command::Account(AccountCommand::OpenAccount))
        .then_accepted()
        .when(Command::Account(AccountCommand::OpenAccount))
        .then_nothing();
}

#[test]
fn an_account_that_nobody_opened_is_not_found() {
    let deduction = RecordedDeduction {
        deduction_id: DeductionId::parse("ded_1").expect("it is an identifier"),
        amount: credits(1),
        draws: Vec::new(),
        purpose: Purpose::Named { id: None, description: None },
        windows: Vec::new(),
        refunded: DeductionRefunds::default(),
        refunded_until: 0,
    };
    let commands = [
        deduct(1),
        generate("standard"),
        hold(1),
        commit("hold_1", None, Default::default()),
        release("hold_1"),
        extend("hold_1", 5),
        grant("a", 1, None),
        close(),
        Command::Account(AccountCommand::ApplyDue),
        refund(deduction, None, ""),
        Command::Credits(CreditsCommand::AdjustCredits { amount: credits(1), reason: String::new() }),
        Command::Credits(CreditsCommand::ForgiveDebt { amount: None, reason: String::new() }),
    ];
    for command in commands {
        given([]).when(command).then_refused(Refusal::AccountNotFound);
    }
}

#[test]
fn a_customer_is_linked_once() {
    let ada = provider("cus_ada");
    given([opened()])
        .when(link(&ada, day(0)))
        .then([Event::Account(AccountEvent::CustomerLinked { customer: ada.clone(), effective_at: day(0) })])
        .when(link(&ada, day(1)))
        .then_nothing();
}

#[test]
fn a_customer_that_is_gone_does_not_come_back_in_either_order() {
    let ada = provider("cus_ada");
    let forwards = given([opened()]).at(day(3)).when(link(&ada, day(1))).when(unlink(&ada, day(2)));
    let backwards = given([opened()]).at(day(3)).when(unlink(&ada, day(2))).when(link(&ada, day(1)));
    assert_eq!(forwards.open().customers, backwards.open().customers);
    backwards.then_nothing().when(unlink(&ada, day(2))).then_nothing();
}

#[test]
fn an_account_may_have_several_customers() {
    let scenario =
        given([opened()]).when(link(&provider("cus_1"), day(0))).when(link(&provider("cus_2"), day(0)));
    assert_eq!(scenario.open().customers.len(), 2);
}

#[test]
fn nothing_is_done_to_an_account_that_was_closed() {
    let at = month(0).start;
    let commands =
        [Command::Account(AccountCommand::OpenAccount), deduct(1), hold(1), grant("a", 1, None), close()];
    for command in commands {
        closed().at(at).when(command).then_refused(Refusal::AccountClosed);
    }
}

#[test]
fn what_happens_to_the_subscriptions_and_payments_of_a_closed_account_is_recorded_and_gives_nothing() {
    let started = report(SubscriptionChange::Started, terms("basic", month(0)));
    let ended = report(SubscriptionChange::Ended, ended("basic", month(0), day(9)));
    let bought = buy("pi_1", "pack_500", 1, day(1));
    let had = given([opened()]).at(day(1)).when(started).when(bought).when(close()).then_available(500);
    had.at(day(9))
        .when(ended.clone())
        .then_named(["SubscriptionEnded"])
        .when(ended)
        .then_accepted()
        .when(link(&provider("cus_1"), day(9)))
        .then_named(["CustomerLinked"])
        .when(buy("pi_2", "pack_500", 1, day(9)))
        .then_named(["PaymentSucceeded"])
        .then_available(500)
        .when(refund_payment("pi_1", 500, 500, day(9)))
        .then_named(["PaymentRefunded", "CreditsClawedBack"])
        .then_on_plan("free")
        .then_available(0);
}

#[test]
fn what_a_closed_account_had_ends_at_its_time_and_nothing_follows_it() {
    let had = given([opened()]).when(grant("a", 7, Some(day(3)))).when(grant("b", 5, None)).when(close());
    had.at(day(40))
        .when(Command::Account(AccountCommand::ApplyDue))
        .then_named(["CreditsExpired"])
        .then_available(5);
}

#[test]
fn a_closed_account_still_says_what_it_had() {
    given([opened()]).when(grant("a", 7, None)).when(close()).then_named(["AccountClosed"]).then_available(7);
}

#[test]
fn an_account_with_open_holds_is_not_closed() {
    given([opened()])
        .when(grant("a", 7, None))
        .when(hold(3))
        .when(close())
        .then_refused(Refusal::HoldsOpen { held: credits(3) })
        .when(release("hold_3"))
        .when(close())
        .then_accepted();
}

#[test]
fn an_operators_grant_has_a_name_of_its_own() {
    given([opened()])
        .when(grant("a", 1, None))
        .when(grant("a", 1, None))
        .then_refused(Refusal::GrantAlreadyExists);
    for reserved in
        ["signup", "month:sub_1:1748772000", "carry:x", "up:line", "pack:pi_1", "trial:team", "refund_9"]
    {
        given([opened()]).when(grant(reserved, 1, None)).then_refused(Refusal::GrantAlreadyExists);
    }
}

#[test]
fn a_history_that_no_account_can_have_is_not_applied() {
    let mut account = given([opened()]).account;
    assert!(account.apply(&opened()).is_err());
    let mut account = closed().account;
    assert!(account.apply(&crate::builders::words::granted_forever("a", 1)).is_err());
    let mut account = given([opened(), crate::builders::words::granted_forever("a", 1)]).account;
    assert!(account.apply(&crate::builders::words::granted_forever("a", 1)).is_err());
    let mut account = given([opened(), crate::builders::words::granted_forever("a", 1)]).account;
    assert!(
        account
            .apply(&crate::builders::words::deducted(3, 2, [crate::builders::words::draw("a", 2)], day(0)))
            .is_err()
    );
}
