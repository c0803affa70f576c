//! Does an account get to pay, once, whatever happens on the way? Against the real sandbox, over loopback.

mod checkout;
mod customers;
mod lost;
mod nights;
mod outages;
mod portal;
pub mod shop;
mod switch;
