//! What becomes of those who are there when the catalog of a running program changes?

mod former;
mod repricing;
mod running;
mod switched;
