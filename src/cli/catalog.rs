//! `counterfoil catalog check FILE`: can the program start with this file, and who is on what it does not sell?

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

use crate::{
    app::{
        catalogs::{self, CatalogTerms, OnOldPlan},
        open_projector,
    },
    catalog::{self, CatalogReport, Mode},
    journal::feed::Feed,
};

use super::{
    exit::{CliFailure, CliResult, Exit},
    files::check_readable,
    flags::DatabaseFlags,
    output::Output,
    session::{self, CliSession},
};

const HELP: &str = "\
Every mistake is listed at once, with its line. Exit code 1 says that the file has some.

Examples:
  counterfoil catalog check catalogs/music.toml
  counterfoil catalog check catalogs/music.toml --with-database";

#[derive(Subcommand)]
pub(super) enum CatalogCommand {
    /// List every mistake in a catalog file, or what it sells
    #[command(after_help = HELP)]
    Check {
        /// The catalog file
        file: PathBuf,
        /// Which of the two sets of price ids is checked
        #[arg(long, value_enum, default_value_t = ModeName::Test)]
        mode: ModeName,
        /// Also say how many accounts are on plans that this file retires or does not have
        #[arg(long)]
        with_database: bool,
        #[command(flatten)]
        flags: DatabaseFlags,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum ModeName {
    Test,
    Live,
}

impl From<ModeName> for Mode {
    fn from(name: ModeName) -> Self {
        match name {
            ModeName::Test => Self::Test,
            ModeName::Live => Self::Live,
        }
    }
}

impl CatalogCommand {
    pub(super) async fn run(self, output: Output) -> CliResult {
        let Self::Check { file, mode, with_database, flags } = self;
        check_readable(&file)?;
        let report = catalog::check(&file, &|name| std::env::var(name).ok(), mode.into());
        let on_old_plans = if with_database { find_old_plans(&flags, &report).await? } else { None };
        let mut shown = report.to_json();
        if let Some((shown, on_old_plans)) = shown.as_object_mut().zip(on_old_plans.as_ref()) {
            shown.insert("on_old_plans".to_owned(), serde_json::json!(on_old_plans));
        }
        output.answer(&shown, || format!("{report}{}", lines(on_old_plans.as_deref())))?;
        Ok(if report.is_right() { Exit::Success } else { Exit::No })
    }
}

/// Counts accounts on plans that are not sold. `None`: the file has mistakes.
async fn find_old_plans(
    flags: &DatabaseFlags,
    report: &CatalogReport,
) -> Result<Option<Vec<OnOldPlan>>, CliFailure> {
    let Some(mut catalog) = report.catalog.clone() else { return Ok(None) };
    let found = session::with(flags, async |session: &CliSession| {
        catalogs::recall(&session.pool, &mut catalog, report.mode).await.map_err(CliFailure::broken)?;
        // Makes the read model that knows the accounts' plans, if it is not there.
        open_projector(&session.pool, Feed::new(session.pool.clone()), &session.clock)
            .await
            .map_err(CliFailure::broken)?;
        catalogs::on_old_plans(&session.pool, &catalog).await.map_err(CliFailure::broken)
    });
    found.await.map(Some)
}

fn lines(on_old_plans: Option<&[OnOldPlan]>) -> String {
    let line = |OnOldPlan { plan, accounts, terms }: &OnOldPlan| {
        let terms = match terms {
            CatalogTerms::Retired => "which is retired",
            CatalogTerms::LastCatalog => {
                "which is not in this file: the terms of the last catalog that had it hold"
            }
            CatalogTerms::FreePlan => {
                "which no catalog here ever had: the free plan's features and limits hold"
            }
        };
        format!("accounts on plan `{plan}`, {terms}: {accounts}\n")
    };
    match on_old_plans {
        None => String::new(),
        Some([]) => "every account is on a plan that is sold\n".to_owned(),
        Some(old) => old.iter().map(line).collect(),
    }
}
