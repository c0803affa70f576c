//! What does a figure mean?

use serde::Serialize;
use utoipa::ToSchema;

/// What a figure means.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct FigureDefinition {
    /// The member of the answer that it is about.
    pub figure: &'static str,
    pub kind: FigureKind,
    /// In one sentence.
    pub definition: &'static str,
    pub formula: &'static str,
}

/// How a figure is added up over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FigureKind {
    /// What there is at one time: the last one of several intervals counts.
    Balance,
    /// What happened in an interval: those of several intervals are added.
    Activity,
}
