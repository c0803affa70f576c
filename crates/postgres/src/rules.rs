//! Who may connect to the server, and how are they identified? The system says who opened the socket (`peer`).
//!
//! The files are beside the cluster and not in it, and are written at each start.
//! So they also hold for clusters of earlier releases, which accepted everybody who reached the socket.

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

/// The server's user has to read the files, which contain no secrets.
const MODE: u32 = 0o644;
/// The name of the user map in the rules.
const MAP: &str = "counterfoil";

/// The paths of the files.
#[derive(Debug)]
pub(super) struct Rules {
    rules: PathBuf,
    names: PathBuf,
}

impl Rules {
    /// The settings for the server's command line.
    pub fn settings(&self) -> [OsString; 2] {
        let setting = |name: &str, path: &Path| {
            let mut setting = OsString::from(name);
            setting.push(path);
            setting
        };
        [setting("hba_file=", &self.rules), setting("ident_file=", &self.names)]
    }
}

/// Writes the rules for the users who may connect as the owner of everything.
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
        // Quotes inside of quotes are doubled.
        names.push_str(&format!("{MAP} \"{}\" {SUPERUSER}\n", name.replace('"', "\"\"")));
    }
    for (path, text) in [(&rules.rules, who), (&rules.names, names)] {
        replace(directory.path(), path, &text).map_err(io_error("write", path))?;
    }
    Ok(rules)
}

/// Replaces a file as a whole, without following a link.
fn replace(directory: &Path, path: &Path, text: &str) -> io::Result<()> {
    let mut file = NamedTempFile::new_in(directory)?;
    file.write_all(text.as_bytes())?;
    file.as_file().set_permissions(Permissions::from_mode(MODE))?;
    file.persist(path)?;
    Ok(())
}
