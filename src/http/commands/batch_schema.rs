//! How is a batch described to callers? By what each of its commands takes.
//!
//! These types are never constructed: they describe bodies in the OpenAPI document.

#![expect(dead_code, reason = "only their descriptions are used")]

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema,
        schema::{ObjectBuilder, Type},
    },
};

use crate::http::{
    request::Pairs,
    schema::{Id, Key, Time},
};

use super::{
    NAMES,
    import_request::{ImportedGrant, ImportedUse},
    schemas,
};

/// Up to 1,000 commands.
#[derive(ToSchema)]
#[schema(example = json!([
    { "account": "acme", "command": "deduct", "amount": 1, "idempotency_key": "k1" },
    { "account": "acme", "command": "generate", "type": "standard_generation", "generation_id": "gen_2" },
]))]
pub struct BatchRequest(Vec<BatchItem>);

/// A command of a batch: the fields below, and every other field of that command.
pub struct BatchItem;

impl PartialSchema for BatchItem {
    fn schema() -> RefOr<Schema> {
        let mut schema = BatchItemSchema::schema();
        if let RefOr::T(Schema::Object(item)) = &mut schema {
            for command in schemas() {
                let RefOr::T(Schema::Object(command)) = command else { continue };
                for (name, field) in command.properties {
                    item.properties.entry(name).or_insert(field);
                }
            }
        }
        schema
    }
}

impl ToSchema for BatchItem {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        BatchItemSchema::schemas(schemas);
    }
}

/// A command, with the fields of its own route.
#[derive(ToSchema)]
struct BatchItemSchema {
    account: Id,
    command: BatchCommand,
    /// Needed by all except `open`, `import`, and `generate` with a `generation_id`.
    idempotency_key: Option<Key>,
    /// For `commit`, `release`, `spend`, `top_up` and `extend`.
    hold_id: Option<Id>,
    #[schema(minimum = 1)]
    amount: Option<i64>,
    /// For `open` and `import`.
    #[schema(value_type = Option<Pairs>)]
    metadata: Option<Pairs>,
    /// For `generate`.
    r#type: Option<Id>,
    options: Option<std::collections::BTreeMap<String, String>>,
    generation_id: Option<Id>,
    deduction_id: Option<Id>,
    grant_id: Option<Id>,
    hold: Option<bool>,
    expires_in_s: Option<u32>,
    excess: Option<String>,
    source: Option<String>,
    starts_at: Option<Time>,
    expires_at: Option<Time>,
    priority: Option<u8>,
    description: Option<String>,
    reason: Option<String>,
    /// This and all that follow: for `import`.
    as_of: Option<Time>,
    customer: Option<Id>,
    grants: Option<Vec<ImportedGrant>>,
    used: Option<Vec<ImportedUse>>,
    #[schema(minimum = 1)]
    debt: Option<i64>,
}

pub struct BatchCommand;

impl PartialSchema for BatchCommand {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).enum_values(Some(NAMES.iter().copied())).into()
    }
}

impl ToSchema for BatchCommand {}

/// One answer for each command, in the same order.
#[derive(ToSchema)]
pub struct BatchResponse(Vec<BatchItemResponse>);

#[derive(ToSchema)]
pub struct BatchItemResponse {
    /// The status that the command's own route would have.
    #[schema(minimum = 200, maximum = 599)]
    status: u16,
    /// Whether this is the answer to an earlier command with the same key.
    idempotent_replayed: Option<bool>,
    /// The body that the command's own route would have, which may be a problem.
    #[schema(value_type = Object)]
    body: serde_json::Value,
}
