//! How are histories and commands of tests written, with all that does not matter filled in?
//! The tests of the whole program use them too.

pub mod catalog;
pub mod scenario;
pub mod words;
