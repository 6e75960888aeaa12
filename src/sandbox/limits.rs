//! Limits of the process: no file grows, nothing is dumped, nothing is swapped out where that can be had.
//!
//! In: nothing. Out: whether they hold. Invariants: `RLIMIT_FSIZE = 0` holds for files opened earlier and for all threads
//! (measured), pipes and sockets go on; `RLIMIT_NPROC` is left alone, for it counts a user's other processes too and
//! binds nothing for root: seccomp denies starting processes.

use super::syscalls::FAULTS;
use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};

/// Forbids a core dump, the first thing an eye does: by its size for files, by being undumpable for handlers that read it
/// from a pipe (`core(5)`: they are not held to the size). Nobody but root can look into an undumpable process. The walls
/// make it final: what may be raised again here cannot be then.
pub fn forbid_core() -> bool {
    let maximum = getrlimit(Resource::Core).maximum;
    leave_no_core(maximum)
}

fn leave_no_core(maximum: Option<u64>) -> bool {
    let nothing = Rlimit { current: Some(0), maximum };
    setrlimit(Resource::Core, nothing).is_ok() && set_dumpable_behavior(DumpableBehavior::NotDumpable).is_ok()
}

/// Ends this process at once at a fault: where nobody handles it the kernel writes the bytes at the place of the fault into
/// its log, and they could be those of a picture. The walls leave no way to undo this.
pub fn end_quietly() {
    extern "C" fn end(signal: libc::c_int) {
        // SAFETY: allowed in a handler; nothing else runs.
        unsafe { libc::_exit(FAULT_EXIT + signal) }
    }
    for fault in FAULTS {
        // SAFETY: the handler does nothing but end the process.
        unsafe { libc::signal(fault, end as *const () as libc::sighandler_t) };
    }
}

/// Closes whatever the one who started the mouth had left open: an eye has its three streams and nothing else.
pub fn keep_nothing_inherited() {
    let open = std::fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    let numbers: Vec<libc::c_int> = open.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    for number in numbers.into_iter().filter(|number| *number > libc::STDERR_FILENO) {
        // SAFETY: nothing of this program is open yet; the listing itself is closed already.
        unsafe { libc::close(number) };
    }
}

/// No byte goes into a file from here on.
pub(super) fn set() -> bool {
    // A write beyond the limit is an error, not the end.
    // SAFETY: ignores a signal; no handler runs.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
    let nothing = Rlimit { current: Some(0), maximum: Some(0) };
    setrlimit(Resource::Fsize, nothing).is_ok() && leave_no_core(Some(0))
}

/// Lets as much memory be locked as root may, while it is root: capabilities are gone afterwards.
pub(super) fn keep_out_of_swap() {
    let unbounded = Rlimit { current: None, maximum: None };
    if setrlimit(Resource::Memlock, unbounded).is_err() {
        let maximum = getrlimit(Resource::Memlock).maximum;
        // The limit as it is will do.
        let _ = setrlimit(Resource::Memlock, Rlimit { current: maximum, maximum });
    }
}

/// An eye that met a fault ends with this and the number of the signal, as a shell would say it.
pub const FAULT_EXIT: i32 = 128;
