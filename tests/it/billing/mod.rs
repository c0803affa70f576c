//! Does an account get to pay, once, whatever happens on the way? Against the real sandbox, over loopback.

mod add_ons;
mod beside;
mod checkout;
mod closing;
mod customers;
mod invoices;
mod killed;
mod lost;
mod metadata;
mod methods;
mod nights;
mod outages;
mod packs;
mod payments;
mod portal;
mod previews;
mod products;
mod profile;
mod resolving;
mod rights;
mod schedules;
mod seconds;
pub mod shop;
mod subscribing;
mod subscriptions;
mod switch;
mod top_ups;
