//! How is a cluster made, completely or not at all?
//!
//! It is made in another directory, flushed once, and then renamed.
//! If the process is killed before, the next start removes the unfinished directory.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::binaries::Installation;
use super::directory::{CLUSTER, DataDirectory, create_private};
use super::error::io_error;
use super::owner::ClusterOwner;
use super::server::SUPERUSER;
use super::{Durability, StartError, system};

/// Whether there is a cluster, as far as this user may look.
pub(super) fn may_exist(data_directory: &Path) -> bool {
    data_directory.join(CLUSTER).join("PG_VERSION").try_exists().unwrap_or(true)
}

/// The major version that wrote the cluster. `None`: there is no cluster yet.
pub(super) fn find_major(directory: &DataDirectory) -> Result<Option<u32>, StartError> {
    let path = directory.cluster().join("PG_VERSION");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io_error("read", &path)(error)),
    };
    // Before 10, the major version consisted of two numbers, such as 9.6.
    let major = text.trim().split('.').next().and_then(|digits| digits.parse().ok());
    major.map(Some).ok_or(StartError::UnknownMajor { path })
}

/// Makes a new cluster.
pub(super) fn create(
    directory: &DataDirectory,
    installation: &Installation,
    owner: &ClusterOwner,
    durability: Durability,
) -> Result<(), StartError> {
    owner.name()?;
    let unfinished = directory.unfinished_cluster();
    remove_if_present(&unfinished).map_err(io_error("remove", &unfinished))?;
    create_private(&unfinished).map_err(io_error("create", &unfinished))?;
    owner.give(&unfinished)?;
    run_initdb(&unfinished, installation, owner)?;
    let cluster = directory.cluster();
    put_in_place(&unfinished, &cluster, durability).map_err(io_error("move the new cluster to", &cluster))?;
    tracing::info!(cluster = %cluster.display(), major = installation.major, "created a PostgreSQL cluster");
    Ok(())
}

fn run_initdb(target: &Path, installation: &Installation, owner: &ClusterOwner) -> Result<(), StartError> {
    let initdb = installation.initdb();
    let mut command = owner.command(&initdb);
    command.arg("-D").arg(target).arg(format!("--username={SUPERUSER}"));
    // For somebody who starts the server without this program, which uses the files of `rules` instead.
    command.args(["--auth-local=peer", "--auth-host=reject"]);
    // The same sort order and the same messages on every machine.
    command.args(["--encoding=UTF8", "--locale=C"]);
    // `put_in_place` flushes everything at once, which is faster than file by file.
    command.args(["--data-checksums", "--no-sync", "--no-instructions"]);
    system::bind_to_parent(&mut command);

    let output = command.output().map_err(io_error("run", &initdb))?;
    if output.status.success() {
        return Ok(());
    }
    let output_text = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(StartError::Initdb { status: output.status, output: output_text })
}

fn put_in_place(unfinished: &Path, cluster: &Path, durability: Durability) -> io::Result<()> {
    match durability {
        Durability::Off => fs::rename(unfinished, cluster),
        Durability::On => {
            system::flush_file_system(&File::open(unfinished)?)?;
            fs::rename(unfinished, cluster)?;
            cluster.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all())
        }
    }
}

fn remove_if_present(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}
