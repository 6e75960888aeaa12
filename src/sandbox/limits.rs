//! Limits of the process: no file grows, nothing is dumped, nothing is swapped out where that can be had.
//!
//! In: nothing. Out: whether they hold. Invariants: `RLIMIT_FSIZE = 0` holds for files opened earlier and for all threads
//! (measured), pipes and sockets go on; `RLIMIT_NPROC` is left alone, for it counts a user's other processes too and
//! binds nothing for root: seccomp denies starting processes.

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
