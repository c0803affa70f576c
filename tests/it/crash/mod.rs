//! What was acknowledged stays, and happened once, whatever breaks: a server, its database, or what is between them.

mod books;
mod connections;
pub mod dice;
mod kills;
mod proxy;
mod servers;
mod stalls;
mod traffic;
