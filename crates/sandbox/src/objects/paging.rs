//! Which part of a list is requested? The newest objects first, after or before a cursor.

use serde_json::{Value, json};

use super::Shown;
use crate::{
    call::Call,
    failure::{SandboxAnswer, SandboxFailure},
    store::{Store, table::ObjectTable},
};

const LIMIT_DEFAULT: i64 = 10;
const LIMIT_MAX: i64 = 100;

/// A page of a table.
pub fn page<T: Shown>(
    store: &Store,
    table: &ObjectTable<T>,
    call: &Call,
    url: &str,
    keep: impl Fn(&T) -> bool,
) -> SandboxAnswer {
    let wanted = table.iter().rev().filter(|row| row.listed() && in_time(row.created(), call) && keep(row));
    let wanted: Vec<&T> = wanted.collect();
    let recorded = || store.recorded.list(T::OBJECT, call).filter(|object| in_time(made(object), call));
    if recorded().next().is_some() {
        let mut all: Vec<Value> = wanted.iter().map(|row| row.render(store)).collect();
        all.extend(recorded().cloned());
        return page_of_all(all, call, url);
    }
    let (rows, more) = cut(&wanted, call, |row| row.id())?;
    let data: Vec<Value> = rows.iter().map(|row| row.render(store)).collect();
    Ok(json!({ "object": "list", "data": data, "has_more": more, "url": url }))
}

pub fn made(object: &Value) -> i64 {
    object.get("created").and_then(Value::as_i64).unwrap_or(0)
}

/// A page of values from several tables, from the newest to the oldest.
pub fn page_of_all(mut all: Vec<Value>, call: &Call, url: &str) -> SandboxAnswer {
    all.sort_by_key(|object| std::cmp::Reverse(made(object)));
    page_of_values(&all, call, url)
}

/// A page of values that have an `id`, in the given order.
pub fn page_of_values(values: &[Value], call: &Call, url: &str) -> SandboxAnswer {
    let values: Vec<&Value> = values.iter().collect();
    let id = |value: &&Value| value.get("id").and_then(Value::as_str).map(str::to_owned).unwrap_or_default();
    let ids: Vec<String> = values.iter().map(id).collect();
    let numbered: Vec<(&String, &Value)> = ids.iter().zip(values).collect();
    let (rows, more) = cut(&numbered, call, |(id, _)| id.as_str())?;
    let data: Vec<Value> = rows.iter().map(|(_, value)| (*value).clone()).collect();
    Ok(json!({ "object": "list", "data": data, "has_more": more, "url": url }))
}

fn cut<'a, T>(
    rows: &'a [T],
    call: &Call,
    id: impl Fn(&'a T) -> &'a str,
) -> Result<(&'a [T], bool), SandboxFailure> {
    let limit = call.params.integer("limit").unwrap_or(LIMIT_DEFAULT);
    if limit > LIMIT_MAX {
        let message =
            format!("This value must be less than or equal to {LIMIT_MAX} (it currently is '{limit}').");
        return Err(SandboxFailure::invalid(message).code("parameter_invalid_integer").param("limit"));
    }
    if limit < 1 {
        return Err(SandboxFailure::invalid("This value must be greater than or equal to 1.")
            .code("parameter_invalid_integer")
            .param("limit"));
    }
    let limit = usize::try_from(limit).unwrap_or(1);
    let place = |name: &'static str| -> Result<Option<usize>, SandboxFailure> {
        let Some(cursor) = call.params.text(name) else { return Ok(None) };
        let found = rows.iter().position(|row| id(row) == cursor);
        found.map(Some).ok_or_else(|| SandboxFailure::no_such("object", cursor).status(400).param(name))
    };
    if let Some(before) = place("ending_before")? {
        let (rows, _) = rows.split_at_checked(before).unwrap_or((rows, &[]));
        let start = rows.len().saturating_sub(limit);
        return Ok((rows.get(start..).unwrap_or_default(), start > 0));
    }
    let start = place("starting_after")?.map_or(0, |after| after.saturating_add(1));
    let rest = rows.get(start..).unwrap_or_default();
    let shown = rest.get(..limit.min(rest.len())).unwrap_or_default();
    Ok((shown, rest.len() > shown.len()))
}

/// Whether an object that was made at `created` passes the filter `created`, which is a time or a range.
pub fn in_time(created: i64, call: &Call) -> bool {
    let Some(filter) = call.params.find("created") else { return true };
    if let Some(exact) = filter.as_str().and_then(|text| text.parse::<i64>().ok()) {
        return created == exact;
    }
    let bound = |name: &str| filter.get(name).and_then(Value::as_i64);
    bound("gt").is_none_or(|bound| created > bound)
        && bound("gte").is_none_or(|bound| created >= bound)
        && bound("lt").is_none_or(|bound| created < bound)
        && bound("lte").is_none_or(|bound| created <= bound)
}
