//! How is an optional body described? As not required, with the schema of a body that is present.

use utoipa::openapi::{
    RefOr, Required, Schema,
    path::Operation,
    schema::{SchemaType, Type},
};

/// Removes `null` from the schema of an optional body: it may be left out, but not be `null`.
pub fn say_optional(operation: &mut Operation) {
    let Some(body) = &mut operation.request_body else { return };
    for content in body.content.values_mut() {
        if let Some(schema) = content.schema.take_if(|schema| unless_null(schema).is_some()) {
            content.schema = unless_null(&schema).cloned();
            body.required = Some(Required::False);
        }
    }
}

/// The schema without `null`.
fn unless_null(schema: &RefOr<Schema>) -> Option<&RefOr<Schema>> {
    let RefOr::T(Schema::OneOf(one_of)) = schema else { return None };
    match one_of.items.as_slice() {
        [RefOr::T(Schema::Object(null)), other] if null.schema_type == SchemaType::Type(Type::Null) => {
            Some(other)
        }
        _ => None,
    }
}
