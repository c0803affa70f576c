//! How is a body described that may be left out? As not required; what it is when it is there is said as of any other.

use utoipa::openapi::{
    RefOr, Required, Schema,
    path::Operation,
    schema::{SchemaType, Type},
};

/// A body that may be left out is written as one that may be `null`, which it may not be.
pub fn say_optional(operation: &mut Operation) {
    let Some(body) = &mut operation.request_body else { return };
    for content in body.content.values_mut() {
        if let Some(schema) = content.schema.take_if(|schema| unless_null(schema).is_some()) {
            content.schema = unless_null(&schema).cloned();
            body.required = Some(Required::False);
        }
    }
}

/// What is there, if not `null`.
fn unless_null(schema: &RefOr<Schema>) -> Option<&RefOr<Schema>> {
    let RefOr::T(Schema::OneOf(one_of)) = schema else { return None };
    match one_of.items.as_slice() {
        [RefOr::T(Schema::Object(null)), other] if null.schema_type == SchemaType::Type(Type::Null) => {
            Some(other)
        }
        _ => None,
    }
}
