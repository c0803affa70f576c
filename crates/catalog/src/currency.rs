//! How is a price written? As an exact decimal in quotes, with as many decimals as the currency has.

use super::{reading::Node, suggestion::unknown_of_many};
use domain::{
    amount::{Currency, Money},
    chargeable,
};

/// The largest price in minor units: Stripe accepts at most twelve digits.
const PRICE_MINOR_MAX: i64 = 999_999_999_999;

/// Currencies without a minor unit. [Stripe: zero-decimal currencies]
const DECIMALS_0: [&str; 15] =
    ["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"];

/// Currencies with a minor unit of a thousandth. [Stripe: three-decimal currencies]
const DECIMALS_3: [&str; 5] = ["bhd", "jod", "kwd", "omr", "tnd"];

/// All other currencies that Stripe accepts.
/// `isk` and `ugx` are written with two decimals there, which are always `00`.
const DECIMALS_2: [&str; 119] = [
    "aed", "afn", "all", "amd", "ang", "aoa", "ars", "aud", "awg", "azn", "bam", "bbd", "bdt", "bgn", "bmd",
    "bnd", "bob", "brl", "bsd", "bwp", "byn", "bzd", "cad", "cdf", "chf", "cny", "cop", "crc", "cve", "czk",
    "dkk", "dop", "dzd", "egp", "etb", "eur", "fjd", "fkp", "gbp", "gel", "ghs", "gip", "gmd", "gtq", "gyd",
    "hkd", "hnl", "htg", "huf", "idr", "ils", "inr", "isk", "jmd", "kes", "kgs", "khr", "kyd", "kzt", "lak",
    "lbp", "lkr", "lrd", "lsl", "mad", "mdl", "mkd", "mmk", "mnt", "mop", "mur", "mvr", "mwk", "mxn", "myr",
    "mzn", "nad", "ngn", "nio", "nok", "npr", "nzd", "pab", "pen", "pgk", "php", "pkr", "pln", "qar", "ron",
    "rsd", "rub", "sar", "sbd", "scr", "sek", "sgd", "shp", "sle", "sos", "srd", "std", "szl", "thb", "tjs",
    "top", "try", "ttd", "twd", "tzs", "uah", "ugx", "usd", "uyu", "uzs", "wst", "xcd", "yer", "zar",
];

/// The currency of a catalog, and how many decimals its amounts have.
#[derive(Clone, Debug)]
pub(super) struct Coinage {
    pub currency: Currency,
    pub decimals: usize,
}

impl Coinage {
    pub fn read(node: &Node<'_>) -> Option<Self> {
        let text = node.text()?;
        let Ok(currency) = Currency::parse(text) else {
            return node.refuse("a currency is three letters, such as \"usd\"");
        };
        match find_decimals(currency.as_str()) {
            Some(decimals) => Some(Self { currency, decimals }),
            None => node.refuse(no_currency(text)),
        }
    }

    /// The currency of a catalog that names none: `usd`.
    pub fn default_of_catalogs() -> Option<Self> {
        Currency::parse("usd").ok().map(|currency| Self { currency, decimals: 2 })
    }

    /// A price, such as `"9.99"`.
    /// Numbers without quotes are refused: with a point they would be floats, and without one it is unclear whether
    /// cents are meant.
    /// A price that cannot be charged is reported, and still read.
    pub fn price(&self, node: &Node<'_>) -> Option<Money> {
        let text = node.quoted_price()?;
        match self.minor_units(text) {
            Ok(minor) => {
                self.check_step(node, minor);
                Some(Money { minor, currency: self.currency.clone() })
            }
            Err(message) => node.refuse(message),
        }
    }

    /// Reports a price that is not a multiple of the smallest step that Stripe can charge in this currency.
    fn check_step(&self, node: &Node<'_>, minor: i64) {
        let step = chargeable::step(&self.currency);
        if minor.checked_rem(step) != Some(0) {
            let zeros = if step == 100 { "ends in .00" } else { "ends in 0" };
            let above = chargeable::round_up(minor, &self.currency).unwrap_or(minor);
            let (this, next) = (self.show(minor), self.show(above));
            node.refuse::<()>(format!(
                "Stripe cannot charge {this}: an amount in {} {zeros}, such as {next}",
                self.currency
            ));
        }
    }

    fn minor_units(&self, text: &str) -> Result<i64, String> {
        if text.starts_with('-') {
            return Err("a price cannot be negative".to_owned());
        }
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || text.ends_with('.') || !is_number(whole) || !is_number(fraction) {
            return Err(format!("`{text}` is not a price; write digits and one point, such as \"9.99\""));
        }
        if fraction.len() > self.decimals {
            return Err(format!("{} has {} decimals, and `{text}` has more", self.currency, self.decimals));
        }
        let digits = format!("{whole}{fraction:0<width$}", width = self.decimals);
        digits
            .parse()
            .ok()
            .filter(|minor| *minor <= PRICE_MINOR_MAX)
            .ok_or_else(|| format!("`{text}` is too large for a price"))
    }

    /// An amount as people write it, such as `9.99 usd`.
    pub fn show(&self, minor: i64) -> String {
        let digits = format!("{minor:0>width$}", width = self.decimals + 1);
        let (whole, fraction) =
            digits.split_at_checked(digits.len() - self.decimals).unwrap_or((&digits, ""));
        let point = if fraction.is_empty() { "" } else { "." };
        format!("{whole}{point}{fraction} {}", self.currency)
    }
}

/// An amount as people write it, with the decimals of its own currency.
#[must_use]
pub fn show(money: &Money) -> String {
    let decimals = find_decimals(money.currency.as_str()).unwrap_or_default();
    Coinage { currency: money.currency.clone(), decimals }.show(money.minor)
}

/// Checks that Stripe accepts this currency.
///
/// # Errors
/// What was probably meant.
pub fn check_currency(currency: &Currency) -> Result<(), String> {
    let code = currency.as_str();
    find_decimals(code).map(|_| ()).ok_or_else(|| no_currency(code))
}

fn no_currency(code: &str) -> String {
    unknown_of_many("currency", code, &["usd", "eur", "gbp"])
}

fn find_decimals(code: &str) -> Option<usize> {
    if DECIMALS_2.contains(&code) {
        Some(2)
    } else if DECIMALS_0.contains(&code) {
        Some(0)
    } else if DECIMALS_3.contains(&code) {
        Some(3)
    } else {
        None
    }
}
