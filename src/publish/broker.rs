//! The embedded broker: a mosquitto child on loopback, for a single shop and the demo.
//!
//! In: a port. Out: a broker that lives as long as this value. A child and not a broker in the process: mosquitto
//! keeps sessions, checks access and is what shops run anyway, while `rumqttd` loses the session at every reconnect
//! and cannot be stopped (both measured). It keeps nothing on disk.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::fchown;
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
        let mut reasons = Vec::new();
        for account in accounts() {
            match Self::start_as(account, &program, port) {
                Ok(broker) => return Ok(broker),
                Err(error) => reasons.push(error.to_string()),
            }
        }
        let reasons = reasons.join(", then ");
        Err(refused(format!("{}: {reasons}; try `mosquitto -p {port}` by hand", program.display())))
    }

    /// Starts the broker under an account and waits until it greets.
    ///
    /// The account is changed here and not by mosquitto: a process that changes it by itself is no longer ended with
    /// its parent.
    fn start_as(account: Option<Account>, program: &Path, port: u16) -> io::Result<Self> {
        let (read, mut write) = io::pipe()?;
        let mut command = Command::new(program);
        if let Some(Account { user, group }) = account {
            command.uid(user).gid(group);
            // It opens its settings by name, as a file of its own.
            fchown(&read, Some(user), Some(group))?;
        }
        // Ctrl-C is for the mouth alone, which ends the broker itself.
        command.process_group(0);
        command.args(["-c", "/dev/stdin"]).stdin(read).stdout(Stdio::null()).stderr(Stdio::null());
        // SAFETY: prctl is async-signal-safe and only sets a flag of the child.
        unsafe {
            command.pre_exec(|| {
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                Ok(())
            });
        }
        let mut broker = Self { child: command.spawn()? };
        write.write_all(settings(port).as_bytes())?;
        drop(write);
        broker.greeted(port)?;
        Ok(broker)
    }

    /// Waits for the port to open; whoever comes first is greeted, or nobody will be.
    fn greeted(&mut self, port: u16) -> io::Result<()> {
        for _ in 0..ATTEMPTS {
            std::thread::sleep(ATTEMPT_PAUSE);
            if let Some(status) = self.child.try_wait()? {
                return Err(io::Error::other(format!("it ended with {status}")));
            }
            if let Ok(stream) = TcpStream::connect_timeout(&loopback(port), ATTEMPT_PAUSE) {
                return greets(stream);
            }
        }
        Err(io::Error::other(format!("it did not open port {port} within 3 s")))
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
/// [`PublishError::PortInUse`], [`PublishError::PortRefused`].
pub fn claim(key: &'static str, port: u16) -> Result<(), PublishError> {
    TcpListener::bind(loopback(port)).map(drop).map_err(|error| PublishError::of_port(key, port, &error))
}

/// Whether the broker at the other end takes a client.
fn greets(mut stream: TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(GREETING_PATIENCE))?;
    stream.write_all(&CONNECT)?;
    let mut answer = [0; 4];
    stream.read_exact(&mut answer)?;
    let is_welcome = answer[0] == CONNACK && answer[3] == 0;
    if is_welcome { Ok(()) } else { Err(io::Error::other("it takes no clients")) }
}

/// Whose rights the broker gets.
struct Account {
    user: u32,
    group: u32,
}

/// Accounts to try: for root that of the package first, then in any case our own. The package's own may be of no use:
/// where it cannot reach `/etc`, libwrap refuses every client.
fn accounts() -> Vec<Option<Account>> {
    // SAFETY: geteuid has no preconditions and cannot fail.
    let is_root = unsafe { libc::geteuid() } == 0;
    let users = if is_root { std::fs::read_to_string("/etc/passwd").unwrap_or_default() } else { String::new() };
    let package = users.lines().find_map(|line| {
        let mut fields = line.strip_prefix("mosquitto:")?.split(':').skip(1);
        Some(Account { user: fields.next()?.parse().ok()?, group: fields.next()?.parse().ok()? })
    });
    package.into_iter().map(Some).chain([None]).collect()
}

/// Where mosquitto is; Debian puts it where an ordinary user's PATH does not look.
#[must_use]
pub fn find_program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from));
    folders.map(|folder| folder.join("mosquitto")).find(|file: &PathBuf| Path::is_file(file))
}

fn settings(port: u16) -> String {
    // "root" means that mosquitto keeps the account it is started under.
    format!("user root\nlistener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nlog_type none\n")
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// A client that names itself nothing and wants nothing: MQTT 5.0, §3.1.
const CONNECT: [u8; 15] = [0x10, 13, 0, 4, b'M', b'Q', b'T', b'T', 5, 2, 0, 10, 0, 0, 0];
/// First byte of the answer, its fourth is 0 when all is well: MQTT 5.0, §3.2.
const CONNACK: u8 = 0x20;
const GREETING_PATIENCE: Duration = Duration::from_secs(1);
const ATTEMPTS: u32 = 60;
const ATTEMPT_PAUSE: Duration = Duration::from_millis(50);
