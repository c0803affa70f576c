//! Is what was acknowledged still there, once, whatever breaks? A server, its database, or what is between them.

mod books;
mod connections;
mod instances;
mod kills;
pub mod proxy;
mod servers;
mod stalls;
mod traffic;
