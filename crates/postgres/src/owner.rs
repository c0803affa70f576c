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

/// Whom root hands the server to. Where there is no such user, it is whoever owns the data directory.
const UNPRIVILEGED_USER: &CStr = c"postgres";
/// Other programs run as this one too, and whatever is its own is theirs. Earlier releases ran the server as it.
const SHARED_USER: &CStr = c"nobody";

/// What the programs inherit of our environment. The rest could change what they do: PGDATA, PGOPTIONS, locales…
const INHERITED_VARIABLES: [&str; 3] = ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"];

/// The user that runs the server and owns the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ClusterOwner {
    account: SystemUser,
    /// The user that this process runs as.
    current_uid: u32,
}

impl ClusterOwner {
    /// Chooses the user. One who owns a cluster already has to run it, since PostgreSQL accepts nobody else.
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
            // Only root can change the group, so nobody looks at this one.
            (Some(_) | None, uid) => SystemUser { uid, gid: 0 },
        };
        Ok(Self { account, current_uid })
    }

    pub fn uid(self) -> u32 {
        self.account.uid
    }

    /// A program that runs as this user, apart from our terminal, our directory and our environment.
    pub fn command(self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("LC_ALL", "C").env("TZ", "UTC");
        for name in INHERITED_VARIABLES {
            if let Some(value) = env::var_os(name) {
                command.env(name, value);
            }
        }
        // The directory that we were started in may be one that this user cannot enter. In a group of its own, the
        // program does not get the ctrl-C that is meant for us.
        command.current_dir("/").stdin(Stdio::null()).process_group(0);
        if self.current_uid == 0 {
            command.uid(self.account.uid).gid(self.account.gid);
        }
        command
    }

    /// Hands a path over to this user.
    pub fn give(self, path: &Path) -> Result<(), StartError> {
        if self.current_uid != 0 {
            return Ok(());
        }
        std::os::unix::fs::lchown(path, Some(self.account.uid), Some(self.account.gid))
            .map_err(io_error("change the owner of", path))
    }

    /// Checks that this user can pass through every directory down to the data directory.
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

    /// The classic permission bits decide; access control lists are not consulted.
    fn can_enter(self, path: &Path) -> io::Result<bool> {
        // We are that user, and have come this far.
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

    /// What the user is called. Without a name, `initdb` does not run, and PostgreSQL does not believe who somebody is.
    pub fn name(self) -> Result<String, StartError> {
        name_of(self.account.uid)
    }

    /// The names of those who may connect as the database's owner: this user, and who started us.
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

/// A cluster of the user that other programs share is handed over to one of its own, where there is one.
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

/// Only what belonged to the former owner changes hands: as root, a link could name any file.
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
    // Last, so that what was cut short is begun again.
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
