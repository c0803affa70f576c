//! What happens when the phase of a schedule ends? The next one begins, or the subscription goes on alone, or it ends.

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

use super::{
    changing::{ItemAmendment, PaymentBehavior, Proration, SubscriptionUpdate},
    ending::CancellationDetails,
};

/// What is done with a subscription when its schedule is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtBoundary {
    /// There is no schedule, or it has nothing to do yet.
    Nothing,
    /// It is in its next phase.
    Moved,
    /// It is in its last phase, which needs no schedule any more; or after it.
    Over,
    /// The subscription is to end.
    Ends,
}

impl SandboxState {
    /// Takes a subscription under a schedule whose only phase is its present period.
    pub fn schedule_subscription(
        &mut self,
        subscription: &str,
        metadata: ObjectMetadata,
    ) -> Result<String, SandboxFailure> {
        let id = self.begin_schedule(subscription, metadata, Vec::new())?;
        Ok(id)
    }

    /// As the portal does: the present period as it is, and from its end on something else.
    pub fn schedule_change(
        &mut self,
        subscription: &str,
        items: Vec<SchedulePhaseItem>,
    ) -> Result<String, SandboxFailure> {
        let start = self.store.subscriptions.get(subscription)?.period_end();
        let next = SchedulePhase {
            start,
            end: None,
            items,
            proration_behavior: "none".to_owned(),
            metadata: ObjectMetadata::new(),
        };
        self.begin_schedule(subscription, ObjectMetadata::new(), vec![next])
    }

    fn begin_schedule(
        &mut self,
        subscription: &str,
        metadata: ObjectMetadata,
        later: Vec<SchedulePhase>,
    ) -> Result<String, SandboxFailure> {
        let row = self.store.subscriptions.get(subscription).map_err(|failure| failure.status(400))?.clone();
        if row.status.has_ended() {
            return Err(SandboxFailure::invalid(
                "You cannot migrate a subscription that has ended to a schedule.",
            ));
        }
        if let Some(other) = &row.schedule {
            let message = format!(
                "You cannot migrate a subscription that is already attached to a schedule: `{other}`."
            );
            return Err(SandboxFailure::invalid(message).param("from_subscription"));
        }
        let id = self.store.ids.make("sub_sched");
        let mut phases = vec![present(&row)];
        phases.extend(later);
        self.store.schedules.put(SubscriptionSchedule {
            id: id.clone(),
            created: self.store.now,
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
        self.emit_schedule("subscription_schedule.created", &id)?;
        self.change_subscription(subscription, |row| row.schedule = Some(id.clone()))?;
        Ok(id)
    }

    /// Other phases. What the present one says holds at once.
    pub fn change_schedule(
        &mut self,
        id: &str,
        proration: Proration,
        change: impl FnOnce(&mut SubscriptionSchedule),
    ) -> Result<(), SandboxFailure> {
        let before = self.active_schedule(id)?.render(&self.store);
        let now = self.store.now;
        let row = self.store.schedules.get_mut(id)?;
        change(row);
        let begun = row.phases.iter().rposition(|phase| phase.start <= now);
        row.place = begun.unwrap_or(0);
        let row = row.clone();
        let subscription = row.subscription.clone().unwrap_or_default();
        let after = row.render(&self.store);
        self.emit_change("subscription_schedule.updated", &before, after);
        if let Some(phase) = row.current() {
            self.apply_phase(&subscription, phase, proration)?;
        }
        let ends = row.phases.last().and_then(|phase| phase.end);
        let ends = ends.filter(|_| row.end_behavior == "cancel");
        let ended_before = before.get("end_behavior").is_some_and(|behavior| behavior == "cancel");
        if ends.is_some() || ended_before {
            self.change_subscription(&subscription, |row| {
                row.cancel_at = ends;
                row.canceled_at = ends.map(|_| now);
            })?;
        }
        Ok(())
    }

    fn active_schedule(&self, id: &str) -> Result<&SubscriptionSchedule, SandboxFailure> {
        let row = self.store.schedules.get(id)?;
        if row.status == ScheduleStatus::Active {
            return Ok(row);
        }
        let message = format!(
            "You can only do this with a subscription schedule that is `active`; this one is `{}`.",
            row.status.as_str()
        );
        Err(SandboxFailure::invalid(message))
    }

    /// The subscription goes on without it.
    pub fn release_schedule(&mut self, id: &str) -> Result<(), SandboxFailure> {
        let subscription = self.active_schedule(id)?.subscription.clone().unwrap_or_default();
        let now = self.store.now;
        let row = self.store.schedules.get_mut(id)?;
        row.status = ScheduleStatus::Released;
        row.released_at = Some(now);
        row.released_subscription = row.subscription.take();
        let cancels = row.end_behavior == "cancel";
        self.emit_schedule("subscription_schedule.released", id)?;
        self.change_subscription(&subscription, |row| {
            row.schedule = None;
            if cancels {
                row.cancel_at = None;
                row.canceled_at = None;
            }
        })
    }

    /// It was of a subscription that has ended, or that ends with it.
    pub fn cancel_schedule(&mut self, id: &str, status: ScheduleStatus) -> Result<(), SandboxFailure> {
        let now = self.store.now;
        let row = self.store.schedules.get_mut(id)?;
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
        self.emit_schedule(kind, id)
    }

    /// At the end of a period: which items the next one has.
    pub fn enter_phase(
        &mut self,
        row: &mut SandboxSubscription,
        boundary: i64,
    ) -> Result<AtBoundary, SandboxFailure> {
        let Some(id) = row.schedule.clone() else { return Ok(AtBoundary::Nothing) };
        let schedule = self.store.schedules.get(&id)?.clone();
        if schedule.due().is_none_or(|end| end > boundary) {
            return Ok(AtBoundary::Nothing);
        }
        let Some(next) = schedule.next() else {
            return Ok(if schedule.end_behavior == "cancel" { AtBoundary::Ends } else { AtBoundary::Over });
        };
        self.store.schedules.get_mut(&id)?.place = schedule.place.saturating_add(1);
        row.metadata.extend(next.metadata.clone());
        row.items = self.items_of_phase(row, next)?;
        Ok(if next.end.is_none() { AtBoundary::Over } else { AtBoundary::Moved })
    }

    fn items_of_phase(
        &mut self,
        row: &SandboxSubscription,
        phase: &SchedulePhase,
    ) -> Result<Vec<SubscriptionItem>, SandboxFailure> {
        let changes = self.changes_of_phase(row, phase);
        let mut after = row.clone();
        for change in &changes {
            self.change_item(&mut after, change)?;
        }
        Ok(after.items)
    }

    /// An item of the same price stays what it is; of the others, one takes the place of the other.
    fn changes_of_phase(&self, row: &SandboxSubscription, phase: &SchedulePhase) -> Vec<ItemAmendment> {
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

    /// In the middle of a period, the difference is worked out as in any other change.
    fn apply_phase(
        &mut self,
        subscription: &str,
        phase: &SchedulePhase,
        proration: Proration,
    ) -> Result<(), SandboxFailure> {
        let row = self.store.subscriptions.get(subscription)?.clone();
        let changes = self.changes_of_phase(&row, phase);
        let wish = SubscriptionUpdate::new(changes, proration, self.store.now);
        let mut planned = self.plan_change(subscription, &wish)?;
        planned.after.metadata.extend(phase.metadata.clone());
        self.apply_change(planned, proration, PaymentBehavior::default())
    }

    /// A phase ends that is not a period's end.
    pub fn end_phase(&mut self, id: &str) -> Result<(), SandboxFailure> {
        let schedule = self.store.schedules.get(id)?.clone();
        let subscription = schedule.subscription.clone().unwrap_or_default();
        let Some(next) = schedule.next() else {
            let cancels = schedule.end_behavior == "cancel";
            return self.finish_schedule(id, if cancels { AtBoundary::Ends } else { AtBoundary::Over });
        };
        self.store.schedules.get_mut(id)?.place = schedule.place.saturating_add(1);
        self.apply_phase(&subscription, next, Proration::parse(Some(&next.proration_behavior)))?;
        let at = if next.end.is_none() { AtBoundary::Over } else { AtBoundary::Moved };
        self.tell_phase(id, &schedule)?;
        self.finish_schedule(id, at)
    }

    /// What a schedule says of itself after a boundary.
    pub fn tell_phase(&mut self, id: &str, before: &SubscriptionSchedule) -> Result<(), SandboxFailure> {
        let before = before.render(&self.store);
        let after = self.store.schedules.get(id)?.render(&self.store);
        self.emit_change("subscription_schedule.updated", &before, after);
        Ok(())
    }

    pub fn finish_schedule(&mut self, id: &str, at: AtBoundary) -> Result<(), SandboxFailure> {
        match at {
            AtBoundary::Nothing | AtBoundary::Moved => Ok(()),
            AtBoundary::Over => self.release_schedule(id),
            AtBoundary::Ends => {
                let subscription = self.store.schedules.get(id)?.subscription.clone().unwrap_or_default();
                self.cancel_schedule(id, ScheduleStatus::Completed)?;
                self.end_subscription(&subscription, "cancellation_requested", CancellationDetails::default())
            }
        }
    }

    fn emit_schedule(&mut self, kind: &str, id: &str) -> Result<(), SandboxFailure> {
        let object = self.store.schedules.get(id)?.render(&self.store);
        self.emit(kind, object);
        Ok(())
    }
}

/// The period that a subscription is in, as a phase.
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
