//! Does an account get to pay, once, whatever happens on the way? Against the real sandbox, over loopback.

mod checkout;
mod customers;
mod invoices;
mod methods;
mod outages;
mod payments;
mod portal;
mod products;
mod profile;
pub mod shop;
mod switch;
