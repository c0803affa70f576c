//! Do the pages say what is so? The walk is walked, and what is listed is compared with the program.

mod afternoon;
mod curl;
pub mod document;
mod first;
mod lists;
mod rules;
mod walk;
