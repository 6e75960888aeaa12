//! A shop in a test: `kehai run` on loopback cameras, its words on standard error, its eye by process id.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::support::armed::{arm_for, declared};
use crate::support::broker::free_port;
use crate::support::folder::Folder;

/// A running `kehai run`; ended on drop.
pub struct Shop {
    child: Child,
    said: Receiver<String>,
    everything: Arc<Mutex<String>>,
    site: PathBuf,
    /// Where its store lies; goes with it.
    _state: Folder,
    /// Port of its page.
    pub page_port: u16,
}

impl Shop {
    /// Opens a shop with one camera at `url`.
    pub fn open(name: &str, url: &str) -> Self {
        Self::open_with(name, &format!("{VIEW}url = \"{url}\"\n{DOOR}"))
    }

    /// Opens a shop with these cameras and what else its site file says.
    pub fn open_with(name: &str, more: &str) -> Self {
        Self::open_by(Command::new(env!("CARGO_BIN_EXE_kehai")), name, more)
    }

    /// As [`Shop::open_with`], by a command of one's own that becomes or leads to `kehai`.
    pub fn open_by(command: Command, name: &str, more: &str) -> Self {
        Self::open_saying(command, name, more, "")
    }

    /// As [`Shop::open_by`], with more in `[switch]`.
    pub fn open_saying(mut command: Command, name: &str, more: &str, switch: &str) -> Self {
        let page_port = free_port().0;
        let site = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("live-{name}.toml"));
        let text = format!(
            "[store]\norg = \"test\"\nstore = \"live\"\nnode = \"{name}\"\ntimezone = \"UTC\"\n[page]\nport = {page_port}\n{more}"
        );
        let text = declared(&text).replace("[switch]\n", &format!("[switch]\n{switch}\n"));
        std::fs::write(&site, &text).expect("the target folder can be written");
        let state = Folder::new();
        if command.get_envs().all(|(name, _)| name != "STATE_DIRECTORY") {
            command.env("STATE_DIRECTORY", state.path("state"));
        }
        arm_for(&command, &text);
        command.args(["run", "--site"]).arg(&site).stdin(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("kehai starts");
        let (sender, said) = channel();
        let words = BufReader::new(child.stderr.take().expect("piped"));
        let everything = Arc::<Mutex<String>>::default();
        let kept = Arc::clone(&everything);
        std::thread::spawn(move || {
            words.lines().map_while(Result::ok).try_for_each(|line| {
                kept.lock().expect("nobody panics while holding it").push_str(&format!("{line}\n"));
                sender.send(line)
            })
        });
        Self { child, said, everything, site, _state: state, page_port }
    }

    /// All it has said so far.
    pub fn words(&self) -> String {
        self.everything.lock().expect("nobody panics while holding it").clone()
    }

    /// Waits until it says something that contains `words`; gives the time it took.
    pub fn hear(&self, words: &str) -> Duration {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Ok(line) = self.said.recv_timeout(Duration::from_millis(100))
                && line.contains(words)
            {
                return begun.elapsed();
            }
        }
        panic!("the shop did not say \"{words}\" within {PATIENCE:?}");
    }

    /// Waits for the next thing it says about a camera, other than how it is served.
    pub fn word_of(&self, camera: &str) -> String {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Ok(line) = self.said.recv_timeout(Duration::from_millis(100))
                && line.starts_with(&format!("kehai: camera {camera}"))
            {
                return line;
            }
        }
        panic!("the shop said nothing of {camera} within {PATIENCE:?}");
    }

    /// Process id of its eye, once there is one other than `than`.
    pub fn eye(&self, than: Option<i32>) -> i32 {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(eye) = eye_of(self.child.id()).filter(|eye| Some(*eye) != than) {
                return eye;
            }
            std::thread::yield_now();
        }
        panic!("the shop has no eye");
    }

    /// Its site file.
    pub fn site(&self) -> &std::path::Path {
        &self.site
    }

    /// Process id of the mouth.
    pub fn mouth(&self) -> i32 {
        self.child.id() as i32
    }

    /// Waits for its end; gives the exit code.
    pub fn ended(mut self) -> Option<i32> {
        self.child.wait().ok().and_then(|status| status.code())
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_file(&self.site);
    }
}

/// Process id of the eye of a mouth, if it has one.
pub fn eye_of(mouth: u32) -> Option<i32> {
    children_of(mouth as i32).into_iter().find(|pid| is_eye(*pid))
}

/// Process ids of those whom the first thread of a process has started.
pub fn children_of(process: i32) -> Vec<i32> {
    let children = std::fs::read_to_string(format!("/proc/{process}/task/{process}/children")).unwrap_or_default();
    children.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

/// What a process holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holdings {
    pub threads: usize,
    pub descriptors: usize,
    pub resident_kb: usize,
}

impl Holdings {
    /// Those of a process that runs.
    pub fn of(pid: i32) -> Self {
        Self::look(pid).expect("the process runs")
    }

    /// Those of a process, if it runs.
    pub fn look(pid: i32) -> Option<Self> {
        let entries = |folder: &str| Some(std::fs::read_dir(format!("/proc/{pid}/{folder}")).ok()?.flatten().count());
        Some(Self { threads: entries("task")?, descriptors: entries("fd")?, resident_kb: resident_kb(pid)? })
    }
}

/// Resident memory of a process, kB; `None` when it is gone.
pub fn resident_kb(pid: i32) -> Option<usize> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.split_whitespace().next()?.parse().ok()
}

fn is_eye(pid: i32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.starts_with("kehai-eye"))
}

/// Sends a signal to a process of this test.
pub fn signal(pid: i32, signal: i32) {
    // SAFETY: a plain system call; the process is a child's child of this test.
    unsafe {
        libc::kill(pid, signal);
    }
}

/// Whether a process still runs; one that is dead and not yet buried does not.
pub fn is_alive(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, state)| !state.starts_with('Z'))
}

/// The camera `view`, but for its address.
pub const VIEW: &str = "[[camera]]\nid = \"view\"\n";
/// A line in its picture.
pub const DOOR: &str =
    "[[line]]\nid = \"door\"\ncamera = \"view\"\nends_px = [[10, 100], [300, 100]]\ninside_px = [150, 200]\n";
const PATIENCE: Duration = Duration::from_secs(20);
