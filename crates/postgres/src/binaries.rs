//! Which installed PostgreSQL is used?

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::StartError;
use super::directory::DataDirectory;
use super::error::MAJOR_MIN;
use super::owner::ClusterOwner;

/// Where packages install the programs. A `*` stands for any rest of a name.
const USUAL_DIRECTORIES: [&str; 9] = [
    // Debian, Ubuntu and their packages from postgresql.org.
    "/usr/lib/postgresql/*/bin",
    // The packages from postgresql.org for Red Hat and SUSE.
    "/usr/pgsql-*/bin",
    // Alpine.
    "/usr/libexec/postgresql*",
    // The official container image, and PostgreSQL's own default.
    "/usr/local/pgsql/bin",
    "/usr/local/bin",
    // Homebrew on Apple chips, on Intel, and on Linux.
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
];

/// The programs of one installed PostgreSQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Installation {
    directory: PathBuf,
    pub major: u32,
}

impl Installation {
    pub fn postgres(&self) -> PathBuf {
        self.directory.join("postgres")
    }

    pub fn initdb(&self) -> PathBuf {
        self.directory.join("initdb")
    }

    /// Resolves links, since the programs find their libraries and templates relative to their real path.
    fn find(directory: &Path, owner: &ClusterOwner) -> Result<Self, String> {
        let postgres = directory.join("postgres");
        let resolved = postgres.canonicalize().map_err(|error| format!("{}: {error}", postgres.display()))?;
        let directory = resolved.parent().unwrap_or(directory).to_owned();
        let initdb = directory.join("initdb");
        if !initdb.is_file() {
            return Err(format!("there is no {}", initdb.display()));
        }
        let major = ask_major(&resolved, owner)?;
        if major < MAJOR_MIN {
            return Err(format!("PostgreSQL {major} is older than {MAJOR_MIN}"));
        }
        Ok(Self { directory, major })
    }
}

/// Chooses the installation: for an existing cluster its major version, for a new one the newest.
pub(super) fn choose(
    setting: Option<&Path>,
    major: Option<u32>,
    directory: &DataDirectory,
    owner: &ClusterOwner,
) -> Result<Installation, StartError> {
    let installations = match setting {
        Some(setting) => find_in_setting(setting, owner)?,
        None => find_installed(owner),
    };
    pick(installations, major, directory)
}

fn pick(
    mut installations: BTreeMap<u32, Installation>,
    major: Option<u32>,
    directory: &DataDirectory,
) -> Result<Installation, StartError> {
    let Some(newest) = installations.keys().next_back().copied() else {
        return Err(StartError::NotFound);
    };
    let wanted = major.unwrap_or(newest);
    installations.remove(&wanted).ok_or_else(|| StartError::OtherMajor {
        directory: directory.cluster(),
        cluster: wanted,
        installed: installations.keys().map(u32::to_string).collect::<Vec<_>>().join(", "),
    })
}

/// If the setting is set, only that directory is used, and errors are about it.
fn find_in_setting(setting: &Path, owner: &ClusterOwner) -> Result<BTreeMap<u32, Installation>, StartError> {
    let inner = setting.join("bin");
    let directory = if inner.is_dir() { inner.as_path() } else { setting };
    match Installation::find(directory, owner) {
        Ok(installation) => Ok(BTreeMap::from([(installation.major, installation)])),
        Err(reason) => Err(StartError::UnusableBinaries { directory: setting.to_owned(), reason }),
    }
}

/// All installations, one for each major version. If there are two, the one on PATH is used.
fn find_installed(owner: &ClusterOwner) -> BTreeMap<u32, Installation> {
    let mut installations = BTreeMap::new();
    for directory in candidates(owner) {
        match Installation::find(&directory, owner) {
            Ok(installation) => {
                installations.entry(installation.major).or_insert(installation);
            }
            Err(reason) => tracing::debug!(directory = %directory.display(), reason, "no PostgreSQL here"),
        }
    }
    installations
}

/// Every directory that may have the programs, each once, by its real path.
fn candidates(owner: &ClusterOwner) -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let usual = USUAL_DIRECTORIES.iter().flat_map(|pattern| expand(pattern));
    let mut found: Vec<PathBuf> = Vec::new();
    for directory in env::split_paths(&path).chain(ask_pg_config(owner)).chain(usual) {
        let Ok(postgres) = directory.join("postgres").canonicalize() else { continue };
        if let Some(real) = postgres.parent().filter(|real| !found.iter().any(|known| known == real)) {
            found.push(real.to_owned());
        }
    }
    found
}

/// The directories that match a pattern with at most one `*`.
fn expand(pattern: &str) -> Vec<PathBuf> {
    let Some((before, after)) = pattern.split_once('*') else { return vec![PathBuf::from(pattern)] };
    let Some((parent, prefix)) = before.rsplit_once('/') else { return Vec::new() };
    let Ok(entries) = fs::read_dir(parent) else { return Vec::new() };
    entries
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
        .map(|entry| entry.path().join(after.trim_start_matches('/')))
        .collect()
}

fn ask_pg_config(owner: &ClusterOwner) -> Option<PathBuf> {
    let mut command = owner.command(Path::new("pg_config"));
    let output = command.arg("--bindir").output().ok().filter(|output| output.status.success())?;
    let directory = String::from_utf8(output.stdout).ok()?;
    Some(PathBuf::from(directory.trim()))
}

/// Runs the program as the user who will run the server, so that one that this user cannot run is skipped.
fn ask_major(postgres: &Path, owner: &ClusterOwner) -> Result<u32, String> {
    let mut command: Command = owner.command(postgres);
    let output =
        command.arg("--version").output().map_err(|error| format!("{}: {error}", postgres.display()))?;
    if !output.status.success() {
        return Err(format!(
            "`postgres --version` failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        ));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    parse_major(&text).ok_or_else(|| format!("`postgres --version` said {:?}", text.trim()))
}

/// Reads the major version from "postgres (PostgreSQL) 15.8 (Debian 15.8-0)", or from "17beta1".
fn parse_major(text: &str) -> Option<u32> {
    let (_, version) = text.split_once(") ")?;
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read() {
        assert_eq!(parse_major("postgres (PostgreSQL) 15.8 (Debian 15.8-0+deb12u1)\n"), Some(15));
        assert_eq!(parse_major("postgres (PostgreSQL) 17beta1\n"), Some(17));
        assert_eq!(parse_major("postgres (PostgreSQL) devel\n"), None);
        assert_eq!(parse_major("bash: postgres: command not found\n"), None);
    }

    fn installed(majors: &[u32]) -> BTreeMap<u32, Installation> {
        let installation = |major: &u32| (*major, Installation { directory: PathBuf::new(), major: *major });
        majors.iter().map(installation).collect()
    }

    fn pick_for(major: Option<u32>, majors: &[u32]) -> Result<u32, String> {
        let root = tempfile::tempdir().unwrap();
        let directory = DataDirectory::open(root.path()).unwrap();
        let picked = pick(installed(majors), major, &directory);
        picked.map(|installation| installation.major).map_err(|error| error.to_string())
    }

    #[test]
    fn a_new_cluster_gets_the_newest() {
        assert_eq!(pick_for(None, &[15, 17, 16]), Ok(17));
    }

    #[test]
    fn an_existing_cluster_keeps_its_major() {
        assert_eq!(pick_for(Some(15), &[15, 17]), Ok(15));
        let refusal = pick_for(Some(14), &[15, 17]).unwrap_err();
        assert!(
            refusal.contains("written by PostgreSQL 14, and only PostgreSQL 15, 17 was found"),
            "{refusal}"
        );
    }

    #[test]
    fn without_any_it_says_what_to_install() {
        let refusal = pick_for(None, &[]).unwrap_err();
        for advice in
            ["apt install postgresql", "brew install postgresql@17", "pgserver", "POSTGRES_BINARIES"]
        {
            assert!(refusal.contains(advice), "{advice} is missing in: {refusal}");
        }
    }

    #[test]
    fn a_pattern_names_the_directories_that_exist() {
        let root = tempfile::tempdir().unwrap();
        for name in ["pgsql-15", "pgsql-16", "other"] {
            fs::create_dir(root.path().join(name)).unwrap();
        }
        let mut found = expand(&format!("{}/pgsql-*/bin", root.path().display()));
        found.sort();
        assert_eq!(found, ["pgsql-15/bin", "pgsql-16/bin"].map(|name| root.path().join(name)));
    }

    #[test]
    fn a_pattern_over_a_missing_directory_names_nothing() {
        assert!(expand("/nonexistent/postgresql/*/bin").is_empty());
    }
}
