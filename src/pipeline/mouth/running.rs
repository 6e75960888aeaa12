//! An eye as the mouth holds it: started with its job on a pipe, read from, ended.
//!
//! In: an [`EyeJob`]. Out: records as they come. Invariants: credentials travel by pipe, never by argument or environment; the
//! eye's standard error goes nowhere; an eye does not outlive what holds it.

use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::process::{Child, ChildStdout, Command};

use super::guard::Guard;
use crate::detect::session::NO_REPORTS;
use crate::pipeline::{EyeJob, Origin};
use crate::wire::record::RECORD_BYTES;

/// A running eye.
pub(crate) struct Eye {
    child: Child,
    /// Held open: the eye ends when it closes. The connections of its cameras go in here, nothing comes out.
    pub(super) control: Arc<UnixStream>,
    output: ChildStdout,
    partial: [u8; RECORD_BYTES],
    filled: usize,
}

impl Eye {
    /// Starts an eye that lives as long as the guard holds it.
    pub(super) async fn start(job: &EyeJob, guard: Option<&Guard>) -> Result<Self, String> {
        Self::start_in(job, None, guard).await
    }

    /// Starts an eye, in this folder where one is given.
    pub(crate) async fn start_in(job: &EyeJob, folder: Option<&Path>, guard: Option<&Guard>) -> Result<Self, String> {
        let name = eye_for(job.feeds.iter().map(|feed| &feed.origin));
        let program = program(name)?;
        let mut command = Command::new(&program);
        // Read by the dynamic linker, so they must be there at exec: freed memory is overwritten, and nothing is
        // kept in per-thread caches that are not (PRIVACY: perturb without tcache_count=0 keeps small blocks).
        let heap = (!job.leaves_traces).then_some(("GLIBC_TUNABLES", HEAP_HYGIENE));
        command.env_clear().envs(heap).env(NO_REPORTS.0, NO_REPORTS.1);
        #[cfg(debug_assertions)]
        command.envs(crate::pipeline::fault::for_one_eye(job.errand));
        let (mut control, input) = control().map_err(|error| format!("it has no standard input: {error}"))?;
        command.stdin(Stdio::from(input)).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        command.current_dir(folder.unwrap_or(Path::new("/")));
        let mut child = command.spawn().map_err(|error| format!("{}: {error}", program.display()))?;
        // With the command goes this side's copy of the eye's standard input.
        drop(command);
        if guard.is_some_and(|guard| !child.id().is_some_and(|process| guard.hold(process))) {
            return Err("nothing may be watched now".to_owned());
        }
        let Some(output) = child.stdout.take() else { return Err("it has no pipe".to_owned()) };
        let text = serde_json::to_vec(job).map_err(|error| error.to_string())?;
        let length = u32::try_from(text.len()).map_err(|error| error.to_string())?;
        let sent = async {
            control.write_all(&length.to_le_bytes()).await?;
            control.write_all(&text).await
        };
        sent.await.map_err(|error| format!("it does not read its job: {error}"))?;
        Ok(Self { child, control: Arc::new(control), output, partial: [0; RECORD_BYTES], filled: 0 })
    }

    /// The next record; `None` when the pipe is closed. Cancel-safe: a started record is kept.
    pub(crate) async fn record(&mut self) -> Option<[u8; RECORD_BYTES]> {
        while self.filled < RECORD_BYTES {
            match self.output.read(&mut self.partial[self.filled..]).await {
                Ok(read @ 1..) => self.filled += read,
                _ => return None,
            }
        }
        self.filled = 0;
        Some(self.partial)
    }

    /// Says how an eye ended that closed its pipe; ends it when it does not end by itself.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        match tokio::time::timeout(PATIENCE, self.child.wait()).await {
            Ok(Ok(status)) => status,
            _ => self.end().await,
        }
    }

    /// Ends it, whatever it does, and says how it ended.
    pub(super) async fn end(&mut self) -> ExitStatus {
        // Gone already is as good.
        let _ = self.child.start_kill();
        self.child.wait().await.unwrap_or_default()
    }
}

/// A way into the eye that leads nowhere out: this side hears nothing, so that the other cannot speak.
fn control() -> std::io::Result<(UnixStream, OwnedFd)> {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
    ours.shutdown(Shutdown::Read)?;
    ours.set_nonblocking(true)?;
    Ok((UnixStream::from_std(ours)?, OwnedFd::from(theirs)))
}

/// The program that reads these: OpenCV's readers are loaded for those alone that need them.
fn eye_for<'a>(mut origins: impl Iterator<Item = &'a Origin>) -> &'static str {
    if origins.any(Origin::needs_opencv) { EYES[1] } else { EYES[0] }
}

/// Path of another program of Kehai, beside this one.
///
/// # Errors
/// Where it is missed.
pub fn program(name: &str) -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let beside = own.with_file_name(name);
    if beside.is_file() {
        Ok(beside)
    } else {
        Err(format!("{} is missing; install kehai and {name} side by side", beside.display()))
    }
}

/// The programs of the eye: for network cameras and clips; for USB cameras and folders of pictures too.
pub const EYES: [&str; 2] = ["kehai-eye", "kehai-eye-opencv"];

/// Time an eye gets to end after it closed its pipe.
const PATIENCE: Duration = Duration::from_millis(500);
/// Overwrite freed memory with 0x5a, keep no per-thread caches (tests/forensics: nothing is left at rest).
pub const HEAP_HYGIENE: &str = "glibc.malloc.perturb=90:glibc.malloc.tcache_count=0:glibc.malloc.arena_max=2:glibc.malloc.mmap_threshold=262144:glibc.malloc.trim_threshold=131072";
