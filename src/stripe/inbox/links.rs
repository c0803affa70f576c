//! Which account does a customer stand for? What is said of that beside the events of Stripe.
//!
//! A customer stands for one account. Whoever names one for an account begins its link first, which is written down, has the
//! ledger record it, and keeps the link or abandons it. Two that name the same one at the same time, in whatever processes,
//! see either what the other began or its link. No lock and no connection is held while the ledger works.

use std::sync::Arc;

use sqlx::PgPool;
use tokio::sync::Semaphore;

use crate::domain::{
    names::{AccountId, ProviderId},
    time::Timestamp,
};

use super::{
    Inbox,
    claim::{self, Learned},
};

/// How long a command can be on its way at most, with all of its tries.
const COMMAND_S_MAX: f64 = 60.0;
/// How often it is tried to begin what another account has just given up.
const TRIES_MAX: u32 = 3;
/// How many links are at the database at once: who deducts waits for no batch of imports.
const AT_ONCE_MAX: usize = 6;

/// For how long a customer that is becoming an account's is kept from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Term {
    /// Until the command that says so must have come to an end.
    Command,
    /// It was made for the account, and will never be another's.
    ForGood,
}

/// May a customer become an account's?
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// It stands for it already.
    There,
    /// It is, and is kept from others meanwhile.
    Ours,
    /// It stands for another account, or is becoming another's.
    Taken,
    /// It was becoming this account's, and nobody knows what came of that.
    Forgotten(AccountId),
}

/// The links of customers. Cheap to clone.
#[derive(Clone, Debug)]
pub struct CustomerLinks {
    pool: PgPool,
    turns: Arc<Semaphore>,
}

impl CustomerLinks {
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { pool, turns: Arc::new(Semaphore::new(AT_ONCE_MAX)) }
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
        let _turn = self.turns.acquire().await;
        Ok(self.linked(customer).await?.iter().any(|linked| linked != account.as_str()))
    }

    /// Begins to make a customer an account's.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(in crate::stripe) async fn begin(
        &self,
        customer: &ProviderId,
        account: &AccountId,
        term: Term,
    ) -> Result<Begun, sqlx::Error> {
        let _turn = self.turns.acquire().await;
        for _ in 0..TRIES_MAX {
            let begun = sqlx::query(include_str!("begin_link.sql"))
                .bind(customer.as_str())
                .bind(account.as_str())
                .bind(term == Term::ForGood)
                .execute(&self.pool)
                .await?;
            if let Some(begun) = self.look(customer, account, begun.rows_affected() == 1).await? {
                return Ok(begun);
            }
        }
        Ok(Begun::Taken)
    }

    /// Begins to make a customer an account's, of which another account did so long ago and did not become it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(in crate::stripe) async fn take_over(
        &self,
        customer: &ProviderId,
        (account, from): (&AccountId, &AccountId),
        term: Term,
    ) -> Result<Begun, sqlx::Error> {
        let _turn = self.turns.acquire().await;
        let taken = sqlx::query(include_str!("take_link_over.sql"))
            .bind(customer.as_str())
            .bind(account.as_str())
            .bind(from.as_str())
            .bind(COMMAND_S_MAX)
            .bind(term == Term::ForGood)
            .execute(&self.pool)
            .await?;
        Ok(self.look(customer, account, taken.rows_affected() == 1).await?.unwrap_or(Begun::Taken))
    }

    /// What is there, after it was tried to begin: a link is kept in the same moment in which what began ends, so this sees
    /// one or the other. `None`: what another account had begun has just been given up.
    async fn look(
        &self,
        customer: &ProviderId,
        account: &AccountId,
        is_ours: bool,
    ) -> Result<Option<Begun>, sqlx::Error> {
        let linked = self.linked(customer).await?;
        if linked.iter().any(|linked| linked != account.as_str()) {
            if is_ours {
                self.give_up(customer, account).await?;
            }
            return Ok(Some(Begun::Taken));
        }
        if is_ours {
            return Ok(Some(Begun::Ours));
        }
        if !linked.is_empty() {
            return Ok(Some(Begun::There));
        }
        let begun: Option<(String, bool)> = sqlx::query_as(include_str!("find_begun_link.sql"))
            .bind(customer.as_str())
            .bind(COMMAND_S_MAX)
            .fetch_optional(&self.pool)
            .await?;
        Ok(begun.map(|(from, is_stale)| match AccountId::parse(&from) {
            Ok(from) if is_stale => Begun::Forgotten(from),
            Ok(_) | Err(_) => Begun::Taken,
        }))
    }

    /// Which accounts it stands for: one, unless Stripe contradicted itself.
    async fn linked(&self, customer: &ProviderId) -> Result<Vec<String>, sqlx::Error> {
        sqlx::query_scalar(include_str!("find_linked.sql"))
            .bind(customer.as_str())
            .fetch_all(&self.pool)
            .await
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
        let _turn = self.turns.acquire().await;
        self.give_up(customer, account).await
    }

    async fn give_up(&self, customer: &ProviderId, account: &AccountId) -> Result<(), sqlx::Error> {
        sqlx::query(include_str!("abandon_link.sql"))
            .bind(customer.as_str())
            .bind(account.as_str())
            .execute(&self.pool)
            .await
            .map(|_| ())
    }

    /// Notes that a customer stands for an account, which ends what was begun, and has handled what waited for that. It does
    /// nothing twice.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(in crate::stripe) async fn keep(
        &self,
        customer: ProviderId,
        account: AccountId,
        at: Timestamp,
    ) -> Result<(), sqlx::Error> {
        let _turn = self.turns.acquire().await;
        let mut transaction = self.pool.begin().await?;
        let learned = Learned { links: vec![(customer, account)], ..Learned::default() };
        claim::keep_links(&mut transaction, &learned, at).await?;
        claim::wake(&mut transaction, &learned, at).await?;
        transaction.commit().await
    }
}

impl Inbox {
    /// The links by which events find their accounts.
    #[must_use]
    pub const fn customer_links(&self) -> &CustomerLinks {
        &self.links
    }
}
