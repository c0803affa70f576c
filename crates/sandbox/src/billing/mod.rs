//! How does money move? Invoices, tries to collect them, prorations, and what time brings.

pub mod changing;
pub mod checkout;
pub mod crediting;
pub mod discounting;
pub mod disputes;
pub mod ending;
pub mod invoicing;
pub mod passing;
pub mod pausing;
pub mod payments;
pub mod planning;
pub mod proration;
pub mod scheduling;
pub mod subscribing;
