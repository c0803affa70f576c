//! How does the world hear of it? Events are signed and posted, in order and once, unless somebody asks for worse.

pub mod queue;
pub mod sender;
pub mod shapes;
pub mod signature;

use super::{objects::event::SandboxEvent, state::SandboxState, table::Stored};

/// The bytes of an event, as an endpoint of this version gets them.
pub fn body(state: &SandboxState, event: &SandboxEvent, version: Option<&str>) -> String {
    let mut document = event.render(state);
    if let Some(version) = version {
        shapes::render(state, &mut document, version);
    }
    serde_json::to_string_pretty(&document).unwrap_or_default()
}
