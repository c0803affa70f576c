//! Do the four businesses run from their catalogs alone? Each is a story in the sandbox, told by the real program.
//!
//! After every step the ledger, the revenue series and the sandbox's own objects are asked, and must agree with
//! numbers that the story works out from the catalog's prices and credits.

mod books;
mod guide;
mod localboxs;
mod music;
mod promptforge;
mod shop;

use books::Books;
use shop::Shop;

pub const VISA: &str = "4242424242424242";
/// Is declined at once.
pub const DECLINED: &str = "4000000000000002";
/// Attaches, and fails when it is charged.
pub const FAILS_LATER: &str = "pm_card_chargeCustomerFail";
pub const HOUR_S: i64 = 3_600;
pub const DAY_S: i64 = 24 * HOUR_S;
/// A renewal is a draft for an hour before it is collected.
pub const COLLECTED_S: i64 = 2 * HOUR_S;
