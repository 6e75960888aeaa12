//! Hygiene of the eye's memory beyond the heap: what stays on stacks, and what could reach a disk.
//!
//! In: nothing. Out: a stack whose free part holds zeros, [`STACK_BYTES`] deep; a process whose
//! writable memory is not swapped out. Freed heap is the dynamic linker's matter (`pipeline/mouth.rs`, `HEAP_HYGIENE`), the
//! runtime's arena the detect worker's (`pipeline/worker.rs`).
//! Invariant: locking touches no page that was not there: memory does not grow by it.

use super::footprint;

/// Overwrites what calls that have returned left on the stack of this thread: rows of a picture that a resize worked on, a
/// decoder's blocks, numbers that found no register.
#[inline(never)]
pub fn scrub_stack() {
    let mut below = [0u8; STACK_BYTES];
    // Somebody might look: so it is really written.
    std::hint::black_box(&mut below);
}

/// Gives back what is not needed ([`footprint::give_back`]) and locks all writable memory, also what is still to come, each
/// page from when it is first written. Says whether none of it can be swapped out.
///
/// Where the right is missing, nothing is locked: under a limit the lock on future memory would make allocations fail, as
/// it counts what is reserved and not what is used.
pub fn settle() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let may_lock = may_lock(&status, memory_limit());
    if may_lock {
        // SAFETY: locked pages cannot be given back; they are locked again below.
        unsafe { libc::munlockall() };
    }
    footprint::give_back();
    may_lock && lock() || !has_swap()
}

fn lock() -> bool {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    // SAFETY: locks change no content; a mapping that has gone meanwhile is refused.
    let lock = |(start, end): (usize, usize)| unsafe {
        libc::mlock2(start as *const libc::c_void, end - start, libc::MLOCK_ONFAULT as libc::c_uint) == 0
    };
    // SAFETY: as above.
    let future = unsafe { libc::mlockall(libc::MCL_FUTURE | libc::MCL_ONFAULT) == 0 };
    future && maps.lines().filter_map(writable).all(lock)
}

/// Start and end of a mapping that can be written, and so can hold a picture.
fn writable(line: &str) -> Option<(usize, usize)> {
    let mut words = line.split_ascii_whitespace();
    let (range, rights) = (words.next()?, words.next()?);
    let (start, end) = range.split_once('-')?;
    let range = (usize::from_str_radix(start, 16).ok()?, usize::from_str_radix(end, 16).ok()?);
    rights.starts_with("rw").then_some(range)
}

/// Whether any amount of memory may be locked: without a limit, or with the right to pass over it.
fn may_lock(status: &str, limit: libc::rlim_t) -> bool {
    let rights = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let rights = rights.and_then(|rights| u64::from_str_radix(rights.trim(), 16).ok()).unwrap_or(0);
    limit == libc::RLIM_INFINITY || rights >> CAP_IPC_LOCK & 1 == 1
}

fn memory_limit() -> libc::rlim_t {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: writes into a value of ours.
    unsafe { libc::getrlimit(libc::RLIMIT_MEMLOCK, &mut limit) };
    limit.rlim_cur
}

/// Whether this machine swaps at all: the list has a line for each device below its heading. Where nobody says, it may.
fn has_swap() -> bool {
    std::fs::read_to_string("/proc/swaps").map_or(true, |list| list.lines().count() > 1)
}

/// Deeper than any stage goes, by the forensic test; written in a few µs.
const STACK_BYTES: usize = 64 << 10;
/// Number of the right to lock memory (capabilities(7)).
const CAP_IPC_LOCK: u32 = 14;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_locked_without_a_limit_or_with_the_right_alone() {
        let status = |rights: &str| format!("Name:\tkehai-eye\nCapPrm:\tffffffffffffffff\nCapEff:\t{rights}\n");
        assert!(may_lock(&status("0000000000004000"), 65_536));
        assert!(may_lock(&status("0000000000000000"), libc::RLIM_INFINITY));
        assert!(!may_lock(&status("00000000ffffbfff"), 8 << 20));
        assert!(!may_lock("", 65_536));
    }

    #[test]
    fn only_what_can_be_written_is_locked() {
        assert_eq!(writable("1000-3000 rw-p 00000000 00:00 0     [heap]"), Some((0x1000, 0x3000)));
        assert_eq!(writable("1000-3000 r-xp 00001000 fe:00 42    /usr/lib/libx.so.1"), None);
        assert_eq!(writable("1000-3000 ---p 00000000 00:00 0 "), None);
    }
}
