//! How is a translation said in words, so that it can be compared?

use counterfoil::{
    domain::{
        command::{
            Command, CustomerCommand, PaymentCommand, PurchaseCommand, RecordPaidInvoice, RecordSubscription,
            SubscriptionCommand,
        },
        event::PaymentPurpose,
        invoice::{LineEffect, UnpaidInvoice},
    },
    stripe::translate::{Instructions, OwnerLookup, SetAside},
};

use crate::support::documents::{ADA, BOB, translated};

/// A command in a few words. Only what a person would check is in it.
pub(super) fn words(command: &Command) -> String {
    match command {
        Command::Customer(CustomerCommand::LinkCustomer { customer, .. }) => format!("link {customer}"),
        Command::Customer(CustomerCommand::UnlinkCustomer { customer, .. }) => format!("unlink {customer}"),
        Command::Subscription(SubscriptionCommand::RecordSubscription(report)) => subscription(report),
        Command::Purchase(PurchaseCommand::RecordPaidInvoice(invoice)) => paid_invoice(invoice),
        Command::Purchase(PurchaseCommand::RecordUnpaidInvoice { invoice, .. }) => unpaid_invoice(invoice),
        Command::Payment(PaymentCommand::RecordCreditNote { money, voided, .. }) => {
            format!("{} {}", if *voided { "not credited" } else { "credited" }, money.minor)
        }
        Command::Purchase(PurchaseCommand::RecordPackPurchase(purchase)) => {
            format!("pack {} x{} for {}", purchase.pack, purchase.quantity, purchase.money.minor)
        }
        Command::Purchase(PurchaseCommand::RecordCheckout(checkout)) => {
            format!("checkout {:?} {}", checkout.step, purpose(&checkout.purpose))
        }
        Command::Purchase(PurchaseCommand::RecordFailedPayment { money, purpose: of, attempt, .. }) => {
            format!("failed {} {} attempt {attempt}", money.minor, purpose(of))
        }
        Command::Purchase(PurchaseCommand::RecordActionRequired { money, .. }) => {
            format!("action {}", money.minor)
        }
        Command::Subscription(SubscriptionCommand::AnnounceTrialEnd { trial_end, .. }) => {
            format!("trial ends {}", trial_end.to_utc().format("%m-%d"))
        }
        Command::Payment(PaymentCommand::LinkPayment { payment, invoice, .. }) => {
            format!("{payment} paid {invoice}")
        }
        Command::Payment(PaymentCommand::RecordRefundedPayment { refunded, paid, .. }) => {
            format!("refunded {} of {} in all", refunded.minor, paid.minor)
        }
        Command::Payment(PaymentCommand::RecordRefund { refund, money, .. }) => {
            format!("refunded {} by {refund}", money.minor)
        }
        Command::Payment(PaymentCommand::OpenDispute { money, .. }) => format!("disputed {}", money.minor),
        Command::Payment(PaymentCommand::CloseDispute { won, .. }) => {
            format!("dispute {}", if *won { "won" } else { "lost" })
        }
        other => panic!("{other:?}"),
    }
}

pub(super) fn subscription(report: &RecordSubscription) -> String {
    let terms = &report.terms;
    let mut words = format!(
        "{:?} {:?} {} x{} {} {}..{}",
        report.change,
        terms.status,
        terms.plan,
        terms.quantity,
        terms.monthly.minor,
        terms.period.start.to_utc().format("%m-%d"),
        terms.period.end.to_utc().format("%m-%d"),
    );
    if let Some(at) = terms.cancel_at {
        words += &format!(" until {}", at.to_utc().format("%m-%d"));
    }
    if let Some(at) = terms.ended_at {
        words += &format!(" ended {}", at.to_utc().format("%m-%d"));
    }
    if terms.collection_paused {
        words += " uncollected";
    }
    words
}

fn paid_invoice(invoice: &RecordPaidInvoice) -> String {
    let mut words = format!("paid {}", invoice.money.minor);
    for line in &invoice.lines {
        let effect = match line.effect {
            LineEffect::Charge => "",
            LineEffect::Credit => "less ",
            LineEffect::Nothing => "perhaps ",
        };
        words += &format!(
            ": {effect}{} x{} {}..{} for {}",
            line.plan,
            line.quantity,
            line.period.start.to_utc().format("%m-%d"),
            line.period.end.to_utc().format("%m-%d"),
            line.cost.minor
        );
    }
    words
}

fn unpaid_invoice(invoice: &UnpaidInvoice) -> String {
    let mut words = format!("unpaid {:?}", invoice.state);
    for charge in &invoice.charges {
        let [start, end] = [charge.period.start, charge.period.end].map(|at| at.to_utc().format("%m-%d"));
        words += &format!(": {} {start}..{end}", charge.plan);
    }
    words
}

fn purpose(purpose: &PaymentPurpose) -> String {
    match purpose {
        PaymentPurpose::Subscription { plan, .. } => {
            format!("of {}", plan.as_ref().map_or("?", |plan| plan.as_str()))
        }
        PaymentPurpose::Pack { pack, quantity } => format!("of {pack} x{quantity}"),
        PaymentPurpose::Other => "of something".to_owned(),
    }
}

pub(super) fn meaning(shape: &str, file: &str) -> String {
    match translated(shape, file) {
        Ok(Instructions { owner, steps, .. }) => {
            let who = match &owner {
                OwnerLookup::Account { account, .. } if account.as_str() == ADA => "Ada",
                OwnerLookup::Account { account, .. } if account.as_str() == BOB => "Bob",
                OwnerLookup::Account { account, .. } => account.as_str(),
                OwnerLookup::Customer(object) | OwnerLookup::Payment(object) => object.as_str(),
            };
            // In the older shape an invoice says itself how it was paid.
            let told = |command: &Command| {
                !(shape == "2024-04-10"
                    && matches!(command, Command::Payment(PaymentCommand::LinkPayment { .. })))
            };
            let steps = steps.iter().filter(|step| told(&step.command));
            let steps: Vec<_> = steps.map(|step| words(&step.command)).collect();
            format!("{who}: {}", steps.join("; "))
        }
        Err(SetAside::Ignored(_)) => "ignored".to_owned(),
        Err(SetAside::Incomplete(because)) => format!("incomplete: {because}"),
        Err(SetAside::NeedsReview(because) | SetAside::NeedsReviewIfOurs { because, .. }) => {
            format!("held: {because}")
        }
        Err(SetAside::Quarantined(because)) => format!("quarantined: {because}"),
    }
}
