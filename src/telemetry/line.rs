//! What is one line of the log for programs?
//! JSON, with the causes of an error, which are not sent to anybody and so are only in the log.

use std::{error::Error, fmt};

use serde::Serializer;
use serde_json::{Value, json};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::Writer,
        time::{FormatTime, SystemTime},
    },
    registry::LookupSpan,
};

/// Writes an event as `timestamp`, `level`, its fields, and `target`.
///
/// The causes of the field `error` are in `error.sources`, as in the text for people.
#[derive(Clone, Copy, Debug)]
pub struct JsonLine;

impl<S, N> FormatEvent<S, N> for JsonLine
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut timestamp = String::new();
        SystemTime.format_time(&mut Writer::new(&mut timestamp))?;
        let about = event.metadata();
        let mut members = JsonMembers(Vec::new());
        members.add("timestamp", timestamp);
        members.add("level", about.level().as_str());
        event.record(&mut members);
        members.add("target", about.target());
        writeln!(writer, "{}", members.written().map_err(|_| fmt::Error)?)
    }
}

/// The members of a JSON object, in order.
struct JsonMembers(Vec<(String, Value)>);

impl JsonMembers {
    fn add(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.0.push((name.into(), value.into()));
    }

    fn written(self) -> Result<String, Box<dyn Error>> {
        let mut bytes = Vec::new();
        serde_json::Serializer::new(&mut bytes).collect_map(self.0)?;
        Ok(String::from_utf8(bytes)?)
    }
}

impl Visit for JsonMembers {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field.name(), json!(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field.name(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field.name(), value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field.name(), value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.add(field.name(), value.to_string());
        let sources = sources(value);
        if !sources.is_empty() {
            self.add(format!("{}.sources", field.name()), sources);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field.name(), format!("{value:?}"));
    }
}

/// The texts of an error's causes, nearest first.
fn sources(error: &(dyn Error + 'static)) -> Vec<String> {
    let mut sources = Vec::new();
    let mut next = error.source();
    while let Some(source) = next {
        sources.push(source.to_string());
        next = source.source();
    }
    sources
}
