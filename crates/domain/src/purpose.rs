//! What were credits spent on, and what was money paid for?
//!
//! These are parts of events, so their names and fields are part of the storage format, as `super::event` says.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    amount::Credits,
    ids::{GenerationId, GenerationType, GrantId, OptionName, PackId, PlanId, ProviderId},
};

/// What credits were spent on, or held for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// A generation that the catalog has a price for.
    Generation {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<GenerationId>,
        kind: GenerationType,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        options: BTreeMap<OptionName, OptionName>,
    },
    /// An amount that the caller chose.
    Named {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<GenerationId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
    },
}

impl Default for Purpose {
    /// Nothing but an amount.
    fn default() -> Self {
        Self::Named { id: None, description: None }
    }
}

impl Purpose {
    /// Whether nothing is known but an amount.
    #[must_use]
    pub const fn is_unnamed(&self) -> bool {
        matches!(self, Self::Named { id: None, description: None })
    }

    #[must_use]
    pub const fn generation_id(&self) -> Option<&GenerationId> {
        match self {
            Self::Generation { id, .. } | Self::Named { id, .. } => id.as_ref(),
        }
    }

    /// The same for another generation, if one is named.
    #[must_use]
    pub fn of(&self, generation: Option<&GenerationId>) -> Self {
        let mut own = self.clone();
        if let (Self::Generation { id, .. } | Self::Named { id, .. }, Some(generation)) =
            (&mut own, generation)
        {
            *id = Some(generation.clone());
        }
        own
    }

    #[must_use]
    pub const fn is_generation(&self) -> bool {
        matches!(self, Self::Generation { .. })
    }
}

/// What a payment is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentPurpose {
    Subscription {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subscription: Option<ProviderId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        plan: Option<PlanId>,
    },
    Pack {
        pack: PackId,
        quantity: u32,
    },
    Other,
}

/// How many credits a movement took from, or returned to, one grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Draw {
    pub grant_id: GrantId,
    pub amount: Credits,
}
