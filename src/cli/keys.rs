//! `counterfoil keys`: who may call?

use std::collections::BTreeSet;

use clap::{Args, Subcommand};
use comfy_table::Table;
use serde::Serialize;

use crate::{
    app::mode,
    auth::keys::{self, ApiKey, KeyScope, NewKey},
    clock::Clock,
    domain::{ids::AccountId, time::Timestamp},
    http::{InvalidText, Text},
};

use super::{
    exit::{CliFailure, CliResult, Exit},
    flags::DatabaseFlags,
    output::{Output, or_dash, table},
    session::{self, CliSession},
};

const CREATE_HELP: &str = "\
Scopes: deduct (open accounts, spend, hold, refund), read (see accounts), billing (see revenue; sell, change and \
refund at Stripe), audit (replay, verify), operate (import, grant, adjust, mend), admin (everything, and keys).

Examples:
  counterfoil keys create --name backend --scope deduct --scope read
  counterfoil keys create --name auditor --scope audit --expires-at 2027-01-01T00:00:00Z
  counterfoil keys create --name one-team --scope read --account acme";

#[derive(Subcommand)]
pub(super) enum KeysCommand {
    /// Make a key; it is shown once
    #[command(after_help = CREATE_HELP)]
    Create(Create),
    /// List all keys, including those that have ended
    List {
        #[command(flatten)]
        flags: DatabaseFlags,
    },
    /// End a key for good; running servers notice within seconds
    Revoke {
        /// The key's id, as `keys list` shows it
        id: String,
        #[command(flatten)]
        flags: DatabaseFlags,
    },
}

#[derive(Args)]
pub(super) struct Create {
    /// A name for people
    #[arg(long, value_parser = name)]
    name: String,
    /// A scope of the key; may be given several times
    #[arg(long = "scope", required = true, value_name = "SCOPE")]
    scopes: Vec<KeyScope>,
    /// An account that the key is limited to; may be given several times
    #[arg(long = "account", value_name = "ACCOUNT", value_parser = AccountId::parse)]
    accounts: Vec<AccountId>,
    /// When it ends, in RFC 3339
    #[arg(long, value_name = "TIME", value_parser = Timestamp::parse)]
    expires_at: Option<Timestamp>,
    /// How many requests a minute it may make; 0 means any number
    #[arg(long, value_name = "NUMBER")]
    requests_per_minute: Option<u32>,
    #[command(flatten)]
    flags: DatabaseFlags,
}

/// A new key with its secret, which is in no other answer.
#[derive(Serialize)]
struct KeyWithSecret<'a> {
    secret: &'a str,
    #[serde(flatten)]
    key: &'a ApiKey,
}

impl KeysCommand {
    pub(super) async fn run(self, output: Output) -> CliResult {
        match self {
            Self::Create(create) => create.run(output).await,
            Self::List { flags } => list(&flags, output).await,
            Self::Revoke { id, flags } => revoke(&id, &flags, output).await,
        }
    }
}

impl Create {
    async fn run(self, output: Output) -> CliResult {
        let Self { name, scopes, accounts, expires_at, requests_per_minute, flags } = self;
        let accounts = (!accounts.is_empty()).then(|| accounts.into_iter().collect::<BTreeSet<_>>());
        if expires_at.is_some_and(|end| end <= Clock::system().now()) {
            return Err(CliFailure::Usage("--expires-at: it is in the past".to_owned()));
        }
        let created = session::with(&flags, async |session: &CliSession| {
            let mode = session.config.mode;
            mode::enter(&session.pool, mode, &session.clock).await.map_err(CliFailure::broken)?;
            let scopes = scopes.into_iter().collect();
            let new = NewKey { name, mode, scopes, accounts, expires_at, requests_per_minute };
            keys::create(&session.pool, &session.clock, new).await.map_err(CliFailure::broken)
        })
        .await?;
        let shown = KeyWithSecret { secret: created.secret.reveal(), key: &created.key };
        output.answer(&shown, || shown.secret.to_owned())?;
        output.note(&format!("Key {} is shown only this once.", created.key.id));
        Ok(Exit::Success)
    }
}

/// As over HTTP.
fn name(text: &str) -> Result<String, InvalidText> {
    Text::try_from(text.to_owned()).map(String::from)
}

async fn list(flags: &DatabaseFlags, output: Output) -> CliResult {
    let keys = session::with(flags, async |session: &CliSession| {
        keys::list(&session.pool).await.map_err(CliFailure::broken)
    })
    .await?;
    output.answer(&keys, || table_of(&keys).to_string())?;
    Ok(Exit::Success)
}

async fn revoke(id: &str, flags: &DatabaseFlags, output: Output) -> CliResult {
    let revoked = session::with(flags, async |session: &CliSession| {
        keys::revoke(&session.pool, &session.clock, id).await.map_err(CliFailure::broken)
    })
    .await?;
    let key = revoked.ok_or_else(|| CliFailure::No(format!("there is no key `{id}`")))?;
    output.answer(&key, || format!("Key {} ({}) has ended.", key.id, key.name))?;
    Ok(Exit::Success)
}

fn table_of(keys: &[ApiKey]) -> Table {
    let mut table =
        table(["id", "name", "begins with", "scopes", "accounts", "created", "last used", "ends"]);
    for key in keys {
        let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.as_str()).collect();
        let accounts = key.accounts.as_ref().map_or_else(
            || "all".to_owned(),
            |accounts| accounts.iter().map(AccountId::as_str).collect::<Vec<_>>().join(", "),
        );
        let ends =
            key.revoked_at.map(|at| format!("revoked {at}")).or(key.expires_at.map(|at| at.to_string()));
        table.add_row([
            key.id.clone(),
            key.name.clone(),
            or_dash(Some(&key.prefix).filter(|prefix| !prefix.is_empty())),
            scopes.join(", "),
            accounts,
            key.created_at.to_string(),
            or_dash(key.last_used_at),
            or_dash(ends),
        ]);
    }
    table
}
