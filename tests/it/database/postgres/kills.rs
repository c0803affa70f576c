//! Is what was acknowledged still there, and is one server left, whoever was killed?

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::{ask, command_of_owner, connect, count_rows, durable, refusal, start, throw_away, write_rows};
use crate::support::Scratch;
use counterfoil::postgres::StartError;

/// Names the data directory to a copy of this program that is started to be killed.
const VICTIM_DIRECTORY: &str = "COUNTERFOIL_TEST_VICTIM_DIRECTORY";

fn kill(pid: u32) {
    let pid = i32::try_from(pid).unwrap();
    // SAFETY: kill has no memory effects in this process.
    assert_eq!(unsafe { libc::kill(pid, libc::SIGKILL) }, 0);
}

/// Whether a process is there and has not ended. One that ended stays in the table until `init` has noticed.
fn runs(pid: u32) -> bool {
    // SAFETY: signal 0 only asks whether the process is there.
    let exists = unsafe { libc::kill(i32::try_from(pid).unwrap(), 0) == 0 };
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    exists && !stat.rsplit(')').next().unwrap().trim_start().starts_with('Z')
}

async fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    for _ in 0..6_000 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("waited in vain until {what}");
}

#[tokio::test]
async fn acknowledged_rows_outlive_a_kill_of_the_server() {
    let scratch = Scratch::create();
    let server = start(durable(scratch.path())).await;
    let mut connection = connect(&server).await;
    write_rows(&mut connection, 100).await;
    kill(server.pid());
    assert!(!server.exited().await.unwrap().success(), "the program learns of it");
    drop(server);

    let server = start(durable(scratch.path())).await;
    assert_eq!(count_rows(&server).await, 100);
    server.stop().await;
}

#[tokio::test]
async fn a_killed_program_takes_its_server_with_it_and_loses_nothing() {
    if let Some(directory) = std::env::var_os(VICTIM_DIRECTORY) {
        return be_the_victim(Path::new(&directory)).await;
    }
    let scratch = Scratch::create();
    let (mut victim, server_pid) = start_victim(scratch.path()).await;
    kill(victim.id());
    victim.wait().unwrap();

    // At once, while the old server is still on its way down.
    let server = start(durable(scratch.path())).await;
    assert!(!runs(server_pid), "the old server has gone");
    assert_eq!(count_rows(&server).await, 50);
    server.stop().await;
}

/// Starts a copy of this program, which starts a server and writes its rows. Tells the server's pid.
async fn start_victim(directory: &Path) -> (Child, u32) {
    let (_, module) = module_path!().split_once("::").expect("it is in a crate");
    let name = format!("{module}::a_killed_program_takes_its_server_with_it_and_loses_nothing");
    let victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &name])
        .env(VICTIM_DIRECTORY, directory)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let note = directory.join("pid");
    wait_until("the victim has written its rows", || note.exists()).await;
    (victim, fs::read_to_string(&note).unwrap().parse().unwrap())
}

async fn be_the_victim(directory: &Path) {
    let server = start(durable(directory)).await;
    write_rows(&mut connect(&server).await, 50).await;
    let unfinished = directory.join("pid.unfinished");
    fs::write(&unfinished, server.pid().to_string()).unwrap();
    fs::rename(unfinished, directory.join("pid")).unwrap();
    std::future::pending::<()>().await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_server_whose_program_was_killed_ends_without_another_start() {
    let scratch = Scratch::create();
    let (mut victim, server_pid) = start_victim(scratch.path()).await;
    kill(victim.id());
    victim.wait().unwrap();
    wait_until("the server has gone", || !runs(server_pid)).await;
}

#[tokio::test]
async fn a_data_directory_has_one_server_at_a_time() {
    let scratch = Scratch::create();
    let server = start(throw_away(scratch.path())).await;
    assert!(matches!(refusal(throw_away(scratch.path())).await, StartError::Locked { .. }));
    server.stop().await;
    start(throw_away(scratch.path())).await.stop().await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_server_that_was_left_behind_is_stopped() {
    let scratch = Scratch::create();
    let mut leftover = leave_a_server_behind(scratch.path()).await;
    let leftover_pid = leftover.id();
    // In the place of the `init` that takes over orphans.
    let reaper = std::thread::spawn(move || leftover.wait());

    let server = start(throw_away(scratch.path())).await;
    assert!(reaper.join().unwrap().unwrap().success(), "it was stopped in order");
    assert_ne!(server.pid(), leftover_pid);
    assert_eq!(ask(&mut connect(&server).await, "select 'up'").await, "up");
    server.stop().await;
}

/// Runs a server of the directory that nobody watches.
async fn leave_a_server_behind(directory: &Path) -> Child {
    let server = start(throw_away(directory)).await;
    let program = fs::read_link(format!("/proc/{}/exe", server.pid())).unwrap();
    server.stop().await;
    let leftover = command_of_owner(&program, directory)
        .args([PathBuf::from("-D"), directory.join("postgres")])
        .args([PathBuf::from("-k"), directory.join("socket")])
        .args(["-c", "listen_addresses="])
        .spawn()
        .unwrap();
    let status = directory.join("postgres/postmaster.pid");
    wait_until("it is ready", || fs::read_to_string(&status).is_ok_and(|text| text.contains("ready"))).await;
    leftover
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_lock_file_whose_pid_belongs_to_somebody_else_now_is_no_obstacle() {
    let scratch = Scratch::create();
    start(throw_away(scratch.path())).await.stop().await;
    let mut bystander = command_of_owner(Path::new("sleep"), scratch.path()).arg("600").spawn().unwrap();
    for file in ["postgres/postmaster.pid", "socket/.s.PGSQL.5432.lock"] {
        let path = scratch.path().join(file);
        fs::write(&path, format!("{}\n{}\n1\n5432\n", bystander.id(), scratch.path().display())).unwrap();
        let cluster = fs::metadata(scratch.path().join("postgres")).unwrap();
        std::os::unix::fs::chown(&path, Some(cluster.uid()), Some(cluster.gid())).unwrap();
    }

    let server = start(throw_away(scratch.path())).await;
    assert!(runs(bystander.id()), "nobody else is harmed");
    server.stop().await;
    bystander.kill().unwrap();
    bystander.wait().unwrap();
}
