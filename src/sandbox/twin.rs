//! The self-test of the cage: a twin of the eye, caged like it and shown no picture, tries thirteen ways out.
//!
//! In: the job of the eye. Out: a [`Proof`], which holds when no way was open. Invariants: witnesses outside decide, where
//! there can be one, not the word of the twin; what the attempts left is removed; a twin that does not end as arranged proves
//! nothing.

use std::io::{Error, ErrorKind};
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::escapes::{EARLIER, Escape, OTHER_HOST};
use crate::clock::monotonic_ns;
use crate::health::walls::Walls;
use crate::pipeline::mouth::Eye;
use crate::pipeline::{EyeJob, TwinJob};
use crate::wire::record::ration::Errand;
use crate::wire::record::{Inbox, Report};

/// What became of the thirteen ways out of one cage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The walls that stood.
    pub walls: Walls,
    /// For each of [`Escape::EACH`] 0 when it was open, or the error number of what denied it; [`UNSEEN`] when nothing of
    /// it arrived.
    pub outcomes: [i32; 13],
}

impl Proof {
    /// Whether every way was denied.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.open().is_empty()
    }

    /// Names of the ways that were open.
    #[must_use]
    pub fn open(&self) -> Vec<&'static str> {
        let each = Escape::EACH.iter().zip(self.outcomes);
        each.filter(|(_, outcome)| *outcome == 0).map(|((_, name), _)| *name).collect()
    }

    /// What became of one way, in words.
    #[must_use]
    pub fn in_words(outcome: i32) -> String {
        match outcome {
            0 => "OPEN".to_owned(),
            UNSEEN => "denied (nothing arrived)".to_owned(),
            number => {
                let said = Error::from_raw_os_error(number).to_string();
                format!("denied ({})", said.split(" (os error").next().unwrap_or_default().to_lowercase())
            }
        }
    }
}

/// Lets a twin of the eye of `job` try its ways out behind these walls.
///
/// # Errors
/// Why nothing is proved: a twin that could not be started, or did not end as arranged.
pub async fn prove(job: &EyeJob, walls: Walls) -> Result<Proof, String> {
    let scene = Scene::set().map_err(|error| {
        let place = std::env::temp_dir();
        format!(
            "no witness can be set up in the folder {} (TMPDIR) and at 127.0.0.1 and 127.0.0.2: {error}",
            place.display()
        )
    })?;
    let job = EyeJob { errand: Errand::Twin, walls: walls.bits(), twin: Some(scene.job()), ..job.clone() };
    let mut eye = Eye::start_in(&job, Some(&scene.folder.0), None).await?;
    let mut inbox = Inbox::new(&job.settings);
    let told = tokio::time::timeout(PATIENCE, async {
        while let Some(record) = eye.record().await {
            if let Ok(Some(Report::Attempts(attempts))) = inbox.accept(&record) {
                return Some(attempts);
            }
        }
        None
    });
    let Ok(attempts) = told.await else {
        return Err(format!("the twin did not answer within {} s", PATIENCE.as_secs()));
    };
    let status = eye.ended().await;
    let attempts =
        attempts.ok_or_else(|| format!("it ended without a report ({status}): a program may have been started"))?;
    if std::os::unix::process::ExitStatusExt::signal(&status) != Some(libc::SIGABRT) {
        return Err(format!("it did not end as arranged ({status})"));
    }
    let mut outcomes = [NO_CORE; 13];
    outcomes[..12].copy_from_slice(&attempts.outcomes);
    for ((_, way), outcome) in Escape::EACH.iter().zip(attempts.outcomes) {
        if outcome != 0 && !DENIALS.contains(&outcome) {
            let error = Error::from_raw_os_error(outcome);
            return Err(format!("the attempt \"{way}\" met something else than a wall: {error}"));
        }
    }
    scene.witness(&mut outcomes);
    if std::os::unix::process::ExitStatusExt::core_dumped(&status) || scene.has_core() {
        outcomes[12] = 0;
    }
    Ok(Proof { walls: attempts.walls, outcomes })
}

/// Where a twin acts, seen from outside.
struct Scene {
    folder: Removed,
    udp: UdpSocket,
    port: TcpListener,
    host: TcpListener,
}

impl Scene {
    fn set() -> Result<Self, Error> {
        // The twin acts in this very folder, where another's relative path would lead elsewhere.
        let place = std::env::temp_dir().canonicalize()?;
        let folder = Removed(place.join(format!("kehai-twin-{}-{}", std::process::id(), monotonic_ns())));
        std::fs::create_dir(&folder.0)?;
        let scene = Self {
            folder,
            udp: UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?,
            port: TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?,
            host: TcpListener::bind((OTHER_HOST, 0))?,
        };
        scene.udp.set_nonblocking(true)?;
        scene.port.set_nonblocking(true)?;
        scene.host.set_nonblocking(true)?;
        Ok(scene)
    }

    fn job(&self) -> TwinJob {
        let udp = self.udp.local_addr().map_or(0, |address| address.port());
        TwinJob { folder: self.folder.0.clone(), udp, tcp: self.port_of(&self.port), camera: self.port_of(&self.host) }
    }

    fn port_of(&self, listener: &TcpListener) -> u16 {
        listener.local_addr().map_or(0, |address| address.port())
    }

    /// Corrects what the twin said by what is seen outside.
    fn witness(&self, outcomes: &mut [i32; 13]) {
        let mut seen = |escape: Escape, is_seen: bool, alone: bool| {
            let at = Escape::EACH.iter().position(|(each, _)| *each == escape).unwrap_or(0);
            match (is_seen, outcomes[at]) {
                (true, _) => outcomes[at] = 0,
                (false, 0) if alone => outcomes[at] = UNSEEN,
                _ => {}
            }
        };
        let grew = |path: &Path| std::fs::metadata(path).is_ok_and(|file| file.len() > 0);
        seen(Escape::File, self.folder.0.join("file").exists(), false);
        seen(Escape::OpenedEarlier, grew(&self.folder.0.join(EARLIER)), false);
        seen(Escape::OtherThread, self.folder.0.join("other-thread").exists(), false);
        // A datagram into an empty network is sent and arrives nowhere.
        seen(Escape::Udp, self.udp.recv(&mut [0; 8]).is_ok(), true);
        let has_called =
            |listener: &TcpListener| !matches!(listener.accept(), Err(error) if error.kind() == ErrorKind::WouldBlock);
        seen(Escape::TcpPort, has_called(&self.port), true);
        seen(Escape::TcpHost, has_called(&self.host), true);
    }

    fn has_core(&self) -> bool {
        let names = std::fs::read_dir(&self.folder.0).into_iter().flatten().flatten();
        names.into_iter().any(|entry| entry.file_name().to_string_lossy().contains("core"))
    }
}

/// A folder that goes with its scene.
struct Removed(PathBuf);

impl Drop for Removed {
    fn drop(&mut self) {
        // What cannot be removed is empty: the twin had nothing to write.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What a wall says; anything else, as a path that is not there, proves nothing.
const DENIALS: [i32; 9] = [
    libc::EPERM,
    libc::EACCES,
    libc::EFBIG,
    libc::ENOSYS,
    libc::EROFS,
    libc::ECONNREFUSED,
    libc::ENETUNREACH,
    libc::EHOSTUNREACH,
    libc::ETIMEDOUT,
];
/// Nothing of it was seen where it would have arrived.
pub const UNSEEN: i32 = -1;
/// A dump was not permitted.
const NO_CORE: i32 = libc::EPERM;
/// Longest life of a twin.
const PATIENCE: Duration = Duration::from_secs(20);
