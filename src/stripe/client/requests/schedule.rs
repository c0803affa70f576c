//! What does a subscription change to when its period ends? Stripe stores that as a schedule of phases.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stripe_client_core::{RequestBuilder, StripeMethod, StripeRequest};

use super::super::{Change, StripeCall};

/// Makes a schedule for a subscription that changes nothing yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenSchedule {
    pub subscription: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindSchedule {
    pub schedule: String,
}

/// Keeps a subscription as it is until its period ends, and then changes it.
/// The schedule ends after the first period of the change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phases {
    pub schedule: String,
    /// Both in seconds since 1970.
    pub start: i64,
    pub end: i64,
    pub now: Vec<PhaseItemRequest>,
    pub then: Vec<PhaseItemRequest>,
    /// `month` or `year`.
    pub interval: String,
}

/// Ends a schedule, so that the subscription stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseSchedule {
    pub schedule: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, miniserde::Deserialize)]
pub struct PhaseItemRequest {
    pub price: String,
    pub quantity: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, miniserde::Deserialize)]
pub struct StripeSchedule {
    pub id: String,
    pub status: String,
    pub current_phase: Option<PhaseSpan>,
    pub phases: Vec<PhaseRequest>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, miniserde::Deserialize)]
pub struct PhaseSpan {
    /// Both in seconds since 1970.
    pub start_date: i64,
    pub end_date: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, miniserde::Deserialize)]
pub struct PhaseRequest {
    pub start_date: i64,
    pub items: Vec<PhaseItemRequest>,
}

impl StripeSchedule {
    /// The phase after the current one, if there is one.
    #[must_use]
    pub fn next(&self) -> Option<&PhaseRequest> {
        let current = self.current_phase.as_ref()?;
        self.phases.iter().find(|phase| phase.start_date >= current.end_date)
    }
}

type ScheduleForm = BTreeMap<String, String>;

fn items(form: &mut ScheduleForm, phase: usize, items: &[PhaseItemRequest]) {
    for (place, item) in items.iter().enumerate() {
        let name = |name: &str| format!("phases[{phase}][items][{place}][{name}]");
        form.insert(name("price"), item.price.clone());
        // Metered items have no quantity.
        if let Some(quantity) = item.quantity {
            form.insert(name("quantity"), quantity.to_string());
        }
    }
}

impl Phases {
    fn form(&self) -> ScheduleForm {
        let mut form = ScheduleForm::new();
        let mut put = |name: &str, value: &str| form.insert(name.to_owned(), value.to_owned());
        put("end_behavior", "release");
        put("proration_behavior", "none");
        put("phases[0][start_date]", &self.start.to_string());
        put("phases[0][end_date]", &self.end.to_string());
        put("phases[1][start_date]", &self.end.to_string());
        put("phases[1][proration_behavior]", "none");
        put("phases[1][duration][interval]", &self.interval);
        put("phases[1][duration][interval_count]", "1");
        items(&mut form, 0, &self.now);
        items(&mut form, 1, &self.then);
        form
    }
}

macro_rules! schedules {
    ($($ask:ident: $request:ident, |$this:ident| $build:expr;)+) => {$(
        /// The typed requests cannot express all of it.
        #[derive(Clone)]
        struct $request($ask);

        impl StripeRequest for $request {
            type Output = StripeSchedule;

            fn build(&self) -> RequestBuilder {
                let $this = &self.0;
                $build
            }
        }

        impl StripeCall for $ask {
            type Answer = StripeSchedule;

            fn request(&self) -> impl StripeRequest + Send {
                $request(self.clone())
            }
        }
    )+};
}

schedules! {
    OpenSchedule: Open, |this| {
        let form = ScheduleForm::from([("from_subscription".to_owned(), this.subscription.clone())]);
        RequestBuilder::new(StripeMethod::Post, "/subscription_schedules").form(&form)
    };
    FindSchedule: Find, |this| {
        RequestBuilder::new(StripeMethod::Get, format!("/subscription_schedules/{}", this.schedule))
    };
    Phases: SetPhases, |this| {
        let path = format!("/subscription_schedules/{}", this.schedule);
        RequestBuilder::new(StripeMethod::Post, path).form(&this.form())
    };
    ReleaseSchedule: Release, |this| {
        let path = format!("/subscription_schedules/{}/release", this.schedule);
        RequestBuilder::new(StripeMethod::Post, path)
    };
}

macro_rules! charge_nothing {
    ($($change:ident: $why:literal;)+) => {$(
        #[doc = $why]
        impl Change for $change {
            fn begins_charge(&self) -> bool {
                false
            }
        }
    )+};
}

charge_nothing! {
    OpenSchedule: "Nothing changes in it yet.";
    Phases: "Only what is less waits.";
    ReleaseSchedule: "It stays what it is.";
}
