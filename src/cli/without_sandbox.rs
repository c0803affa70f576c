//! What is said where a sandbox is asked for, and this program was built without one?

use std::net::SocketAddr;

use clap::Args;

use crate::{
    clock::Clock,
    config::{Config, LoadedCatalog},
};

use super::{
    exit::{CliFailure, CliResult},
    output::Output,
};

fn none_here() -> CliFailure {
    CliFailure::Usage("this program was built without a sandbox, the feature `sandbox`".to_owned())
}

/// It takes every argument that the sandbox takes, so that it is answered what is missing.
#[derive(Args)]
pub(super) struct NoSandboxCommand {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    arguments: Vec<String>,
}

impl NoSandboxCommand {
    pub(super) async fn run(self, _: Output) -> CliResult {
        Err(none_here())
    }
}

/// There is none.
pub(super) enum NoSandbox {}

impl NoSandbox {
    /// # Errors
    /// Always.
    pub(super) async fn start(
        _: Option<SocketAddr>,
        _: Option<&str>,
        _: &mut Config,
        _: &mut LoadedCatalog,
        _: Clock,
    ) -> Result<Self, CliFailure> {
        Err(none_here())
    }

    pub(super) fn deliver_to(&self, _: SocketAddr) {
        match *self {}
    }

    pub(super) fn url(&self) -> String {
        match *self {}
    }

    pub(super) async fn stop(self) {
        match self {}
    }
}

#[cfg(test)]
#[path = "../../tests/unit/cli/without_sandbox.rs"]
mod tests;
