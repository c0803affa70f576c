//! Who handles which events? Several instances may ask; each event is handed to one of them.
//!
//! The claim is a lock on the rows, held by an open transaction: if the process dies, another one can go on
//! at once.

use std::collections::BTreeMap;

use sqlx::{FromRow, PgConnection, Postgres, Transaction};

use super::{
    super::{
        calls::Calls,
        discounts::{CouponReport, Coupons},
    },
    Inbox, InboxState, linked_account,
};
use crate::domain::{
    ids::{AccountId, Actor, ProviderId},
    subscription::ReportOrder,
    time::Timestamp,
};

/// Why an event waits whose customer no account is known for. Its rows are found again by this text.
pub const NO_LINK: &str = "its customer is linked to no account yet";

/// Why an event waits whose payment has not been reported yet. Its rows are found again by this text.
pub const NO_PAYMENT: &str = "no paid invoice or pack is known that its payment bought";

/// Why an event waits whose subscription has to say which of its customer's accounts it is about. Its rows are found
/// again by this text.
pub const NO_REPORT: &str =
    "its customer is linked to several accounts, and its subscription is not known yet";

/// How many parties are worked on at a time.
pub const PARTIES_MAX: i64 = 256;
/// How many events are claimed at a time.
pub const CLAIMED_MAX: i64 = 512;

/// An event that is ours to handle, while the claim lasts.
#[derive(Debug, FromRow)]
pub struct ClaimedEvent {
    pub event_id: String,
    pub party: String,
    pub body: Vec<u8>,
    pub attempts: i32,
    /// Who asked over the API for what it tells of.
    #[sqlx(skip)]
    pub asker: Option<Actor>,
}

/// What became of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventResult {
    pub event_id: String,
    pub state: InboxState,
    pub reason: Option<String>,
    pub attempts: i32,
    pub next_attempt_at: Option<Timestamp>,
    pub account: Option<AccountId>,
    /// Who is to handle it, if it is to be handled again.
    pub lane: HandlingContext,
}

/// What an event needs to be handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandlingContext {
    /// It says all that there is to know.
    Whole,
    /// Stripe is asked for what it leaves out. Others do not wait for that.
    Asking,
}

impl HandlingContext {
    const fn asks(self) -> bool {
        matches!(self, Self::Asking)
    }
}

/// Which accounts each customer is linked to: one, unless Stripe contradicted itself.
pub type AccountsByCustomer = BTreeMap<ProviderId, Vec<AccountId>>;

/// Which account each payment or invoice bought credits for.
pub type PaymentAccounts = BTreeMap<ProviderId, AccountId>;

/// What was reported of each subscription, in the order in which it was said: where the report stands, and which
/// account it was about.
pub type Reports = BTreeMap<ProviderId, Vec<(ReportOrder, AccountId)>>;

/// A report on a subscription was handled.
#[derive(Clone, Debug)]
pub struct NewReport {
    pub subscription: ProviderId,
    pub evidence: ReportOrder,
    pub account: AccountId,
    /// Whose other events may have waited for it.
    pub party: String,
}

/// What became known while events were handled.
#[derive(Debug, Default)]
pub struct HandledFacts {
    pub links: Vec<(ProviderId, AccountId)>,
    pub payments: Vec<(ProviderId, AccountId)>,
    pub reports: Vec<NewReport>,
    pub coupons: Vec<CouponReport>,
}

impl HandledFacts {
    const fn is_empty(&self) -> bool {
        self.links.is_empty()
            && self.payments.is_empty()
            && self.reports.is_empty()
            && self.coupons.is_empty()
    }

    /// Whether events may have waited for what was learned.
    pub(super) const fn has_names(&self) -> bool {
        !self.links.is_empty() || !self.payments.is_empty()
    }

    pub(in crate::stripe) fn extend(&mut self, other: Self) {
        self.links.extend(other.links);
        self.payments.extend(other.payments);
        self.reports.extend(other.reports);
        self.coupons.extend(other.coupons);
    }
}

pub struct EventClaim {
    transaction: Transaction<'static, Postgres>,
    pub due: Vec<ClaimedEvent>,
}

impl Inbox {
    pub(in crate::stripe) async fn claim(
        &self,
        lane: HandlingContext,
        at: Timestamp,
    ) -> Result<EventClaim, sqlx::Error> {
        let mut transaction = self.pool().begin().await?;
        let due = sqlx::query_as(include_str!("claim.sql"))
            .bind(at.to_utc())
            .bind(PARTIES_MAX)
            .bind(CLAIMED_MAX)
            .bind(lane.asks())
            .fetch_all(&mut *transaction)
            .await?;
        Ok(EventClaim { transaction, due })
    }
}

impl EventClaim {
    pub(in crate::stripe) async fn links(
        &mut self,
        customers: &[&str],
    ) -> Result<AccountsByCustomer, sqlx::Error> {
        linked_account::links(&mut self.transaction, customers).await
    }

    pub(in crate::stripe) async fn payments(
        &mut self,
        payments: &[&str],
    ) -> Result<PaymentAccounts, sqlx::Error> {
        linked_account::payments(&mut self.transaction, payments).await
    }

    pub(in crate::stripe) async fn reports(
        &mut self,
        subscriptions: &[&str],
    ) -> Result<Reports, sqlx::Error> {
        linked_account::reports(&mut self.transaction, subscriptions).await
    }

    /// Who asked for what was done under these keys at Stripe.
    pub(in crate::stripe) async fn askers(
        &mut self,
        keys: &[&str],
    ) -> Result<BTreeMap<String, Actor>, sqlx::Error> {
        Calls::askers(&mut self.transaction, keys).await
    }

    pub(in crate::stripe) async fn coupons(&mut self, ids: &[String]) -> Result<Coupons, sqlx::Error> {
        linked_account::coupons(&mut self.transaction, ids).await
    }

    /// Writes down what became of the events, keeps what was learned, and wakes what waited for it.
    pub(in crate::stripe) async fn settle(
        mut self,
        settled: &[EventResult],
        learned: &HandledFacts,
        at: Timestamp,
    ) -> Result<(), sqlx::Error> {
        if !settled.is_empty() {
            self.write(settled, at).await?;
        }
        if !learned.is_empty() {
            self.keep(learned, at).await?;
        }
        self.transaction.commit().await
    }

    async fn write(&mut self, settled: &[EventResult], at: Timestamp) -> Result<(), sqlx::Error> {
        let next = settled.iter().map(|one| one.next_attempt_at.map(Timestamp::to_utc));
        sqlx::query(include_str!("settle.sql"))
            .bind(settled.iter().map(|one| one.event_id.as_str()).collect::<Vec<_>>())
            .bind(settled.iter().map(|one| one.state.as_str()).collect::<Vec<_>>())
            .bind(settled.iter().map(|one| one.reason.as_deref()).collect::<Vec<_>>())
            .bind(settled.iter().map(|one| one.attempts).collect::<Vec<_>>())
            .bind(next.collect::<Vec<_>>())
            .bind(settled.iter().map(|one| one.account.as_ref().map(AccountId::as_str)).collect::<Vec<_>>())
            .bind(at.to_utc())
            .bind(settled.iter().map(|one| one.lane.asks()).collect::<Vec<_>>())
            .execute(&mut *self.transaction)
            .await
            .map(|_| ())
    }

    async fn keep(&mut self, learned: &HandledFacts, at: Timestamp) -> Result<(), sqlx::Error> {
        keep_links(&mut self.transaction, learned, at).await?;
        let (payments, bought_for) = columns(&learned.payments);
        sqlx::query(include_str!("keep_payments.sql"))
            .bind(payments)
            .bind(bought_for)
            .bind(at.to_utc())
            .execute(&mut *self.transaction)
            .await?;
        wake(&mut self.transaction, learned, at).await?;
        self.keep_reports(&learned.reports, at).await?;
        linked_account::keep_coupons(&mut self.transaction, &learned.coupons).await
    }

    /// Keeps who was told to have which subscription, and wakes what waited for the first report on one.
    async fn keep_reports(&mut self, reports: &[NewReport], at: Timestamp) -> Result<(), sqlx::Error> {
        if reports.is_empty() {
            return Ok(());
        }
        let evidence = || reports.iter().map(|report| &report.evidence);
        let steps = || evidence().map(|evidence| evidence.step.as_ref());
        sqlx::query(include_str!("keep_reports.sql"))
            .bind(reports.iter().map(|report| report.subscription.as_str()).collect::<Vec<_>>())
            .bind(evidence().map(|evidence| evidence.id.as_str()).collect::<Vec<_>>())
            .bind(reports.iter().map(|report| report.account.as_str()).collect::<Vec<_>>())
            .bind(evidence().map(|evidence| evidence.reported_at.to_utc()).collect::<Vec<_>>())
            .bind(evidence().map(|evidence| i16::from(evidence.rank)).collect::<Vec<_>>())
            .bind(steps().map(|step| step.and_then(|step| step.from.as_deref())).collect::<Vec<_>>())
            .bind(steps().map(|step| step.map(|step| step.to.as_str())).collect::<Vec<_>>())
            .bind(reports.iter().map(|report| report.party.as_str()).collect::<Vec<_>>())
            .bind(at.to_utc())
            .bind(NO_REPORT)
            .execute(&mut *self.transaction)
            .await
            .map(|_| ())
    }
}

pub(super) async fn keep_links(
    connection: &mut PgConnection,
    learned: &HandledFacts,
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    let (customers, linked) = columns(&learned.links);
    sqlx::query(include_str!("keep_links.sql"))
        .bind(customers)
        .bind(linked)
        .bind(at.to_utc())
        .execute(connection)
        .await
        .map(|_| ())
}

/// Has handled at once what waited for what was learned.
pub(super) async fn wake(
    connection: &mut PgConnection,
    learned: &HandledFacts,
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(include_str!("wake.sql"))
        .bind(columns(&learned.links).0)
        .bind(at.to_utc())
        .bind(NO_LINK)
        .bind(columns(&learned.payments).0)
        .bind(NO_PAYMENT)
        .execute(connection)
        .await
        .map(|_| ())
}

fn columns(pairs: &[(ProviderId, AccountId)]) -> (Vec<&str>, Vec<&str>) {
    pairs.iter().map(|(object, account)| (object.as_str(), account.as_str())).unzip()
}
