//! Who asks, what may they do, and how often?

pub mod keys;
pub mod rate_limit;
