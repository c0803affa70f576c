//! What happens when a phase of a schedule ends? The next phase begins, or the subscription is released or ends.

use super::{
    changing::{self, ItemAmendment, PaymentBehavior, Proration, SubscriptionUpdate},
    ending::{self, CancellationDetails},
    planning, schedules,
};
use crate::{
    failure::SandboxFailure,
    objects::Shown,
    state::SandboxState,
    store::{
        schedule::{SchedulePhase, ScheduleStatus, SubscriptionSchedule},
        subscription::{SandboxSubscription, SubscriptionItem},
    },
};

/// What a boundary of phases does to the schedule and its subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtBoundary {
    /// There is no schedule, or its current phase goes on.
    Nothing,
    /// The next phase has begun.
    Moved,
    /// The last phase needs no schedule any more, or has ended: the schedule is released.
    Over,
    /// The subscription ends.
    Ends,
}

/// Changes the phases of a schedule. The current phase is applied at once.
pub fn change_schedule(
    state: &mut SandboxState,
    id: &str,
    proration: Proration,
    change: impl FnOnce(&mut SubscriptionSchedule),
) -> Result<(), SandboxFailure> {
    let before = schedules::active_schedule(state, id)?.render(&state.store);
    let now = state.store.now;
    let row = state.store.schedules.get_mut(id)?;
    change(row);
    let begun = row.phases.iter().rposition(|phase| phase.start <= now);
    row.place = begun.unwrap_or(0);
    let row = row.clone();
    let subscription = row.subscription.clone().unwrap_or_default();
    let after = row.render(&state.store);
    state.emit_change("subscription_schedule.updated", &before, after);
    if let Some(phase) = row.current() {
        apply_phase(state, &subscription, phase, proration)?;
    }
    let ends = row.phases.last().and_then(|phase| phase.end);
    let ends = ends.filter(|_| row.end_behavior == "cancel");
    let ended_before = before.get("end_behavior").is_some_and(|behavior| behavior == "cancel");
    if ends.is_some() || ended_before {
        state.change_subscription(&subscription, |row| {
            row.cancel_at = ends;
            row.canceled_at = ends.map(|_| now);
        })?;
    }
    Ok(())
}

/// Enters the next phase at the end of a period, and sets the items of the next period.
pub fn enter_phase(
    state: &mut SandboxState,
    row: &mut SandboxSubscription,
    boundary: i64,
) -> Result<AtBoundary, SandboxFailure> {
    let Some(id) = row.schedule.clone() else { return Ok(AtBoundary::Nothing) };
    let schedule = state.store.schedules.get(&id)?.clone();
    if schedule.due().is_none_or(|end| end > boundary) {
        return Ok(AtBoundary::Nothing);
    }
    let Some(next) = schedule.next() else {
        return Ok(if schedule.end_behavior == "cancel" { AtBoundary::Ends } else { AtBoundary::Over });
    };
    state.store.schedules.get_mut(&id)?.place = schedule.place.saturating_add(1);
    row.metadata.extend(next.metadata.clone());
    row.items = items_of_phase(state, row, next)?;
    Ok(if next.end.is_none() { AtBoundary::Over } else { AtBoundary::Moved })
}

fn items_of_phase(
    state: &mut SandboxState,
    row: &SandboxSubscription,
    phase: &SchedulePhase,
) -> Result<Vec<SubscriptionItem>, SandboxFailure> {
    let changes = changes_of_phase(row, phase);
    let mut after = row.clone();
    for change in &changes {
        changing::change_item(state, &mut after, change)?;
    }
    Ok(after.items)
}

/// Items whose price stays are kept. Of the others, each new item replaces an old one.
fn changes_of_phase(row: &SandboxSubscription, phase: &SchedulePhase) -> Vec<ItemAmendment> {
    let stays = |item: &&SubscriptionItem| phase.items.iter().any(|wanted| wanted.price == item.price);
    let mut leaving: Vec<&SubscriptionItem> = row.items.iter().filter(|item| !stays(item)).collect();
    leaving.reverse();
    let mut changes = Vec::new();
    for wanted in &phase.items {
        let same = row.items.iter().find(|item| item.price == wanted.price);
        let taken = same.or_else(|| leaving.pop());
        changes.push(ItemAmendment {
            item: taken.map(|item| item.id.clone()),
            price: Some(wanted.price.clone()),
            quantity: Some(wanted.quantity),
            metadata: (!wanted.metadata.is_empty()).then(|| wanted.metadata.clone()),
            deleted: false,
        });
    }
    let gone = leaving.into_iter().map(|item| ItemAmendment {
        item: Some(item.id.clone()),
        price: None,
        quantity: None,
        metadata: None,
        deleted: true,
    });
    changes.extend(gone);
    changes
}

/// Applies a phase within a period. The difference is charged as for any other change.
fn apply_phase(
    state: &mut SandboxState,
    subscription: &str,
    phase: &SchedulePhase,
    proration: Proration,
) -> Result<(), SandboxFailure> {
    let row = state.store.subscriptions.get(subscription)?.clone();
    let changes = changes_of_phase(&row, phase);
    let wish = SubscriptionUpdate::new(changes, proration, state.store.now);
    let mut planned = planning::plan_change(state, subscription, &wish)?;
    planned.after.metadata.extend(phase.metadata.clone());
    changing::apply_change(state, planned, proration, PaymentBehavior::default())
}

/// Ends a phase within a period.
pub fn end_phase(state: &mut SandboxState, id: &str) -> Result<(), SandboxFailure> {
    let schedule = state.store.schedules.get(id)?.clone();
    let subscription = schedule.subscription.clone().unwrap_or_default();
    let Some(next) = schedule.next() else {
        let cancels = schedule.end_behavior == "cancel";
        return finish_schedule(state, id, if cancels { AtBoundary::Ends } else { AtBoundary::Over });
    };
    state.store.schedules.get_mut(id)?.place = schedule.place.saturating_add(1);
    apply_phase(state, &subscription, next, Proration::parse(Some(&next.proration_behavior)))?;
    let at = if next.end.is_none() { AtBoundary::Over } else { AtBoundary::Moved };
    tell_phase(state, id, &schedule)?;
    finish_schedule(state, id, at)
}

/// Emits the change of a schedule at a boundary.
pub fn tell_phase(
    state: &mut SandboxState,
    id: &str,
    before: &SubscriptionSchedule,
) -> Result<(), SandboxFailure> {
    let before = before.render(&state.store);
    let after = state.store.schedules.get(id)?.render(&state.store);
    state.emit_change("subscription_schedule.updated", &before, after);
    Ok(())
}

pub fn finish_schedule(state: &mut SandboxState, id: &str, at: AtBoundary) -> Result<(), SandboxFailure> {
    match at {
        AtBoundary::Nothing | AtBoundary::Moved => Ok(()),
        AtBoundary::Over => schedules::release_schedule(state, id),
        AtBoundary::Ends => {
            let subscription = state.store.schedules.get(id)?.subscription.clone().unwrap_or_default();
            schedules::cancel_schedule(state, id, ScheduleStatus::Completed)?;
            ending::end_subscription(
                state,
                &subscription,
                "cancellation_requested",
                CancellationDetails::default(),
            )
        }
    }
}
