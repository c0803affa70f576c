//! How is the state of a limit shown? In the same way in a read and in a refusal.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{
    catalog::{Measure, WindowKind},
    limits::LimitState,
    time::{CalendarUnit, Timestamp},
};

use super::schema::Time;

/// The state of one limit of the account's plan.
#[derive(Debug, Serialize, ToSchema)]
pub struct LimitWindowResponse {
    /// `generations` or `credits`
    #[schema(value_type = String)]
    measure: Measure,
    /// `day`, `week` or `month`
    #[schema(value_type = String)]
    per: CalendarUnit,
    /// `calendar` or `rolling`
    #[schema(value_type = String)]
    window: WindowKind,
    max: u64,
    used: u64,
    remaining: u64,
    #[schema(value_type = Time)]
    resets_at: Timestamp,
}

impl From<LimitState> for LimitWindowResponse {
    fn from(state: LimitState) -> Self {
        Self {
            measure: state.key.measure,
            per: state.key.unit,
            window: state.key.kind,
            max: state.max,
            used: state.used,
            remaining: state.remaining,
            resets_at: state.resets_at,
        }
    }
}
