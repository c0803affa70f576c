//! Does an account get to pay, once, whatever happens on the way? Against the real sandbox, over loopback.

mod beside;
mod checkout;
mod customers;
mod invoices;
mod killed;
mod lost;
mod methods;
mod nights;
mod outages;
mod packs;
mod payments;
mod portal;
mod products;
mod profile;
mod resolving;
mod schedules;
pub mod shop;
mod subscriptions;
mod switch;
