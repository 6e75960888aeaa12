//! Thirteen ways out, tried for real by a twin of the eye that sees no picture.
//!
//! In: a [`Plan`], made by the mouth, which watches from outside. Out: what became of each attempt, and at last an abort
//! that must leave no core. Invariants: a way out counts as denied only by what the kernel said or what the witness outside did
//! not see; nothing an attempt makes outlives it.

use std::ffi::{CString, c_int, c_long, c_void};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream, UdpSocket};
use std::os::fd::RawFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A way out of an eye.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Escape {
    /// Make a file.
    File,
    /// Write to a file that was opened before, or into its inode.
    OpenedEarlier,
    /// Write to a file without a name.
    Memfd,
    /// Make a file in the memory all processes share.
    DevShm,
    /// Share memory by number.
    SysvShm,
    /// Start a program.
    Exec,
    /// Look into the mouth, or have it signalled.
    Ptrace,
    /// Send a datagram.
    Udp,
    /// Connect to another port, by TCP or by a protocol like it.
    TcpPort,
    /// Connect to another host on a camera's port.
    TcpHost,
    /// Ask the kernel to work behind the filter's back.
    IoUring,
    /// Make a file from another thread.
    OtherThread,
    /// Leave a core.
    Core,
}

impl Escape {
    /// All of them, in the order of a report.
    pub const EACH: [(Self, &'static str); 13] = [
        (Self::File, "file"),
        (Self::OpenedEarlier, "file opened earlier"),
        (Self::Memfd, "memfd"),
        (Self::DevShm, "/dev/shm"),
        (Self::SysvShm, "SysV shm"),
        (Self::Exec, "exec"),
        (Self::Ptrace, "ptrace"),
        (Self::Udp, "UDP"),
        (Self::TcpPort, "TCP to another port"),
        (Self::TcpHost, "TCP to another host"),
        (Self::IoUring, "io_uring"),
        (Self::OtherThread, "other thread"),
        (Self::Core, "core"),
    ];
}

/// What a twin tries, and where; every port has a witness.
pub struct Plan {
    /// An empty folder.
    pub folder: PathBuf,
    /// Where a datagram would arrive.
    pub udp: u16,
    /// Where a connection to a port that is no camera's would arrive.
    pub tcp: u16,
    /// A camera's port, where a connection to another address of this machine would arrive.
    pub camera: u16,
}

/// Opens what an eye could have open from before, and gives its descriptor.
#[must_use]
pub fn open_early(plan: &Plan) -> RawFd {
    made(&plan.folder.join(EARLIER), 0)
}

/// Tries twelve of the ways, the core left out; gives for each 0 where it was open, or the kernel's error number.
#[must_use]
pub fn attempt(plan: &Plan, opened_earlier: RawFd) -> [i32; 12] {
    let from_thread = plan.folder.join("other-thread");
    let shared = PathBuf::from(format!("/dev/shm/kehai-twin-{}", std::process::id()));
    let other_port = SocketAddrV4::new(Ipv4Addr::LOCALHOST, plan.tcp);
    let mouth = std::os::unix::process::parent_id();
    let other_host = SocketAddrV4::new(OTHER_HOST, plan.camera);
    let outcomes = [
        file(&plan.folder.join("file")),
        first_open(write_to(opened_earlier), || number_inode(opened_earlier)),
        memfd(),
        file(&shared),
        sysv_shm(),
        exec(),
        first_open(look_into(mouth), || own_signals(opened_earlier, mouth)),
        datagram(plan.udp),
        first_open(connection(other_port), || multipath_connection(other_port)),
        connection(other_host),
        io_uring(),
        std::thread::spawn(move || file(&from_thread)).join().unwrap_or(libc::EINVAL),
    ];
    // Where it could be made, nothing of it stays.
    let _ = std::fs::remove_file(&shared);
    outcomes
}

/// Tries to leave a core, by raising first whatever holds it back; ends this process.
pub fn abort() -> ! {
    let unbounded = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: sets limits and a flag of this process, which ends here.
    unsafe {
        if libc::setrlimit(libc::RLIMIT_CORE, &raw const unbounded) != 0 {
            let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
            libc::getrlimit(libc::RLIMIT_CORE, &raw mut limit);
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_CORE, &raw const limit);
        }
        libc::prctl(libc::PR_SET_DUMPABLE, 1);
    }
    std::process::abort()
}

/// 0, or the error number of the call that failed last.
fn outcome(is_open: bool) -> i32 {
    if is_open { 0 } else { std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EINVAL) }
}

fn made(path: &Path, flags: c_int) -> RawFd {
    let Ok(path) = CString::new(path.as_os_str().as_encoded_bytes()) else { return -1 };
    // SAFETY: the path ends with a zero.
    unsafe { libc::open(path.as_ptr(), libc::O_WRONLY | libc::O_CREAT | libc::O_CLOEXEC | flags, 0o600) }
}

/// A file that could be made is open even when nothing fits in: its name can say something.
fn file(path: &Path) -> i32 {
    outcome(made(path, libc::O_EXCL) >= 0)
}

fn write_to(descriptor: RawFd) -> i32 {
    // SAFETY: one byte of ours is lent.
    outcome(unsafe { libc::write(descriptor, b"k".as_ptr().cast::<c_void>(), 1) } == 1)
}

/// What was open is open; else what another way says when that is.
fn first_open(denied: i32, other: impl FnOnce() -> i32) -> i32 {
    if denied != 0 && other() == 0 { 0 } else { denied }
}

/// Writes four bytes into a file's inode, for which no right to write to the file is asked.
fn number_inode(descriptor: RawFd) -> i32 {
    let number: libc::c_long = 1;
    // SAFETY: the kernel reads one number of ours.
    outcome(unsafe { libc::ioctl(descriptor, FS_IOC_SETVERSION, &raw const number) } == 0)
}

/// Names another process as the one to be signalled when this descriptor has news: what may be named may be killed.
fn own_signals(descriptor: RawFd, process: u32) -> i32 {
    // SAFETY: changes an owner, of a descriptor of ours.
    outcome(unsafe { libc::fcntl(descriptor, libc::F_SETOWN, process.cast_signed()) } == 0)
}

fn memfd() -> i32 {
    // SAFETY: the name ends with a zero.
    let descriptor = unsafe { libc::syscall(libc::SYS_memfd_create, c"twin".as_ptr(), 0) };
    if descriptor < 0 { outcome(false) } else { write_to(descriptor as RawFd) }
}

fn sysv_shm() -> i32 {
    // SAFETY: asks for a page that nobody uses and takes it back.
    unsafe {
        let number = libc::shmget(libc::IPC_PRIVATE, 4096, libc::IPC_CREAT | 0o600);
        let outcome = outcome(number >= 0);
        if number >= 0 {
            libc::shmctl(number, libc::IPC_RMID, std::ptr::null_mut());
        }
        outcome
    }
}

/// Starts this program in a child, which without a job ends at once; where no child is to be had, in its own place.
fn exec() -> i32 {
    let arguments = [c"kehai-eye".as_ptr(), std::ptr::null()];
    let become_another = || {
        // SAFETY: both lists end with a null.
        unsafe { libc::execve(c"/proc/self/exe".as_ptr(), arguments.as_ptr(), [std::ptr::null()].as_ptr()) };
        outcome(false)
    };
    // SAFETY: this process has one thread; the child calls nothing that needs a lock.
    unsafe {
        match libc::fork() {
            0 => {
                libc::close(0);
                let error = become_another();
                libc::_exit(CHILD_FAILED.wrapping_add(error))
            }
            -1 => become_another(),
            child => {
                let mut status = 0;
                libc::waitpid(child, &raw mut status, 0);
                let code = libc::WEXITSTATUS(status);
                if libc::WIFEXITED(status) && code > CHILD_FAILED { code - CHILD_FAILED } else { 0 }
            }
        }
    }
}

/// Looks into another process in three ways; one that is open is enough.
fn look_into(process: u32) -> i32 {
    let process = process.cast_signed();
    let nothing = std::ptr::null_mut::<c_void>();
    let mut byte = [0u8; 1];
    let own = libc::iovec { iov_base: byte.as_mut_ptr().cast(), iov_len: 1 };
    let theirs = libc::iovec { iov_base: std::ptr::without_provenance_mut(1), iov_len: 1 };
    // SAFETY: nothing is changed in the other process; where attaching worked it is undone.
    unsafe {
        if libc::ptrace(libc::PTRACE_SEIZE, process, nothing, nothing) == 0 as c_long {
            libc::ptrace(libc::PTRACE_DETACH, process, nothing, nothing);
            return 0;
        }
        let denied = outcome(false);
        // Nothing lies at this address: who is told so may look.
        if libc::process_vm_readv(process, &raw const own, 1, &raw const theirs, 1, 0) >= 0
            || outcome(false) == libc::EFAULT
        {
            return 0;
        }
        let memory = CString::new(format!("/proc/{process}/mem")).unwrap_or_default();
        if libc::open(memory.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) >= 0 { 0 } else { denied }
    }
}

fn datagram(port: u16) -> i32 {
    let sent = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))
        .and_then(|socket| socket.send_to(b"k", (Ipv4Addr::LOCALHOST, port)));
    number_of(sent.map(|_| ()))
}

fn connection(to: SocketAddrV4) -> i32 {
    number_of(TcpStream::connect_timeout(&SocketAddr::V4(to), CONNECT_TIMEOUT).map(|_| ()))
}

/// By a protocol that Landlock does not take for TCP.
fn multipath_connection(to: SocketAddrV4) -> i32 {
    // SAFETY: an address of ours is lent; the socket is closed at once.
    unsafe {
        let socket = libc::socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, libc::IPPROTO_MPTCP);
        let mut address: libc::sockaddr_in = std::mem::zeroed();
        address.sin_family = libc::AF_INET as libc::sa_family_t;
        address.sin_port = to.port().to_be();
        address.sin_addr.s_addr = u32::from(*to.ip()).to_be();
        let length = size_of::<libc::sockaddr_in>() as libc::socklen_t;
        let said = outcome(socket >= 0 && libc::connect(socket, (&raw const address).cast(), length) == 0);
        if socket >= 0 {
            libc::close(socket);
        }
        said
    }
}

fn number_of(tried: std::io::Result<()>) -> i32 {
    tried.map_or_else(|error| error.raw_os_error().unwrap_or(libc::ETIMEDOUT), |()| 0)
}

fn io_uring() -> i32 {
    let mut parameters = [0u64; 32];
    // SAFETY: the structure is 120 bytes, and the ring is closed with the process.
    outcome(unsafe { libc::syscall(libc::SYS_io_uring_setup, 1, parameters.as_mut_ptr()) } >= 0)
}

/// `FS_IOC_SETVERSION` of Linux, where long has eight bytes.
const FS_IOC_SETVERSION: libc::Ioctl = 0x4008_7602;
/// The file that is open from before.
pub const EARLIER: &str = "opened-earlier";
/// Another address of the machine: in an empty network nobody is there, without one the witness is.
pub const OTHER_HOST: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
/// On a loopback a connection is there at once or never.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);
/// A child that could not become another program ends with this and the error number.
const CHILD_FAILED: c_int = 100;
