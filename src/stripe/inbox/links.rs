//! Which account does a customer stand for? What is said of that beside the events of Stripe.

use crate::domain::{
    names::{AccountId, ProviderId},
    time::Timestamp,
};

use super::{
    Inbox,
    claim::{self, Learned},
};

impl Inbox {
    /// Whether a customer stands for another account already.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn stands_for_another(
        &self,
        customer: &ProviderId,
        account: &AccountId,
    ) -> Result<bool, sqlx::Error> {
        sqlx::query_scalar(include_str!("../billing/linked.sql"))
            .bind(customer.as_str())
            .bind(account.as_str())
            .fetch_one(self.pool())
            .await
    }

    /// Notes that a customer stands for an account, and has handled what waited for that. It does nothing twice.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn link(
        &self,
        customer: ProviderId,
        account: AccountId,
        at: Timestamp,
    ) -> Result<(), sqlx::Error> {
        let mut transaction = self.pool().begin().await?;
        let learned = Learned { links: vec![(customer, account)], ..Learned::default() };
        claim::keep_links(&mut transaction, &learned, at).await?;
        claim::wake(&mut transaction, &learned, at).await?;
        transaction.commit().await?;
        self.wake();
        Ok(())
    }
}
