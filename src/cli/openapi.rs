//! `counterfoil openapi`: how is the HTTP API described? Prints the OpenAPI document without a server.

use clap::Args;

use crate::http;

use super::{
    exit::{CliFailure, CliResult, Exit},
    output::Output,
};

const HELP: &str = "\
The same document is served at /openapi.json.

Example:
  counterfoil openapi > openapi.json";

#[derive(Args)]
#[command(after_help = HELP)]
pub(super) struct OpenApi {}

impl OpenApi {
    /// The document is JSON for everybody.
    pub(super) fn run(output: Output) -> CliResult {
        let document = http::document().to_pretty_json().map_err(CliFailure::broken)?;
        output.verbatim(&document)?;
        Ok(Exit::Success)
    }
}
