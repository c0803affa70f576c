//! How does money move? By invoices, their collection, prorations, and the passing of time.

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
