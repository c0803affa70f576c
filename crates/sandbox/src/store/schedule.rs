//! How will a subscription change, and when? In phases, one after the other.

use strum::IntoStaticStr;

use super::table::Stored;
use crate::call::ObjectMetadata;

#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum ScheduleStatus {
    Active,
    Completed,
    Released,
    Canceled,
}

impl ScheduleStatus {
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchedulePhaseItem {
    pub price: String,
    pub quantity: i64,
    pub metadata: ObjectMetadata,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchedulePhase {
    pub start: i64,
    /// `None` in the last phase only: the schedule is over as soon as that phase begins.
    pub end: Option<i64>,
    pub items: Vec<SchedulePhaseItem>,
    /// How the difference is charged if the phase begins within a period.
    pub proration_behavior: String,
    pub metadata: ObjectMetadata,
}

#[derive(Clone, Debug)]
pub struct SubscriptionSchedule {
    pub id: String,
    pub created: i64,
    pub customer: String,
    pub currency: String,
    pub flexible: bool,
    pub status: ScheduleStatus,
    /// Empty once the schedule is released.
    pub subscription: Option<String>,
    pub released_subscription: Option<String>,
    pub phases: Vec<SchedulePhase>,
    /// `release` or `cancel`.
    pub end_behavior: String,
    pub metadata: ObjectMetadata,
    pub released_at: Option<i64>,
    pub completed_at: Option<i64>,
    pub canceled_at: Option<i64>,
    /// The index of the current phase.
    pub place: usize,
}

impl Stored for SubscriptionSchedule {
    const KIND: &'static str = "subscription schedule";
    const OBJECT: &'static str = "subscription_schedule";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}

impl SubscriptionSchedule {
    pub fn current(&self) -> Option<&SchedulePhase> {
        self.phases.get(self.place)
    }

    pub fn next(&self) -> Option<&SchedulePhase> {
        self.phases.get(self.place.saturating_add(1))
    }

    /// When the current phase ends. `None` if the schedule is not active or the phase has no end.
    pub fn due(&self) -> Option<i64> {
        self.current().filter(|_| self.status == ScheduleStatus::Active).and_then(|phase| phase.end)
    }

    /// Whether the last phase has ended at `now`.
    pub fn is_over(&self, now: i64) -> bool {
        self.phases.last().and_then(|phase| phase.end).is_some_and(|end| end <= now)
    }
}
