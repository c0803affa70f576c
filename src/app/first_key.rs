//! Who sees the key that the first start makes?
//! A person at a terminal, or a file that nobody else can read, but no log.

use std::{
    fs::DirBuilder,
    io::{self, Write},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use sqlx::PgPool;
use tempfile::NamedTempFile;

use crate::{
    auth::keys::{self, Bootstrap, GivenKeyState, KeyError, KeySecret},
    clock::Clock,
    config::Config,
};

/// Who gets a new key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyAudience {
    /// The caller shows it at a terminal.
    Person,
    /// It is written to the configured file.
    File,
}

/// The key that was made because none existed.
#[derive(Clone, Debug)]
pub enum FirstKey {
    /// It can be shown only now.
    ToShow(KeySecret),
    /// It is in this file.
    In(PathBuf),
}

/// Makes sure that there is a key, and warns of problems with the configured one.
pub(super) async fn see_to(
    pool: &PgPool,
    clock: &Clock,
    config: &Config,
    teller: KeyAudience,
) -> Result<Option<FirstKey>, KeyError> {
    let given = config.bootstrap_key.as_ref().map(KeySecret::reveal);
    let file = config.first_key_file.as_deref();
    let keep = |secret: &KeySecret| match teller {
        KeyAudience::Person => Ok(()),
        KeyAudience::File => keep(file, secret),
    };
    match keys::bootstrap(pool, clock, given, config.mode, keep).await? {
        Bootstrap::Exists => Ok(None),
        Bootstrap::Given(given) => {
            tell(&given);
            Ok(None)
        }
        Bootstrap::Made(created) => Ok(Some(match (teller, file) {
            (KeyAudience::File, Some(file)) => FirstKey::In(file.to_owned()),
            (KeyAudience::Person | KeyAudience::File, _) => FirstKey::ToShow(created.secret),
        })),
    }
}

fn tell(given: &GivenKeyState) {
    if given.has_ended {
        tracing::warn!("COUNTERFOIL_BOOTSTRAP_KEY is a key that has ended: it opens nothing; set a new one");
    }
    if !given.earlier.is_empty() {
        tracing::warn!(
            keys = given.earlier.join(", "),
            "keys of earlier starts still open everything; `counterfoil keys revoke` ends each"
        );
    }
}

/// Writes the key into a file that only this user can read, replacing an older file.
fn keep(file: Option<&Path>, secret: &KeySecret) -> io::Result<()> {
    let file = file.ok_or_else(|| {
        io::Error::new(io::ErrorKind::NotFound, "set COUNTERFOIL_FIRST_KEY_FILE or COUNTERFOIL_BOOTSTRAP_KEY")
    })?;
    let directory = file.parent().filter(|directory| !directory.as_os_str().is_empty());
    let directory = directory.unwrap_or_else(|| Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    // The file is made with mode 0600 and then renamed, so that a link in its place is replaced and not followed.
    let mut kept = NamedTempFile::new_in(directory)?;
    writeln!(kept, "{}", secret.reveal())?;
    kept.as_file().sync_all()?;
    kept.persist(file)?;
    Ok(())
}
