//! `counterfoil migrate`: how are the tables brought up to date without a server?

use clap::Args;
use serde_json::json;

use super::{
    exit::{CliFailure, CliResult, Exit},
    flags::DatabaseFlags,
    output::Output,
    session::{self, CliSession},
};

const HELP: &str = "\
`serve` does this by itself. Do it apart from it where only some other login may change tables.

Example:
  DATABASE_URL=postgres://owner@host/database counterfoil migrate";

#[derive(Args)]
#[command(after_help = HELP)]
pub(super) struct Migrate {
    #[command(flatten)]
    flags: DatabaseFlags,
}

impl Migrate {
    pub(super) async fn run(self, output: Output) -> CliResult {
        // Opening a session migrates, as every start does.
        session::with(&self.flags, async |_: &CliSession| Ok::<(), CliFailure>(())).await?;
        let migrator = crate::postgres::migrations::migrator();
        let newest = migrator.iter().map(|migration| migration.version).max();
        output.answer(&json!({ "version": newest }), || {
            format!("The database is up to date, at version {}.", newest.unwrap_or_default())
        })?;
        Ok(Exit::Success)
    }
}
