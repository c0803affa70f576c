//! The program itself, as a child process.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::shards;

/// How long a child may take to end. Generous, since many tests run beside it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program with these arguments, that sees nothing of our environment but where programs are.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_counterfoil"));
    command.args(arguments).env_clear().stdin(Stdio::null());
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    if shards::count() > 1 {
        command.env("COUNTERFOIL_SHARDS", shards::count().to_string());
    }
    command
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Output {
    command.output().expect("the program runs")
}

pub fn code(output: &Output) -> i32 {
    output.status.code().expect("the program was not killed")
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{error}: {} {}", String::from_utf8_lossy(&output.stdout), stderr(output))
    })
}

/// A server that is killed when the test is over, unless it was ended before.
pub struct Served {
    child: Child,
    /// What it says on its way, to the end.
    said: Option<JoinHandle<String>>,
    pub banner: Value,
    pub address: SocketAddr,
    /// The key that this start made.
    admin_key: Option<String>,
}

impl Served {
    /// Starts `serve` on a free port, and waits until it serves.
    pub fn start(configure: impl FnOnce(&mut Command)) -> Self {
        Self::start_at("127.0.0.1:0", configure)
    }

    /// Starts `serve` at an address that somebody else has to know before.
    pub fn start_at(listen: &str, configure: impl FnOnce(&mut Command)) -> Self {
        Self::start_as(&["--json", "serve", "--listen", listen], configure)
    }

    /// Starts something else that serves, and waits until it does.
    pub fn start_as(arguments: &[&str], configure: impl FnOnce(&mut Command)) -> Self {
        let mut command = command(arguments);
        let keys = tempfile::tempdir().expect("a directory");
        command.env("COUNTERFOIL_FIRST_KEY_FILE", keys.path().join("first-admin-key"));
        configure(&mut command);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        stdout.read_line(&mut line).expect("it can be read");
        if line.is_empty() {
            let mut said = String::new();
            child.stderr.take().expect("it is piped").read_to_string(&mut said).expect("it can be read");
            panic!("it does not serve: {said}");
        }
        // What it says later must not fill the pipe.
        let mut stderr = child.stderr.take().expect("it is piped");
        let said = std::thread::spawn(move || {
            let mut said = Vec::new();
            // A child that is killed may end in the middle of a letter.
            let _ended = stderr.read_to_end(&mut said);
            String::from_utf8_lossy(&said).into_owned()
        });
        let banner: Value = serde_json::from_str(&line).expect("the banner is JSON");
        let address = banner["address"].as_str().expect("it names its address").parse().expect("an address");
        let read = |path: &str| std::fs::read_to_string(path).expect("the key is kept");
        let admin_key = banner["admin_key_file"].as_str().map(|path| read(path).trim_end().to_owned());
        Self { child, said: Some(said), banner, address, admin_key }
    }

    /// On a data directory of its own.
    pub fn embedded(directory: &Path) -> Self {
        Self::start(|command| {
            command.env("COUNTERFOIL_DATA_DIR", directory);
        })
    }

    /// On a database that is there.
    pub fn on(url: &str) -> Self {
        Self::start(|command| {
            command.env("DATABASE_URL", url);
        })
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn admin_key(&self) -> &str {
        self.admin_key.as_deref().expect("the first start makes a key")
    }

    /// How much memory it takes now.
    pub fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.expect("it runs");
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = resident.and_then(|line| line.split_whitespace().next()).expect("it has some");
        kilobytes.parse::<u64>().expect("a number") * 1_024
    }

    pub fn signal(&self, signal: libc::c_int) {
        let pid = i32::try_from(self.child.id()).expect("a pid");
        // SAFETY: kill has no memory effects in this process, and the pid is our child's until it is waited for.
        assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
    }

    /// Waits for its end.
    pub fn wait(mut self) -> ExitStatus {
        self.ended()
    }

    /// Waits for its end, and returns what it has said.
    pub fn wait_and_hear(mut self) -> (ExitStatus, String) {
        let status = self.ended();
        let said = self.said.take().expect("it is heard once").join().expect("no panic");
        (status, said)
    }

    fn ended(&mut self) -> ExitStatus {
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().expect("it is our child") {
                return status;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("it does not end");
    }

    pub fn stop(self) -> ExitStatus {
        self.signal(libc::SIGTERM);
        self.wait()
    }

    pub fn kill(self) -> ExitStatus {
        self.signal(libc::SIGKILL);
        self.wait()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
