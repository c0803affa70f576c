//! Who may connect to the server, and how is that known? The system says who opened the socket (`peer`).
//!
//! The files are ours, beside the cluster and not in it, and are written anew at each start: the rules hold for
//! clusters that an earlier release made too, which let in whoever reached the socket.

use std::ffi::OsString;
use std::fs::Permissions;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::StartError;
use super::directory::DataDirectory;
use super::error::io_error;
use super::owner::ClusterOwner;
use super::server::SUPERUSER;

/// The server's user reads the files, and nothing in them is secret.
const MODE: u32 = 0o644;
/// What the list of names is called in the rules.
const MAP: &str = "counterfoil";

/// The files with the rules.
#[derive(Debug)]
pub(super) struct Rules {
    rules: PathBuf,
    names: PathBuf,
}

impl Rules {
    /// For the server's command line.
    pub fn settings(&self) -> [OsString; 2] {
        let setting = |name: &str, path: &Path| {
            let mut setting = OsString::from(name);
            setting.push(path);
            setting
        };
        [setting("hba_file=", &self.rules), setting("ident_file=", &self.names)]
    }
}

/// Writes the rules for the users who may be the owner of everything.
pub(super) fn write(directory: &DataDirectory, owner: ClusterOwner) -> Result<Rules, StartError> {
    let rules = Rules { rules: directory.rules(), names: directory.names() };
    let who = format!(
        "# Written anew at each start.\n\
         local all {SUPERUSER} peer map={MAP}\n\
         # Logins of your own, with a password.\n\
         local all all scram-sha-256\n"
    );
    let mut names = String::from("# Written anew at each start.\n");
    for name in owner.names()? {
        // A quote inside of quotes is written twice.
        names.push_str(&format!("{MAP} \"{}\" {SUPERUSER}\n", name.replace('"', "\"\"")));
    }
    for (path, text) in [(&rules.rules, who), (&rules.names, names)] {
        replace(directory.path(), path, &text).map_err(io_error("write", path))?;
    }
    Ok(rules)
}

/// Takes the place of what is there, whole, and follows no link.
fn replace(directory: &Path, path: &Path, text: &str) -> io::Result<()> {
    let mut file = NamedTempFile::new_in(directory)?;
    file.write_all(text.as_bytes())?;
    file.as_file().set_permissions(Permissions::from_mode(MODE))?;
    file.persist(path)?;
    Ok(())
}
