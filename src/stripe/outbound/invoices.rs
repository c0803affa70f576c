//! Which invoices does an account have? Those of its customers, as Stripe has them.

use super::{
    Billing, BillingError, PageRequest,
    across_customers::{customers, page_of_all},
};
use crate::{
    domain::{ids::AccountId, refusal::Refusal},
    stripe::client::{BillStatus, ListInvoices, StripeInvoices},
};

impl Billing {
    /// The invoices of all customers of the account, newest first. Empty if it has no customer.
    ///
    /// # Errors
    /// If there is no such account, or Stripe does not answer.
    pub async fn list_invoices(
        &self,
        account: &AccountId,
        status: Option<BillStatus>,
        page: PageRequest,
    ) -> Result<StripeInvoices, BillingError> {
        self.client()?;
        let view = self.0.ledger.view(account).await?;
        let opened = view.account.opened().ok_or(Refusal::AccountNotFound)?;
        let (data, has_more) = page_of_all(&customers(opened), page, async |customer, limit, after| {
            let listed = self.ask_page(&ListInvoices { customer, status, limit, after }).await?;
            Ok((listed.data, listed.has_more))
        })
        .await?;
        Ok(StripeInvoices { data, has_more })
    }
}
