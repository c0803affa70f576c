//! Is what was acknowledged still there, once, whatever breaks? A server, its database, or what is between them.

mod books;
mod connections;
mod growth;
mod instances;
mod kills;
mod servers;
mod slow_link;
mod stalls;
mod traffic;
