//! What does the body of a request say? One JSON document of the expected form, else the error says where it differs.

use std::{fmt, marker::PhantomData, time::Duration};

use axum::{
    body::Body,
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, Visitor, value::MapAccessDeserializer},
};

use crate::http::{
    connections::{BodyShare, ConnectionPlace},
    failure::Failure,
    openapi::{Input, Inputs},
    problems::RequestError,
};

use super::Authenticated;

/// The longest body of one command, in bytes.
pub const BODY_BYTES_MAX: usize = 64 * 1024;
/// The longest body of a batch of commands, in bytes.
pub const BATCH_BYTES_MAX: usize = 2 * 1024 * 1024;
/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(15);

/// A JSON body of at most [`BODY_BYTES_MAX`].
pub struct Json<T>(pub T);

/// The same, where an empty body means `{}`.
pub struct JsonOrNothing<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequest<S> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        read_json(request, None).await.map(Self)
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Default + Send> FromRequest<S> for JsonOrNothing<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        read_json(request, Some(T::default())).await.map(Self)
    }
}

impl<T> Input for Json<T> {
    const INPUTS: Inputs = Inputs { json: true, ..Inputs::NONE };
}

impl<T> Input for JsonOrNothing<T> {
    const INPUTS: Inputs = Inputs { json: true, ..Inputs::NONE };
}

/// A JSON body of at most [`BODY_BYTES_MAX`]. An empty body means `nothing`, if that is given.
///
/// # Errors
/// If it does not arrive completely, is not JSON, or not of the expected form.
pub async fn read_json<T: DeserializeOwned>(request: Request, nothing: Option<T>) -> Result<T, Failure> {
    let is_json = require_json(request.headers());
    let is_json = if nothing.is_some() { is_json } else { Ok(is_json?) };
    let bytes = read(request, BODY_BYTES_MAX).await?;
    match nothing {
        Some(nothing) if bytes.is_empty() => Ok(nothing),
        Some(_) | None => {
            is_json?;
            parse(&bytes, "$")
        }
    }
}

/// # Errors
/// Unless `Content-Type` says that the body is JSON, in UTF-8.
pub fn require_json(headers: &HeaderMap) -> Result<(), RequestError> {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parts = value.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"));
    let mut encodings = parts
        .filter_map(|part| part.split_once('='))
        .filter(|(name, _)| name.eq_ignore_ascii_case("charset"))
        .map(|(_, encoding)| encoding.trim_matches('"'));
    let is_utf8 = encodings.all(|name| ["utf-8", "utf8"].iter().any(|utf8| name.eq_ignore_ascii_case(utf8)));
    if is_json && is_utf8 { Ok(()) } else { Err(RequestError::UnsupportedMediaType) }
}

/// The whole body.
///
/// # Errors
/// If it is longer than `bytes_max`, or does not arrive in time.
pub async fn read(request: Request, bytes_max: usize) -> Result<Bytes, RequestError> {
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let announced = announced.and_then(|length| length.parse::<u64>().ok()).unwrap_or(0);
    if usize::try_from(announced).is_ok_and(|length| length > bytes_max) {
        return Err(RequestError::BodyTooLarge { bytes_max });
    }
    let place = request.extensions().get::<ConnectionPlace>().cloned();
    let has_key = request.extensions().get::<Authenticated>().is_some();
    if let Some(place) = &place {
        place.waits();
    }
    let form = BodyForm { announced, bytes_max, has_key };
    let kept = place.as_ref().map(ConnectionPlace::keeps_nothing);
    let collected = collect(request.into_body(), form, kept);
    let collected =
        tokio::time::timeout(BODY_TIMEOUT, collected).await.unwrap_or(Err(RequestError::BodyTimeout));
    if let Some(place) = &place {
        place.works();
    }
    collected
}

/// What the headers say about a body.
#[derive(Clone, Copy)]
struct BodyForm {
    announced: u64,
    bytes_max: usize,
    has_key: bool,
}

/// `kept`: the memory of the body while it arrives.
/// It is released as soon as the body is complete: from then on, rate limits and the queue bound the memory.
async fn collect(body: Body, form: BodyForm, mut kept: Option<BodyShare>) -> Result<Bytes, RequestError> {
    let BodyForm { announced, bytes_max, has_key } = form;
    let mut chunks = body.into_data_stream();
    let mut whole = Bytes::new();
    while let Some(chunk) = chunks.next().await {
        // A caller that disconnects needs no other answer.
        let chunk = chunk.map_err(|_| RequestError::BodyTimeout)?;
        let length = whole.len().saturating_add(chunk.len());
        if length > bytes_max {
            return Err(RequestError::BodyTooLarge { bytes_max });
        }
        if let Some(kept) =
            kept.as_mut().filter(|_| u64::try_from(length).is_ok_and(|length| length != announced))
        {
            kept.more(chunk.len(), has_key).await;
        }
        // Most bodies arrive in one piece, and are not copied.
        whole = if whole.is_empty() {
            chunk
        } else {
            let mut joined = BytesMut::from(whole);
            joined.extend_from_slice(&chunk);
            joined.freeze()
        };
    }
    Ok(whole)
}

/// Parses an object. `root` is its path in the request.
///
/// # Errors
/// If it is not JSON, or not of the expected form.
pub fn parse<T: DeserializeOwned>(bytes: &[u8], root: &str) -> Result<T, Failure> {
    // Tracking the path takes time, so a document is only parsed with its path after an error.
    let read = serde_json::from_slice(bytes).map(|JsonObject(read)| read);
    read.map_err(|error| explain::<JsonObject<T>>(bytes, root, &error))
}

/// A JSON object.
/// Without this wrapper, a list of values would also be accepted for a type with fields, in the order of the fields.
pub struct JsonObject<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for JsonObject<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OfObject(PhantomData))
    }
}

struct OfObject<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OfObject<T> {
    type Value = JsonObject<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<JsonObject<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(JsonObject)
    }
}

fn explain<T: DeserializeOwned>(bytes: &[u8], root: &str, error: &serde_json::Error) -> Failure {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let result = serde_path_to_error::deserialize::<_, T>(&mut deserializer);
    match result {
        Err(error) if error.inner().is_data() => {
            let path = match error.path().to_string().as_str() {
                "." | "" => root.to_owned(),
                path if path.starts_with('[') => format!("{root}{path}"),
                path => format!("{root}.{path}"),
            };
            let message = message(error.inner());
            Failure::body(with_named_field(path, &message), message)
        }
        Err(_) | Ok(_) => RequestError::InvalidJson(error.to_string()).into(),
    }
}

/// Removes line and column, since the path says where.
fn message(error: &serde_json::Error) -> String {
    let text = error.to_string();
    in_words(text.rsplit_once(" at line ").map_or(&text, |(message, _)| message))
}

/// Names of Rust's types say nothing to a caller.
fn in_words(message: &str) -> String {
    let Some((found, expected)) = message.rsplit_once(", expected ") else { return message.to_owned() };
    let expected = match expected {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" => "a whole number, at least 0",
        "i8" | "i16" | "i32" | "i64" => "a whole number",
        "a map" => "an object",
        "a sequence" => "a list",
        name if name.starts_with("struct ") => "an object",
        other => other,
    };
    format!("{found}, expected {expected}")
}

/// A missing field has no path in the document, so it is taken from the message.
fn with_named_field(path: String, message: &str) -> String {
    let rest = message.strip_prefix("missing field `").or_else(|| message.strip_prefix("unknown field `"));
    match rest.and_then(|rest| rest.split('`').next()) {
        Some(field) if !path.ends_with(&format!(".{field}")) => format!("{path}.{field}"),
        Some(_) | None => path,
    }
}
