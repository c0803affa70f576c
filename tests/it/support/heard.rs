//! What does the program say of itself while a test runs? The lines that it logs, and what it counts.

use std::{
    cell::RefCell,
    io,
    sync::{Arc, Mutex, Once},
};

use counterfoil::telemetry::JsonLine;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use serde_json::Value;
use tracing::Metadata;
use tracing_subscriber::{Layer, filter::dynamic_filter_fn, fmt, layer::SubscriberExt};

use super::statements::plain;

thread_local! {
    /// Where the lines of this thread go, if somebody listens.
    static SAID: RefCell<Option<(&'static str, Said)>> = const { RefCell::new(None) };
}

/// All threads log to one subscriber. With one for each test, a line that is first reached in another test would be
/// taken for one that nobody wants.
static LOGGING: Once = Once::new();

/// Listens to one thread, which is that of a test with all that runs in its runtime.
pub struct Heard {
    said: Said,
    counted: PrometheusHandle,
    _counting: metrics::LocalRecorderGuard<'static>,
}

type Said = Arc<Mutex<Vec<u8>>>;

/// Writes to whoever listens to the thread.
struct Pen;

impl io::Write for Pen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        SAID.with_borrow(|said| {
            if let Some((_, said)) = said {
                said.lock().unwrap().extend_from_slice(bytes);
            }
        });
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// All that somebody listens to.
fn is_heard(about: &Metadata<'_>) -> bool {
    SAID.with_borrow(|said| said.as_ref().is_some_and(|(target, _)| about.target().starts_with(target)))
}

fn begin_to_log() {
    let layer = fmt::layer().event_format(JsonLine).with_writer(|| Pen);
    let layer = layer.with_filter(dynamic_filter_fn(|about, _| is_heard(about)));
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer))
        .expect("nobody else logs");
    // What was reached while it was being set, too.
    tracing::callsite::rebuild_interest_cache();
}

impl Heard {
    pub fn begin() -> Self {
        Self::listen_to("counterfoil")
    }

    /// What the database says beside its answers.
    pub fn notices() -> Self {
        Self::listen_to("sqlx::postgres::notice")
    }

    fn listen_to(target: &'static str) -> Self {
        LOGGING.call_once(begin_to_log);
        let said = Said::default();
        SAID.set(Some((target, said.clone())));
        // A recorder is borrowed for as long as it counts: this one for ever, which is as long as the test.
        let recorder: &'static PrometheusRecorder =
            Box::leak(Box::new(PrometheusBuilder::new().build_recorder()));
        let counted = recorder.handle();
        Self { said, counted, _counting: metrics::set_default_local_recorder(recorder) }
    }

    /// What was logged, as it was written, also what is left out unless somebody asks for it.
    pub fn all(&self) -> String {
        String::from_utf8(self.said.lock().unwrap().clone()).expect("text")
    }

    /// What was counted, as it is shown.
    pub fn figures(&self) -> String {
        self.counted.render()
    }

    /// The lines that are logged unless somebody asks for less or more, each a JSON object.
    pub fn lines(&self) -> Vec<Value> {
        let lines = self.all();
        let lines = lines.lines().map(|line| serde_json::from_str(line).expect("a line is JSON"));
        lines.filter(|line: &Value| line["level"] != "DEBUG").collect()
    }

    /// Each statement that a database explained, with its plan.
    pub fn plans(&self) -> Vec<(String, Value)> {
        let lines = self.lines();
        let explained = lines.iter().filter_map(|line| line["message"].as_str()?.split_once("plan:"));
        let plan = |(_, text): (&str, &str)| {
            let mut plan: Value = serde_json::from_str(text).expect("a plan");
            let statement = plan["Query Text"].as_str().expect("a statement");
            (plain(statement), plan["Plan"].take())
        };
        explained.map(plan).collect()
    }

    /// The lines with this message.
    pub fn lines_of(&self, message: &str) -> Vec<Value> {
        self.lines().into_iter().filter(|line| line["message"] == message).collect()
    }

    /// The only line with this message.
    pub fn line(&self, message: &str) -> Value {
        let [line] = self.lines_of(message).try_into().unwrap_or_else(|_| {
            panic!("“{message}” was not said once: {:#?}", self.lines());
        });
        line
    }

    /// Fails unless each of these figures is as it is written here.
    pub fn has_counted(&self, figures: &[&str]) {
        let counted = self.counted.render();
        for figure in figures {
            assert!(counted.lines().any(|line| line == *figure), "{figure} is not in\n{counted}");
        }
    }
}

impl Drop for Heard {
    fn drop(&mut self) {
        SAID.set(None);
    }
}
