//! Does an account get to pay, once, whatever happens on the way? Against the real sandbox, over loopback.

mod beside;
mod checkout;
mod customers;
mod killed;
mod outages;
mod portal;
mod resolving;
pub mod shop;
mod subscriptions;
mod switch;
