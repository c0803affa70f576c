//! Changes upon changes that nobody paid: what is given back of an unpaid invoice was never paid, and pays for nothing,
//! whether it is set off against another charge or goes over the customer's balance. Each is told in every order.

use counterfoil::domain::{
    command::{Command, InvoiceLine, PaymentCommand, PurchaseCommand, RecordPaidInvoice, SubscriptionChange},
    ids::AccountId,
    invoice::{InvoiceState, LineEffect, ReturnedCredits, UnpaidInvoice},
    subscription::SubscriptionState,
    time::{Period, Timestamp},
};

use super::{
    books::{Books, Standing},
    retold::{ends, june, orders, unpaid},
};
use crate::{
    builders::{
        catalog::usd,
        words::{SUBSCRIPTION, buy, day, evidence, invoice_of, line, pay, pay_for, provider, report, terms},
    },
    support::catalogs,
};

pub(super) fn july() -> Period {
    month_from(june().end)
}

pub(super) fn month_from(start: Timestamp) -> Period {
    Period { start, end: start.plus_months(1) }
}

/// A line that gives back a part of an invoice.
pub(super) fn credit(of: &str, plan: &str, span: Period, minor: i64) -> InvoiceLine {
    let id = format!("credit_{of}");
    InvoiceLine { gives_back: Some(provider(of)), ..line(&id, plan, span, LineEffect::Credit, -minor) }
}

pub(super) fn charge(plan: &str, span: Period, minor: i64) -> InvoiceLine {
    line(&format!("charge_{plan}_{}", span.start.seconds()), plan, span, LineEffect::Charge, minor)
}

/// From a day of June on, something else is held until its end.
pub(super) fn change(invoice: &str, at: i64, credit: (&str, &str, i64), plan: &str, minor: i64) -> Command {
    change_of(invoice, Period { start: day(at), end: june().end }, credit, plan, minor)
}

/// The same, for a rest of any period.
pub(super) fn change_of(
    invoice: &str,
    rest: Period,
    (of, left, back): (&str, &str, i64),
    plan: &str,
    minor: i64,
) -> Command {
    let lines = vec![credit(of, left, rest, back), charge(plan, rest, minor)];
    invoice_of(SUBSCRIPTION, invoice, lines, rest.start)
}

/// The same, of which the customer's balance paid a part.
pub(super) fn by_balance(part: i64, command: Command) -> Command {
    match command {
        Command::Purchase(PurchaseCommand::RecordPaidInvoice(paid)) => {
            Command::Purchase(PurchaseCommand::RecordPaidInvoice(RecordPaidInvoice {
                from_balance: part,
                ..paid
            }))
        }
        other => other,
    }
}

pub(super) fn told(plan: &str, period: Period, at: Timestamp) -> Command {
    let terms = SubscriptionState { evidence: evidence(at, 2), ..terms(plan, period) };
    report(SubscriptionChange::PlanChanged { from: None }, terms)
}

/// Basic for June, and on its 16th an upgrade for 5.00 whose debit fails.
fn an_upgrade_that_failed() -> Vec<Command> {
    vec![
        report(SubscriptionChange::Started, terms("basic", june())),
        told("creator", june(), day(15)),
        pay("in_1", "basic", june()),
        unpaid("in_2", InvoiceState::Failed, "creator", day(15), day(15)),
    ]
}

/// The upgrade, as it would have been paid.
pub(super) fn the_upgrade(paid_at: Timestamp) -> Command {
    match change("in_2", 15, ("in_1", "basic", 500), "creator", 1_000) {
        Command::Purchase(PurchaseCommand::RecordPaidInvoice(paid)) => {
            Command::Purchase(PurchaseCommand::RecordPaidInvoice(RecordPaidInvoice {
                effective_at: paid_at,
                ..paid
            }))
        }
        other => other,
    }
}

/// What is so after reports, and then invoices in every order.
fn stands<const N: usize>(at: Timestamp, [invoice, report]: [Command; 2], more: [Command; N]) -> Standing {
    let mut reports = an_upgrade_that_failed();
    let mut invoices = reports.split_off(2);
    reports.push(report);
    invoices.extend([invoice].into_iter().chain(more));
    let told = |order: &[usize]| -> Vec<Command> {
        reports.iter().chain(order.iter().map(|index| &invoices[*index])).cloned().collect()
    };
    let orders = orders(invoices.len());
    let mut standings = orders.iter().map(|order| (heard(&told(order), at), order));
    let (first, _) = standings.next().expect("an order");
    for (standing, order) in standings {
        let (plan, has) = (&standing.plan, standing.balance);
        assert_eq!((plan, has), (&first.plan, first.balance), "{order:?}:\n{standing}{first}");
    }
    first
}

/// What is told in this order.
pub(super) fn heard(told: &[Command], at: Timestamp) -> Standing {
    let mut books = Books::new(catalogs::without_rollover());
    books.open("ada", day(0));
    let ada = AccountId::parse("ada").expect("an id");
    for command in told {
        books.command(&ada, command, at).expect("it is recorded");
    }
    books.standing("ada", at)
}

#[track_caller]
pub(super) fn has(standing: &Standing, plan: &str, credits: i64) {
    assert_eq!(
        (standing.plan.as_str(), standing.balance.available.get()),
        (plan, 50 + credits),
        "{standing}"
    );
    assert_eq!(standing.balance.debt.get(), 0);
}

#[test]
fn a_downgrade_from_what_was_never_paid_gives_nothing_and_takes_nothing() {
    has(&stands(day(20), back_for(800), []), "basic", 500);
}

/// 4.00 were paid of the 12.00 that the rest of the month costs on the largest plan: a third of its 2,000 credits.
#[test]
fn an_upgrade_from_what_was_never_paid_gives_as_much_as_was_paid_of_it() {
    let up = change("in_3", 18, ("in_2", "creator", 800), "team", 1_200);
    has(&stands(day(20), [up, told("team", june(), day(18))], []), "team", 500 + 2_000 - 1_333);
}

/// On the 19th it is Basic again. So much was charged for the rest of the larger plan, less the 4.00 of the smaller one
/// goes to the balance.
pub(super) fn back_for(charged: i64) -> [Command; 2] {
    let back = change("in_3", 18, ("in_2", "creator", charged), "basic", 400);
    [back, told("basic", june(), day(18))]
}

/// 4.00 were put on the balance for nothing, and pay for 4.00 of the 9.99 of July.
#[test]
fn what_the_balance_got_of_it_pays_for_no_later_month() {
    let renewal = by_balance(400, pay("in_4", "basic", july()));
    has(&stands(day(35), back_for(800), [renewal.clone()]), "basic", 500 - 200);
    let all = by_balance(999, pay("in_4", "basic", july()));
    has(&stands(day(35), back_for(1_399), [all]), "free", 0);
    // When the upgrade is paid after all, everything was paid for: three days of the larger plan, and July.
    has(&stands(day(45), back_for(800), [renewal, the_upgrade(day(40))]), "basic", 500 + 100);
}

/// What another subscription of the account is paid with comes of the same balance. June is bridged to a renewal that
/// nobody has heard of.
#[test]
fn what_the_balance_got_of_it_pays_for_no_other_subscription() {
    let other = by_balance(999, pay_for("sub_2", "in_4", "creator", july()));
    has(&stands(day(35), back_for(1_399), [other]), "basic", 500);
}

/// July was paid by what nobody had paid. A half of it is given back, and pays a half of what comes after.
#[test]
fn what_such_a_month_gives_back_pays_for_nothing_either() {
    let rest = Period { start: day(45), end: july().end };
    let half = invoice_of(SUBSCRIPTION, "in_5", vec![credit("in_4", "basic", rest, 500)], day(45));
    let next = by_balance(500, pay_for("sub_2", "in_6", "basic", month_from(july().end)));
    let july = by_balance(999, pay("in_4", "basic", july()));
    has(&stands(day(65), back_for(1_399), [july, half, next]), "basic", 500 - 250);
}

/// The balance paid 4.00 of 9.99 for the plan and a pack: as much of the pack is gone, whenever that becomes known.
#[test]
fn a_pack_on_an_invoice_that_such_a_balance_paid_is_taken_back_in_part() {
    let renewal = [by_balance(400, pay("in_4", "basic", july())), buy("in_4", "pack_500", 1, day(30))];
    let before: Vec<Command> = an_upgrade_that_failed().into_iter().chain(back_for(800)).collect();
    let known_before: Vec<Command> = before.iter().chain(&renewal).cloned().collect();
    let known_after: Vec<Command> = renewal.iter().chain(&before).cloned().collect();
    for told in [known_before, known_after] {
        let standing = heard(&told, day(35));
        assert_eq!(standing.balance.available.get(), 50 + 2 * (500 - 200), "{standing}");
    }
    let paid: Vec<Command> = before.into_iter().chain(renewal).chain([the_upgrade(day(32))]).collect();
    let standing = heard(&paid, day(35));
    assert_eq!(standing.balance.available.get(), 50 + 500 + 500 + 100, "{standing}");
}

/// Nobody heard of the renewal: whatever it was paid with, it is not known to have been paid.
#[test]
fn a_renewal_that_nobody_heard_of_was_not_paid() {
    let rest = Period { start: day(40), end: july().end };
    let lines = vec![credit("in_2", "creator", rest, 1_333), charge("basic", rest, 666)];
    let told = [
        report(SubscriptionChange::Started, terms("creator", june())),
        pay("in_1", "creator", june()),
        self::told("creator", july(), day(30)),
        invoice_of(SUBSCRIPTION, "in_3", lines, day(40)),
    ];
    // It may be on its way, so June is bridged for some days.
    for (at, bridged) in [(day(41), 1_500), (day(55), 0)] {
        let standing = ends(&catalogs::without_rollover(), at, &told);
        assert_eq!(standing.balance.available.get(), 50 + bridged);
    }
    let paid = pay("in_2", "creator", july());
    let all: Vec<Command> = told.into_iter().chain([paid]).collect();
    let standing = ends(&catalogs::without_rollover(), day(41), &all);
    // 21 of the 31 days are left.
    assert_eq!(standing.balance.available.get(), 50 + 1_500 - 677);
}

/// The same of a change in the first period of all, which begins with what is known.
#[test]
fn a_change_that_nobody_heard_of_was_not_paid() {
    let [back, basic] = back_for(800);
    let known = [
        report(SubscriptionChange::Started, terms("basic", june())),
        pay("in_1", "basic", june()),
        back,
        basic,
    ];
    has(&ends(&catalogs::without_rollover(), day(20), &known), "basic", 500);
}

/// An account whose history begins with a change: what was charged before was paid, as far as anybody can say.
#[test]
fn what_was_charged_before_anything_is_known_was_paid() {
    let told =
        [told("creator", june(), day(15)), change("in_2", 15, ("in_1", "basic", 500), "creator", 1_000)];
    let standing = ends(&catalogs::without_rollover(), day(20), &told);
    assert_eq!(standing.balance.available.get(), 50 + 750 - 250);
}

/// An invoice for something that is no plan, which nobody has paid, and a part of it that is given back.
#[test]
fn what_an_unpaid_add_on_gives_back_pays_for_nothing() {
    let rest = Period { start: day(15), end: june().end };
    let add_on = |at: i64, amount: i64| match invoice_of(SUBSCRIPTION, "in_3", Vec::new(), day(at)) {
        Command::Purchase(PurchaseCommand::RecordPaidInvoice(paid)) => {
            let gives_back =
                [(provider("in_2"), ReturnedCredits { amount, until: june().end })].into_iter().collect();
            Command::Purchase(PurchaseCommand::RecordPaidInvoice(RecordPaidInvoice {
                total: -amount,
                gives_back,
                ..paid
            }))
        }
        other => other,
    };
    let year = by_balance(400, invoice_of(SUBSCRIPTION, "in_4", vec![charge("team", rest, 400)], day(16)));
    let told = [
        report(SubscriptionChange::Started, terms("basic", june())),
        pay("in_1", "basic", june()),
        add_on(15, 400),
        year,
        self::told("team", june(), day(16)),
    ];
    has(&ends(&catalogs::without_rollover(), day(20), &told), "basic", 500);
    // The add-on's own invoice was paid, and so was all that its money went for.
    let paid = invoice_of(SUBSCRIPTION, "in_2", Vec::new(), day(14));
    let told: Vec<Command> = told.into_iter().chain([paid]).collect();
    has(&ends(&catalogs::without_rollover(), day(20), &told), "team", 500 + 2_500);
}

/// July was paid by what nobody had paid, and a note puts a part of that on the balance again.
#[test]
fn what_a_note_gives_back_of_such_a_month_pays_for_nothing_either() {
    let july = by_balance(999, pay("in_4", "basic", july()));
    let note = Command::Payment(PaymentCommand::RecordCreditNote {
        note: provider("cn_1"),
        invoice: provider("in_4"),
        money: usd(500),
        voided: false,
        effective_at: day(40),
    });
    let next = by_balance(500, pay_for("sub_2", "in_6", "basic", month_from(self::july().end)));
    has(&stands(day(65), back_for(1_399), [july, note, next]), "basic", 500 - 250);
}

/// 4.00 were put on the balance for nothing, and paid for 4.00 of July, the rest of which never came: what pays for a
/// part of August is something else. When July's invoice is void, they are on the balance again.
#[test]
fn what_an_unpaid_invoice_used_of_the_balance_is_gone_unless_it_is_void() {
    let left = |state: InvoiceState, at: i64| match unpaid("in_4", state, "basic", june().end, day(at)) {
        Command::Purchase(PurchaseCommand::RecordUnpaidInvoice { invoice, effective_at }) => {
            Command::Purchase(PurchaseCommand::RecordUnpaidInvoice {
                // A renewal: that it waits says nothing, but for what it took off the balance.
                invoice: UnpaidInvoice {
                    is_change: false,
                    from_balance: 400,
                    finalized_at: Some(day(30)),
                    ..invoice
                },
                effective_at,
            })
        }
        other => other,
    };
    let august = || by_balance(400, pay("in_5", "basic", month_from(july().end)));
    let waits = || left(InvoiceState::Open, 30);
    has(&stands(day(65), back_for(800), [waits(), august()]), "basic", 500);
    let given_up = left(InvoiceState::Uncollectible, 40);
    has(&stands(day(65), back_for(800), [waits(), given_up, august()]), "basic", 500);
    has(
        &stands(day(65), back_for(800), [waits(), left(InvoiceState::Void, 40), august()]),
        "basic",
        500 - 200,
    );
    // What was used before it was void was something else, too.
    has(&stands(day(65), back_for(800), [waits(), left(InvoiceState::Void, 62), august()]), "basic", 500);
}

/// What is on its way may be trusted for the plan, and is not money yet.
#[test]
fn what_is_trusted_to_come_gives_nothing_back() {
    let text = catalogs::unrolled(catalogs::MUSIC);
    let trusting = catalogs::parse(&text.replace("trust_processing = false", "trust_processing = true"));
    let mut books = Books::new(trusting);
    books.open("ada", day(0));
    let ada = AccountId::parse("ada").expect("an id");
    let [back, basic] = back_for(800);
    let open = unpaid("in_2", InvoiceState::Open, "creator", day(15), day(15));
    let told = [
        report(SubscriptionChange::Started, terms("basic", june())),
        pay("in_1", "basic", june()),
        open,
        self::told("creator", june(), day(15)),
        back,
        basic,
    ];
    for command in &told {
        books.command(&ada, command, day(18)).expect("it is recorded");
    }
    has(&books.standing("ada", day(20)), "basic", 500);
}

/// As it is told, and the other way round.
#[track_caller]
pub(super) fn heard_in_turns(told: &[Command], at: Timestamp) -> Standing {
    let reversed: Vec<Command> = told.iter().rev().cloned().collect();
    let (first, second) = (heard(told, at), heard(&reversed, at));
    assert_eq!((&first.plan, first.balance), (&second.plan, second.balance), "{first}{second}");
    first
}
