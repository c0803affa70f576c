//! What is a subscription to become, and when? Phases, one after the other.

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
    /// The last phase may say none: the schedule is over when it begins.
    pub end: Option<i64>,
    pub items: Vec<SchedulePhaseItem>,
    /// What is done about the difference when the phase begins in the middle of a period.
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
    /// While it is active.
    pub subscription: Option<String>,
    pub released_subscription: Option<String>,
    pub phases: Vec<SchedulePhase>,
    /// `release` or `cancel`.
    pub end_behavior: String,
    pub metadata: ObjectMetadata,
    pub released_at: Option<i64>,
    pub completed_at: Option<i64>,
    pub canceled_at: Option<i64>,
    /// Which phase it is in.
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

    /// When something is to happen.
    pub fn due(&self) -> Option<i64> {
        self.current().filter(|_| self.status == ScheduleStatus::Active).and_then(|phase| phase.end)
    }

    /// Whether its last phase has ended by `now`.
    pub fn is_over(&self, now: i64) -> bool {
        self.phases.last().and_then(|phase| phase.end).is_some_and(|end| end <= now)
    }
}
