//! Seccomp: the calls into the kernel that reading pictures and calculating make; every other is "not permitted".
//!
//! In: what this eye does beside calculating. Out: whether the wall stands, in all threads. Invariants: an allow-list, so
//! that what a newer kernel can do is denied before anybody here has heard of it; no file is opened for writing, no process
//! started, no memory shared under a name, no descriptor made that leads out. What a library tries and can do without is
//! answered by an error, not by the end of the process.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch, apply_filter_all_threads,
};

/// What an eye does that not every eye does.
pub(super) struct Allowance {
    /// Reads streams of network cameras: connects by TCP.
    pub(super) streams: bool,
    /// Controls a device: opens it for reading and writing, which Landlock leaves to that one.
    pub(super) devices: bool,
}

/// Filters the calls of all threads.
pub(super) fn restrict(allowance: &Allowance) -> bool {
    let mut rules: Rules = CALCULATING.iter().chain(OLD_WAYS).map(|call| (*call, Vec::new())).collect();
    let own = rustix::process::getpid().as_raw_nonzero().get() as u64;
    rules.insert(libc::SYS_tgkill, vec![is(0, own)]); // abort() signals itself
    rules.insert(libc::SYS_prlimit64, vec![all(vec![equal(0, 0), is_null(2)])]); // read, not set
    rules.insert(libc::SYS_prctl, vec![is(0, libc::PR_GET_NAME as u64)]);
    rules.insert(libc::SYS_fcntl, FLAGS_OF_FILES.iter().map(|command| is(1, *command as u64)).collect());
    rules.insert(libc::SYS_ioctl, ioctls(allowance));
    // What a fault does is settled: a handler that ends the process, for the kernel logs bytes where there is none.
    rules.insert(libc::SYS_rt_sigaction, vec![all(FAULTS.iter().map(|fault| other_than(0, *fault as u64)).collect())]);
    rules.insert(
        libc::SYS_madvise,
        vec![all(ADVICE_DENIED.iter().map(|advice| other_than(2, *advice as u64)).collect())],
    );
    rules.insert(libc::SYS_clone, vec![masked(0, libc::CLONE_THREAD as u64, libc::CLONE_THREAD as u64)]);
    rules.insert(libc::SYS_openat, vec![masked(2, writing(allowance), 0)]);
    #[cfg(target_arch = "x86_64")]
    rules.insert(libc::SYS_open, vec![masked(1, writing(allowance), 0)]);
    if allowance.streams {
        let families = [libc::AF_INET, libc::AF_INET6];
        // Named by number, or left to the kernel: other protocols of streams pass by Landlock (MPTCP; tried).
        let protocols = [0, libc::IPPROTO_TCP];
        let tcp = |family: i32| {
            protocols
                .map(|protocol| all(vec![equal(0, family as u64), kind(libc::SOCK_STREAM), equal(2, protocol as u64)]))
        };
        rules.insert(libc::SYS_socket, families.into_iter().flat_map(tcp).collect());
        rules.extend(STREAMING.iter().map(|call| (*call, Vec::new())));
    }
    // The stricter of two filters wins, and the second leaves no way to a third.
    denied_as_unknown(&PROBED) && applied(rules)
}

/// Leaves a relay with the calls it makes: it receives connections, and carries bytes between them.
pub(super) fn restrict_relay() -> bool {
    applied(RELAYING.iter().map(|call| (*call, Vec::new())).collect())
}

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

fn applied(rules: Rules) -> bool {
    filter(rules, SeccompAction::Errno(libc::EPERM as u32), SeccompAction::Allow)
}

/// The C library asks for these first and knows an older way only when the kernel has never heard of them; their
/// arguments lie in memory, where no filter can see them.
fn denied_as_unknown(calls: &[i64]) -> bool {
    let rules = calls.iter().map(|call| (*call, Vec::new())).collect();
    filter(rules, SeccompAction::Allow, SeccompAction::Errno(libc::ENOSYS as u32))
}

fn filter(rules: Rules, otherwise: SeccompAction, matched: SeccompAction) -> bool {
    let Ok(arch) = TargetArch::try_from(std::env::consts::ARCH) else { return false };
    let filter = SeccompFilter::new(rules, otherwise, matched, arch);
    let program: Option<BpfProgram> = filter.ok().and_then(|filter| filter.try_into().ok());
    program.is_some_and(|program| apply_filter_all_threads(&program).is_ok())
}

/// Flags of an opening that ask for more than reading.
fn writing(allowance: &Allowance) -> u64 {
    let both_ways = if allowance.devices { 0 } else { libc::O_RDWR };
    (both_ways
        | libc::O_WRONLY
        | libc::O_CREAT
        | libc::O_TRUNC
        | libc::O_APPEND
        | (libc::O_TMPFILE & !libc::O_DIRECTORY)) as u64
}

fn is(argument: u8, value: u64) -> SeccompRule {
    all(vec![equal(argument, value)])
}

fn masked(argument: u8, mask: u64, value: u64) -> SeccompRule {
    let operator = SeccompCmpOp::MaskedEq(mask);
    let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value);
    SeccompRule::new(vec![condition.expect("a call has six arguments")]).expect("one condition makes a rule")
}

fn all(conditions: Vec<SeccompCondition>) -> SeccompRule {
    SeccompRule::new(conditions).expect("conditions make a rule")
}

fn equal(argument: u8, value: u64) -> SeccompCondition {
    let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value);
    condition.expect("a call has six arguments")
}

fn other_than(argument: u8, value: u64) -> SeccompCondition {
    let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, value);
    condition.expect("a call has six arguments")
}

/// An address is compared whole: its lower half may well be zero.
fn is_null(argument: u8) -> SeccompCondition {
    let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Qword, SeccompCmpOp::Eq, 0);
    condition.expect("a call has six arguments")
}

/// Questions to a descriptor; the others write into a file's inode, type into a terminal, or send signals. A device answers
/// to the families of its kind.
fn ioctls(allowance: &Allowance) -> Vec<SeccompRule> {
    let families: &[u8] = if allowance.devices { b"VdFh" } else { b"" };
    let of_family = |family: &u8| masked(1, 0xff00, u64::from(*family) << 8);
    QUESTIONS.iter().map(|request| is(1, *request)).chain(families.iter().map(of_family)).collect()
}

/// The kind of a socket, whatever flags stand beside it.
fn kind(kind: libc::c_int) -> SeccompCondition {
    let flags = (libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK) as u64;
    let operator = SeccompCmpOp::MaskedEq(!flags & 0xffff_ffff);
    SeccompCondition::new(1, SeccompCmpArgLen::Dword, operator, kind as u64).expect("a call has six arguments")
}

/// Descriptors are copied, and their flags read and set; locks, leases, owners of signals would be seen by other processes.
const FLAGS_OF_FILES: [libc::c_int; 6] =
    [libc::F_DUPFD, libc::F_DUPFD_CLOEXEC, libc::F_GETFD, libc::F_SETFD, libc::F_GETFL, libc::F_SETFL];
/// Whether reading would wait, how much there is to read, whether it is a terminal, and that a program started closes it.
const QUESTIONS: [u64; 4] = [libc::FIONBIO, libc::FIONREAD, libc::TCGETS, libc::FIOCLEX];
/// Signals of a fault.
pub(super) const FAULTS: [libc::c_int; 5] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGTRAP];
/// Sending pages to swap, and sharing equal ones with other processes, which their timing tells.
const ADVICE_DENIED: [libc::c_int; 2] = [libc::MADV_PAGEOUT, libc::MADV_MERGEABLE];
/// Denied as if unknown; allowed by the list, for the strictest filter wins.
const PROBED: [i64; 2] = [libc::SYS_clone3, libc::SYS_openat2];
/// Memory, threads, clocks, and files that are read.
const CALCULATING: &[i64] = &[
    libc::SYS_brk,
    libc::SYS_clock_getres,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_clone3,
    libc::SYS_close,
    libc::SYS_eventfd2,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_fstat,
    libc::SYS_fstatfs,
    libc::SYS_futex,
    libc::SYS_get_mempolicy,
    libc::SYS_get_robust_list,
    libc::SYS_getcpu,
    libc::SYS_getcwd,
    libc::SYS_getdents64,
    libc::SYS_getegid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_getrandom,
    libc::SYS_getrusage,
    libc::SYS_gettid,
    libc::SYS_gettimeofday,
    libc::SYS_getuid,
    libc::SYS_lseek,
    libc::SYS_membarrier,
    libc::SYS_mincore,
    libc::SYS_mlock,
    libc::SYS_mlock2,
    libc::SYS_mlockall,
    libc::SYS_mmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_munlock,
    libc::SYS_munlockall,
    libc::SYS_munmap,
    libc::SYS_nanosleep,
    libc::SYS_newfstatat,
    libc::SYS_openat2,
    libc::SYS_ppoll,
    libc::SYS_pread64,
    libc::SYS_preadv,
    libc::SYS_pselect6,
    libc::SYS_read,
    libc::SYS_readlinkat,
    libc::SYS_readv,
    libc::SYS_restart_syscall,
    libc::SYS_rseq,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_get_priority_max,
    libc::SYS_sched_get_priority_min,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_getattr,
    libc::SYS_sched_getparam,
    libc::SYS_sched_getscheduler,
    libc::SYS_sched_yield,
    libc::SYS_set_robust_list,
    libc::SYS_sigaltstack,
    libc::SYS_statfs,
    libc::SYS_statx,
    libc::SYS_sysinfo,
    libc::SYS_times,
    libc::SYS_uname,
    libc::SYS_write,
    libc::SYS_writev,
];
/// The same by the names x86-64 had first.
#[cfg(target_arch = "x86_64")]
const OLD_WAYS: &[i64] = &[
    libc::SYS_access,
    libc::SYS_arch_prctl,
    libc::SYS_getrlimit,
    libc::SYS_lstat,
    libc::SYS_poll,
    libc::SYS_readlink,
    libc::SYS_select,
    libc::SYS_stat,
    libc::SYS_time,
];
#[cfg(not(target_arch = "x86_64"))]
const OLD_WAYS: &[i64] = &[];
/// A connection by TCP. Where it leads is for the namespace and Landlock to say: the address lies in memory.
const STREAMING: &[i64] = &[
    libc::SYS_connect,
    libc::SYS_getpeername,
    libc::SYS_getsockname,
    libc::SYS_getsockopt,
    libc::SYS_recvfrom,
    libc::SYS_sendto,
    libc::SYS_setsockopt,
    libc::SYS_shutdown,
];
/// What a relay does. It holds connections of the machine's own network, which `connect` could dissolve and lead elsewhere,
/// and so could an address given with what is sent: it has neither.
const RELAYING: &[i64] = &[
    libc::SYS_accept4,
    libc::SYS_brk,
    libc::SYS_clock_gettime,
    libc::SYS_close,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_futex,
    libc::SYS_madvise,
    libc::SYS_mmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_munmap,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    libc::SYS_ppoll,
    libc::SYS_read,
    libc::SYS_recvmsg,
    libc::SYS_restart_syscall,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_shutdown,
    libc::SYS_sigaltstack,
    libc::SYS_write,
];
