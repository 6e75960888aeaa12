//! The embedded broker: a mosquitto child on loopback, for a single shop and the demo.
//!
//! In: a port. Out: a broker that lives as long as this value. A child and not a broker in the process: mosquitto
//! keeps sessions, checks access and is what shops run anyway, while `rumqttd` loses the session at every reconnect
//! and cannot be stopped (both measured). It keeps nothing on disk.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::PublishError;

/// A running broker; ended on drop, and by the kernel when this process dies.
pub struct EmbeddedBroker {
    child: Child,
}

impl EmbeddedBroker {
    /// Starts the broker and waits until it answers.
    ///
    /// # Errors
    /// [`PublishError`] when the port is taken or there is no mosquitto.
    pub fn start(port: u16) -> Result<Self, PublishError> {
        claim("broker.port", port)?;
        let refused = |reason: String| PublishError::Embedded { reason };
        let program = find_program().ok_or_else(|| {
            refused(
                "mosquitto is not installed; run `make setup` (or: apt-get install mosquitto), or name a broker by url"
                    .to_owned(),
            )
        })?;
        let mut command = Command::new(&program);
        command.args(["-c", "/dev/stdin"]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // SAFETY: prctl is async-signal-safe and only sets a flag of the child.
        unsafe {
            command.pre_exec(|| {
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                Ok(())
            });
        }
        let mut child = command.spawn().map_err(|error| refused(format!("{}: {error}", program.display())))?;
        let written = child.stdin.take().map(|mut input| input.write_all(settings(port).as_bytes()));
        let mut broker = Self { child };
        if !matches!(written, Some(Ok(()))) || !broker.answers(port) {
            return Err(refused(format!(
                "{} did not open port {port} within 3 s; try `mosquitto -p {port}` by hand",
                program.display()
            )));
        }
        Ok(broker)
    }

    fn answers(&mut self, port: u16) -> bool {
        (0..ATTEMPTS).any(|_| {
            std::thread::sleep(ATTEMPT_PAUSE);
            let is_running = matches!(self.child.try_wait(), Ok(None));
            is_running && TcpStream::connect_timeout(&loopback(port), ATTEMPT_PAUSE).is_ok()
        })
    }
}

impl Drop for EmbeddedBroker {
    fn drop(&mut self) {
        // A child that is gone already needs no ending.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Makes sure that nobody holds a port of ours.
///
/// # Errors
/// [`PublishError::PortInUse`].
pub fn claim(key: &'static str, port: u16) -> Result<(), PublishError> {
    TcpListener::bind(loopback(port)).map(drop).map_err(|_| PublishError::PortInUse { key, port })
}

/// Where mosquitto is; Debian puts it where an ordinary user's PATH does not look.
#[must_use]
pub fn find_program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from));
    folders.map(|folder| folder.join("mosquitto")).find(|file: &PathBuf| Path::is_file(file))
}

fn settings(port: u16) -> String {
    format!("listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nlog_type none\n")
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

const ATTEMPTS: u32 = 60;
const ATTEMPT_PAUSE: Duration = Duration::from_millis(50);
