//! How are histories and commands of tests written, with defaults for all that does not matter?
//! The tests of the whole program use them too.

pub mod catalog;
pub mod scenario;
pub mod words;
