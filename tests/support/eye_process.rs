//! An eye without a mouth: started as the mouth does, with any hygiene, its words unread.
//!
//! In: an [`EyeJob`]. Out: a process id, until it is dropped.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use kehai::detect::session::NO_REPORTS;
use kehai::pipeline::EyeJob;

use super::program::GLANCE;

/// A running eye; ended on drop.
pub struct EyeProcess {
    child: Child,
    /// Held open: the eye ends when it closes.
    _input: ChildStdin,
}

impl EyeProcess {
    /// Starts the eye of a job with a heap that overwrites nothing.
    pub fn start_untidy(job: &EyeJob) -> Self {
        Self::start(job, None)
    }

    /// Starts the eye of a job with these settings of its heap.
    pub fn start(job: &EyeJob, heap: Option<&str>) -> Self {
        let needs_opencv = job.feeds.iter().any(|feed| feed.origin.needs_opencv());
        let programs = [env!("CARGO_BIN_EXE_kehai-eye"), env!("CARGO_BIN_EXE_kehai-eye-opencv")];
        let mut command = Command::new(programs[usize::from(needs_opencv)]);
        command.env_clear().envs(heap.map(|heap| ("GLIBC_TUNABLES", heap))).env(NO_REPORTS.0, NO_REPORTS.1);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the eye starts");
        let mut input = child.stdin.take().expect("piped");
        let text = serde_json::to_vec(job).expect("a job is JSON");
        input.write_all(&(text.len() as u32).to_le_bytes()).expect("the eye reads its job");
        input.write_all(&text).expect("the eye reads its job");
        let mut output = child.stdout.take().expect("piped");
        std::thread::spawn(move || {
            let mut records = [0u8; 4096];
            while matches!(output.read(&mut records), Ok(1..)) {}
        });
        Self { child, _input: input }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for EyeProcess {
    fn drop(&mut self) {
        // Ended already is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until an eye has begun to work.
pub fn await_work(eye: u32) {
    await_threads(eye, is_at_work);
}

/// Whether an eye works.
pub fn works(eye: u32) -> bool {
    is_at_work(threads(eye))
}

/// The first thread and the one that waits for the mouth's end are always there; its cage denies naming any.
fn is_at_work(threads: usize) -> bool {
    threads > 2
}

/// Waits until no thread of an eye works any more, and all of them have once begun.
pub fn await_rest(eye: u32) {
    await_threads(eye, |threads| (1..=2).contains(&threads));
}

fn await_threads(eye: u32, is_so: impl Fn(usize) -> bool) {
    let begun = Instant::now();
    while !is_so(threads(eye)) {
        assert!(begun.elapsed() < PATIENCE, "the eye has {} threads", threads(eye));
        std::thread::sleep(GLANCE);
    }
}

/// Threads of a process.
fn threads(pid: u32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten().count()
}

const PATIENCE: Duration = Duration::from_secs(240);
