//! A twin of the shop: a second `kehai run` on a site file of its own, frozen and searched, ended on drop.
//!
//! In: a site file. Out: its processes, by name. Invariant: no process of it outlives this one, however this one ends.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::super::interrupt::Interrupt;
use crate::cli::{CHECK_FAILED, Failure, SANDBOX};
use crate::clock::monotonic_ns;
use crate::pipeline::mouth::program;
use crate::sandbox::end_with_parent_of;

/// A running twin.
pub struct Twin {
    child: Child,
    said: Receiver<String>,
    last: String,
}

/// A process of a twin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Which one.
    pub part: Part,
    /// Process id.
    pub pid: u32,
}

/// Parts of a twin, by who starts whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// `kehai run`.
    Mouth,
    /// What the mouth starts.
    Eye,
    /// What the eye starts.
    Relay,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mouth => "mouth",
            Self::Eye => "eye",
            Self::Relay => "relay",
        })
    }
}

impl Twin {
    /// Starts the twin of this site file.
    ///
    /// # Errors
    /// Exit 1 where `kehai` cannot be started.
    pub fn start(site: &Path) -> Result<Self, Failure> {
        let kehai = program("kehai").map_err(|missing| Failure::new(CHECK_FAILED, missing))?;
        let mut command = Command::new(&kehai);
        // What the shop keeps is none of the twin's business; what the twin lays down goes with its site file. Ctrl-C is for
        // this process alone, which ends the twin itself.
        command.args(["run", "--site"]).arg(site).env_remove("STATE_DIRECTORY").process_group(0);
        command.envs(site.parent().map(|folder| ("TMPDIR", folder)));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        end_with_parent_of(&mut command);
        let failed = |error: std::io::Error| Failure::new(CHECK_FAILED, format!("{}: {error}", kehai.display()));
        let mut child = command.spawn().map_err(failed)?;
        let (sender, said) = channel();
        if let Some(words) = child.stderr.take().map(BufReader::new) {
            // It ends with the twin, or when nobody listens any more.
            std::thread::spawn(move || words.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        }
        Ok(Self { child, said, last: String::new() })
    }

    /// Waits until it says something that contains `words`.
    ///
    /// # Errors
    /// Exit 8 where its eye is not caged, exit 1 where it ends otherwise or does not say it, exit 130 on Ctrl-C.
    pub fn hear(&mut self, words: &str, interrupt: &Interrupt) -> Result<(), Failure> {
        let begun_ns = monotonic_ns();
        while monotonic_ns() - begun_ns < PATIENCE_NS {
            interrupt.check()?;
            match self.said.recv_timeout(GLANCE) {
                Ok(line) if line.contains(words) => return Ok(()),
                Ok(line) => self.last = line,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(self.ended()),
            }
        }
        let told = format!("the twin did not say \"{words}\" within {} s; its last words: {}", seconds(), self.last);
        Err(Failure::new(CHECK_FAILED, told))
    }

    fn ended(&mut self) -> Failure {
        let code = self.child.wait().ok().and_then(|status: ExitStatus| status.code());
        let code = if code == Some(i32::from(SANDBOX)) { SANDBOX } else { CHECK_FAILED };
        Failure::new(code, format!("the twin has ended: {}", self.last.trim_start_matches("kehai: ")))
    }

    /// Its processes, the mouth first.
    #[must_use]
    pub fn members(&self) -> Vec<Member> {
        members_of(self.child.id(), &parents())
    }

    /// Stops its processes where they are, and gives them.
    ///
    /// # Errors
    /// Exit 1 where one does not stop.
    pub fn freeze(&self) -> Result<Vec<Member>, Failure> {
        let mut members = self.members();
        // The eye first: the mouth would call one that is silent gone.
        members.sort_by_key(|member| std::cmp::Reverse(member.part));
        members.iter().try_for_each(|member| stop(member.pid))?;
        members.reverse();
        Ok(members)
    }
}

impl Drop for Twin {
    fn drop(&mut self) {
        // Who is frozen hears of nothing, so each is ended by itself; ended already is as good.
        for member in self.members().into_iter().rev() {
            signal(member.pid, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

/// Stops a process, and waits until all of it stands still.
///
/// # Errors
/// Exit 1 where it does not.
pub fn stop(pid: u32) -> Result<(), Failure> {
    signal(pid, Signal::STOP);
    let begun_ns = monotonic_ns();
    while monotonic_ns() - begun_ns < PATIENCE_NS {
        let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        let stats = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("stat")).ok());
        let states: Vec<bool> =
            stats.filter_map(|stat| state_and_parent(&stat)).map(|(state, _)| state == 'T').collect();
        if !states.is_empty() && states.iter().all(|is_still| *is_still) {
            return Ok(());
        }
        std::thread::sleep(GLANCE);
    }
    Err(Failure::new(CHECK_FAILED, format!("process {pid} of the twin does not stand still")))
}

/// Lets a process go on.
pub fn go_on(pid: u32) {
    signal(pid, Signal::CONT);
}

fn signal(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    // Who is gone needs no signal.
    let _ = pid.map(|pid| kill_process(pid, signal));
}

/// Those whom a process has started, and they in turn.
fn members_of(mouth: u32, parents: &BTreeMap<u32, u32>) -> Vec<Member> {
    let mut members = vec![Member { part: Part::Mouth, pid: mouth }];
    let mut at = 0;
    while let Some(Member { part, pid }) = members.get(at).copied() {
        let part = if part == Part::Mouth { Part::Eye } else { Part::Relay };
        let children = parents.iter().filter(|(_, parent)| **parent == pid);
        members.extend(children.map(|(pid, _)| Member { part, pid: *pid }));
        at += 1;
    }
    members
}

/// Children of this process, by name.
#[must_use]
pub fn own_child(name: &str) -> Option<u32> {
    let is_named =
        |pid: &u32| std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.trim() == name);
    let own = std::process::id();
    parents().into_iter().filter(|(_, parent)| *parent == own).map(|(pid, _)| pid).find(is_named)
}

/// The parent of every process.
fn parents() -> BTreeMap<u32, u32> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let parent = |process: std::fs::DirEntry| {
        let pid = process.file_name().to_str()?.parse().ok()?;
        let stat = std::fs::read_to_string(process.path().join("stat")).ok()?;
        Some((pid, state_and_parent(&stat)?.1))
    };
    processes.filter_map(parent).collect()
}

/// State and parent of a process; its name, in brackets before them, may hold anything (proc(5)).
fn state_and_parent(stat: &str) -> Option<(char, u32)> {
    let (_, behind) = stat.rsplit_once(") ")?;
    let mut words = behind.split_ascii_whitespace();
    Some((words.next()?.chars().next()?, words.next()?.parse().ok()?))
}

fn seconds() -> i64 {
    PATIENCE_NS / 1_000_000_000
}

/// Loading a model on a slow box takes its time, ns.
const PATIENCE_NS: i64 = 60_000_000_000;
const GLANCE: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whom_a_mouth_has_started_is_its_eye_and_whom_that_has_is_its_relay() {
        let parents = BTreeMap::from([(2, 1), (30, 2), (31, 30), (4, 1), (50, 4)]);
        let members = members_of(2, &parents).into_iter().map(|Member { part, pid }| (part, pid));
        assert_eq!(members.collect::<Vec<_>>(), [(Part::Mouth, 2), (Part::Eye, 30), (Part::Relay, 31)]);
    }

    #[test]
    fn a_name_with_brackets_hides_no_parent() {
        assert_eq!(state_and_parent("7 (a) T (b) S 42 7 7 0"), Some(('S', 42)));
        assert_eq!(state_and_parent("7 (a"), None);
    }
}
