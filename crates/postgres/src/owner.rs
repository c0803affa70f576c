//! As which user does the server run? PostgreSQL refuses to run as root.

use std::env;
use std::ffi::CStr;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::StartError;
use super::directory::DataDirectory;
use super::error::io_error;
use super::system::{self, SystemUser};

/// The user that runs the server if this process runs as root.
/// If there is no such user, it is the owner of the data directory.
const UNPRIVILEGED_USER: &CStr = c"postgres";
/// A user that other programs use, too, so that they could access its files.
/// Earlier releases ran the server as this user.
const SHARED_USER: &CStr = c"nobody";

/// The environment variables that the programs inherit. Others could change what they do: PGDATA, PGOPTIONS, locales…
const INHERITED_VARIABLES: [&str; 3] = ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"];

/// The user that runs the server and owns the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ClusterOwner {
    account: SystemUser,
    /// The user that this process runs as.
    current_uid: u32,
}

impl ClusterOwner {
    /// Chooses the user. If a cluster exists, its owner has to run it, since PostgreSQL accepts nobody else.
    pub fn choose(directory: &DataDirectory) -> Result<Self, StartError> {
        let current_uid = system::effective_uid();
        let account = match (find_owner(&directory.cluster())?, current_uid) {
            (Some(owner), 0) if owner.uid != 0 => away_from_shared(owner, directory)?,
            (Some(owner), _) if owner.uid != current_uid => {
                return Err(StartError::ForeignCluster {
                    directory: directory.cluster(),
                    owner: owner.uid,
                    uid: current_uid,
                });
            }
            (Some(_) | None, 0) => choose_unprivileged(directory)?,
            // Only root can change the group, so it is not used here.
            (Some(_) | None, uid) => SystemUser { uid, gid: 0 },
        };
        Ok(Self { account, current_uid })
    }

    pub fn uid(self) -> u32 {
        self.account.uid
    }

    /// A command that runs as this user, separate from this process's terminal, directory and environment.
    pub fn command(self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("LC_ALL", "C").env("TZ", "UTC");
        for name in INHERITED_VARIABLES {
            if let Some(value) = env::var_os(name) {
                command.env(name, value);
            }
        }
        // This user may not be able to enter the current directory.
        // In its own process group, the program does not get the ctrl-C that is meant for this process.
        command.current_dir("/").stdin(Stdio::null()).process_group(0);
        if self.current_uid == 0 {
            command.uid(self.account.uid).gid(self.account.gid);
        }
        command
    }

    /// Makes this user the owner of a path.
    pub fn give(self, path: &Path) -> Result<(), StartError> {
        if self.current_uid != 0 {
            return Ok(());
        }
        std::os::unix::fs::lchown(path, Some(self.account.uid), Some(self.account.gid))
            .map_err(io_error("change the owner of", path))
    }

    /// Checks that this user can pass through every directory above the data directory.
    pub fn check_reach(self, directory: &DataDirectory) -> Result<(), StartError> {
        for ancestor in directory.path().ancestors() {
            if !self.can_enter(ancestor).map_err(io_error("inspect", ancestor))? {
                return Err(StartError::Unreachable {
                    directory: directory.path().to_owned(),
                    obstacle: ancestor.to_owned(),
                    uid: self.account.uid,
                });
            }
        }
        Ok(())
    }

    /// Only the classic permission bits are checked, and no access control lists.
    fn can_enter(self, path: &Path) -> io::Result<bool> {
        // This process runs as that user, and has reached the directory.
        if self.current_uid != 0 {
            return Ok(true);
        }
        let metadata = fs::metadata(path)?;
        let needed = match metadata {
            ref metadata if metadata.uid() == self.account.uid => 0o100,
            ref metadata if metadata.gid() == self.account.gid => 0o010,
            _ => 0o001,
        };
        Ok(metadata.mode() & needed != 0)
    }

    /// The user's name. Without one, `initdb` fails, and PostgreSQL cannot identify the user.
    pub fn name(self) -> Result<String, StartError> {
        name_of(self.account.uid)
    }

    /// The names of the users who may connect as the database's owner: this one, and the one who started the program.
    pub fn names(self) -> Result<Vec<String>, StartError> {
        let mut names = vec![self.name()?];
        if self.current_uid != self.account.uid {
            names.push(name_of(self.current_uid)?);
        }
        Ok(names)
    }
}

fn name_of(uid: u32) -> Result<String, StartError> {
    let found = system::find_name_of(uid).map_err(look_up_error())?;
    found.ok_or(StartError::NoAccount { uid })
}

fn look_up_error() -> impl FnOnce(io::Error) -> StartError {
    io_error("look up a user in", Path::new("/etc/passwd"))
}

/// A cluster of the user that other programs share is moved to a separate user, if there is one.
fn away_from_shared(owner: SystemUser, directory: &DataDirectory) -> Result<SystemUser, StartError> {
    let shared = system::find_account_named(SHARED_USER).map_err(look_up_error())?;
    if shared.is_none_or(|shared| shared.uid != owner.uid) {
        return Ok(owner);
    }
    let Ok(account) = choose_unprivileged(directory) else {
        tracing::warn!("PostgreSQL runs as `nobody`, as other programs do; add a user `postgres`");
        return Ok(owner);
    };
    tracing::warn!(uid = account.uid, "the PostgreSQL cluster is handed over from `nobody`");
    for path in [directory.cluster(), directory.socket()] {
        hand_over(&path, owner, account).map_err(io_error("change the owner of", &path))?;
    }
    Ok(account)
}

/// Only files of the former owner are changed, since as root a link could lead to any file.
fn hand_over(path: &Path, from: SystemUser, to: SystemUser) -> io::Result<()> {
    let metadata = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        metadata => metadata?,
    };
    if metadata.uid() != from.uid {
        return Ok(());
    }
    if metadata.is_dir() {
        for entry in fs::read_dir(path)? {
            hand_over(&entry?.path(), from, to)?;
        }
    }
    // This comes last, so that an interrupted change is started again.
    std::os::unix::fs::lchown(path, Some(to.uid), Some(to.gid))
}

fn find_owner(path: &Path) -> Result<Option<SystemUser>, StartError> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(SystemUser { uid: metadata.uid(), gid: metadata.gid() })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_error("inspect", path)(error)),
    }
}

fn choose_unprivileged(directory: &DataDirectory) -> Result<SystemUser, StartError> {
    let find = |name| system::find_account_named(name).map_err(look_up_error());
    if let Some(account) = find(UNPRIVILEGED_USER)? {
        return Ok(account);
    }
    let shared = find(SHARED_USER)?.map(|account| account.uid);
    find_owner(directory.path())?
        .filter(|owner| owner.uid != 0 && Some(owner.uid) != shared)
        .ok_or_else(|| StartError::NoUnprivilegedUser { directory: directory.path().to_owned() })
}
