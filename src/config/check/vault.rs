//! The check of the store: where it lies, how long it keeps what is released, how much room it takes.

use std::path::PathBuf;

use super::Check;
use crate::config::site::RawVault;
use crate::config::{KEEP_DAYS_MAX, Keeping};

impl Check {
    pub(super) fn vault(&mut self, raw: &RawVault) -> (Option<PathBuf>, Keeping) {
        if let Some(folder) = raw.folder.as_ref().filter(|folder| !folder.is_absolute()) {
            self.refuse("vault.folder", folder.display(), "write an absolute path, for example /var/lib/kehai");
        }
        let days = raw.keep_days.unwrap_or(KEEP_DAYS_MAX);
        if !(1..=KEEP_DAYS_MAX).contains(&days) {
            let remedy = format!("write 1 to {KEEP_DAYS_MAX} days; longer histories belong to those who subscribe");
            self.refuse("vault.keep_days", days, remedy);
        }
        if !(QUOTA_MB_MIN..=QUOTA_MB_MAX).contains(&raw.quota_mb) {
            self.refuse("vault.quota_mb", raw.quota_mb, format!("write {QUOTA_MB_MIN} to {QUOTA_MB_MAX} MiB"));
        }
        (raw.folder.clone(), Keeping { days, quota_mb: raw.quota_mb })
    }
}

/// Below this not even a day of a floor fits.
const QUOTA_MB_MIN: u32 = 4;
/// No box of a shop has more to spare.
const QUOTA_MB_MAX: u32 = 1 << 20;
