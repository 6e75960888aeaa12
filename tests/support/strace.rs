//! What processes asked of the kernel, as strace wrote it down: one file a thread, put together to processes again.
//!
//! In: a command, and the folder of the log. Out: every [`Process`] that ran, with its calls in the order of each thread.
//! Invariants: a process begins with its first program, what its parent's copy did before that is left out; a copy that
//! an eye makes of itself is told whole.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::carver::files_in;
use super::folder::Folder;

/// One call into the kernel.
pub struct Call {
    pub name: String,
    pub arguments: String,
    pub result: String,
}

/// A process and all its threads.
pub struct Process {
    /// The program it began as.
    pub program: String,
    /// Whether it is an eye's own copy.
    pub is_copy: bool,
    /// Which of the processes started it; the first is its own.
    pub parent: usize,
    pub calls: Vec<Call>,
}

/// strace as a command that still wants a program: its log in `folder`, of [`CALLS`] or of all calls.
pub fn tracing(folder: &Folder, calls: Option<&str>) -> Command {
    let mut command = Command::new("strace");
    // The tracer as a grandchild: the process that is started is the program itself.
    command.args(["-D", "-ff", "-qq", "-yy", "-s", "0", "-e", "signal=none"]);
    command.arg("-e").arg(format!("trace={}", calls.unwrap_or("all")));
    command.args(["-o", &folder.path(STEM)]);
    command
}

/// Whether strace may trace here; says why not.
#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
pub fn is_there() -> bool {
    let works = Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).status().is_ok_and(|end| end.success());
    if !works {
        println!("skipped: strace is missing or may not trace here (scripts/setup --acceptance)");
    }
    works
}

/// Reads a log once nobody writes it any more.
pub fn read(log: &Folder) -> Vec<Process> {
    let folder = Path::new(&log.path("")).to_owned();
    let mut size = 0;
    let begun = Instant::now();
    loop {
        std::thread::sleep(Duration::from_millis(300));
        let now: u64 = files_in(&folder).iter().filter_map(|path| path.metadata().ok()).map(|meta| meta.len()).sum();
        if now == size && now > 0 {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "strace does not end its log");
        size = now;
    }
    let pid = |path: &Path| path.extension()?.to_str()?.parse::<u64>().ok();
    let text = |path: &Path| String::from_utf8_lossy(&std::fs::read(path).expect("a log can be read")).into_owned();
    let files = files_in(&folder);
    let threads =
        files.iter().filter_map(|path| Some((pid(path)?, text(path).lines().filter_map(Call::read).collect())));
    assemble(threads.collect())
}

/// Threads to processes, from the first that was traced.
fn assemble(mut threads: BTreeMap<u64, VecDeque<Call>>) -> Vec<Process> {
    let children: Vec<u64> = threads.values().flatten().filter_map(Call::begets).map(|(pid, _)| pid).collect();
    let first = *threads.keys().find(|pid| !children.contains(pid)).expect("somebody was traced");
    let mut processes = vec![Process { program: String::new(), is_copy: false, parent: 0, calls: Vec::new() }];
    let mut waiting = vec![(first, 0, true)];
    while let Some((pid, process, mut is_prelude)) = waiting.pop() {
        for call in threads.remove(&pid).unwrap_or_default() {
            if let Some((child, is_thread)) = call.begets() {
                let at = if is_thread { process } else { processes.len() };
                if !is_thread {
                    let Process { program, .. } = &processes[process];
                    let is_copy = is_eye(program);
                    processes.push(Process { program: program.clone(), is_copy, parent: process, calls: Vec::new() });
                }
                waiting.push((child, at, !is_thread && !processes[at].is_copy));
            }
            if call.name == "execve" && call.is_done() && is_prelude {
                is_prelude = false;
                let parent = processes[process].parent;
                processes[process] = Process { program: call.path(), is_copy: false, parent, calls: Vec::new() };
            } else {
                processes[process].calls.push(call);
            }
        }
    }
    processes
}

fn is_eye(program: &str) -> bool {
    Path::new(program).file_name().is_some_and(|name| name.to_string_lossy().starts_with("kehai-eye"))
}

impl Process {
    /// Whether it sees pictures.
    pub fn is_eye(&self) -> bool {
        is_eye(&self.program)
    }
}

impl Call {
    /// Reads one line; `None` for a signal and an end.
    pub fn read(line: &str) -> Option<Self> {
        let (name, rest) = line.split_once('(')?;
        let (arguments, result) = rest.rsplit_once(" = ")?;
        let arguments = arguments.trim_end().trim_end_matches(')').to_owned();
        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        is_name.then(|| Self { name: name.to_owned(), arguments, result: result.to_owned() })
    }

    /// Whether the kernel did it.
    pub fn is_done(&self) -> bool {
        !self.result.starts_with(['-', '?'])
    }

    /// What it came to: bytes, a descriptor, a process.
    pub fn amount(&self) -> u64 {
        let digits: String = self.result.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().unwrap_or(0)
    }

    /// The first path among its arguments.
    pub fn path(&self) -> String {
        self.arguments.split('"').nth(1).unwrap_or_default().to_owned()
    }

    /// What its first argument, a descriptor, leads to: `pipe:[7]`, `TCP:[127.0.0.1:9->127.0.0.1:8554]`, `/dev/null`.
    pub fn target(&self) -> &str {
        let first = self.arguments.split(", ").next().unwrap_or_default();
        let (start, end) = (first.find('<').map_or(0, |at| at + 1), first.rfind('>').unwrap_or(first.len()));
        &first[start..end]
    }

    /// The thread or process it started, and whether it is a thread.
    fn begets(&self) -> Option<(u64, bool)> {
        let starts = matches!(self.name.as_str(), "clone" | "clone3" | "fork" | "vfork");
        (starts && self.is_done()).then(|| (self.amount(), self.arguments.contains("CLONE_THREAD")))
    }
}

/// Calls by which something is left, started or sent.
pub const CALLS: &str = "open,openat,openat2,creat,truncate,ftruncate,fallocate,execve,execveat,connect,socket,bind,\
    sendto,sendmsg,sendmmsg,write,writev,pwrite64,pwritev,pwritev2,sendfile,splice,vmsplice,tee,copy_file_range,\
    memfd_create,memfd_secret,shmget,mq_open,rename,renameat,renameat2,mkdir,mkdirat,mknod,mknodat,link,linkat,symlink,\
    symlinkat,unlink,unlinkat,rmdir,io_uring_setup,ptrace,process_vm_writev,clone,clone3,fork,vfork";
const STEM: &str = "log";
const PATIENCE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    fn log(lines: &str) -> VecDeque<Call> {
        lines.lines().filter_map(Call::read).collect()
    }

    #[test]
    fn threads_become_the_processes_they_are_of() {
        let threads = BTreeMap::from([
            (
                10,
                log(
                    "execve(\"/bin/kehai\", [\"kehai\"], 0x1 /* 1 var */) = 0\nclone3({flags=CLONE_VM|CLONE_THREAD}, 88) = 11\nvfork() = 12\n+++ exited with 0 +++",
                ),
            ),
            (11, log("write(7<pipe:[5]>, \"\"..., 2) = 2\n--- SIGCHLD {} ---")),
            (
                12,
                log(
                    "prctl(1) = 0\nexecve(\"/bin/kehai-eye\", [], 0x1 /* 0 vars */) = 0\nfork() = 13\nwrite(1<pipe:[6]>, \"\"..., 256) = 256",
                ),
            ),
            (13, log("execve(\"/bin/sh\", [], 0x1 /* 0 vars */) = 0")),
        ]);
        let processes = assemble(threads);
        let told: Vec<(&str, bool, Vec<&str>)> = processes
            .iter()
            .map(|one| (one.program.as_str(), one.is_copy, one.calls.iter().map(|call| call.name.as_str()).collect()))
            .collect();
        assert_eq!(
            told,
            [
                ("/bin/kehai", false, vec!["clone3", "vfork", "write"]),
                ("/bin/kehai-eye", false, vec!["fork", "write"]),
                ("/bin/kehai-eye", true, vec!["execve"]),
            ]
        );
    }

    #[test]
    fn a_line_is_read_with_what_its_descriptor_leads_to() {
        let sent =
            Call::read("sendto(9<TCP:[127.0.0.1:4000->127.0.0.1:8554]>, \"\"..., 110, MSG_NOSIGNAL, NULL, 0) = 110");
        let sent = sent.expect("a call");
        assert_eq!((sent.target(), sent.amount(), sent.is_done()), ("TCP:[127.0.0.1:4000->127.0.0.1:8554]", 110, true));
        let opened =
            Call::read("openat(AT_FDCWD</tmp>, \"/etc/ld.so.cache\", O_RDONLY|O_CLOEXEC) = -1 EPERM (not permitted)");
        let opened = opened.expect("a call");
        assert_eq!((opened.path().as_str(), opened.is_done()), ("/etc/ld.so.cache", false));
        assert!(
            Call::read("+++ exited with 0 +++").is_none() && Call::read("--- SIGCHLD {si_signo=SIGCHLD} ---").is_none()
        );
    }
}
