//! Does Stripe have what is sold here? [`setup`] makes it, and [`doctor`] checks it.

pub mod doctor;
pub mod setup;
