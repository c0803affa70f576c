//! Which account does a customer stand for? What is said of that beside the events of Stripe.
//!
//! A customer stands for one account. Whoever names one for an account begins its link first, which is written down,
//! has the ledger record it, and keeps the link or abandons it. Two that name the same one at the same time, in
//! whatever processes, see either what the other began or its link. No lock and no connection is held while the ledger
//! works.

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

/// How long a command can be on its way at most, with all of its tries.
const COMMAND_S_MAX: f64 = 60.0;
/// How often it is tried to begin what another account has just given up, and to keep what others keep, too.
const TRIES_MAX: u32 = 3;

/// `deadlock_detected`.
const DEADLOCK: &str = "40P01";

/// For how long a customer that is becoming an account's is kept from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReservationTerm {
    /// Until the command that says so must have come to an end.
    Command,
    /// It was made for the account, and will never be another's.
    ForGood,
}

/// May a customer become an account's?
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReservationResult {
    /// It stands for it already.
    There,
    /// It is, and is kept from others meanwhile.
    Ours,
    /// It stands for another account, or is becoming another's.
    Taken,
    /// It was becoming this account's, and nobody knows what came of that.
    Forgotten(AccountId),
}

/// A customer that is to become an account's.
#[derive(Clone, Debug)]
struct CustomerReservation {
    customer: ProviderId,
    account: AccountId,
    term: ReservationTerm,
}

/// A customer that has become an account's.
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

    /// Whether a customer stands for another account already.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn stands_for_another(
        &self,
        customer: &ProviderId,
        account: &AccountId,
    ) -> Result<bool, sqlx::Error> {
        let linked = tables::links(&mut *self.0.pool.acquire().await?, &[customer.as_str()]).await?;
        Ok(linked.into_values().flatten().any(|linked| linked != *account))
    }

    /// Begins to make a customer an account's.
    ///
    /// # Errors
    /// When the database does not answer.
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

    /// Begins to make a customer an account's, of which another account did so long ago and did not become it.
    ///
    /// # Errors
    /// When the database does not answer.
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

    /// What is there, after it was tried to begin: a link is kept in the same moment in which what began ends, so this
    /// sees one or the other. `None`: what another account had begun has just been given up.
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

    /// Ends what was begun: the customer did not become the account's.
    ///
    /// # Errors
    /// When the database does not answer.
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

    /// Notes that a customer stands for an account, which ends what was begun, and has handled what waited for that. It
    /// does nothing twice.
    ///
    /// # Errors
    /// When the database does not answer.
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

    /// What waits for somebody who waits for it is given up by the database, and can be done again.
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
        // In one order, so that two of these do not wait for each other.
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
