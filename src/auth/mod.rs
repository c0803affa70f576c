//! Who is the caller, what may they do, and how often?

mod bearer;
pub mod keys;
pub mod rate_limit;
