//! How does a subscription get a schedule, and how is it released?

use crate::{
    call::ObjectMetadata,
    failure::SandboxFailure,
    objects::Shown,
    state::SandboxState,
    store::{
        schedule::{SchedulePhase, SchedulePhaseItem, ScheduleStatus, SubscriptionSchedule},
        subscription::{SandboxSubscription, SubscriptionItem},
    },
};

/// Makes a schedule for a subscription. Its only phase is the current period.
pub fn schedule_subscription(
    state: &mut SandboxState,
    subscription: &str,
    metadata: ObjectMetadata,
) -> Result<String, SandboxFailure> {
    begin_schedule(state, subscription, metadata, Vec::new())
}

/// Schedules other items for the end of the current period, as the portal does.
pub fn schedule_change(
    state: &mut SandboxState,
    subscription: &str,
    items: Vec<SchedulePhaseItem>,
) -> Result<String, SandboxFailure> {
    let start = state.store.subscriptions.get(subscription)?.period_end();
    let next = SchedulePhase {
        start,
        end: None,
        items,
        proration_behavior: "none".to_owned(),
        metadata: ObjectMetadata::new(),
    };
    begin_schedule(state, subscription, ObjectMetadata::new(), vec![next])
}

fn begin_schedule(
    state: &mut SandboxState,
    subscription: &str,
    metadata: ObjectMetadata,
    later: Vec<SchedulePhase>,
) -> Result<String, SandboxFailure> {
    let row = state.store.subscriptions.get(subscription).map_err(|failure| failure.status(400))?.clone();
    if row.status.has_ended() {
        return Err(SandboxFailure::invalid(
            "You cannot migrate a subscription that has ended to a schedule.",
        ));
    }
    if let Some(other) = &row.schedule {
        let message =
            format!("You cannot migrate a subscription that is already attached to a schedule: `{other}`.");
        return Err(SandboxFailure::invalid(message).param("from_subscription"));
    }
    let id = state.store.ids.make("sub_sched");
    let mut phases = vec![present(&row)];
    phases.extend(later);
    state.store.schedules.put(SubscriptionSchedule {
        id: id.clone(),
        created: state.store.now,
        customer: row.customer.clone(),
        currency: row.currency.clone(),
        flexible: row.flexible,
        status: ScheduleStatus::Active,
        subscription: Some(subscription.to_owned()),
        released_subscription: None,
        phases,
        end_behavior: "release".to_owned(),
        metadata,
        released_at: None,
        completed_at: None,
        canceled_at: None,
        place: 0,
    });
    emit_schedule(state, "subscription_schedule.created", &id)?;
    state.change_subscription(subscription, |row| row.schedule = Some(id.clone()))?;
    Ok(id)
}

pub fn active_schedule<'a>(
    state: &'a SandboxState,
    id: &str,
) -> Result<&'a SubscriptionSchedule, SandboxFailure> {
    let row = state.store.schedules.get(id)?;
    if row.status == ScheduleStatus::Active {
        return Ok(row);
    }
    let message = format!(
        "You can only do this with a subscription schedule that is `active`; this one is `{}`.",
        row.status.as_str()
    );
    Err(SandboxFailure::invalid(message))
}

/// Releases a schedule: the subscription continues without it.
pub fn release_schedule(state: &mut SandboxState, id: &str) -> Result<(), SandboxFailure> {
    let subscription = active_schedule(state, id)?.subscription.clone().unwrap_or_default();
    let now = state.store.now;
    let row = state.store.schedules.get_mut(id)?;
    row.status = ScheduleStatus::Released;
    row.released_at = Some(now);
    row.released_subscription = row.subscription.take();
    let cancels = row.end_behavior == "cancel";
    emit_schedule(state, "subscription_schedule.released", id)?;
    state.change_subscription(&subscription, |row| {
        row.schedule = None;
        if cancels {
            row.cancel_at = None;
            row.canceled_at = None;
        }
    })
}

/// Ends a schedule, because its subscription has ended or is about to end.
pub fn cancel_schedule(
    state: &mut SandboxState,
    id: &str,
    status: ScheduleStatus,
) -> Result<(), SandboxFailure> {
    let now = state.store.now;
    let row = state.store.schedules.get_mut(id)?;
    if row.status != ScheduleStatus::Active {
        return Ok(());
    }
    row.status = status;
    let kind = if status == ScheduleStatus::Completed {
        row.completed_at = Some(now);
        "subscription_schedule.completed"
    } else {
        row.canceled_at = Some(now);
        "subscription_schedule.canceled"
    };
    emit_schedule(state, kind, id)
}

fn emit_schedule(state: &mut SandboxState, kind: &str, id: &str) -> Result<(), SandboxFailure> {
    let object = state.store.schedules.get(id)?.render(&state.store);
    state.emit(kind, object);
    Ok(())
}

/// The current period of a subscription, as a phase.
fn present(row: &SandboxSubscription) -> SchedulePhase {
    let item = |item: &SubscriptionItem| SchedulePhaseItem {
        price: item.price.clone(),
        quantity: item.quantity,
        metadata: item.metadata.clone(),
    };
    SchedulePhase {
        start: row.period_start(),
        end: Some(row.period_end()),
        items: row.items.iter().map(item).collect(),
        proration_behavior: "create_prorations".to_owned(),
        metadata: ObjectMetadata::new(),
    }
}
