//! Is each document of Stripe's translated to what it means, whatever is in it?

mod changed;
mod declines;
mod document;
mod edge;
mod order;
mod revenue;
mod signature;
mod story;
mod total;
mod words;
mod wrong_grants;
