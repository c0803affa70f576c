//! What Stripe reports of packs, and of money that goes back.

use chrono::TimeDelta;
use domain::{
    command::{Command, PaymentCommand, PurchaseCommand, RecordPackPurchase},
    ids::PackId,
    time::Timestamp,
};

use super::super::catalog::usd;
use super::provider;

pub fn buy(payment: &str, pack: &str, quantity: u32, at: Timestamp) -> Command {
    Command::Purchase(PurchaseCommand::RecordPackPurchase(RecordPackPurchase {
        payment: provider(payment),
        item: None,
        session: None,
        sold: None,
        subtotal: None,
        paid: None,
        pack: PackId::parse(pack).expect("a test's pack is an identifier"),
        quantity,
        money: usd(2000),
        effective_at: at,
    }))
}

pub fn refund_payment(payment: &str, refunded: i64, paid: i64, at: Timestamp) -> Command {
    Command::Payment(PaymentCommand::RecordRefundedPayment {
        payment: provider(payment),
        refunded: usd(refunded),
        paid: usd(paid),
        effective_at: at,
    })
}

pub fn open_dispute(dispute: &str, payment: &str, at: Timestamp) -> Command {
    Command::Payment(PaymentCommand::OpenDispute {
        dispute: provider(dispute),
        payment: provider(payment),
        money: usd(2000),
        effective_at: at,
    })
}

pub fn close_dispute(dispute: &str, payment: &str, won: bool, at: Timestamp) -> Command {
    Command::Payment(PaymentCommand::CloseDispute {
        dispute: provider(dispute),
        payment: provider(payment),
        won,
        money: Some(usd(2000)),
        effective_at: at,
    })
}

/// One refund, by its own id.
pub fn refund_once(refund: &str, payment: &str, minor: i64, at: Timestamp) -> Command {
    Command::Payment(PaymentCommand::RecordRefund {
        refund: provider(refund),
        payment: provider(payment),
        money: usd(minor),
        effective_at: at,
    })
}

pub fn fail_refund(refund: &str, payment: &str, minor: i64, at: Timestamp) -> Command {
    Command::Payment(PaymentCommand::RecordFailedRefund {
        refund: provider(refund),
        payment: provider(payment),
        money: usd(minor),
        refunded_at: at,
        effective_at: at.plus(TimeDelta::days(2)),
    })
}

pub fn link_payment(payment: &str, invoice: &str, at: Timestamp) -> Command {
    Command::Payment(PaymentCommand::LinkPayment {
        payment: provider(payment),
        invoice: provider(invoice),
        effective_at: at,
    })
}
