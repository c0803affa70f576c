//! How is an amount of money written for people, and how is a share of it calculated?

/// Currencies without decimals.
const WHOLE: [&str; 15] =
    ["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"];
/// Currencies with three decimals. Stripe accepts only amounts that end in 0.
const THREE: [&str; 5] = ["bhd", "jod", "kwd", "omr", "tnd"];
/// Currencies whose amounts have two decimals that are always 00. Stripe charges no other amounts.
const TOLD_WITH_TWO: [&str; 2] = ["isk", "ugx"];

/// The number of decimals in amounts of a currency.
fn decimals(currency: &str) -> u32 {
    if WHOLE.contains(&currency) {
        0
    } else if THREE.contains(&currency) {
        3
    } else {
        2
    }
}

/// An amount in minor units as text.
/// `999` of `usd` is `9.99 USD`, 1000 of `jpy` is `1000 JPY`, and 5000 of `kwd` is `5.000 KWD`.
pub fn shown(amount: i64, currency: &str) -> String {
    let (name, decimals) = (currency.to_uppercase(), decimals(currency));
    let sign = if amount < 0 { "−" } else { "" };
    let amount = amount.unsigned_abs();
    if decimals == 0 {
        return format!("{sign}{amount} {name}");
    }
    let unit = 10_u64.pow(decimals);
    let (whole, rest) = (amount / unit, amount % unit);
    let width = usize::try_from(decimals).unwrap_or(2);
    if TOLD_WITH_TWO.contains(&currency) && rest == 0 {
        return format!("{sign}{whole} {name}");
    }
    format!("{sign}{whole}.{rest:0width$} {name}")
}

/// Why Stripe cannot charge an amount in minor units. `None`: it can.
pub fn refusal(amount: i64, currency: &str) -> Option<String> {
    let name = currency.to_uppercase();
    if THREE.contains(&currency) && amount % 10 != 0 {
        return Some(format!("Amounts in {name} must be a multiple of 10: its third decimal is always 0."));
    }
    if TOLD_WITH_TWO.contains(&currency) && amount % 100 != 0 {
        return Some(format!("Amounts in {name} must be a multiple of 100: it has no decimals."));
    }
    None
}

/// The share `part / whole` of an amount, rounded half away from zero.
pub fn share(amount: i64, part: i64, whole: i64) -> i64 {
    if whole <= 0 {
        return 0;
    }
    let (numerator, whole) = (i128::from(amount) * i128::from(part), i128::from(whole));
    let half = whole / 2;
    let rounded = if numerator < 0 { (numerator - half) / whole } else { (numerator + half) / whole };
    i64::try_from(rounded).unwrap_or(0)
}
