//! Which system calls are missing in the standard library? This is the only `unsafe` code of the crate.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// The largest size of an entry in the user database, in bytes.
const ACCOUNT_BYTES_MAX: usize = 16 * 1024;

/// An entry of the user database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SystemUser {
    pub uid: u32,
    pub gid: u32,
}

/// The signals for a postmaster, by their effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    /// SIGINT: end all sessions, write a checkpoint, stop.
    FastShutdown,
    /// SIGQUIT: stop immediately; the next start recovers from the log.
    ImmediateShutdown,
    /// SIGKILL: for a process that does not react.
    Kill,
}

impl Signal {
    fn number(self) -> libc::c_int {
        match self {
            Self::FastShutdown => libc::SIGINT,
            Self::ImmediateShutdown => libc::SIGQUIT,
            Self::Kill => libc::SIGKILL,
        }
    }
}

pub(super) fn effective_uid() -> u32 {
    // SAFETY: geteuid has no preconditions and cannot fail.
    unsafe { libc::geteuid() }
}

/// The machine's memory. `None`: unknown.
pub(super) fn memory_bytes() -> Option<u64> {
    // SAFETY: sysconf has no preconditions; it returns -1 for what it does not know.
    let (pages, page) = unsafe { (libc::sysconf(libc::_SC_PHYS_PAGES), libc::sysconf(libc::_SC_PAGESIZE)) };
    u64::try_from(pages).ok()?.checked_mul(u64::try_from(page).ok()?)
}

/// How many bytes can be written to the file system of a path by whoever runs this program.
pub(super) fn free_bytes(path: &Path) -> io::Result<u64> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    let mut found = MaybeUninit::<libc::statvfs>::uninit();
    // SAFETY: `path` ends in a zero, and `found` is valid for the record that is written to it.
    if unsafe { libc::statvfs(path.as_ptr(), found.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so the record was written.
    let found = unsafe { found.assume_init() };
    #[allow(clippy::useless_conversion, reason = "the types of the record differ between systems")]
    Ok(u64::from(found.f_bavail).saturating_mul(u64::from(found.f_frsize)))
}

/// The entry with this name.
pub(super) fn find_account_named(name: &CStr) -> io::Result<Option<SystemUser>> {
    let account = |entry: &libc::passwd| SystemUser { uid: entry.pw_uid, gid: entry.pw_gid };
    find_entry(account, |entry, buffer, bytes, found| {
        // SAFETY: `name` ends in a zero; the other pointers are those of `find_entry`, valid for `bytes` bytes.
        unsafe { libc::getpwnam_r(name.as_ptr(), entry, buffer, bytes, found) }
    })
}

/// The name of the user with this uid.
pub(super) fn find_name_of(uid: u32) -> io::Result<Option<String>> {
    let name = |entry: &libc::passwd| {
        // SAFETY: the name of an entry that was found ends in a zero, in the buffer that is alive until this returns.
        unsafe { CStr::from_ptr(entry.pw_name) }.to_string_lossy().into_owned()
    };
    find_entry(name, |entry, buffer, bytes, found| {
        // SAFETY: the pointers are those of `find_entry`, valid for `bytes` bytes.
        unsafe { libc::getpwuid_r(uid, entry, buffer, bytes, found) }
    })
}

fn find_entry<T>(
    read: impl FnOnce(&libc::passwd) -> T,
    lookup: impl FnOnce(*mut libc::passwd, *mut libc::c_char, usize, *mut *mut libc::passwd) -> libc::c_int,
) -> io::Result<Option<T>> {
    let mut entry = MaybeUninit::<libc::passwd>::uninit();
    let mut buffer: Vec<libc::c_char> = vec![0; ACCOUNT_BYTES_MAX];
    let mut found: *mut libc::passwd = std::ptr::null_mut();
    match lookup(entry.as_mut_ptr(), buffer.as_mut_ptr(), buffer.len(), &raw mut found) {
        // Some systems return these instead of "success, but nothing found".
        0 | libc::ENOENT | libc::ESRCH | libc::EBADF | libc::EPERM if found.is_null() => Ok(None),
        0 => {
            // SAFETY: the lookup succeeded and found an entry, which it has written to `entry`.
            Ok(Some(read(unsafe { entry.assume_init_ref() })))
        }
        code => Err(io::Error::from_raw_os_error(code)),
    }
}

/// Sends a signal to one process. The caller must know that the pid still belongs to that process.
pub(super) fn signal(pid: i32, signal: Signal) -> io::Result<()> {
    send(pid, signal.number())
}

/// Whether a process with this pid runs, of any user. A zombie does not count.
pub(super) fn is_alive(pid: i32) -> bool {
    match send(pid, 0) {
        Ok(()) => !is_zombie(pid),
        Err(error) => error.raw_os_error() == Some(libc::EPERM) && !is_zombie(pid),
    }
}

/// The state follows the program's name, which is in parentheses and may itself contain some.
#[cfg(target_os = "linux")]
fn is_zombie(pid: i32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z')))
}

/// Other systems do not show it, so a zombie counts as running until its parent has noticed.
#[cfg(not(target_os = "linux"))]
fn is_zombie(_pid: i32) -> bool {
    false
}

fn send(pid: i32, number: libc::c_int) -> io::Result<()> {
    // Zero and negative numbers are process groups, which are never meant here.
    if pid <= 0 {
        return Err(io::Error::from_raw_os_error(libc::ESRCH));
    }
    // SAFETY: kill has no memory effects in this process.
    match unsafe { libc::kill(pid, number) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Sends a program the signal for a fast shutdown when the thread that starts it ends, for any reason.
pub(super) fn bind_to_parent(command: &mut Command) {
    let parent = std::process::id();
    // SAFETY: the closure makes only system calls, which is all that is allowed between fork and exec. The standard
    // library runs it after it has changed the uid, which would undo the request.
    unsafe { command.pre_exec(move || end_with_parent(parent)) };
}

#[cfg(target_os = "linux")]
fn end_with_parent(parent: u32) -> io::Result<()> {
    // SAFETY: this request only sets a number in the calling process's own record.
    if unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGINT) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // If the parent died before the request was made, nobody would send the signal.
    if std::os::unix::process::parent_id() != parent {
        return Err(io::Error::from_raw_os_error(libc::ESRCH));
    }
    Ok(())
}

/// Other systems have no such request. There, the next start stops the leftover server.
#[cfg(not(target_os = "linux"))]
fn end_with_parent(_parent: u32) -> io::Result<()> {
    Ok(())
}

/// Flushes all data of the file system of an open file to disk.
#[cfg(target_os = "linux")]
pub(super) fn flush_file_system(file: &File) -> io::Result<()> {
    use std::os::fd::AsRawFd;
    // SAFETY: the descriptor is open for as long as `file` is borrowed.
    match unsafe { libc::syncfs(file.as_raw_fd()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Other systems can only flush all file systems.
#[cfg(not(target_os = "linux"))]
pub(super) fn flush_file_system(_file: &File) -> io::Result<()> {
    // SAFETY: sync has no preconditions and cannot fail.
    unsafe { libc::sync() };
    Ok(())
}
