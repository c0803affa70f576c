//! The laws that hold after any commands at any times, as properties.

mod actions;
mod laws;
mod order;
