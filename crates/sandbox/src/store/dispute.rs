//! Which payments does a customer's bank dispute?

use strum::{EnumString, IntoStaticStr};

use super::table::Stored;
use crate::call::ObjectMetadata;

#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, EnumString)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum DisputeStatus {
    WarningNeedsResponse,
    WarningClosed,
    NeedsResponse,
    UnderReview,
    Won,
    Lost,
    Prevented,
}

impl DisputeStatus {
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }

    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    pub const fn is_open(self) -> bool {
        matches!(self, Self::WarningNeedsResponse | Self::NeedsResponse | Self::UnderReview)
    }
}

#[derive(Clone, Debug)]
pub struct SandboxDispute {
    pub id: String,
    pub created: i64,
    pub amount: i64,
    pub charge: String,
    pub payment_intent: String,
    pub currency: String,
    pub reason: String,
    pub status: DisputeStatus,
    pub funds_withdrawn: bool,
    pub funds_reinstated: bool,
    pub has_evidence: bool,
    pub metadata: ObjectMetadata,
}

impl Stored for SandboxDispute {
    const KIND: &'static str = "dispute";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> i64 {
        self.created
    }
}
