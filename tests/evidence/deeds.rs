//! What a process did that leaves something behind, judged: an eye may write to its pipe and speak to its cameras, a mouth
//! may write where it was told to.
//!
//! In: [`Process`]es as traced. Out: [`Deeds`]. Invariant: what is not known to be harmless is a misdeed.

use std::collections::BTreeMap;
use std::path::Path;

use crate::support::strace::{Call, Process};

/// What one eye, or one copy of it, did.
#[derive(Debug, Default)]
pub struct Deeds {
    /// Everything that is not its work.
    pub misdeeds: Vec<String>,
    /// What it tried and was denied.
    pub denied: Vec<String>,
    /// Bytes written to pipes, by pipe.
    pub pipes: BTreeMap<String, u64>,
    /// Bytes sent on connections: to cameras, and of an eye's relay what it carries to its eye.
    pub on_connections: u64,
}

impl Deeds {
    /// Of an eye that watches cameras at these ports of this machine.
    pub fn of_eye(eye: &Process, cameras: &[u16]) -> Self {
        let mut deeds = Self::default();
        for call in &eye.calls {
            let told = || format!("{}({}) = {}", call.name, call.arguments, call.result);
            let is_attempt = is_connect(call) || call.is_done();
            match deed(call, cameras) {
                Deed::Nothing => {}
                Deed::Misdeed if is_attempt => deeds.misdeeds.push(told()),
                Deed::Misdeed => deeds.denied.push(told()),
                Deed::Pipe if call.is_done() => {
                    *deeds.pipes.entry(call.target().to_owned()).or_default() += call.amount()
                }
                Deed::Camera if call.is_done() => deeds.on_connections += call.amount(),
                Deed::Pipe | Deed::Camera => {}
            }
        }
        deeds
    }
}

enum Deed {
    Nothing,
    Pipe,
    Camera,
    Misdeed,
}

fn is_connect(call: &Call) -> bool {
    call.name == "connect" && (call.is_done() || call.result.contains("EINPROGRESS"))
}

fn deed(call: &Call, cameras: &[u16]) -> Deed {
    let arguments = &call.arguments;
    let harmless = |is_harmless: bool| if is_harmless { Deed::Nothing } else { Deed::Misdeed };
    match call.name.as_str() {
        "open" | "openat" | "openat2" => harmless(!opens_to_write(call)),
        "write" | "writev" | "sendto" | "sendmsg" | "sendmmsg" | "sendfile" | "splice" => match call.target() {
            target if target.starts_with("pipe:") => Deed::Pipe,
            target if target.starts_with("TCP") || target.starts_with("socket:") => Deed::Camera,
            target => harmless(target.contains("eventfd") || target.starts_with("/dev/null")),
        },
        // A socket that sends nothing is a way to ask the kernel about the network.
        "socket" => harmless(arguments.starts_with("AF_INET")),
        // Where a relay stands before the cameras it waits for the eye at their addresses.
        "bind" | "connect" => harmless(cameras.iter().any(|port| arguments.contains(&format!("htons({port})")))),
        // Copies are traced, and judged as their eye is.
        "clone" | "clone3" | "fork" | "vfork" => Deed::Nothing,
        _ => Deed::Misdeed,
    }
}

fn opens_to_write(call: &Call) -> bool {
    let writes = ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND", "O_TMPFILE"];
    writes.iter().any(|flag| call.arguments.contains(flag)) && call.path() != "/dev/null"
}

/// Whether it is a twin, which tries on purpose to get out and says in one record what became of it, or a copy of one. It
/// is known by the file it opens before its walls are raised, so that it can try to write to it.
pub fn is_twin(processes: &[Process], process: &Process) -> bool {
    let opens_early = |call: &Call| opens_to_write(call) && call.path().contains("/kehai-twin-");
    let is_one = |process: &Process| process.is_eye() && process.calls.iter().any(opens_early);
    is_one(process) || (process.is_copy && is_one(&processes[process.parent]))
}

impl Deeds {
    /// Of what a twin did, that which should not have succeeded.
    pub fn escapes(&self) -> Vec<&String> {
        let is_early = |deed: &&String| deed.starts_with("open") && deed.contains("/opened-earlier\"");
        // In its own empty network it may knock where it likes.
        let is_knock = |deed: &&String| deed.starts_with("connect(") || deed.starts_with("bind(");
        self.misdeeds.iter().filter(|deed| !is_early(deed) && !is_knock(deed)).collect()
    }
}

/// Files a mouth opened for writing or put somewhere outside `places`.
pub fn written_elsewhere(mouth: &Process, places: &[&str]) -> Vec<String> {
    let is_elsewhere = |call: &&Call| match call.name.as_str() {
        "open" | "openat" | "openat2" => opens_to_write(call) && !lies_in(&call.path(), places),
        "creat" | "mkdir" | "mkdirat" | "rename" | "renameat" | "renameat2" | "link" | "linkat" | "symlink"
        | "symlinkat" => call.arguments.split('"').skip(1).step_by(2).any(|path| !lies_in(path, places)),
        "memfd_create" | "shmget" | "mq_open" | "mknod" | "mknodat" => true,
        _ => false,
    };
    let done = mouth.calls.iter().filter(|call| call.is_done());
    done.filter(is_elsewhere).map(|call| format!("{}({})", call.name, call.arguments)).collect()
}

fn lies_in(path: &str, places: &[&str]) -> bool {
    places.iter().any(|place| Path::new(path).starts_with(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eye(lines: &str) -> Process {
        let calls = lines.lines().map(|line| Call::read(line).expect("a call")).collect();
        Process { program: "/bin/kehai-eye".to_owned(), is_copy: false, parent: 0, calls }
    }

    #[test]
    fn an_eye_that_works_does_nothing_else() {
        let lines = "openat(AT_FDCWD</>, \"/lib/libz.so\", O_RDONLY|O_CLOEXEC) = 3</lib/libz.so>\n\
                     write(3<pipe:[9]>, \"\"..., 256) = 256\nwrite(3<pipe:[9]>, \"\"..., 512) = 512\n\
                     socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_TCP) = 4<TCP:[77]>\n\
                     connect(4<TCP:[77]>, {sa_family=AF_INET, sin_port=htons(8554), sin_addr=inet_addr(\"127.0.0.1\")}, 16) = -1 EINPROGRESS (Operation now in progress)\n\
                     sendto(4<TCP:[127.0.0.1:1->127.0.0.1:8554]>, \"\"..., 90, MSG_NOSIGNAL, NULL, 0) = 90";
        let deeds = Deeds::of_eye(&eye(lines), &[8554]);
        assert_eq!(deeds.misdeeds, Vec::<String>::new());
        assert_eq!((deeds.pipes["pipe:[9]"], deeds.on_connections), (768, 90));
    }

    #[test]
    fn whatever_leaves_something_behind_is_a_misdeed() {
        for line in [
            "openat(AT_FDCWD</>, \"/tmp/a.jpg\", O_WRONLY|O_CREAT|O_TRUNC, 0666) = 3</tmp/a.jpg>",
            "open(\"/dev/shm/a\", O_RDWR) = 3</dev/shm/a>",
            "memfd_create(\"a\", MFD_CLOEXEC) = 3</memfd:a>",
            "execve(\"/bin/sh\", [\"sh\"], 0x1 /* 0 vars */) = 0",
            "socket(AF_UNIX, SOCK_STREAM, 0) = 4<UNIX:[8]>",
            "socket(AF_NETLINK, SOCK_RAW, 0) = 4<NETLINK:[8]>",
            "connect(4<TCP:[8]>, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr(\"192.0.2.1\")}, 16) = 0",
            "connect(4<TCP:[8]>, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr(\"192.0.2.1\")}, 16) = -1 EINPROGRESS (x)",
            "sendto(4<UDP:[8]>, \"\"..., 9, 0, {sa_family=AF_INET}, 16) = 9",
            "write(2</tmp/log>, \"\"..., 9) = 9",
            "rename(\"/tmp/a\", \"/tmp/b\") = 0",
            "mkdir(\"/tmp/a\", 0777) = 0",
            "link(\"/tmp/a\", \"/tmp/b\") = 0",
            "unlink(\"/tmp/a\") = 0",
        ] {
            let deeds = Deeds::of_eye(&eye(line), &[8554]);
            assert_eq!(deeds.misdeeds.len(), 1, "{line}");
        }
        let denied = Deeds::of_eye(&eye("open(\"/tmp/a\", O_RDWR) = -1 EACCES (denied)"), &[]);
        assert_eq!((denied.misdeeds.len(), denied.denied.len()), (0, 1));
    }

    #[test]
    fn a_twin_is_known_and_must_get_nothing_done() {
        let early = "openat(AT_FDCWD</>, \"/tmp/kehai-twin-1/opened-earlier\", O_WRONLY|O_CREAT, 0600) = 4</tmp/x>";
        let (twin, plain) = (eye(early), eye("open(\"/tmp/a\", O_RDWR) = 3</tmp/a>"));
        assert_eq!(Deeds::of_eye(&twin, &[]).escapes(), Vec::<&String>::new());
        let escaped = Deeds::of_eye(&eye(&format!("{early}\nwrite(4</tmp/x>, \"\"..., 1) = 1")), &[]);
        assert_eq!(escaped.escapes().len(), 1);
        let copy = Process { is_copy: true, parent: 0, ..eye("fork() = 7") };
        let all = [twin, plain, copy];
        assert_eq!(all.each_ref().map(|process| is_twin(&all, process)), [true, false, true]);
    }

    #[test]
    fn a_mouth_that_writes_elsewhere_is_found_out() {
        let lines = "openat(AT_FDCWD</>, \"/out/windows.jsonl\", O_WRONLY|O_CREAT) = 3</out/windows.jsonl>\n\
                     rename(\"/out/.a.partial\", \"/out/a\") = 0\n\
                     rename(\"/out/a\", \"/var/a\") = 0\n\
                     openat(AT_FDCWD</>, \"/outside\", O_WRONLY|O_CREAT) = 3</outside>";
        assert_eq!(written_elsewhere(&eye(lines), &["/out"]).len(), 2);
    }
}
