//! Does Stripe have what the catalog says after a setup, and does the doctor see when it has not?

mod by_hand;
mod command;
mod doctor;
mod endpoints;
mod interrupted;
mod once;
mod prices;
mod retiring;
