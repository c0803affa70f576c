//! What would a change of a subscription cost? It is calculated line by line, and not applied.

use super::{
    changing::{self, Planned, Proration, SubscriptionUpdate},
    proration::{credit_lines, debit_line, period_line, proration_of, trial_line},
};
use crate::{
    calendar,
    failure::SandboxFailure,
    state::SandboxState,
    store::{
        line::SandboxInvoiceLine,
        subscription::{SandboxSubscription, SandboxSubscriptionStatus, SubscriptionItem},
    },
};

pub fn plan_change(
    state: &mut SandboxState,
    id: &str,
    wish: &SubscriptionUpdate,
) -> Result<Planned, SandboxFailure> {
    let before = state.store.subscriptions.get(id)?.clone();
    let mut after = before.clone();
    for change in &wish.changes {
        changing::change_item(state, &mut after, change)?;
    }
    if after.items.is_empty() {
        return Err(
            SandboxFailure::invalid("A subscription must have at least one active plan.").param("items")
        );
    }
    let trial = before.status == SandboxSubscriptionStatus::Trialing;
    let (lines, restarts) = if let Some(end) = wish.trial_end {
        (begin_trial(state, &before, &mut after, end, wish)?, !trial)
    } else if trial && wish.ends_trial {
        (end_trial(state, &before, &mut after, wish)?, true)
    } else if trial {
        (change_in_trial(state, &before, &after, wish)?, false)
    } else if wish.restart || (!before.flexible && resets(state, &before, &after)?) {
        (restart(state, &before, &mut after, wish)?, true)
    } else {
        (change_in_period(state, &before, &mut after, wish)?, false)
    };
    let mut planned = Planned { after, lines, restarts };
    if let Some(cancel_at) = wish.cancel_at {
        cut(state, &before, &mut planned, cancel_at, wish.proration)?;
    }
    Ok(planned)
}

/// Credits for all items before the change, and the lines of a new period.
fn restart(
    state: &mut SandboxState,
    before: &SandboxSubscription,
    after: &mut SandboxSubscription,
    wish: &SubscriptionUpdate,
) -> Result<Vec<SandboxInvoiceLine>, SandboxFailure> {
    let mut lines = credits(state, before, &before.items, wish)?;
    begin_now(state, after)?;
    for item in &after.items {
        let line = period_line(state, after, item, (item.period_start, item.period_end))?;
        // In the flexible mode, a charge because the anchor moved may be a proration. In the classic mode it is not.
        let proration = before.flexible && state.anchor_debits_are_prorations;
        lines.push(if proration { proration_of(line) } else { line });
    }
    Ok(lines)
}

fn begin_now(state: &SandboxState, row: &mut SandboxSubscription) -> Result<(), SandboxFailure> {
    let now = state.store.now;
    row.billing_cycle_anchor = now;
    for item in &mut row.items {
        let recurring = state.store.prices.get(&item.price)?.recurring;
        item.period_start = now;
        item.period_end =
            recurring.map_or(item.period_end, |recurring| calendar::period_end(now, recurring, now));
    }
    Ok(())
}

fn credits(
    state: &SandboxState,
    before: &SandboxSubscription,
    items: &[SubscriptionItem],
    wish: &SubscriptionUpdate,
) -> Result<Vec<SandboxInvoiceLine>, SandboxFailure> {
    let mut lines = Vec::new();
    for item in items.iter().filter(|_| wish.proration != Proration::Never) {
        let end = item.period_end;
        lines.extend(credit_lines(state, before, item, (wish.at.min(end), end))?);
    }
    Ok(lines)
}

fn change_in_period(
    state: &mut SandboxState,
    before: &SandboxSubscription,
    after: &mut SandboxSubscription,
    wish: &SubscriptionUpdate,
) -> Result<Vec<SandboxInvoiceLine>, SandboxFailure> {
    let mut lines = Vec::new();
    for item in &before.items {
        let now = after.items.iter_mut().find(|other| other.id == item.id);
        if now.as_ref().is_some_and(|now| now.price == item.price && now.quantity == item.quantity) {
            continue;
        }
        lines.extend(credits(state, before, std::slice::from_ref(item), wish)?);
        let Some(now) = now else { continue };
        keep_anchor(state, before, item, now)?;
        lines.extend(debit(state, after, &item.id, wish)?);
    }
    let known = |item: &&SubscriptionItem| before.items.iter().any(|other| other.id == item.id);
    let added: Vec<String> =
        after.items.iter().filter(|item| !known(item)).map(|item| item.id.clone()).collect();
    for id in added {
        lines.extend(debit(state, after, &id, wish)?);
    }
    Ok(lines)
}

/// Counts the period of another interval from the unchanged anchor.
fn keep_anchor(
    state: &SandboxState,
    before: &SandboxSubscription,
    old: &SubscriptionItem,
    now: &mut SubscriptionItem,
) -> Result<(), SandboxFailure> {
    let (was, is) =
        (state.store.prices.get(&old.price)?.recurring, state.store.prices.get(&now.price)?.recurring);
    if let Some(recurring) = is.filter(|_| was != is) {
        let anchor = before.billing_cycle_anchor;
        now.period_end = calendar::period_end(anchor, recurring, state.store.now);
        now.period_start = calendar::period_start(anchor, recurring, now.period_end);
    }
    Ok(())
}

fn debit(
    state: &SandboxState,
    after: &SandboxSubscription,
    item: &str,
    wish: &SubscriptionUpdate,
) -> Result<Option<SandboxInvoiceLine>, SandboxFailure> {
    let item = after.items.iter().find(|other| other.id == item);
    let Some(item) = item.filter(|_| wish.proration != Proration::Never) else { return Ok(None) };
    debit_line(state, after, item, (wish.at.min(item.period_end), item.period_end)).map(Some)
}

/// The lines of a change within a trial. They are made in the flexible mode only, and cost nothing.
fn change_in_trial(
    state: &mut SandboxState,
    before: &SandboxSubscription,
    after: &SandboxSubscription,
    wish: &SubscriptionUpdate,
) -> Result<Vec<SandboxInvoiceLine>, SandboxFailure> {
    let mut lines = Vec::new();
    if !before.flexible || wish.proration == Proration::Never {
        return Ok(lines);
    }
    for item in &before.items {
        let now = after.items.iter().find(|other| other.id == item.id);
        if now.is_none_or(|now| now.price != item.price || now.quantity != item.quantity) {
            lines.extend(credits(state, before, std::slice::from_ref(item), wish)?);
        }
    }
    for item in &after.items {
        let same = |other: &&SubscriptionItem| {
            other.id == item.id && other.price == item.price && other.quantity == item.quantity
        };
        if !before.items.iter().any(|other| same(&other)) {
            lines.push(proration_of(trial_line(state, after, item, (wish.at, item.period_end))?));
        }
    }
    Ok(lines)
}

fn end_trial(
    state: &mut SandboxState,
    before: &SandboxSubscription,
    after: &mut SandboxSubscription,
    wish: &SubscriptionUpdate,
) -> Result<Vec<SandboxInvoiceLine>, SandboxFailure> {
    let mut lines = if before.flexible { credits(state, before, &before.items, wish)? } else { Vec::new() };
    after.status = SandboxSubscriptionStatus::Active;
    after.trial_end = Some(state.store.now);
    begin_now(state, after)?;
    for item in &after.items {
        lines.push(period_line(state, after, item, (item.period_start, item.period_end))?);
    }
    Ok(lines)
}

/// Begins a trial in place of the paid period, or extends a trial.
fn begin_trial(
    state: &mut SandboxState,
    before: &SandboxSubscription,
    after: &mut SandboxSubscription,
    end: i64,
    wish: &SubscriptionUpdate,
) -> Result<Vec<SandboxInvoiceLine>, SandboxFailure> {
    let running = before.status == SandboxSubscriptionStatus::Trialing;
    let now = state.store.now;
    after.status = SandboxSubscriptionStatus::Trialing;
    after.trial_start = match before.trial_start {
        Some(start) if running || !before.flexible => Some(start),
        Some(_) | None => Some(now),
    };
    after.trial_end = Some(end);
    after.trial_end_told = false;
    after.billing_cycle_anchor = end;
    for item in &mut after.items {
        item.period_start = if running { item.period_start } else { now };
        item.period_end = end;
    }
    if running {
        return Ok(Vec::new());
    }
    let mut lines = credits(state, before, &before.items, wish)?;
    for item in &after.items {
        lines.push(trial_line(state, after, item, (now, end))?);
    }
    Ok(lines)
}

/// Changes the end of a subscription.
/// An end within the period credits the time after it, and a later end charges that time again.
fn cut(
    state: &mut SandboxState,
    before: &SandboxSubscription,
    planned: &mut Planned,
    cancel_at: Option<i64>,
    proration: Proration,
) -> Result<(), SandboxFailure> {
    if planned.restarts || before.status == SandboxSubscriptionStatus::Trialing {
        return Ok(());
    }
    let items = planned.after.items.clone();
    for item in &items {
        let recurring = state.store.prices.get(&item.price)?.recurring;
        let whole = recurring
            .map(|recurring| calendar::period_end(before.billing_cycle_anchor, recurring, item.period_start));
        let whole = whole.unwrap_or(item.period_end);
        let until = |at: Option<i64>| at.map_or(whole, |at| at.min(whole));
        let (was, is) = (until(before.cancel_at), until(cancel_at));
        if !before.flexible {
            let rows = planned.after.items.iter_mut().filter(|row| row.id == item.id);
            rows.for_each(|row| row.period_end = is);
        }
        if proration == Proration::Never || was == is {
            continue;
        }
        if is < was {
            planned.lines.extend(credit_lines(state, before, item, (is, was))?);
        } else {
            planned.lines.push(debit_line(state, before, item, (was, is))?);
        }
    }
    Ok(())
}

/// Whether a change begins a new period in the classic mode: by another interval, or the first price above 0.
fn resets(
    state: &SandboxState,
    before: &SandboxSubscription,
    after: &SandboxSubscription,
) -> Result<bool, SandboxFailure> {
    let (Some(old), Some(new)) = (before.items.first(), after.items.first()) else {
        return Ok(false);
    };
    let differs =
        state.store.prices.get(&old.price)?.recurring != state.store.prices.get(&new.price)?.recurring;
    let costs = |row: &SandboxSubscription| -> Result<bool, SandboxFailure> {
        let amounts =
            row.items.iter().map(|item| state.store.prices.get(&item.price).map(|price| price.unit_amount));
        Ok(amounts.collect::<Result<Vec<i64>, SandboxFailure>>()?.iter().any(|amount| *amount > 0))
    };
    Ok(differs || (!costs(before)? && costs(after)?))
}
