//! What is said openly: the sign at the door, the policy behind its QR code, short texts, all made from what runs.
//!
//! In: a checked site ([`crate::config::site::Site`]) and the newest self-test. Out: documents. Invariants: nothing is claimed
//! that the self-test of these programs and this declaration has not proved ([`claims`]); the id of a sign follows from the
//! declaration and the wording alone, so that another declaration needs another sign.

pub mod claims;
pub mod code;
pub mod denial;
pub mod fonts;
pub mod layout;
pub mod page;
pub mod paper;
mod plan;
pub mod policy;
pub mod promises;
pub mod records;
pub mod render;
pub mod rights;
pub mod sign;
pub mod texts;
pub mod words;

use sha2::{Digest, Sha256};

use crate::clock::UtcMs;
use crate::config::site::Site;
use crate::wire::payload::selftest::SelfTest;
use claims::{Bounds, Claim, Running, is_of, proved, proved_since};

/// Everything a document is made from.
pub struct Notice<'a> {
    /// What is declared and set.
    pub site: &'a Site,
    /// Id of the sign.
    pub sign_id: String,
    /// Fingerprint of the configuration, as in every message.
    pub cfg: String,
    /// Today, on the shop's calendar.
    pub made_on: String,
    /// What is proved.
    pub claims: Vec<Claim>,
    /// The newest self-test, if it is of what runs.
    pub self_test: Option<SelfTest>,
    /// What tells the box's signatures, "ed25519:…".
    pub public_key: Option<String>,
}

/// What is known besides the site.
pub struct Told<'a> {
    /// When.
    pub at: UtcMs,
    /// What runs.
    pub running: &'a Running,
    /// The newest self-test, whatever it is of; its signature has been checked.
    pub newest: Option<&'a SelfTest>,
    /// What tells the box's signatures, "ed25519:…".
    pub public_key: Option<String>,
}

/// Why there is no sign.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoticeError {
    /// Something required is not written.
    #[error("the site file lacks what a sign must say: {}; write each of these keys", .keys.join(", "))]
    Missing {
        /// Keys.
        keys: Vec<String>,
    },
    /// A text claims what must not be claimed.
    #[error(
        "{key} says “{found}”: images of people are personal data while they are analysed; say what is done with them instead"
    )]
    Forbidden {
        /// Key.
        key: String,
        /// The words.
        found: String,
    },
    /// A letter that cannot be printed.
    #[error("{key} has “{letter}” (U+{:04X}), a letter that the sign's font lacks; write another", u32::from(*.letter))]
    NoLetter {
        /// Key.
        key: String,
        /// The letter.
        letter: char,
    },
    /// There is no room for it.
    #[error(
        "the texts have no room on the sign ({form}) in letters that can be read; shorten {key} first, it has {chars} characters"
    )]
    TooLong {
        /// Where.
        form: &'static str,
        /// Key of the longest text.
        key: String,
        /// Its length.
        chars: usize,
    },
    /// A library refused.
    #[error("the {what} could not be made: {reason}")]
    Unmade {
        /// What.
        what: &'static str,
        /// What it said.
        reason: String,
    },
}

impl<'a> Notice<'a> {
    /// The notice of a site.
    ///
    /// # Errors
    /// [`NoticeError::Missing`] with every key that must be written, [`NoticeError::Forbidden`] for a text that denies what is
    /// so.
    pub fn of(site: &'a Site, told: Told<'_>) -> Result<Self, NoticeError> {
        let missing = site.declared.missing();
        let declaration = site.settings.declaration.as_deref().filter(|_| missing.is_empty());
        let Some(declaration) = declaration else {
            let keys = if missing.is_empty() { vec!["notice".to_owned()] } else { missing };
            return Err(NoticeError::Missing { keys });
        };
        denial::check(&site.declared)?;
        Ok(Self {
            site,
            sign_id: sign_id(declaration),
            cfg: site.settings.revision(),
            made_on: day(told.at, &site.settings.store.timezone),
            claims: proved(told.newest, told.running, told.at),
            self_test: told.newest.filter(|test| is_of(test, told.running)).cloned(),
            public_key: told.public_key,
        })
    }

    /// Figures that stand in claims.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        Bounds { k: self.site.settings.gate.k, keep_days: self.site.outlets.keeping.days }
    }

    /// The day on which what is claimed was tested, on the shop's calendar; of several days the first. Nothing where nothing is
    /// claimed.
    #[must_use]
    pub fn tested_on(&self) -> Option<String> {
        let since = proved_since(self.self_test.as_ref()?, &self.claims)?;
        Some(day(since, &self.site.settings.store.timezone))
    }
}

/// A moment as a day on a shop's calendar, "2026-11-27".
#[must_use]
pub fn day(at: UtcMs, timezone: &str) -> String {
    let zone = jiff::tz::TimeZone::get(timezone).unwrap_or(jiff::tz::TimeZone::UTC);
    jiff::Timestamp::from_millisecond(at.0).map(|at| zone.to_datetime(at).date().to_string()).unwrap_or_default()
}

/// A moment on a shop's wall, to the minute and with its zone, "2026-11-27 16:05 (Asia/Tokyo)".
#[must_use]
pub fn day_and_minute(at: UtcMs, timezone: &str) -> String {
    let zone = jiff::tz::TimeZone::get(timezone).unwrap_or(jiff::tz::TimeZone::UTC);
    let told = |at: jiff::Timestamp| format!("{} ({timezone})", zone.to_datetime(at).strftime("%Y-%m-%d %H:%M"));
    jiff::Timestamp::from_millisecond(at.0).map(told).unwrap_or_default()
}

/// Id of the sign that belongs to a declaration: eight characters of Crockford's base 32, "XXXX-XXXX".
///
/// `declaration` is `settings.declaration`. Two signs of the same declaration and wording have the same id.
#[must_use]
pub fn sign_id(declaration: &str) -> String {
    let text = format!("kehai sign v1{declaration}\0{WORDING_VERSION}");
    let bits = Sha256::digest(text.as_bytes()).iter().take(5).fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
    let chars: String = (0..8).rev().map(|place| char::from(CROCKFORD[(bits >> (5 * place) & 31) as usize])).collect();
    format!("{}-{}", &chars[..4], &chars[4..])
}

/// Version of the words that stand on every sign; another one makes another sign id.
pub const WORDING_VERSION: &str = "2";
const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_id_follows_from_the_declaration_and_can_be_read_aloud() {
        let id = sign_id("ab");
        assert_eq!(id, sign_id("ab"));
        assert_ne!(id, sign_id("ac"));
        assert_eq!((id.len(), id.as_bytes()[4]), (9, b'-'));
        assert!(id.bytes().all(|byte| byte == b'-' || CROCKFORD.contains(&byte)), "{id}");
        // The first five bytes of SHA-256("kehai sign v1ab\0" "2") are cd371e9756.
        assert_eq!(id, "SMVH-X5TP");
    }
}
