//! How is money taken, and how long does a plan hold after a failed payment?

use super::{
    currency::Coinage,
    mistake::MistakeCause,
    reading::{Node, TomlTable},
    suggestion::unknown,
};
use domain::{
    amount::Money,
    catalog::{Downgrade, PackRefunds, PaymentSettings, SecondSubscription},
    chargeable,
};

const KEYS: [&str; 14] = [
    "enabled",
    "smallest",
    "largest",
    "automatic_capture",
    "trial_days",
    "several_subscriptions",
    "second_subscription",
    "proration",
    "cancellation",
    "grace_days",
    "refund_packs",
    "downgrade",
    "trust_processing",
    "bridge_days",
];

/// Keys of earlier releases, and what replaced them.
const GONE: [(&str, &str); 1] = [(
    "retries",
    "`retries` never did anything, and is gone: how often a failed payment is tried again is set in Stripe's dashboard \
     (Billing, Revenue recovery, Retries); take this line out",
)];

/// What Stripe may do with the unused part of a period when a plan changes.
const PRORATIONS: [(&str, &str); 3] =
    [("create_prorations", "create_prorations"), ("always_invoice", "always_invoice"), ("none", "none")];

/// When a subscription ends that is cancelled on the customer portal.
const CANCELLATIONS: [(&str, &str); 2] = [("at_period_end", "at_period_end"), ("immediately", "immediately")];

/// When a downgrade takes effect.
const DOWNGRADES: [(&str, Downgrade); 2] =
    [("at_period_end", Downgrade::PeriodEnd), ("at_once", Downgrade::AtOnce)];

/// What happens to a second subscription that was paid for although only one is sold.
const SECONDS: [(&str, SecondSubscription); 2] =
    [("keep", SecondSubscription::Keep), ("cancel_and_refund", SecondSubscription::CancelAndRefund)];

/// The longest trial that Stripe accepts: two years.
pub(super) const TRIAL_DAYS_MAX: i64 = 730;
/// The default of the smallest payment, in minor units, unless Stripe's smallest charge is larger.
const MINOR_MIN: i64 = 50;
const GRACE_DAYS_MAX: i64 = 90;
/// The most days for which a paid month may be bridged to the next.
const BRIDGE_DAYS_MAX: i64 = 60;

/// The defaults of keys that are left out.
pub(super) fn defaults(coinage: &Coinage) -> PaymentSettings {
    PaymentSettings {
        enabled: true,
        minor_min: MINOR_MIN.max(chargeable::smallest(&coinage.currency)),
        minor_max: 100_000,
        automatic_capture: true,
        trial_days: 14,
        several_subscriptions: false,
        second_subscription: SecondSubscription::Keep,
        proration: "create_prorations".to_owned(),
        cancellation: "at_period_end".to_owned(),
        grace_days: 3,
        pack_refunds: PackRefunds::Given,
        downgrade: Downgrade::PeriodEnd,
        trust_processing: false,
        bridge_days: 21,
    }
}

pub(super) fn read(node: &Node<'_>, coinage: &Coinage) -> Option<PaymentSettings> {
    let table = node.open_table("a table")?;
    table.check_keys_and(&KEYS, &GONE);
    let default = defaults(coinage);
    let minor = |node: &Node<'_>| coinage.price(node).map(|price| price.minor);
    // All keys are read before a missing one ends this, so that each mistake is reported.
    let enabled = table.or("enabled", default.enabled, switch);
    let smallest = table.or("smallest", default.minor_min, |node| read_smallest(node, coinage));
    let largest = table.or("largest", default.minor_max, minor);
    let automatic_capture = table.or("automatic_capture", default.automatic_capture, Node::boolean);
    let trial_days = table.or("trial_days", default.trial_days, |node| days(node, 0, TRIAL_DAYS_MAX));
    let several = table.or("several_subscriptions", default.several_subscriptions, Node::boolean);
    let second = table.or("second_subscription", default.second_subscription, |node| {
        node.one_of("second_subscription", &SECONDS)
    });
    let proration = table.or("proration", "create_prorations", |node| node.one_of("proration", &PRORATIONS));
    let cancellation =
        table.or("cancellation", "at_period_end", |node| node.one_of("cancellation", &CANCELLATIONS));
    let grace_days = table.or("grace_days", default.grace_days, |node| days(node, 0, GRACE_DAYS_MAX));
    let pack_refunds = table.or("refund_packs", default.pack_refunds, read_pack_refunds);
    let downgrade = table.or("downgrade", default.downgrade, |node| node.one_of("downgrade", &DOWNGRADES));
    let trust_processing = table.or("trust_processing", default.trust_processing, Node::boolean);
    let bridge_days = table.or("bridge_days", default.bridge_days, |node| days(node, 0, BRIDGE_DAYS_MAX));
    let settings = PaymentSettings {
        enabled: enabled?,
        minor_min: smallest?,
        minor_max: largest?,
        automatic_capture: automatic_capture?,
        trial_days: trial_days?,
        several_subscriptions: several?,
        second_subscription: second?,
        proration: proration?.to_owned(),
        cancellation: cancellation?.to_owned(),
        grace_days: grace_days?,
        pack_refunds: pack_refunds?,
        downgrade: downgrade?,
        trust_processing: trust_processing?,
        bridge_days: bridge_days?,
    };
    check_range(&table, coinage, settings)
}

/// Refuses an amount that Stripe cannot charge.
fn read_smallest(node: &Node<'_>, coinage: &Coinage) -> Option<i64> {
    let minor = coinage.price(node)?.minor;
    let least = chargeable::smallest(&coinage.currency);
    if minor < least {
        let least = coinage.show(least);
        node.refuse::<()>(format!("Stripe cannot charge less than {least}"));
    }
    Some(minor)
}

fn read_pack_refunds(node: &Node<'_>) -> Option<PackRefunds> {
    Some(if node.boolean()? { PackRefunds::Given } else { PackRefunds::Refused })
}

fn check_range(
    table: &TomlTable<'_>,
    coinage: &Coinage,
    settings: PaymentSettings,
) -> Option<PaymentSettings> {
    let (smallest, largest) = (settings.minor_min, settings.minor_max);
    if smallest <= largest {
        return Some(settings);
    }
    let (smallest, largest) = (coinage.show(smallest), coinage.show(largest));
    table.refuse(format!("the smallest payment, {smallest}, is more than the largest, {largest}"))
}

/// A small number, such as of days.
pub(super) fn days(node: &Node<'_>, least: i64, most: i64) -> Option<u16> {
    node.integer(least..=most).and_then(|number| u16::try_from(number).ok())
}

/// True or false, in the file or from a setting: `{ setting = "NAME", default = true }`.
fn switch(node: &Node<'_>) -> Option<bool> {
    if node.value.is_bool() {
        return node.boolean();
    }
    let table = node.table(&["setting", "default"])?;
    let default = table.required("default").and_then(|node| node.boolean());
    let name = table.required("setting").and_then(|node| node.text());
    let (default, name) = (default?, name?);
    let Some(value) = node.reading.setting(name) else { return Some(default) };
    match value.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        other => {
            let message = unknown("value", other, &["true", "false"]);
            node.reading.report(&node.place, MistakeCause::Setting, format!("setting {name}: {message}"));
            None
        }
    }
}

/// Which prices are allowed, and whether anything is sold at all.
pub(super) struct PriceTerms {
    pub coinage: Coinage,
    pub payments: PaymentSettings,
}

impl PriceTerms {
    /// A price that can be paid: zero, or within the bounds of payments.
    pub fn price(&self, node: &Node<'_>) -> Option<Money> {
        let price = self.coinage.price(node)?;
        if price.minor > 0 {
            self.check_payment(node, None, price.minor);
        }
        Some(price)
    }

    /// Reports an amount that is too small or too large for one payment.
    /// `what` names what costs that, if the path does not.
    pub fn check_payment(&self, node: &Node<'_>, what: Option<&str>, minor: i64) {
        let (smallest, largest) = (self.payments.minor_min, self.payments.minor_max);
        let what = what.map(|what| format!("{what}: ")).unwrap_or_default();
        if minor < smallest {
            let smallest = self.coinage.show(smallest);
            let message = format!("{what}too small; the smallest payment is {smallest} (payments.smallest)");
            node.refuse::<()>(message);
        }
        if minor > largest {
            let largest = self.coinage.show(largest);
            node.refuse::<()>(format!(
                "{what}too large; the largest payment is {largest} (payments.largest)"
            ));
        }
    }
}
