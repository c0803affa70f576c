//! What is the rest of a period worth? It is counted in seconds, and rounded half away from zero.
//!
//! In the classic billing mode, a credit is worth what the item costs now.
//! In the flexible billing mode, it is worth what was charged: each debit has a credit of its own for the time that is
//! credited, and time that was not charged is not credited.

use super::discounting;
use crate::{
    calendar,
    failure::SandboxFailure,
    ids,
    money::{self, share},
    state::SandboxState,
    store::{
        invoice::InvoiceStatus,
        line::{Credited, SandboxInvoiceLine},
        price::SandboxPrice,
        subscription::{SandboxSubscription, SubscriptionItem},
    },
};

/// A line for a whole period of an item.
pub fn period_line(
    state: &SandboxState,
    subscription: &SandboxSubscription,
    item: &SubscriptionItem,
    period: (i64, i64),
) -> Result<SandboxInvoiceLine, SandboxFailure> {
    let price = state.store.prices.get(&item.price)?;
    let amount = price.unit_amount.saturating_mul(item.quantity);
    let description = regular(state, item, price);
    Ok(plain(line(subscription, item, price, amount, period, description)))
}

/// A share of a period that is no proration: until the first anchor, or until an end within the period.
pub fn stub_line(
    state: &SandboxState,
    subscription: &SandboxSubscription,
    item: &SubscriptionItem,
    period: (i64, i64),
) -> Result<SandboxInvoiceLine, SandboxFailure> {
    let whole = whole_period(state, subscription, item)?;
    let price = state.store.prices.get(&item.price)?;
    let cost = price.unit_amount.saturating_mul(item.quantity);
    let amount = share(cost, period.1.saturating_sub(period.0), whole);
    let description = regular(state, item, price);
    Ok(plain(line(subscription, item, price, amount, period, description)))
}

/// A line for a trial, which costs nothing.
pub fn trial_line(
    state: &SandboxState,
    subscription: &SandboxSubscription,
    item: &SubscriptionItem,
    period: (i64, i64),
) -> Result<SandboxInvoiceLine, SandboxFailure> {
    let price = state.store.prices.get(&item.price)?;
    let name = name_of(state, price);
    let description = if subscription.flexible {
        format!("Free trial for {} × {name}", item.quantity)
    } else {
        format!("Trial period for {name}")
    };
    Ok(plain(line(subscription, item, price, 0, period, description)))
}

/// A line for a single sale with the subscription.
pub fn single_line(
    state: &SandboxState,
    subscription: &SandboxSubscription,
    price: &str,
    quantity: i64,
) -> Result<SandboxInvoiceLine, SandboxFailure> {
    let price = state.store.prices.get(price).map_err(|failure| failure.status(400))?;
    Ok(SandboxInvoiceLine {
        id: format!("il_{}", ids::letters(24)),
        amount: price.unit_amount.saturating_mul(quantity),
        currency: price.currency.clone(),
        description: name_of(state, price),
        quantity,
        period: (state.store.now, state.store.now),
        price: price.id.clone(),
        product: price.product.clone(),
        unit_amount: price.unit_amount,
        subscription: Some(subscription.id.clone()),
        subscription_item: None,
        invoice_item: Some(format!("ii_{}", ids::letters(24))),
        proration: false,
        credited: None,
        given_back_from: None,
        discounts: Vec::new(),
        metadata: Default::default(),
    })
}

/// The charge for `span`, the rest of a period.
pub fn debit_line(
    state: &SandboxState,
    subscription: &SandboxSubscription,
    item: &SubscriptionItem,
    span: (i64, i64),
) -> Result<SandboxInvoiceLine, SandboxFailure> {
    let whole = whole_period(state, subscription, item)?;
    let price = state.store.prices.get(&item.price)?;
    let cost = price.unit_amount.saturating_mul(item.quantity);
    let cost = discounting::discounted(state, subscription, &item.id, cost);
    let amount = share(cost, span.1.saturating_sub(span.0), whole);
    let name = counted(state, subscription, item.quantity, price);
    let description = format!("Remaining time on {name} after {}", calendar::day(span.0));
    Ok(line(subscription, item, price, amount, span, description))
}

/// The credits of an item for the time of `span`.
pub fn credit_lines(
    state: &SandboxState,
    subscription: &SandboxSubscription,
    item: &SubscriptionItem,
    span: (i64, i64),
) -> Result<Vec<SandboxInvoiceLine>, SandboxFailure> {
    let debits = debits(state, subscription, item, span);
    if subscription.flexible {
        return debits.iter().map(|debit| credit_of(state, subscription, item, debit, span)).collect();
    }
    let whole = whole_period(state, subscription, item)?;
    let price = state.store.prices.get(&item.price)?;
    let cost = last_cost(&debits, item).unwrap_or_else(|| {
        discounting::discounted(
            state,
            subscription,
            &item.id,
            price.unit_amount.saturating_mul(item.quantity),
        )
    });
    let amount = share(cost, span.1.saturating_sub(span.0), whole).saturating_neg();
    let description = unused(&counted(state, subscription, item.quantity, price), span.0);
    let invoice = debits.last().and_then(|(_, invoice)| invoice.clone());
    let of_it = debits.iter().filter(|(_, other)| *other == invoice);
    let lines = of_it.map(|(debit, _)| debit.id.clone()).collect();
    let mut credit = line(subscription, item, price, amount, span, description);
    credit.credited = Some(Credited { invoice, lines });
    Ok(vec![credit])
}

/// What the item, as it is now, cost when it was last charged, after the discounts of that time.
fn last_cost(debits: &[(SandboxInvoiceLine, Option<String>)], item: &SubscriptionItem) -> Option<i64> {
    let same = |line: &&SandboxInvoiceLine| {
        !line.proration && line.price == item.price && line.quantity == item.quantity
    };
    let whole = debits.iter().map(|(line, _)| line).rfind(same)?;
    (whole.period == (item.period_start, item.period_end)).then(|| whole.net())
}

fn credit_of(
    state: &SandboxState,
    subscription: &SandboxSubscription,
    item: &SubscriptionItem,
    (debit, invoice): &(SandboxInvoiceLine, Option<String>),
    span: (i64, i64),
) -> Result<SandboxInvoiceLine, SandboxFailure> {
    let price = state.store.prices.get(&debit.price)?;
    let period = (span.0.max(debit.period.0), span.1.min(debit.covered_until()));
    let whole = debit.period.1.saturating_sub(debit.period.0);
    let amount = share(debit.net(), period.1.saturating_sub(period.0), whole).saturating_neg();
    let description = unused(&counted(state, subscription, debit.quantity, price), period.0);
    let mut credit = line(subscription, item, price, amount, period, description);
    credit.quantity = debit.quantity;
    credit.credited = Some(Credited { invoice: invoice.clone(), lines: vec![debit.id.clone()] });
    Ok(credit)
}

/// The debits for the time of `span` that have not been credited, from the oldest.
fn debits(
    state: &SandboxState,
    subscription: &SandboxSubscription,
    item: &SubscriptionItem,
    span: (i64, i64),
) -> Vec<(SandboxInvoiceLine, Option<String>)> {
    let of_it = |line: &&SandboxInvoiceLine| {
        line.subscription_item.as_deref() == Some(&item.id)
            && line.credited.is_none()
            && line.period.0.max(span.0) < line.covered_until().min(span.1)
    };
    let asked = state.store.invoices.iter().filter(|invoice| {
        invoice.subscription.as_deref() == Some(&subscription.id) && invoice.status != InvoiceStatus::Void
    });
    let asked = asked.flat_map(|invoice| {
        invoice.lines.iter().filter(of_it).map(|line| (line.clone(), Some(invoice.id.clone())))
    });
    let waiting = subscription.pending.iter().filter(of_it).map(|line| (line.clone(), None));
    asked.chain(waiting).collect()
}

/// Marks the debits of `credits` as credited, so that nothing is credited twice.
pub fn note_credits(
    state: &mut SandboxState,
    subscription: &str,
    credits: &[SandboxInvoiceLine],
) -> Result<(), SandboxFailure> {
    for credit in credits {
        let Some(credited) = &credit.credited else { continue };
        let give_back = |line: &mut SandboxInvoiceLine| {
            if credited.lines.contains(&line.id) {
                line.given_back_from = Some(credit.period.0);
            }
        };
        state.store.subscriptions.get_mut(subscription)?.pending.iter_mut().for_each(give_back);
        if let Some(invoice) = &credited.invoice {
            state.store.invoices.get_mut(invoice)?.lines.iter_mut().for_each(give_back);
        }
    }
    Ok(())
}

/// The full length of an item's period in seconds, even if the period is cut short.
fn whole_period(
    state: &SandboxState,
    subscription: &SandboxSubscription,
    item: &SubscriptionItem,
) -> Result<i64, SandboxFailure> {
    let recurring = state.store.prices.get(&item.price)?.recurring;
    let whole = recurring.map(|recurring| {
        let anchor = subscription.billing_cycle_anchor;
        let end = calendar::period_end(anchor, recurring, item.period_end.saturating_sub(1));
        end.saturating_sub(calendar::period_start(anchor, recurring, end))
    });
    Ok(whole.unwrap_or_else(|| item.period_end.saturating_sub(item.period_start)))
}

fn line(
    subscription: &SandboxSubscription,
    item: &SubscriptionItem,
    price: &SandboxPrice,
    amount: i64,
    period: (i64, i64),
    description: String,
) -> SandboxInvoiceLine {
    SandboxInvoiceLine {
        id: format!("il_{}", ids::letters(24)),
        amount,
        currency: price.currency.clone(),
        description,
        quantity: item.quantity,
        period,
        price: price.id.clone(),
        product: price.product.clone(),
        unit_amount: price.unit_amount,
        subscription: Some(subscription.id.clone()),
        subscription_item: Some(item.id.clone()),
        invoice_item: Some(format!("ii_{}", ids::letters(24))),
        proration: true,
        credited: None,
        given_back_from: None,
        discounts: Vec::new(),
        metadata: subscription.metadata.clone(),
    }
}

/// A line of the subscription itself, which was not an invoice item.
fn plain(line: SandboxInvoiceLine) -> SandboxInvoiceLine {
    SandboxInvoiceLine { proration: false, invoice_item: None, ..line }
}

/// The line as a proration, which is an invoice item of its own.
pub fn proration_of(line: SandboxInvoiceLine) -> SandboxInvoiceLine {
    SandboxInvoiceLine { proration: true, invoice_item: Some(format!("ii_{}", ids::letters(24))), ..line }
}

fn regular(state: &SandboxState, item: &SubscriptionItem, price: &SandboxPrice) -> String {
    let each = money::shown(price.unit_amount, &price.currency);
    format!("{} × {} (at {each} / {})", item.quantity, name_of(state, price), interval_of(price))
}

fn unused(name: &str, from: i64) -> String {
    format!("Unused time on {name} after {}", calendar::day(from))
}

/// The product's name with the quantity, which the classic mode omits if it is 1.
fn counted(
    state: &SandboxState,
    subscription: &SandboxSubscription,
    quantity: i64,
    price: &SandboxPrice,
) -> String {
    let name = name_of(state, price);
    if quantity == 1 && !subscription.flexible { name } else { format!("{quantity} × {name}") }
}

fn name_of(state: &SandboxState, price: &SandboxPrice) -> String {
    state
        .store
        .products
        .find(&price.product)
        .map_or_else(|| price.product.clone(), |product| product.name.clone())
}

fn interval_of(price: &SandboxPrice) -> &'static str {
    price.recurring.map_or("once", |recurring| recurring.interval.as_str())
}
