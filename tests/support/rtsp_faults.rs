//! How the test camera misbehaves besides falling silent: garbled pictures, a falling rate, closed doors.
//!
//! In: switches, thrown by tests at any time. Out: what a client then meets. `rtsp_camera.rs` asks at each step.
//! Source: RFC 2326 11 (status codes), RFC 7617 (Basic authentication).

use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

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

/// The switches of one camera.
pub struct Faults {
    pub corrupt: AtomicBool,
    pub every: AtomicU64,
    pub whole_every: AtomicU64,
    pub terse: AtomicBool,
    pub door: Mutex<Door>,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            corrupt: AtomicBool::new(false),
            every: AtomicU64::new(1),
            whole_every: AtomicU64::new(1),
            terse: AtomicBool::new(false),
            door: Mutex::new(Door::Open),
        }
    }
}

impl Faults {
    /// Turns over every seventh byte of the pieces of a picture behind their first two bytes, which say what they are.
    pub fn garble(&self, pieces: &mut [Vec<u8>], frame: u64) {
        if self.corrupt.load(SeqCst) {
            for payload in pieces {
                payload.iter_mut().skip(2).step_by(7).for_each(|byte| *byte ^= 0x5A ^ frame as u8 | 1);
            }
        }
    }

    /// Whether a newcomer is reset; closing the connection is left to the caller, who drops it.
    pub fn resets(&self, stream: &TcpStream) -> bool {
        let resets = self.door() == Door::Reset;
        if resets {
            let linger = libc::linger { l_onoff: 1, l_linger: 0 };
            let (place, bytes) = ((&raw const linger).cast(), size_of::<libc::linger>() as libc::socklen_t);
            // SAFETY: a plain system call; the option lives until it returns.
            unsafe { libc::setsockopt(stream.as_raw_fd(), libc::SOL_SOCKET, libc::SO_LINGER, place, bytes) };
        }
        resets
    }

    /// The status, and headers, with which a request is turned away.
    pub fn refusal(&self, method: &str, shown: &str) -> Option<String> {
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

    fn door(&self) -> Door {
        self.door.lock().expect("nobody panics while holding it").clone()
    }
}
