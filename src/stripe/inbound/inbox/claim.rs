//! Which instance handles which events? Each event is claimed by one of them.
//!
//! A claim is a lock on rows, held by an open transaction: if the process dies, another one can go on at once.

use std::collections::BTreeMap;

use sqlx::{FromRow, Postgres, Transaction};

use super::{
    super::{
        accounts::{AccountLookup, LearnedAccounts, LookupKeys},
        discounts::{CouponReport, Coupons},
    },
    Inbox, InboxState, coupons,
};
use crate::{
    domain::{
        ids::{AccountId, Actor},
        time::Timestamp,
    },
    stripe::calls::Calls,
};

/// How many parties are worked on at a time.
pub const PARTIES_MAX: i64 = 256;
/// How many events are claimed at a time.
pub const CLAIMED_MAX: i64 = 512;

/// A claimed event.
#[derive(Debug, FromRow)]
pub struct ClaimedEvent {
    pub event_id: String,
    pub party: String,
    pub body: Vec<u8>,
    pub attempts: i32,
    /// Who requested over the API what it reports.
    #[sqlx(skip)]
    pub asker: Option<Actor>,
}

/// The result of handling an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventResult {
    pub event_id: String,
    pub state: InboxState,
    pub reason: Option<String>,
    pub attempts: i32,
    pub next_attempt_at: Option<Timestamp>,
    pub account: Option<AccountId>,
    /// How it is handled if it is tried again.
    pub lane: HandlingContext,
}

/// How an event has to be handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandlingContext {
    /// It is complete.
    Whole,
    /// Stripe is asked for what it leaves out. Complete events do not wait for that.
    Asking,
}

impl HandlingContext {
    const fn asks(self) -> bool {
        matches!(self, Self::Asking)
    }
}

/// What became known while events were handled.
#[derive(Debug, Default)]
pub struct HandledFacts {
    pub accounts: LearnedAccounts,
    pub coupons: Vec<CouponReport>,
}

impl HandledFacts {
    pub(in crate::stripe) fn extend(&mut self, other: Self) {
        self.accounts.extend(other.accounts);
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
    pub(in crate::stripe::inbound) async fn accounts(
        &mut self,
        keys: &LookupKeys<'_>,
    ) -> Result<AccountLookup, sqlx::Error> {
        AccountLookup::load(&mut self.transaction, keys).await
    }

    /// Who requested the calls with these keys at Stripe.
    pub(in crate::stripe) async fn askers(
        &mut self,
        keys: &[&str],
    ) -> Result<BTreeMap<String, Actor>, sqlx::Error> {
        Calls::askers(&mut self.transaction, keys).await
    }

    pub(in crate::stripe) async fn coupons(&mut self, ids: &[String]) -> Result<Coupons, sqlx::Error> {
        coupons::coupons(&mut self.transaction, ids).await
    }

    /// Stores the results of events and what was learned, and wakes events that waited for it.
    pub(in crate::stripe) async fn settle(
        mut self,
        settled: &[EventResult],
        learned: &HandledFacts,
        at: Timestamp,
    ) -> Result<(), sqlx::Error> {
        if !settled.is_empty() {
            self.write(settled, at).await?;
        }
        if !learned.accounts.is_empty() {
            learned.accounts.keep(&mut self.transaction, at).await?;
        }
        coupons::keep_coupons(&mut self.transaction, &learned.coupons).await?;
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
}
