//! Which account is a customer linked to, if a caller says so and not an event of Stripe's?
//!
//! A customer is linked to one account.
//! A link is made in three steps: it is reserved, which is stored, the ledger records it, and then the link is kept or
//! the reservation is abandoned.
//! If two requests name the same customer at the same time, in any processes, each sees the other's reservation or
//! link.
//! No lock and no connection is held while the ledger works.

use std::{collections::BTreeSet, sync::Arc};

use sqlx::{PgPool, error::DatabaseError};

use super::{
    request_batcher::{BatchKey, BatchTurn, RequestBatcher},
    tables::{self, LearnedAccounts},
};
use crate::domain::{
    ids::{AccountId, ProviderId},
    time::Timestamp,
};

/// How many seconds a command can take at most, with all of its attempts.
const COMMAND_S_MAX: f64 = 60.0;
/// How often a reservation is tried again after another account has given up its own, and a link after a deadlock.
const TRIES_MAX: u32 = 3;

/// `deadlock_detected`.
const DEADLOCK: &str = "40P01";

/// For how long a customer is reserved for an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReservationTerm {
    /// As long as the command can take that would link it.
    Command,
    /// For good, since the customer was made for the account.
    ForGood,
}

/// The result of reserving a customer for an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReservationResult {
    /// It is already linked to the account.
    There,
    /// It is reserved for the account now.
    Ours,
    /// It is linked to, or reserved for, another account.
    Taken,
    /// This account reserved it long ago, and the outcome is not known.
    Forgotten(AccountId),
}

/// A reservation of a customer for an account.
#[derive(Clone, Debug)]
struct CustomerReservation {
    customer: ProviderId,
    account: AccountId,
    term: ReservationTerm,
}

/// A customer that has been linked to an account.
#[derive(Clone, Debug)]
struct NewCustomerLink {
    customer: ProviderId,
    account: AccountId,
}

impl BatchKey for CustomerReservation {
    fn name(&self) -> &str {
        self.customer.as_str()
    }
}

impl BatchKey for NewCustomerLink {
    fn name(&self) -> &str {
        self.customer.as_str()
    }
}

/// The links of customers. Cheap to clone.
#[derive(Clone, Debug)]
pub struct CustomerLinks(Arc<LinkStore>);

#[derive(Debug)]
struct LinkStore {
    pool: PgPool,
    begins: RequestBatcher<CustomerReservation, Option<ReservationResult>>,
    keeps: RequestBatcher<NewCustomerLink, ()>,
}

impl CustomerLinks {
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self(Arc::new(LinkStore { pool, begins: RequestBatcher::new(), keeps: RequestBatcher::new() }))
    }

    /// Whether a customer is already linked to another account.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn stands_for_another(
        &self,
        customer: &ProviderId,
        account: &AccountId,
    ) -> Result<bool, sqlx::Error> {
        let linked = tables::links(&mut *self.0.pool.acquire().await?, &[customer.as_str()]).await?;
        Ok(linked.into_values().flatten().any(|linked| linked != *account))
    }

    /// Reserves a customer for an account.
    ///
    /// # Errors
    /// If the database does not answer.
    pub(in crate::stripe) async fn begin(
        &self,
        customer: &ProviderId,
        account: &AccountId,
        term: ReservationTerm,
    ) -> Result<ReservationResult, sqlx::Error> {
        for _ in 0..TRIES_MAX {
            let wish = CustomerReservation { customer: customer.clone(), account: account.clone(), term };
            let mut question = self.0.begins.ask(wish);
            let begun = loop {
                match question.turn().await {
                    BatchTurn::Answered(begun) => break begun?,
                    BatchTurn::Ours(group) => {
                        let begun = self.begin_all(&group.questions).await;
                        group.answer(begun);
                    }
                }
            };
            if let Some(begun) = begun {
                return Ok(begun);
            }
        }
        Ok(ReservationResult::Taken)
    }

    async fn begin_all(
        &self,
        wishes: &[CustomerReservation],
    ) -> Result<Vec<Option<ReservationResult>>, sqlx::Error> {
        let ours: Vec<String> = sqlx::query_scalar(include_str!("begin_links.sql"))
            .bind(wishes.iter().map(|wish| wish.customer.as_str()).collect::<Vec<_>>())
            .bind(wishes.iter().map(|wish| wish.account.as_str()).collect::<Vec<_>>())
            .bind(wishes.iter().map(|wish| wish.term == ReservationTerm::ForGood).collect::<Vec<_>>())
            .fetch_all(&self.0.pool)
            .await?;
        let ours: BTreeSet<String> = ours.into_iter().collect();
        self.look(wishes, |wish| ours.contains(wish.customer.as_str())).await
    }

    /// Reserves a customer whose reservation for another account is old, and did not lead to a link.
    ///
    /// # Errors
    /// If the database does not answer.
    pub(in crate::stripe) async fn take_over(
        &self,
        customer: &ProviderId,
        (account, from): (&AccountId, &AccountId),
        term: ReservationTerm,
    ) -> Result<ReservationResult, sqlx::Error> {
        let taken = sqlx::query(include_str!("take_link_over.sql"))
            .bind(customer.as_str())
            .bind(account.as_str())
            .bind(from.as_str())
            .bind(COMMAND_S_MAX)
            .bind(term == ReservationTerm::ForGood)
            .execute(&self.0.pool)
            .await?;
        let wish = CustomerReservation { customer: customer.clone(), account: account.clone(), term };
        let begun = self.look(&[wish], |_| taken.rows_affected() == 1).await?;
        Ok(begun.into_iter().flatten().next().unwrap_or(ReservationResult::Taken))
    }

    /// Reads the state after a failed reservation.
    /// A link replaces its reservation in one transaction, so either of them is seen.
    /// `None`: another account's reservation has just been abandoned.
    async fn look(
        &self,
        wishes: &[CustomerReservation],
        is_ours: impl Fn(&CustomerReservation) -> bool,
    ) -> Result<Vec<Option<ReservationResult>>, sqlx::Error> {
        let customers: Vec<&str> = wishes.iter().map(|wish| wish.customer.as_str()).collect();
        let known = tables::links(&mut *self.0.pool.acquire().await?, &customers).await?;
        let mut all = Vec::with_capacity(wishes.len());
        for wish in wishes {
            let CustomerReservation { customer, account, .. } = wish;
            let linked = known.get(customer).map_or_else(Default::default, Vec::as_slice);
            let is_anothers = linked.iter().any(|linked| linked != account);
            let begun = match (is_anothers, is_ours(wish)) {
                (true, true) => {
                    self.abandon(customer, account).await?;
                    Some(ReservationResult::Taken)
                }
                (true, false) => Some(ReservationResult::Taken),
                (false, true) => Some(ReservationResult::Ours),
                (false, false) if !linked.is_empty() => Some(ReservationResult::There),
                (false, false) => self.begun_by_another(customer).await?,
            };
            all.push(begun);
        }
        Ok(all)
    }

    async fn begun_by_another(
        &self,
        customer: &ProviderId,
    ) -> Result<Option<ReservationResult>, sqlx::Error> {
        let begun: Option<(String, bool)> = sqlx::query_as(include_str!("find_begun_link.sql"))
            .bind(customer.as_str())
            .bind(COMMAND_S_MAX)
            .fetch_optional(&self.0.pool)
            .await?;
        Ok(begun.map(|(from, is_stale)| match AccountId::parse(&from) {
            Ok(from) if is_stale => ReservationResult::Forgotten(from),
            Ok(_) | Err(_) => ReservationResult::Taken,
        }))
    }

    /// Abandons a reservation: the customer was not linked to the account.
    ///
    /// # Errors
    /// If the database does not answer.
    pub(in crate::stripe) async fn abandon(
        &self,
        customer: &ProviderId,
        account: &AccountId,
    ) -> Result<(), sqlx::Error> {
        sqlx::query(include_str!("abandon_link.sql"))
            .bind(customer.as_str())
            .bind(account.as_str())
            .execute(&self.0.pool)
            .await
            .map(|_| ())
    }

    /// Stores a link, which ends its reservation, and wakes events that waited for it. Repeating it is harmless.
    ///
    /// # Errors
    /// If the database does not answer.
    pub(in crate::stripe) async fn keep(
        &self,
        customer: ProviderId,
        account: AccountId,
        at: Timestamp,
    ) -> Result<(), sqlx::Error> {
        let mut question = self.0.keeps.ask(NewCustomerLink { customer, account });
        loop {
            match question.turn().await {
                BatchTurn::Answered(kept) => return kept,
                BatchTurn::Ours(group) => {
                    let kept = self.keep_all(&group.questions, at).await;
                    group.answer(kept);
                }
            }
        }
    }

    /// The database aborts one of two transactions that wait for each other; it can be repeated.
    async fn keep_all(&self, links: &[NewCustomerLink], at: Timestamp) -> Result<Vec<()>, sqlx::Error> {
        for _ in 1..TRIES_MAX {
            match self.try_to_keep(links, at).await {
                Err(error) if is_deadlock(&error) => {}
                kept => return kept,
            }
        }
        self.try_to_keep(links, at).await
    }

    async fn try_to_keep(&self, links: &[NewCustomerLink], at: Timestamp) -> Result<Vec<()>, sqlx::Error> {
        let mut transaction = self.0.pool.begin().await?;
        let known = links.iter().map(|link| (link.customer.clone(), link.account.clone()));
        let mut learned = LearnedAccounts { links: known.collect(), ..LearnedAccounts::default() };
        // Sorted, so that two of these do not wait for each other.
        learned.links.sort_unstable();
        learned.keep_links(&mut transaction, at).await?;
        learned.wake(&mut transaction, at).await?;
        transaction.commit().await?;
        Ok(vec![(); links.len()])
    }
}

fn is_deadlock(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    code.is_some_and(|code| code == DEADLOCK)
}
