//! How does money move? Invoices, tries to collect them, prorations, and what time brings.

pub mod changing;
pub mod checkout;
pub mod collecting;
pub mod crediting;
pub mod discounting;
pub mod disputes;
pub mod ending;
pub mod invoices;
pub mod passing;
pub mod pausing;
pub mod payments;
pub mod phases;
pub mod planning;
pub mod proration;
pub mod refunds;
pub mod schedules;
pub mod stopping;
pub mod subscribing;
pub mod voiding;
