//! The stop that needs no store: a file of fixed length beside it, overwritten in place.
//!
//! In: a stop, and who asks. Out: what was asked last and is not in the store yet. Invariants: writing it needs no room, no key and
//! no store that opens; it survives whoever wrote it, kill -9 and the loss of power; a weaker stop does not take the place of a
//! stronger one; only a store that holds the stop takes it out again.

use std::fs::File;
use std::io::{Error, ErrorKind};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};

use crate::switch::{From, Turn};

/// A stop, from the weakest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    /// A pause from afar.
    Afar,
    /// A pause on site.
    Here,
    /// A lock.
    Lock,
}

impl Stop {
    /// The stop in a turn.
    pub(super) fn of(turn: &Turn) -> Option<Self> {
        match turn {
            Turn::Pause(From::Afar) => Some(Self::Afar),
            Turn::Pause(From::Here) => Some(Self::Here),
            Turn::Lock => Some(Self::Lock),
            _ => None,
        }
    }

    /// The turn that it is.
    pub(super) fn turn(self) -> Turn {
        match self {
            Self::Afar => Turn::Pause(From::Afar),
            Self::Here => Turn::Pause(From::Here),
            Self::Lock => Turn::Lock,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Afar => "afar",
            Self::Here => "here",
            Self::Lock => "lock",
        }
    }
}

/// What was asked, and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) stop: Stop,
    pub(super) who: String,
    /// Which process asked; it writes the stop into the store too, if it can.
    pub(super) process: u32,
}

impl Asked {
    /// Asked by this process.
    pub(super) fn now(stop: Stop, who: &str) -> Self {
        Self { stop, who: who.to_owned(), process: std::process::id() }
    }

    /// Somebody unknown wants it to stop.
    pub(super) fn of_somebody() -> Self {
        Self { stop: Stop::Here, who: "unknown".to_owned(), process: 0 }
    }
}

/// The file.
#[derive(Debug, Clone)]
pub(super) struct StopFile {
    path: PathBuf,
}

impl StopFile {
    pub(super) fn of(folder: &Path) -> Self {
        Self { path: folder.join(STOP) }
    }

    /// Makes the file, so that later there is room for what stands in it.
    pub(super) fn make(&self) -> std::io::Result<()> {
        let file = self.open(true)?;
        flock(&file, FlockOperation::LockExclusive)?;
        if file.metadata()?.len() < LENGTH as u64 { put(&file, None) } else { Ok(()) }
    }

    /// Stops.
    pub(super) fn set(&self, asked: &Asked) -> std::io::Result<()> {
        let file = self.open(true)?;
        flock(&file, FlockOperation::LockExclusive)?;
        if read(&file).is_some_and(|there| there.stop >= asked.stop) {
            return Ok(());
        }
        put(&file, Some(asked))
    }

    /// What was asked and is not in the store yet. Whoever asks in words we do not know stops as well, and so does a file that cannot be
    /// read.
    pub(super) fn asked(&self) -> Option<Asked> {
        match File::open(&self.path) {
            Ok(file) => read(&file),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(_) => Some(Asked::of_somebody()),
        }
    }

    /// Whether somebody else has to write it into the store: whoever asked is gone, or has had the time.
    pub(super) fn is_left(&self) -> bool {
        let Some(asked) = self.asked() else { return false };
        let is_gone = asked.process == std::process::id() || !Path::new(&format!("/proc/{}", asked.process)).exists();
        let age = self.path.metadata().and_then(|about| about.modified()).ok().and_then(|at| at.elapsed().ok());
        is_gone || age.is_none_or(|age| age >= PATIENCE)
    }

    /// Takes out what is in the store now; what was asked since stays.
    pub(super) fn clear(&self, asked: &Asked) -> std::io::Result<()> {
        let file = self.open(false)?;
        flock(&file, FlockOperation::LockExclusive)?;
        if read(&file).as_ref() == Some(asked) { put(&file, None) } else { Ok(()) }
    }

    fn open(&self, may_make: bool) -> std::io::Result<File> {
        File::options().read(true).write(true).create(may_make).truncate(false).mode(0o600).open(&self.path)
    }
}

fn read(file: &File) -> Option<Asked> {
    let mut bytes = [0; LENGTH];
    let text = match file.read_exact_at(&mut bytes, 0) {
        Ok(()) => String::from_utf8_lossy(&bytes),
        // Cut off while it was made: nothing was asked.
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return None,
        Err(_) => return Some(Asked::of_somebody()),
    };
    let mut words = text.trim_end().splitn(3, ' ');
    let name = words.next().unwrap_or_default();
    if name == NONE {
        return None;
    }
    let process = words.next().and_then(|number| number.parse().ok()).unwrap_or_default();
    let who = words.next().unwrap_or_default().to_owned();
    let stop = [Stop::Afar, Stop::Here, Stop::Lock].into_iter().find(|stop| stop.name() == name);
    Some(stop.map_or_else(Asked::of_somebody, |stop| Asked { stop, who, process }))
}

fn put(file: &File, asked: Option<&Asked>) -> std::io::Result<()> {
    let text =
        asked.map_or_else(|| NONE.to_owned(), |asked| format!("{} {} {}", asked.stop.name(), asked.process, asked.who));
    let mut bytes = [b' '; LENGTH];
    let mut end = text.len().min(LENGTH - 1);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    bytes[..end].copy_from_slice(&text.as_bytes()[..end]);
    bytes[LENGTH - 1] = b'\n';
    if file.write_at(&bytes, 0)? < LENGTH {
        return Err(Error::from(ErrorKind::StorageFull));
    }
    file.sync_data()
}

pub(super) const STOP: &str = "stop";
const NONE: &str = "none";
/// Longer than a store is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// One write, within one block of any disk.
const LENGTH: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_stays_until_the_store_has_it_and_gives_way_to_stronger_ones_only() {
        let folder = std::env::temp_dir().join(format!("kehai-stop-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("ours");
        let file = StopFile::of(&folder);
        assert_eq!(file.asked(), None, "nothing is there");
        file.make().expect("room");
        assert_eq!(file.asked(), None, "nothing was asked");
        let locked = Asked::now(Stop::Lock, "uid:1000");
        file.set(&locked).expect("room");
        file.set(&Asked::now(Stop::Here, "uid:0")).expect("room");
        assert_eq!(file.asked(), Some(locked.clone()));
        file.clear(&Asked::of_somebody()).expect("ours");
        assert_eq!(file.asked(), Some(locked.clone()), "something else was in the store");
        file.clear(&locked).expect("ours");
        assert_eq!(file.asked(), None);
        file.set(&Asked::now(Stop::Afar, &"光".repeat(100))).expect("cut to what there is room for");
        assert_eq!(file.asked().map(|asked| asked.stop), Some(Stop::Afar));
        std::fs::write(folder.join(STOP), "x".repeat(LENGTH)).expect("ours");
        assert_eq!(file.asked(), Some(Asked::of_somebody()), "words we do not know stop");
        std::fs::remove_dir_all(&folder).expect("ours");
    }
}
