//! Is what Stripe delivers stored, translated and counted once? And does the ledger find what it was not told?

mod amounts;
mod client;
mod closed;
mod credited;
mod dead_letters;
mod discounts;
mod discounts_of_customers;
mod inbox;
mod kept;
mod moving;
mod packs;
mod patience;
mod planted;
mod plants;
mod reports;
mod send;
mod shares;
mod traps;
mod uncompared;
mod unfounded;
mod unpaid;
