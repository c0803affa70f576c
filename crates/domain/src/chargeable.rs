//! Which amounts of a currency can be charged? [Stripe: "Supported currencies", special cases and smallest charges]

use super::amount::Currency;

/// The smallest difference between two amounts that can be charged, in minor units.
///
/// `isk` and `ugx` no longer have a minor unit, but Stripe still writes them in hundredths that are always `00`.
/// The last digit of a currency with thousandths is always `0`.
/// `huf` and `twd` are only whole when money is paid out to the business; charges may have a fraction.
#[must_use]
pub fn step(currency: &Currency) -> i64 {
    match currency.as_str() {
        "isk" | "ugx" => 100,
        "bhd" | "jod" | "kwd" | "omr" | "tnd" => 10,
        _ => 1,
    }
}

/// The smallest amount that can be charged, in minor units.
/// For other currencies Stripe requires about half a dollar at the day's rate, which cannot be checked here.
#[must_use]
pub fn smallest(currency: &Currency) -> i64 {
    match currency.as_str() {
        "gbp" => 30,
        "aud" | "brl" | "cad" | "chf" | "eur" | "inr" | "jpy" | "nzd" | "sgd" | "usd" => 50,
        "bgn" => 100,
        "aed" | "myr" | "pln" | "ron" => 200,
        "dkk" => 250,
        "nok" | "sek" => 300,
        "hkd" => 400,
        "mxn" | "thb" => 1_000,
        "czk" => 1_500,
        "huf" => 17_500,
        _ => step(currency),
    }
}

/// The lowest amount that can be charged and is not below `minor`. `None`: it does not fit.
#[must_use]
pub fn round_up(minor: i64, currency: &Currency) -> Option<i64> {
    let step = step(currency);
    match minor.checked_rem_euclid(step)? {
        0 => Some(minor),
        rest => minor.checked_add(step.checked_sub(rest)?),
    }
}
