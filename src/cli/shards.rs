//! `counterfoil shards`: which shards does the ledger have, and how does it get more?

use clap::{Args, Subcommand};
use comfy_table::{CellAlignment, Column};
use serde::Serialize;
use serde_json::json;

use crate::{
    domain::recorded::Shard,
    journal::{
        grow::{self, GrowError, Growth},
        shards::{self, ShardPart},
    },
};

use super::{
    exit::{CliFailure, CliResult, Exit},
    flags::DatabaseFlags,
    output::{Output, table},
    session::{self, CliSession},
};

const GROW_HELP: &str = "\
Accounts that were opened before stay in their shards; all others are spread over the new ones. This cannot be taken \
back. Programs that serve may run meanwhile: they end when they notice it, and have to be started again, which a \
supervisor does. Wait until no read model is being rebuilt. Use the login that migrates the database.

Example:
  counterfoil shards grow --to 32";

#[derive(Subcommand)]
pub(super) enum ShardsCommand {
    /// List the shards, and which part of which accounts is in each
    List {
        #[command(flatten)]
        flags: DatabaseFlags,
    },
    /// Spread the accounts that are opened from now on over more shards
    #[command(after_help = GROW_HELP)]
    Grow(Grow),
}

#[derive(Args)]
pub(super) struct Grow {
    /// How many new shards: 2, 4, 8 and so on, more than new accounts are spread over now; with those that are there,
    /// at most 1024
    #[arg(long, value_name = "NUMBER")]
    to: u16,
    #[command(flatten)]
    flags: DatabaseFlags,
}

impl ShardsCommand {
    pub(super) async fn run(self, output: Output) -> CliResult {
        match self {
            Self::List { flags } => list(&flags, output).await,
            Self::Grow(grow) => grow.run(output).await,
        }
    }
}

/// A shard, as it is shown.
#[derive(Serialize)]
struct ShownShard {
    shard: i16,
    sharding: i16,
    part: i16,
    of: i16,
    position: i64,
}

async fn list(flags: &DatabaseFlags, output: Output) -> CliResult {
    let (parts, heads) = session::with(flags, async |session: &CliSession| {
        let read = async {
            let mut connection = session.pool.acquire().await?;
            Ok::<_, sqlx::Error>((
                shards::parts(&mut connection).await?,
                shards::heads(&mut connection).await?,
            ))
        };
        read.await.map_err(CliFailure::broken)
    })
    .await?;
    let line = |part: &ShardPart| ShownShard {
        shard: part.shard,
        sharding: part.sharding,
        part: part.slot,
        of: part.slots,
        position: heads.of(Shard(part.shard)).unwrap_or_default().0,
    };
    let lines: Vec<ShownShard> = parts.iter().map(line).collect();
    output.answer(&lines, || {
        let mut table = table(["shard", "sharding", "part", "of", "position"]);
        for ShownShard { shard, sharding, part, of, position } in &lines {
            table.add_row([
                shard.to_string(),
                sharding.to_string(),
                part.to_string(),
                of.to_string(),
                position.to_string(),
            ]);
        }
        table.column_iter_mut().for_each(|column| Column::set_cell_alignment(column, CellAlignment::Right));
        table.to_string()
    })?;
    Ok(Exit::Success)
}

impl Grow {
    async fn run(self, output: Output) -> CliResult {
        let Self { to, flags } = self;
        let progress = output.progress("accounts", 0);
        let report = |accounts: u64| {
            progress.set_length(accounts);
            progress.set_position(accounts);
        };
        let growth = session::with(&flags, async |session: &CliSession| {
            grow::require_power(to).map_err(failure)?;
            require_accounts(session).await?;
            grow::grow(&session.pool, to, session.clock.now(), report).await.map_err(failure)
        })
        .await?;
        progress.finish_and_clear();
        let Growth { sharding, shards, accounts } = &growth;
        let value = json!({ "sharding": sharding, "shards": shards, "accounts": accounts });
        output.answer(&value, || {
            let numbers: Vec<String> = shards.iter().map(|shard| shard.0.to_string()).collect();
            format!(
                "New accounts are spread over {to} new shards: {}. The {accounts} accounts that were opened before stay \
                 where they are.\nPrograms that serve end now, and have to be started again. Then look whether \
                 everything is right: counterfoil audit verify",
                numbers.join(", ")
            )
        })?;
        Ok(Exit::Success)
    }
}

/// A database that was made just now, for lack of another one, is not what is to be grown.
async fn require_accounts(session: &CliSession) -> Result<(), CliFailure> {
    let read = async { shards::heads(&mut *session.pool.acquire().await?).await };
    let heads = read.await.map_err(CliFailure::broken)?;
    if heads.iter().any(|head| head.position.0 > 0) {
        return Ok(());
    }
    let what = "the ledger has no accounts yet, so it need not be grown; is it the right database? For a new one, say \
                the number of shards with COUNTERFOIL_SHARDS before it is made";
    Err(CliFailure::No(what.to_owned()))
}

fn failure(error: GrowError) -> CliFailure {
    match error {
        GrowError::NotAPower(_) => CliFailure::Usage(error.to_string()),
        GrowError::NotMore { .. } | GrowError::TooMany { .. } | GrowError::Meanwhile | GrowError::Held(_) => {
            CliFailure::No(error.to_string())
        }
        GrowError::NotAllowed(_) | GrowError::Database(_) => CliFailure::broken(error),
    }
}
