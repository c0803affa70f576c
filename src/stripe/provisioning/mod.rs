//! Is there at Stripe what is sold here? [`setup`] makes it, [`doctor`] looks whether it is so.

pub mod doctor;
pub mod setup;
