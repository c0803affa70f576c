//! Is what Stripe delivers stored, translated and counted once? And does the ledger find what it was not told?

mod amounts;
mod client;
mod credited;
mod discounts;
mod discounts_of_customers;
mod inbox;
mod moving;
mod packs;
mod patience;
mod planted;
mod reports;
mod send;
mod shares;
mod traps;
mod unfounded;
mod unpaid;
