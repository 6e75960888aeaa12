//! The program as a person starts it: arguments in; exit code, words and files out.
//!
//! Invariant: nothing outlives [`PATIENCE`], so that a fault that hangs is a failed test and no endless one.

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::folder::Folder;

/// A command that runs.
pub struct Running {
    /// Where it keeps its store when nothing else was said; goes with it.
    _state: Folder,
    child: Child,
    out: Option<JoinHandle<String>>,
    err: Option<JoinHandle<String>>,
}

/// A command that has ended.
pub struct Ended {
    /// Exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// What it said on standard output.
    pub out: String,
    /// What it said on standard error.
    pub err: String,
}

/// Runs `kehai` with these arguments to its end.
pub fn kehai(arguments: &[&str]) -> Ended {
    start(arguments, &[]).ended()
}

/// Runs `kehai-detect`, which evaluation becomes, to its end.
pub fn kehai_detect(arguments: &[&str]) -> Ended {
    start_program(env!("CARGO_BIN_EXE_kehai-detect"), arguments, &[]).ended()
}

/// Starts `kehai` with these arguments, and these variables in its environment.
pub fn start(arguments: &[&str], variables: &[(&str, &str)]) -> Running {
    start_program(env!("CARGO_BIN_EXE_kehai"), arguments, variables)
}

fn start_program(program: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Running {
    let mut command = Command::new(program);
    command.args(arguments).envs(variables.iter().copied());
    start_command(command)
}

/// Starts a command of one's own that becomes or leads to `kehai`.
pub fn start_command(mut command: Command) -> Running {
    let state = Folder::new();
    if command.get_envs().all(|(name, _)| name != "STATE_DIRECTORY") {
        command.env("STATE_DIRECTORY", state.path("state"));
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("kehai starts");
    let (out, err) = (child.stdout.take().map(collect), child.stderr.take().map(collect));
    Running { _state: state, child, out, err }
}

/// Reads a pipe to its end while the program runs: a full one would hold it.
fn collect(mut pipe: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut said = Vec::new();
        pipe.read_to_end(&mut said).expect("a pipe can be read");
        String::from_utf8_lossy(&said).into_owned()
    })
}

impl Running {
    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has not ended.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for the end.
    pub fn ended(mut self) -> Ended {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                break status;
            }
            assert!(begun.elapsed() < PATIENCE, "kehai did not end within {PATIENCE:?}");
            std::thread::sleep(GLANCE);
        };
        let said =
            |thread: Option<JoinHandle<String>>| thread.and_then(|thread| thread.join().ok()).unwrap_or_default();
        Ended { code: status.code(), out: said(self.out.take()), err: said(self.err.take()) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Ended already is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// It did what it was asked and had nothing to complain of.
    pub fn must_be_well(&self) {
        assert_eq!((self.code, self.err.as_str()), (Some(0), ""), "{}", self.out);
    }

    /// It said once what is wrong, in words that name the key, the value and the remedy, and nothing else.
    pub fn must_be_refused(&self, code: i32, naming: &[&str]) {
        let said = &self.err;
        assert_eq!(self.code, Some(code), "{said}");
        assert_eq!(self.out, "", "a refusal has no result");
        assert!(said.starts_with("kehai: "), "a complaint names the program that complains:\n{said}");
        assert_eq!(said.lines().filter(|line| line.starts_with("kehai:")).count(), 1, "one complaint:\n{said}");
        assert!(!said.contains("panicked") && !said.contains("RUST_BACKTRACE"), "a panic is no complaint:\n{said}");
        for words in naming {
            assert!(said.contains(words), "\"{words}\" is missing in:\n{said}");
        }
    }
}

/// Whether another user can run a program here: where a root folder is closed to others nobody else can run anything.
pub fn others_can_run() -> bool {
    let mut command = Command::new("/bin/true");
    if rustix::process::geteuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command.status().is_ok_and(|status| status.success())
}

/// Another user.
pub const NOBODY: u32 = 65_534;
/// Longest life of a program under test.
const PATIENCE: Duration = Duration::from_secs(240);
/// Time between two looks at a process of another kind than ours.
pub const GLANCE: Duration = Duration::from_millis(5);
