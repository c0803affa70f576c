//! How are keys stored and changed in the database?

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool, Row, postgres::PgRow};

use crate::{
    catalog::Mode,
    clock::Clock,
    domain::{ids::AccountId, time::Timestamp},
};

use super::{
    ApiKey, Bootstrap, CreatedKey, GivenKeyState, KeyError, KeyScope, KeySecret, NewKey, SecretHash,
};

/// The id of the key that the first start makes. There can be only one of it, however many instances start at the same
/// time.
const FIRST_ID: &str = "key_first";
const BOOTSTRAP_NAME: &str = "bootstrap";

/// Makes a key. Only the result has its secret.
///
/// # Errors
/// If it has no scope, or the database does not answer.
pub async fn create(pool: &PgPool, clock: &Clock, new: NewKey) -> Result<CreatedKey, KeyError> {
    let secret = KeySecret::make(new.mode)?;
    let mut connection = pool.acquire().await?;
    let created = insert(&mut connection, clock, make_id()?, new, secret).await?;
    created.ok_or_else(|| KeyError::Stored("another key has its id".to_owned()))
}

/// All keys, including revoked and expired ones, oldest first.
///
/// # Errors
/// If the database does not answer.
pub async fn list(pool: &PgPool) -> Result<Vec<ApiKey>, KeyError> {
    let rows = sqlx::query(include_str!("list.sql")).fetch_all(pool).await?;
    rows.iter().map(decode).collect()
}

/// Revokes a key, for good. Servers notice within seconds. `None`: there is no such key.
///
/// # Errors
/// If the database does not answer.
pub async fn revoke(pool: &PgPool, clock: &Clock, id: &str) -> Result<Option<ApiKey>, KeyError> {
    let row = sqlx::query(include_str!("revoke.sql"))
        .bind(id)
        .bind(clock.now().to_utc())
        .fetch_optional(pool)
        .await?;
    row.as_ref().map(decode).transpose()
}

/// Makes sure that there is a key: the one from the setting, or else one that is made if there is none.
/// A new key is passed to `keep` before it is stored, so that no key exists that nobody has seen.
///
/// # Errors
/// If the key from the setting is not valid, `keep` fails, or the database does not answer.
pub async fn bootstrap(
    pool: &PgPool,
    clock: &Clock,
    given: Option<&str>,
    mode: Mode,
    keep: impl FnOnce(&KeySecret) -> std::io::Result<()>,
) -> Result<Bootstrap, KeyError> {
    let given = given.map(KeySecret::parse).transpose()?;
    let mut transaction = pool.begin().await?;
    let bootstrap = match given {
        Some(secret) => {
            let hash = secret.hash();
            forget_beginnings(&mut transaction, hash).await?;
            insert(&mut transaction, clock, make_id()?, everything(mode), secret).await?;
            let key = find(&mut transaction, hash).await?;
            let key = key.ok_or_else(|| KeyError::Stored("the key of the setting is gone".to_owned()))?;
            let has_ended = has_ended(&key, clock.now());
            Bootstrap::Given(GivenKeyState {
                has_ended,
                earlier: earlier(&mut transaction, clock, &key.id).await?,
            })
        }
        None if any(&mut transaction).await? => Bootstrap::Exists,
        None => {
            let secret = KeySecret::make(mode)?;
            match insert(&mut transaction, clock, FIRST_ID.to_owned(), everything(mode), secret).await? {
                Some(created) => {
                    keep(&created.secret).map_err(KeyError::NotKept)?;
                    Bootstrap::Made(Box::new(created))
                }
                // Another instance has made it just now.
                None => Bootstrap::Exists,
            }
        }
    };
    transaction.commit().await?;
    Ok(bootstrap)
}

fn has_ended(key: &ApiKey, now: Timestamp) -> bool {
    key.revoked_at.is_some() || key.expires_at.is_some_and(|end| end <= now)
}

/// The other keys of earlier starts that still have all scopes: changing the setting revokes none.
async fn earlier(connection: &mut PgConnection, clock: &Clock, id: &str) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar(include_str!("earlier.sql"))
        .bind(BOOTSTRAP_NAME)
        .bind(id)
        .bind(clock.now().to_utc())
        .fetch_all(connection)
        .await
}

/// Earlier releases also stored the first characters of keys from the setting, which may reveal much of a short one.
async fn forget_beginnings(connection: &mut PgConnection, given: SecretHash) -> Result<(), sqlx::Error> {
    sqlx::query(include_str!("forget_beginnings.sql")).bind(given.as_bytes()).execute(connection).await?;
    Ok(())
}

fn everything(mode: Mode) -> NewKey {
    NewKey {
        name: BOOTSTRAP_NAME.to_owned(),
        mode,
        scopes: BTreeSet::from([KeyScope::Admin]),
        accounts: None,
        expires_at: None,
        requests_per_minute: Some(0),
    }
}

/// The key with this hash.
pub(super) async fn find(
    connection: &mut PgConnection,
    hash: SecretHash,
) -> Result<Option<ApiKey>, KeyError> {
    let row = sqlx::query(include_str!("find.sql")).bind(hash.as_bytes()).fetch_optional(connection).await?;
    row.as_ref().map(decode).transpose()
}

/// Stores when a key was last used.
pub(super) async fn touch(connection: &mut PgConnection, id: &str, at: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query(include_str!("touch.sql")).bind(id).bind(at.to_utc()).execute(connection).await?;
    Ok(())
}

async fn any(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(include_str!("any.sql")).fetch_one(connection).await
}

/// `None`: there is one with its id or its secret.
async fn insert(
    connection: &mut PgConnection,
    clock: &Clock,
    id: String,
    new: NewKey,
    secret: KeySecret,
) -> Result<Option<CreatedKey>, KeyError> {
    if new.scopes.is_empty() {
        return Err(KeyError::NoScope);
    }
    let scopes: Vec<&str> = new.scopes.iter().map(|scope| scope.as_str()).collect();
    let accounts: Option<Vec<&str>> =
        new.accounts.as_ref().map(|accounts| accounts.iter().map(AccountId::as_str).collect());
    let requests_per_minute = new.requests_per_minute.map(|limit| i32::try_from(limit).unwrap_or(i32::MAX));
    let row = sqlx::query(include_str!("insert.sql"))
        .bind(id)
        .bind(secret.hash().as_bytes())
        .bind(secret.prefix())
        .bind(&new.name)
        .bind(scopes)
        .bind(accounts)
        .bind(requests_per_minute)
        .bind(clock.now().to_utc())
        .bind(new.expires_at.map(Timestamp::to_utc))
        .fetch_optional(connection)
        .await?;
    row.map(|row| Ok(CreatedKey { key: decode(&row)?, secret })).transpose()
}

fn make_id() -> Result<String, getrandom::Error> {
    let mut random = [0_u8; 8];
    getrandom::fill(&mut random)?;
    Ok(format!("key_{}", hex::encode(random)))
}

fn decode(row: &PgRow) -> Result<ApiKey, KeyError> {
    let time = |column: &str| -> Result<Option<Timestamp>, sqlx::Error> {
        let instant: Option<DateTime<Utc>> = row.try_get(column)?;
        Ok(instant.map(Timestamp::from))
    };
    let stored = |error: &dyn std::error::Error| KeyError::Stored(error.to_string());
    let scopes: Vec<String> = row.try_get("scopes")?;
    let accounts: Option<Vec<String>> = row.try_get("accounts")?;
    let accounts = accounts.map(|ids| ids.iter().map(|id| AccountId::parse(id)).collect::<Result<_, _>>());
    let limit: Option<i32> = row.try_get("requests_per_minute")?;
    let created_at: DateTime<Utc> = row.try_get("created_at")?;
    Ok(ApiKey {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        prefix: row.try_get("prefix")?,
        scopes: scopes.iter().map(|scope| scope.parse()).collect::<Result<_, _>>().map_err(|error| {
            let error: super::UnknownScope = error;
            stored(&error)
        })?,
        accounts: accounts.transpose().map_err(|error| stored(&error))?,
        requests_per_minute: limit.and_then(|limit| u32::try_from(limit).ok()),
        created_at: Timestamp::from(created_at),
        expires_at: time("expires_at")?,
        last_used_at: time("last_used_at")?,
        revoked_at: time("revoked_at")?,
    })
}
