//! What FFmpeg says while it opens a camera, boiled down to one reason: OpenCV itself only says "no".
//!
//! In: the words a library writes to standard error of this process. Out: one [`Silence`]. Invariants: the words, which
//! may hold an address, are wiped and go nowhere; whoever writes never waits, what finds no room is lost.
//! Only `pipeline/probe.rs` listens, one camera at a time: standard error belongs to the whole process.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use zeroize::Zeroize;

use crate::health::Silence;

/// Runs `work` and listens to what is written to standard error meanwhile; `None` where nothing telling was said.
pub fn listen<T>(work: impl FnOnce() -> T) -> (T, Option<Silence>) {
    let Some(mut ear) = Ear::put_on() else { return (work(), None) };
    let value = work();
    let mut words = ear.take_off();
    let reason = reason_in(&words);
    words.zeroize();
    (value, reason)
}

/// Standard error, led into a pipe for a while.
struct Ear {
    words: File,
    before: OwnedFd,
}

impl Ear {
    fn put_on() -> Option<Self> {
        let mut ends = [0; 2];
        // SAFETY: plain descriptor calls; each descriptor made is owned by one value.
        unsafe {
            if libc::pipe2(ends.as_mut_ptr(), libc::O_NONBLOCK | libc::O_CLOEXEC) != 0 {
                return None;
            }
            let (words, writer) = (File::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1]));
            let before = libc::fcntl(STDERR, libc::F_DUPFD_CLOEXEC, 3);
            if before < 0 {
                return None;
            }
            let before = OwnedFd::from_raw_fd(before);
            (libc::dup2(writer.as_raw_fd(), STDERR) >= 0).then_some(Self { words, before })
        }
    }

    /// Gives standard error back and what was said.
    fn take_off(&mut self) -> Vec<u8> {
        // SAFETY: both descriptors are open.
        unsafe { libc::dup2(self.before.as_raw_fd(), STDERR) };
        let mut words = Vec::with_capacity(WORDS_BYTES_MAX);
        // A pipe that is empty and still open says so as an error; what came before it counts.
        let _ = (&mut self.words).take(WORDS_BYTES_MAX as u64).read_to_end(&mut words);
        words
    }
}

/// The reason FFmpeg 4 to 7 gives in these words (libavformat/rtsp.c, tcp.c, utils.c).
fn reason_in(words: &[u8]) -> Option<Silence> {
    let said = |phrase: &&str| words.windows(phrase.len()).any(|window| window == phrase.as_bytes());
    let reasons: [(&[&str], Silence); 6] = [
        (&["failed: 401", "401 Unauthorized", "failed: 403"], Silence::WrongPassword),
        (&["failed: 404", "404 Not Found", "404 Stream Not Found"], Silence::NoSuchPath),
        (&["failed: 45", "failed: 50"], Silence::Busy),
        (&["Connection refused"], Silence::Refused),
        (&["timed out", "No route to host", "unreachable"], Silence::NoAnswer),
        (&["unknown codec", "Unsupported codec", "none)"], Silence::UnknownCodec),
    ];
    reasons.into_iter().find(|(phrases, _)| phrases.iter().any(said)).map(|(_, reason)| reason)
}

const STDERR: RawFd = 2;
/// A pipe holds as much.
const WORDS_BYTES_MAX: usize = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_ffmpeg_have_a_reason() {
        for (words, reason) in [
            ("[rtsp @ 0x55] method DESCRIBE failed: 401 Unauthorized", Some(Silence::WrongPassword)),
            ("[rtsp @ 0x55] method DESCRIBE failed: 404 Not Found", Some(Silence::NoSuchPath)),
            ("[rtsp @ 0x55] method SETUP failed: 453 Not Enough Bandwidth", Some(Silence::Busy)),
            ("[tcp @ 0x55] Connection to tcp://127.0.0.1:1 failed: Connection refused", Some(Silence::Refused)),
            ("[h264 @ 0x55] error while decoding MB 3 4", None),
            ("", None),
        ] {
            assert_eq!(reason_in(words.as_bytes()), reason, "{words}");
        }
    }
}
