//! How does money move? Invoices, tries to collect them, prorations, and what time brings.

pub mod calendar;
pub mod changing;
pub mod checkout;
pub mod disputes;
pub mod ending;
pub mod invoicing;
pub mod passing;
pub mod pausing;
pub mod payments;
pub mod proration;
pub mod scheduling;
pub mod subscribing;
