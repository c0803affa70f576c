//! What are figures summed by?

use serde::Deserialize;
use utoipa::ToSchema;

use crate::projections::FigureInterval;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IntervalQuery {
    #[default]
    Day,
    /// From Monday.
    Week,
    Month,
    /// From January, April, July or October.
    Quarter,
    Year,
}

impl From<IntervalQuery> for FigureInterval {
    fn from(interval: IntervalQuery) -> Self {
        match interval {
            IntervalQuery::Day => Self::Day,
            IntervalQuery::Week => Self::Week,
            IntervalQuery::Month => Self::Month,
            IntervalQuery::Quarter => Self::Quarter,
            IntervalQuery::Year => Self::Year,
        }
    }
}
