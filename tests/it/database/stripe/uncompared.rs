//! What cannot be compared with Stripe is said, and is no difference.

use chrono::TimeDelta;
use counterfoil::stripe::inbound::reconcile::{
    ReconcileError, ReconcileOptions, ReconcileReport, Reconciler, Subject,
};
use serde_json::json;

use super::planted::{bureau, object, shown};
use super::unfounded::{REFUND, RENEWED, another, take};
use crate::{
    database::audit::tamper,
    support::{bureau::Bureau, documents::here, ledger::start, shop::client},
};

/// What was recorded under an id that Stripe would not give cannot be asked for, and is not said to be the same.
#[tokio::test]
async fn what_cannot_be_asked_for_is_said() {
    let (bureau, _) = bureau().await;
    take(&bureau, &another("refund.created.json", &[(REFUND, "refund_1")])).await;
    let report = bureau.run(false).await;
    assert!(report.found_nothing() && !report.is_the_same(), "{}", shown(&report.drifts));
    let [left_out] = report.not_compared.as_slice() else { panic!("{:?}", report.not_compared) };
    assert_eq!(left_out.because, "refund_1 is not how Stripe writes an id of its own");
    assert_eq!(left_out.subject, Some(Subject::Refund));
}

/// An event that cannot be read may have named anything.
#[tokio::test]
async fn what_an_event_names_that_cannot_be_read_is_said() {
    let (bureau, _) = bureau().await;
    let damage = "update ledger.events set payload = '{}' where event_type = 'RefundIssued'";
    tamper(&bureau.desk.test, damage).await;
    let report = bureau.run(false).await;
    assert!(!report.is_the_same());
    let said =
        |because: &str| report.not_compared.iter().any(|left_out| left_out.because.starts_with(because));
    assert!(said("the event at position "), "{:?}", report.not_compared);
    // Nor can the account that has it, so nothing is said of what it paid.
    assert!(said("its account cannot be read"), "{:?}", report.not_compared);
}

/// By an instance that has to read every account first.
async fn read_anew(bureau: &Bureau) -> ReconcileReport {
    let test = &bureau.desk.test;
    let (ledger, _running) = start(test.database.pool(), test.clock.clone()).await;
    let stripe = client("sk_test_another", &bureau.sandbox.url());
    let reconciler = Reconciler::new(stripe, bureau.desk.inbox.clone(), ledger, here());
    let since = test.clock.now().minus(TimeDelta::days(365));
    let order = ReconcileOptions { since, fetch_events: false, rebuild_events: false };
    reconciler.run(order, |_, _| {}).await.unwrap()
}

/// As an earlier release recorded it: that a period was paid for, and not by which lines.
#[tokio::test]
async fn an_invoice_of_which_the_lines_were_not_kept_is_said() {
    let (bureau, _) = bureau().await;
    bureau.desk.test.until_snapshots_are_taken().await;
    // No state is kept from that release, so this one reads the event.
    let earlier = format!(
        "delete from ledger.snapshots; \
         update ledger.events set event_type = 'PeriodPaid', payload = json_build_object('PeriodPaid', \
         json_build_object('term', json_build_object( \
             'subscription', payload #> '{{InvoicePaid,invoice,subscription}}', 'plan', 'creator', \
             'period', payload #> '{{InvoicePaid,invoice,lines,0,period}}', 'monthly', 3000), \
         'effective_at', payload #> '{{InvoicePaid,effective_at}}')) \
         where event_type = 'InvoicePaid' and payload #>> '{{InvoicePaid,invoice,invoice}}' = '{RENEWED}'"
    );
    tamper(&bureau.desk.test, &earlier).await;
    let report = read_anew(&bureau).await;
    let left_out = report
        .not_compared
        .iter()
        .find(|left_out| left_out.object.as_ref().is_some_and(|object| object.as_str() == RENEWED));
    let left_out = left_out.unwrap_or_else(|| panic!("{}{:?}", shown(&report.drifts), report.not_compared));
    assert_eq!(left_out.because, "it was paid before its lines were kept, so only the sum is compared");
}

#[tokio::test]
async fn objects_of_the_other_mode_end_the_comparison() {
    let (bureau, happened) = bureau().await;
    let mut live = object(&happened, "refund", |_| true);
    live["livemode"] = json!(true);
    bureau.happened(&[], &[live]).await;
    let since = bureau.desk.clock().now().minus(TimeDelta::days(365));
    let order = ReconcileOptions { since, fetch_events: true, rebuild_events: true };
    let error = bureau.reconciler.run(order, |_, _| {}).await.unwrap_err();
    assert!(matches!(error, ReconcileError::OtherMode), "{error:?}");
}
