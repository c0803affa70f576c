//! Money went back to the customer: does what was charged for it give back nothing a second time?

use counterfoil::domain::{
    command::{Command, InvoiceLine, PaymentCommand, PurchaseCommand, RecordPaidInvoice, SubscriptionChange},
    time::Period,
};

use super::retold::{ends, june};
use super::unbacked::{
    back_for, by_balance, change, charge, credit, has, heard_in_turns, july, month_from, the_upgrade, told,
};
use crate::{
    builders::{
        catalog::usd,
        words::{
            SUBSCRIPTION, close_dispute, day, invoice_of, link_payment, pay, provider, refund_once, report,
            terms,
        },
    },
    support::catalogs,
};

/// All of the upgrade's money went back, and then Stripe gives back what is left of it once more.
#[test]
fn what_is_given_back_of_money_that_went_back_pays_for_nothing() {
    for gone in [refund_once("re_1", "pi_2", 500, day(16)), close_dispute("du_1", "pi_2", false, day(16))] {
        let known = [
            report(SubscriptionChange::Started, terms("basic", june())),
            pay("in_1", "basic", june()),
            the_upgrade(day(15)),
            link_payment("pi_2", "in_2", day(15)),
            gone,
        ];
        let [back, report] = back_for(800);
        let all = |more: &[Command]| -> Vec<Command> { known.iter().chain(more).cloned().collect() };
        let heard = |more: &[Command]| heard_in_turns(&all(more), day(35));
        let renewal = by_balance(400, pay("in_4", "basic", july()));
        has(&heard_in_turns(&all(&[back.clone(), report.clone()]), day(20)), "basic", 500);
        has(&heard(&[back, report, renewal]), "basic", 500 - 200);
        let up = change("in_3", 18, ("in_2", "creator", 800), "team", 1_200);
        let up = [up, told("team", june(), day(18))];
        has(&heard_in_turns(&all(&up), day(20)), "team", 500 + 2_000 - 1_333);
    }
}

/// Up and back before either was billed: one invoice charges for the three days, 1.00 and 100 credits. It gives back
/// its own line, and a share of it that goes back is undone once.
#[test]
fn what_an_invoice_gives_back_of_itself_goes_back_once() {
    let (up, back) = (Period { start: day(15), end: june().end }, Period { start: day(18), end: june().end });
    let lines = vec![
        credit("in_1", "basic", up, 500),
        charge("creator", up, 1_000),
        credit("in_2", "creator", back, 800),
        charge("basic", back, 400),
    ];
    let note = |minor: i64| {
        Command::Payment(PaymentCommand::RecordCreditNote {
            note: provider("cn_1"),
            invoice: provider("in_2"),
            money: usd(minor),
            voided: false,
            effective_at: day(19),
        })
    };
    let known = |gone: Option<Command>| -> Vec<Command> {
        let told = vec![
            report(SubscriptionChange::Started, terms("basic", june())),
            pay("in_1", "basic", june()),
            invoice_of(SUBSCRIPTION, "in_2", lines.clone(), day(18)),
            link_payment("pi_2", "in_2", day(18)),
        ];
        told.into_iter().chain(gone).collect()
    };
    has(&heard_in_turns(&known(None), day(20)), "basic", 600);
    for (minor, credits) in [(50, 550), (100, 500)] {
        let gone = [refund_once("re_1", "pi_2", minor, day(19)), note(minor)];
        for gone in gone {
            has(&heard_in_turns(&known(Some(gone)), day(20)), "basic", credits);
        }
    }
    has(&heard_in_turns(&known(Some(close_dispute("du_1", "pi_2", false, day(19)))), day(20)), "basic", 500);
}

/// Two changes are billed together with what was changed first: of half of that money, half of all that it gave and
/// took is undone, and nothing of what another invoice gave.
#[test]
fn a_refund_takes_of_all_that_its_invoice_gave_before_it_takes_of_another() {
    let from = |at: i64| Period { start: day(at), end: june().end };
    let lines = vec![
        credit("in_1", "basic", from(0), 1_000),
        charge("creator", from(0), 3_000),
        credit("in_2", "creator", from(15), 1_500),
        charge("team", from(15), 5_000),
        InvoiceLine { line: provider("credit_team"), ..credit("in_2", "team", from(24), 2_000) },
        charge("basic", from(24), 200),
    ];
    let told = |refunded: i64| {
        vec![
            report(SubscriptionChange::Started, terms("basic", june())),
            pay("in_1", "basic", june()),
            invoice_of(SUBSCRIPTION, "in_2", lines.clone(), day(24)),
            link_payment("pi_2", "in_2", day(24)),
            refund_once("re_1", "pi_2", refunded, day(25)),
        ]
    };
    let gave = -500 + 1_500 - 750 + 2_500 - 1_000 + 100;
    for (refunded, left) in [(1_850, gave / 2), (3_700, 0)] {
        let standing = heard_in_turns(&told(refunded), day(26));
        assert_eq!(standing.balance.available.get(), 50 + 500 + left, "{refunded}: {standing}");
    }
}

/// Stripe tells of the change a moment after the invoice for it was made: what that gives back is as it was charged
/// for, so the report takes nothing more.
#[test]
fn a_report_of_a_change_after_money_went_back_takes_nothing_more() {
    let known = |minor: i64| {
        vec![
            report(SubscriptionChange::Started, terms("basic", june())),
            pay("in_1", "basic", june()),
            the_upgrade(day(15)),
            self::told("creator", june(), day(15)),
            link_payment("pi_2", "in_2", day(15)),
            refund_once("re_1", "pi_2", minor, day(16)),
        ]
    };
    let [back, _] = back_for(800);
    let later = self::told("basic", june(), day(18).plus(chrono::TimeDelta::seconds(2)));
    // All of the 5.00, or a half of them: then a half of what the upgrade gave is kept, and a half of its rest is not
    // taken.
    for (minor, credits) in [(500, 500), (250, 500 + 250 + 200 - 300)] {
        let told: Vec<Command> = known(minor).into_iter().chain([back.clone(), later.clone()]).collect();
        has(&heard_in_turns(&told, day(20)), "basic", credits);
    }
}

/// July is to be paid by a debit, of which 8.00 are given back before it has come. When it came and went back after
/// all, August is paid by nothing, as it is where the debit had come before.
#[test]
fn what_is_given_back_before_the_money_came_that_went_back_later_pays_for_nothing() {
    let renewal = |paid_at: i64| match pay("in_2", "team", july()) {
        Command::Purchase(PurchaseCommand::RecordPaidInvoice(paid)) => {
            Command::Purchase(PurchaseCommand::RecordPaidInvoice(RecordPaidInvoice {
                finalized_at: Some(july().start),
                effective_at: day(paid_at),
                ..paid
            }))
        }
        other => other,
    };
    let rest = Period { start: day(32), end: july().end };
    let down = || {
        let lines = vec![credit("in_2", "team", rest, 2_800), charge("basic", rest, 900)];
        invoice_of(SUBSCRIPTION, "in_3", lines, day(32))
    };
    let august = || by_balance(999, pay("in_4", "basic", month_from(july().end)));
    let told = |paid_at: i64, lost: bool| -> Vec<Command> {
        let mut told = vec![
            report(SubscriptionChange::Started, terms("team", june())),
            pay("in_1", "team", june()),
            self::told("team", july(), day(30)),
            down(),
            self::told("basic", july(), day(32)),
            renewal(paid_at),
            link_payment("pi_2", "in_2", day(paid_at)),
            august(),
            self::told("basic", month_from(july().end), day(61)),
        ];
        told.extend(lost.then(|| close_dispute("du_1", "pi_2", false, day(50))));
        told
    };
    for paid_at in [30, 32, 40] {
        has(&heard_in_turns(&told(paid_at, false), day(65)), "basic", 500);
        has(&heard_in_turns(&told(paid_at, true), day(65)), "free", 0);
    }
}

/// A charge of one second was given back in the same second.
#[test]
fn of_one_moment_what_is_given_back_follows_what_was_charged() {
    let rest = Period { start: day(15), end: june().end };
    let up = vec![credit("in_1", "basic", rest, 500), charge("team", rest, 15_000)];
    let down = vec![credit("in_0", "team", rest, 15_000), charge("basic", rest, 500)];
    let down: Vec<InvoiceLine> = down
        .into_iter()
        .map(|line| InvoiceLine { gives_back: line.gives_back.map(|_| provider("in_2")), ..line })
        .collect();
    let told = [
        report(SubscriptionChange::Started, terms("basic", june())),
        pay("in_1", "basic", june()),
        invoice_of(SUBSCRIPTION, "in_2", up, day(15)),
        invoice_of(SUBSCRIPTION, "in_0", down, day(15)),
        link_payment("pi_2", "in_2", day(15)),
        refund_once("re_1", "pi_2", 14_500, day(16)),
        by_balance(999, pay("in_4", "basic", july())),
    ];
    has(&heard_in_turns(&told, day(35)), "free", 0);
}

/// All of June is put on the balance by a note, and its charge is lost: July is paid by nothing. A half of each leaves
/// both.
#[test]
fn what_a_note_put_on_the_balance_is_no_money_when_the_charge_goes_back_too() {
    let note = |minor: i64| {
        Command::Payment(PaymentCommand::RecordCreditNote {
            note: provider("cn_1"),
            invoice: provider("in_1"),
            money: usd(minor),
            voided: false,
            effective_at: day(9),
        })
    };
    let told = |noted: i64, refunded: i64, used: i64| {
        vec![
            report(SubscriptionChange::Started, terms("basic", june())),
            pay("in_1", "basic", june()),
            link_payment("pi_1", "in_1", day(0)),
            note(noted),
            refund_once("re_1", "pi_1", refunded, day(10)),
            by_balance(used, pay("in_2", "basic", july())),
        ]
    };
    has(&heard_in_turns(&told(999, 999, 999), day(35)), "free", 0);
    has(&heard_in_turns(&told(500, 999, 500), day(35)), "basic", 500 - 250);
    has(&heard_in_turns(&told(499, 500, 499), day(35)), "basic", 500);
    has(&heard_in_turns(&told(999, 500, 999), day(35)), "basic", 500 - 250);
}

/// A period that was paid by nobody is not bridged to the next one.
#[test]
fn a_plan_whose_money_all_went_back_is_not_bridged() {
    let told = [
        report(SubscriptionChange::Started, terms("team", june())),
        pay("in_1", "team", june()),
        link_payment("pi_1", "in_1", day(1)),
        close_dispute("du_1", "pi_1", false, day(9)),
        self::told("team", july(), day(30)),
    ];
    has(&ends(&catalogs::without_rollover(), day(33), &told), "free", 0);
}
