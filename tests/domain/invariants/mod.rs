//! Do the laws hold after any commands?

mod actions;
mod laws;
mod order;
