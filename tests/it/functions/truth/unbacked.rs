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
        words::{
            SUBSCRIPTION, buy, close_dispute, day, evidence, invoice_of, line, link_payment, pay, pay_for,
            provider, refund_once, report, terms,
        },
    },
    support::catalogs,
};

pub(super) fn july() -> Period {
    month_from(june().end)
}

fn month_from(start: Timestamp) -> Period {
    Period { start, end: start.plus_months(1) }
}

/// A line that gives back a part of an invoice.
fn credit(of: &str, plan: &str, span: Period, minor: i64) -> InvoiceLine {
    let id = format!("credit_{of}");
    InvoiceLine { gives_back: Some(provider(of)), ..line(&id, plan, span, LineEffect::Credit, -minor) }
}

fn charge(plan: &str, span: Period, minor: i64) -> InvoiceLine {
    line(&format!("charge_{plan}_{}", span.start.seconds()), plan, span, LineEffect::Charge, minor)
}

/// From a day of June on, something else is held until its end.
fn change(invoice: &str, at: i64, credit: (&str, &str, i64), plan: &str, minor: i64) -> Command {
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
fn by_balance(part: i64, command: Command) -> Command {
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
fn the_upgrade(paid_at: Timestamp) -> Command {
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
fn heard(told: &[Command], at: Timestamp) -> Standing {
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
fn back_for(charged: i64) -> [Command; 2] {
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
