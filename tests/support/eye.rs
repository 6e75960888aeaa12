//! The eye without its mouth: a job in, records out, judged as the mouth judges them.
//!
//! Invariant: nothing outlives the test; the eye ends when its input closes.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use kehai::clock::monotonic_ns;
use kehai::config::Settings;
use kehai::config::site;
use kehai::detect::session::NO_REPORTS;
use kehai::pipeline::{EyeJob, Feed};
use kehai::wire::record::ration::{Errand, Ration};
use kehai::wire::record::{Inbox, RECORD_BYTES, RecordError, Report};

use super::folder::{in_repository, names_in};

/// A running `kehai-eye`, and what its mouth would hold of it.
pub struct Eye {
    child: Child,
    /// Held open: the eye ends when it closes.
    input: Option<ChildStdin>,
    output: ChildStdout,
    inbox: Inbox,
    /// What it has said so far.
    pub ration: Ration,
}

/// A job with the small model that `make setup` fetched.
pub fn job(settings: Settings, feeds: Vec<Feed>, errand: Errand) -> EyeJob {
    let card = std::fs::read_to_string(in_repository("models/nanodet-g.card.toml")).expect("a card");
    let runtime = in_repository("fetched/onnxruntime");
    let library = names_in(&runtime).into_iter().find(|name| name.starts_with("libonnxruntime")).expect("the runtime");
    EyeJob {
        settings,
        card: toml::from_str(&card).expect("a card"),
        model: in_repository("fetched/models/nanodet_g.onnx").into(),
        runtime: format!("{runtime}/{library}").into(),
        feeds,
        errand,
        // Nobody here would call its cameras: it calls them itself.
        walls: 0,
        proved: 0,
        twin: None,
        leaves_traces: false,
    }
}

/// The settings of a site file.
pub fn settings(text: &str) -> Settings {
    site::parse(text, "drawn").expect("a whole site file").settings
}

impl Eye {
    /// Starts one with this job.
    pub fn start(job: &EyeJob) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kehai-eye"));
        // The runtime's own uploader is kept from starting, or the eye does not load it.
        command
            .env_clear()
            .env(NO_REPORTS.0, NO_REPORTS.1)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().expect("the eye starts");
        let (mut input, output) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        let text = serde_json::to_vec(job).expect("a job is plain data");
        input.write_all(&(text.len() as u32).to_le_bytes()).expect("the eye reads");
        input.write_all(&text).expect("the eye reads");
        let mut inbox = Inbox::new(&job.settings);
        if let Errand::Replay(timeline) = job.errand {
            inbox.begin_again(timeline.utc(kehai::clock::CaptureTime(0)));
        }
        let cameras = job.feeds.iter().map(|feed| feed.camera);
        let ration = Ration::new(&job.settings, job.errand, cameras, monotonic_ns());
        Self { child, input: Some(input), output, inbox, ration }
    }

    /// Closes its input, so that it ends: after its last word it waits for that.
    pub fn let_go(&mut self) {
        self.input = None;
    }

    /// The next report; `None` once it has closed its pipe.
    pub fn report(&mut self) -> Option<Result<Report, RecordError>> {
        loop {
            let mut record = [0; RECORD_BYTES];
            self.output.read_exact(&mut record).ok()?;
            self.ration.read();
            match self.inbox.accept(&record) {
                Ok(None) => {}
                Ok(Some(report)) => return Some(self.ration.judge(&report, monotonic_ns()).map(|()| report)),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

impl Drop for Eye {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
