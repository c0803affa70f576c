//! What has an account been billed? Its customer's invoices, as Stripe shows them.

use super::{Billing, BillingError, Page};
use crate::{
    domain::{names::AccountId, refusal::Refusal, sale},
    stripe::client::{BillStatus, InvoicesSeen, ListInvoices},
};

impl Billing {
    /// The invoices of the account's customer, the newest first. Who is no customer has none.
    ///
    /// # Errors
    /// When there is no such account, or Stripe does not answer.
    pub async fn list_invoices(
        &self,
        account: &AccountId,
        status: Option<BillStatus>,
        page: Page,
    ) -> Result<InvoicesSeen, BillingError> {
        self.client()?;
        let view = self.0.ledger.view(account).await?;
        let opened = view.account.opened().ok_or(Refusal::AccountNotFound)?;
        let Some(customer) = sale::find_customer(opened).map(ToString::to_string) else {
            return Ok(InvoicesSeen { data: Vec::new(), has_more: false });
        };
        let after = page.after.map(|after| after.to_string());
        self.ask_page(&ListInvoices { customer, status, limit: page.limit, after }).await
    }
}
