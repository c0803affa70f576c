//! How does a person read an amount?

/// `999` of `usd` is `9.99 USD`; currencies without minor units are shown whole.
pub fn shown(amount: i64, currency: &str) -> String {
    const WHOLE: [&str; 16] = [
        "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv", "xaf",
        "xof", "xpf",
    ];
    let shown = currency.to_uppercase();
    if WHOLE.contains(&currency) {
        return format!("{amount} {shown}");
    }
    let sign = if amount < 0 { "−" } else { "" };
    let (whole, rest) = (amount.unsigned_abs() / 100, amount.unsigned_abs() % 100);
    format!("{sign}{whole}.{rest:02} {shown}")
}
