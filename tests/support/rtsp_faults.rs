//! How the test camera misbehaves: silence, cuts, garbled pictures, a falling rate, closed doors.
//!
//! In: switches, thrown by tests at any time. Out: the [`Manners`] that a client then meets.
//! Source: RFC 2326 11 (status codes), RFC 7617 (Basic authentication).

use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kehai::cli::report::camera::{Manners, Scene};
use kehai::cli::report::h264_pcm;

/// How a camera meets those who come.
#[derive(Clone, PartialEq, Eq)]
pub enum Door {
    /// Everybody may watch.
    Open,
    /// The connection is accepted and reset at once (RST).
    Reset,
    /// SETUP is answered with 453: no bandwidth left for another viewer.
    Full,
    /// DESCRIBE is answered with 503.
    Unavailable,
    /// DESCRIBE is answered with 404: no such path.
    NotFound,
    /// Whoever does not show this `user:password` (Basic) is answered with 401.
    Locked(String),
}

/// The switches of one camera, and what it has noted.
pub struct Faults {
    pub frozen: AtomicBool,
    /// A client that joined at a lower number is to be cut off.
    pub cuts: AtomicU64,
    pub corrupt: AtomicBool,
    pub every: AtomicU64,
    pub whole_every: AtomicU64,
    pub terse: AtomicBool,
    pub door: Mutex<Door>,
    /// When pictures were sent, whole and not garbled.
    pub sent: Mutex<Vec<SystemTime>>,
    /// Every byte that came, by connection.
    pub heard: Mutex<Vec<Vec<u8>>>,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            frozen: AtomicBool::new(false),
            cuts: AtomicU64::new(0),
            corrupt: AtomicBool::new(false),
            every: AtomicU64::new(1),
            whole_every: AtomicU64::new(1),
            terse: AtomicBool::new(false),
            door: Mutex::new(Door::Open),
            sent: Mutex::default(),
            heard: Mutex::default(),
        }
    }
}

impl Manners for Faults {
    /// Closing the connection is left to the caller, who drops it.
    fn resets(&self, stream: &TcpStream) -> bool {
        let resets = self.door() == Door::Reset;
        if resets {
            let linger = libc::linger { l_onoff: 1, l_linger: 0 };
            let (place, bytes) = ((&raw const linger).cast(), size_of::<libc::linger>() as libc::socklen_t);
            // SAFETY: a plain system call; the option lives until it returns.
            unsafe { libc::setsockopt(stream.as_raw_fd(), libc::SOL_SOCKET, libc::SO_LINGER, place, bytes) };
        }
        resets
    }

    fn refusal(&self, method: &str, shown: &str) -> Option<String> {
        match (self.door(), method) {
            (Door::Full, "SETUP") => Some("453 Not Enough Bandwidth".to_owned()),
            (Door::Unavailable, "DESCRIBE") => Some("503 Service Unavailable".to_owned()),
            (Door::NotFound, "DESCRIBE") => Some("404 Not Found".to_owned()),
            (Door::Locked(secret), "DESCRIBE" | "SETUP" | "PLAY") => {
                let wanted = format!("Basic {}", STANDARD.encode(secret));
                (shown != wanted).then(|| "401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"camera\"".to_owned())
            }
            _ => None,
        }
    }

    fn format(&self, told: String) -> String {
        if self.terse.load(SeqCst) { "packetization-mode=1".to_owned() } else { told }
    }

    fn payloads(&self, scene: &Scene, frame: u64) -> Vec<Vec<u8>> {
        let mut payloads = match frame % self.whole_every.load(SeqCst) {
            0 => scene.whole(frame),
            since => h264_pcm::fragments(&h264_pcm::unchanged_frame(scene.width, scene.height, since)),
        };
        if self.corrupt.load(SeqCst) {
            garble(&mut payloads, frame);
        }
        payloads
    }

    fn next(&self, frame: u64) -> u64 {
        let every = self.every.load(SeqCst);
        (frame / every + 1) * every
    }

    fn is_frozen(&self) -> bool {
        self.frozen.load(SeqCst)
    }

    fn cuts(&self) -> u64 {
        self.cuts.load(SeqCst)
    }

    fn has_heard(&self, connection: usize, bytes: &[u8]) {
        let mut heard = self.heard.lock().expect("nobody panics while holding it");
        let connections = heard.len().max(connection + 1);
        heard.resize(connections, Vec::new());
        heard[connection].extend_from_slice(bytes);
    }

    fn has_sent(&self) {
        if !self.corrupt.load(SeqCst) {
            self.sent.lock().expect("nobody panics while holding it").push(SystemTime::now());
        }
    }
}

impl Faults {
    fn door(&self) -> Door {
        self.door.lock().expect("nobody panics while holding it").clone()
    }
}

/// Turns over every seventh byte of the pieces of a picture behind their first two bytes, which say what they are; its
/// parameter sets stay whole.
fn garble(payloads: &mut [Vec<u8>], frame: u64) {
    let is_set = |payload: &Vec<u8>| matches!(payload[0] & 31, h264_pcm::NAL_TYPE_SPS | h264_pcm::NAL_TYPE_PPS);
    for payload in payloads.iter_mut().filter(|payload| !is_set(payload)) {
        payload.iter_mut().skip(2).step_by(7).for_each(|byte| *byte ^= 0x5A ^ frame as u8 | 1);
    }
}
