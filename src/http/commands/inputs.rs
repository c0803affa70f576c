//! What commands say in their bodies. Unknown fields are refused: a misspelt one must not be ignored where
//! credits are concerned.

use std::collections::BTreeMap;

use serde::Deserialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::{
    domain::{
        command::{Command, Excess, Generation, GrantCredits, HoldFor},
        credits::Source,
        ids::{DeductionId, GenerationId, GenerationType, GrantId, HoldId, OptionName},
        time::Timestamp,
    },
    http::{
        failure::Failure,
        request::{Amount, Pairs, Text},
        schema::{Id, Time},
    },
};

/// Nothing.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EmptyRequest {}

/// What is said of an account when it is opened, or later.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "metadata": { "source": "spring_mail" } }))]
pub struct AccountRequest {
    /// What it is to be from now on, as a whole. What is left out stays as it is.
    #[serde(default)]
    pub metadata: Option<Pairs>,
}

/// Credits to spend now, and for good.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "amount": 25, "description": "an extra render" }))]
pub struct DeductRequest {
    pub amount: Amount,
    /// The caller's own id of the work, to refund by.
    #[schema(value_type = Option<Id>)]
    #[serde(default)]
    pub generation_id: Option<GenerationId>,
    #[serde(default)]
    pub description: Option<Text>,
}

/// Work that the catalog has a price for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "type": "standard_generation", "generation_id": "gen_1" }))]
pub struct GenerationRequest {
    #[schema(value_type = Id)]
    pub r#type: GenerationType,
    /// Choices that the catalog offers for the type, such as `{"quality": "high"}`.
    #[schema(value_type = BTreeMap<String, String>)]
    #[serde(default)]
    pub options: BTreeMap<OptionName, OptionName>,
    /// The caller's own id of the work. It is charged, or held for, once, whatever `Idempotency-Key` is sent; with it,
    /// none is needed.
    #[schema(value_type = Option<Id>)]
    #[serde(default)]
    pub generation_id: Option<GenerationId>,
    /// Only set the credits aside, to be committed when the work is done.
    #[serde(default)]
    pub hold: bool,
    /// How long the hold lives; 900 when it is not said.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 86400)]
    pub expires_in_s: Option<u32>,
}

/// Work to ask the price of.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "type": "standard_generation", "options": { "quality": "high" } }))]
pub struct QuoteRequest {
    #[schema(value_type = Id)]
    pub r#type: GenerationType,
    /// Choices that the catalog offers for the type.
    #[schema(value_type = BTreeMap<String, String>)]
    #[serde(default)]
    pub options: BTreeMap<OptionName, OptionName>,
}

/// Credits to set aside.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "amount": 20, "expires_in_s": 600 }))]
pub struct HoldRequest {
    pub amount: Amount,
    /// How long the hold lives; 900 when it is not said.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 86400)]
    pub expires_in_s: Option<u32>,
    #[schema(value_type = Option<Id>)]
    #[serde(default)]
    pub generation_id: Option<GenerationId>,
    #[serde(default)]
    pub description: Option<Text>,
}

/// How much of a hold to spend.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "amount": 12 }))]
pub struct CommitRequest {
    /// All of it when this is not said.
    #[serde(default)]
    pub amount: Option<Amount>,
    #[serde(default)]
    pub excess: ExcessChoice,
}

/// What to do when more is committed than was held.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExcessChoice {
    /// Refuse.
    #[default]
    Reject,
    /// Spend what was held, and report the shortfall.
    Cap,
    /// Spend the difference as a new deduction, or nothing at all if there is not enough.
    Take,
}

/// When a hold is to end.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "expires_in_s": 1200 }))]
pub struct ExtendRequest {
    /// Seconds from now. A hold lives at most 86400 seconds in all.
    #[schema(minimum = 1, maximum = 86400)]
    pub expires_in_s: u32,
}

/// What to give back. One of `generation_id` and `deduction_id` says of what.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "generation_id": "gen_1", "reason": "failed" }))]
pub struct RefundRequest {
    #[schema(value_type = Option<Id>)]
    #[serde(default)]
    pub generation_id: Option<GenerationId>,
    #[schema(value_type = Option<Id>)]
    #[serde(default)]
    pub deduction_id: Option<DeductionId>,
    /// All that has not been given back yet, when this is not said.
    #[serde(default)]
    pub amount: Option<Amount>,
    pub reason: Text,
}

/// Credits to give.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = GrantOrder, example = json!({ "source": "bonus", "amount": 100, "reason": "a week of trouble" }))]
pub struct GrantRequest {
    pub source: GrantSource,
    pub amount: Amount,
    pub reason: Text,
    /// Unique in the account. Made from the key when it is not said.
    #[schema(value_type = Option<Id>)]
    #[serde(default)]
    pub grant_id: Option<GrantId>,
    /// Now when it is not said.
    #[schema(value_type = Option<Time>)]
    #[serde(default)]
    pub starts_at: Option<Timestamp>,
    /// Never when it is not said.
    #[schema(value_type = Option<Time>)]
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// 0 is spent first; 50 when it is not said.
    #[serde(default)]
    pub priority: Option<u8>,
}

/// The sources that an operator can name. The others come from plans and payments.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GrantSource {
    Bonus,
    Adjustment,
}

/// Credits to take away, in the spending order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "amount": 10, "reason": "granted twice by mistake" }))]
pub struct AdjustRequest {
    pub amount: Amount,
    pub reason: Text,
}

/// Debt to forgive.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "goodwill" }))]
pub struct ForgiveRequest {
    /// All of it when this is not said.
    #[serde(default)]
    pub amount: Option<Amount>,
    pub reason: Text,
}

/// Why an account is closed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "the customer left" }))]
pub struct CloseRequest {
    pub reason: Text,
}

impl DeductRequest {
    #[must_use]
    pub fn into_command(self) -> Command {
        Command::DeductCredits {
            amount: self.amount.credits(),
            id: self.generation_id,
            description: self.description.map(String::from),
        }
    }
}

impl GenerationRequest {
    /// The key of a request that sends none: the work's own id says what a repetition is.
    #[must_use]
    pub fn own_key(&self) -> Option<String> {
        self.generation_id.as_ref().map(|id| format!("generation:{id}"))
    }

    /// # Errors
    /// When it says how long a hold lives that it does not ask for.
    pub fn into_command(self) -> Result<Command, Failure> {
        let generation = Generation { kind: self.r#type, options: self.options, id: self.generation_id };
        match (self.hold, self.expires_in_s) {
            (true, expires_in_s) => {
                Ok(Command::HoldCredits { what: HoldFor::Generation(generation), expires_in_s })
            }
            (false, None) => Ok(Command::Generate(generation)),
            (false, Some(_)) => Err(Failure::body("$.expires_in_s", "it belongs to `\"hold\": true`")),
        }
    }
}

impl QuoteRequest {
    #[must_use]
    pub fn into_generation(self) -> Generation {
        Generation { kind: self.r#type, options: self.options, id: None }
    }
}

impl HoldRequest {
    #[must_use]
    pub fn into_command(self) -> Command {
        Command::HoldCredits {
            what: HoldFor::Amount {
                amount: self.amount.credits(),
                id: self.generation_id,
                description: self.description.map(String::from),
            },
            expires_in_s: self.expires_in_s,
        }
    }
}

impl CommitRequest {
    #[must_use]
    pub fn into_command(self, hold_id: HoldId) -> Command {
        let excess = match self.excess {
            ExcessChoice::Reject => Excess::Reject,
            ExcessChoice::Cap => Excess::Cap,
            ExcessChoice::Take => Excess::Take,
        };
        Command::CommitHold { hold_id, amount: self.amount.map(Amount::credits), excess }
    }
}

impl ExtendRequest {
    #[must_use]
    pub const fn into_command(self, hold_id: HoldId) -> Command {
        Command::ExtendHold { hold_id, expires_in_s: self.expires_in_s }
    }
}

impl GrantRequest {
    /// # Errors
    /// Never: an id made of a key is well formed.
    pub fn into_command(self, key: &str) -> Result<Command, Failure> {
        let grant_id = match self.grant_id {
            Some(grant_id) => grant_id,
            None => made_of(key)?,
        };
        let source = match self.source {
            GrantSource::Bonus => Source::Bonus,
            GrantSource::Adjustment => Source::Adjustment,
        };
        Ok(Command::GrantCredits(GrantCredits {
            grant_id,
            source,
            amount: self.amount.credits(),
            starts_at: self.starts_at,
            expires_at: self.expires_at,
            priority: self.priority,
            cost: None,
            reason: self.reason.into(),
        }))
    }
}

/// The same key gives the same grant, so that a repeated request is the same request.
fn made_of(key: &str) -> Result<GrantId, Failure> {
    let hash: [u8; 32] = Sha256::digest(key.as_bytes()).into();
    let short = hash.first_chunk::<12>().map(hex::encode).unwrap_or_default();
    GrantId::parse(&format!("grant_{short}")).map_err(Failure::fault)
}

impl AdjustRequest {
    #[must_use]
    pub fn into_command(self) -> Command {
        Command::AdjustCredits { amount: self.amount.credits(), reason: self.reason.into() }
    }
}

impl ForgiveRequest {
    #[must_use]
    pub fn into_command(self) -> Command {
        Command::ForgiveDebt { amount: self.amount.map(Amount::credits), reason: self.reason.into() }
    }
}

impl CloseRequest {
    #[must_use]
    pub fn into_command(self) -> Command {
        Command::CloseAccount { reason: self.reason.into() }
    }
}
