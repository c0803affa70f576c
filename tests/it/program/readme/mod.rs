//! Do the commands of the pages do what they say? The walk is walked.

mod afternoon;
mod curl;
mod first;
mod walk;
