//! The claim on a store: one mouth holds it, whoever else asks is told whose it is.
//!
//! In: the folder of a store. Out: a lock that ends with its process. Invariant: the file says whether a store here has ever begun,
//! so that an empty one is known to be one that was cut off.

use std::fs::File;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use super::VaultError;

/// Claims the store of a folder for this process, until the file is closed.
pub(super) fn claim(folder: &Path) -> Result<File, VaultError> {
    let failed = |error: std::io::Error| VaultError::of_file(folder, &error);
    let claim = File::options().write(true).create(true).truncate(false).mode(0o600).open(folder.join(CLAIM));
    let claim = claim.map_err(failed)?;
    for attempt in 0..CLAIMS {
        match rustix::fs::flock(&claim, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(claim),
            // A process that is just being started holds what its parent held, for a moment.
            Err(_) if attempt + 1 < CLAIMS => std::thread::sleep(CLAIM_AGAIN),
            Err(_) => break,
        }
    }
    Err(VaultError::InUse { path: folder.to_owned() })
}

/// Writes into a claim that its store has begun, and who holds it, so that a command can see, and signal, the mouth.
pub(super) fn sign(claim: &File) -> std::io::Result<usize> {
    claim.set_len(HOLDER)?;
    claim.write_at(BEGUN, 0)?;
    claim.write_at(format!("{}\n", std::process::id()).as_bytes(), HOLDER)
}

/// The process that holds the store of a folder, if one does.
#[must_use]
pub fn holder(folder: &Path) -> Option<u32> {
    let claim = File::open(folder.join(CLAIM)).ok()?;
    let is_free = rustix::fs::flock(&claim, rustix::fs::FlockOperation::NonBlockingLockShared).is_ok();
    let noted = if is_free { Vec::new() } else { std::fs::read(folder.join(CLAIM)).ok()? };
    std::str::from_utf8(noted.get(HOLDER as usize..)?).ok()?.trim().parse().ok()
}

/// Whether a store in this folder has ever begun: an empty one is then one that was cut off.
pub(super) fn has_begun(folder: &Path) -> bool {
    std::fs::read(folder.join(CLAIM)).is_ok_and(|noted| noted.starts_with(BEGUN))
}

const CLAIM: &str = "store.lock";
/// Where in it the process that holds it is written.
const HOLDER: u64 = 16;
/// What stands in the claim once a store has begun.
const BEGUN: &[u8] = b"begun\n";
/// How often a store is claimed before it is called another's, and the pause in between.
const CLAIMS: u32 = 25;
const CLAIM_AGAIN: Duration = Duration::from_millis(20);
