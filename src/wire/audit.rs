//! The audit chain as text: what was done, by whom, how it went, each line bound to all before it.
//!
//! In: a [`Deed`]. Out: one JSON line that names the hash of the line before and ends with its own; signed checkpoints; the
//! published head. Invariant: a line's hash covers every byte of it before the hash, so that changing, dropping or moving a
//! line breaks the chain at that number (`vault/audit.rs` judges it).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::compose::rfc3339;
use super::payload::CONTRACT_VERSION;
use super::seal::Signer;
use crate::clock::UtcMs;

/// Something that is to be remembered.
#[derive(Debug, Clone, PartialEq)]
pub struct Deed {
    /// Who did it: "node" for the product itself, or a person or a key.
    pub who: String,
    /// What: a lower-case word with dashes, as "release" or "purge".
    pub what: &'static str,
    /// How it went: "done", "refused" or "failed".
    pub outcome: &'static str,
    /// What it was about. Never a person, a path, or a figure that was withheld.
    pub about: Map<String, Value>,
}

impl Deed {
    /// Something the product did itself, and well.
    #[must_use]
    pub fn done(what: &'static str) -> Self {
        Self { who: "node".to_owned(), what, outcome: "done", about: Map::new() }
    }

    /// The same with one more thing it was about.
    #[must_use]
    pub fn about(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.about.insert(key.to_owned(), value.into());
        self
    }

    /// The same, done by somebody.
    #[must_use]
    pub fn by(mut self, who: &str) -> Self {
        self.who = who.to_owned();
        self
    }

    /// The same with another outcome.
    #[must_use]
    pub fn that_was(mut self, outcome: &'static str) -> Self {
        self.outcome = outcome;
        self
    }
}

/// One line of the chain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditLine {
    /// Number in the chain, from 1, without gaps.
    pub n: u64,
    /// Which start of the product on this store it belongs to, from 1.
    pub epoch: u64,
    /// When, UTC, RFC 3339.
    pub at: String,
    /// Who did it.
    pub who: String,
    /// What was done.
    pub what: String,
    /// How it went.
    pub outcome: String,
    /// What it was about.
    pub about: Map<String, Value>,
    /// Hash of the line before: SHA-256, hexadecimal; of the first line [`NOTHING_BEFORE`].
    pub prev: String,
    /// Hash of this line up to here, with its closing brace.
    pub hash: String,
}

/// Where a line stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Number.
    pub n: u64,
    /// Epoch.
    pub epoch: u64,
    /// Hash of the line before.
    pub prev: String,
}

/// A line as text, and its hash.
#[must_use]
pub fn line_of(deed: &Deed, place: &Place, at: UtcMs) -> (String, String) {
    let line = AuditLine {
        n: place.n,
        epoch: place.epoch,
        at: rfc3339(at),
        who: deed.who.clone(),
        what: deed.what.to_owned(),
        outcome: deed.outcome.to_owned(),
        about: deed.about.clone(),
        prev: place.prev.clone(),
        hash: String::new(),
    };
    let text = serde_json::to_string(&line).expect("lines are plain data");
    let open = text.strip_suffix(EMPTY_HASH).expect("the hash stands last");
    let hash = hex(&Sha256::digest(format!("{open}}}")));
    (format!("{open},\"hash\":\"{hash}\"}}"), hash)
}

/// A line read from text; `Err` says why it is none or not whole.
///
/// # Errors
/// In words.
pub fn read_line(text: &str) -> Result<AuditLine, String> {
    let line: AuditLine = serde_json::from_str(text).map_err(|error| format!("no line of an audit chain: {error}"))?;
    let tail = format!(",\"hash\":\"{}\"}}", line.hash);
    let open = text.strip_suffix(&tail).ok_or("its hash does not stand last")?;
    let is_whole = hex(&Sha256::digest(format!("{open}}}"))) == line.hash;
    if is_whole { Ok(line) } else { Err("edited: its hash does not fit its bytes".to_owned()) }
}

/// The head of a chain: signed, and published so that the past cannot be exchanged unnoticed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HeadPayload {
    /// Version of the contract.
    pub v: u8,
    /// Kind: "audit" as published and within a chain, "audit-end" as the last line of an export.
    pub k: String,
    /// The chain, by a random name it was given when the store was made.
    pub chain: String,
    /// Number of the newest line.
    pub n: u64,
    /// Number of the oldest line that is still kept.
    pub first: u64,
    /// Epoch of the newest line.
    pub epoch: u64,
    /// Hash of the newest line: SHA-256, hexadecimal.
    pub head: String,
    /// When, UTC, RFC 3339.
    pub at: String,
    /// Of an end: how many checkpoints stand before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoints: Option<u64>,
    /// Signature of the node over these bytes without this member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sig: Option<String>,
}

/// A signed head.
#[must_use]
pub fn head_of(head: &HeadPayload, signer: &Signer) -> String {
    let body = serde_json::to_vec(&HeadPayload { sig: None, ..head.clone() }).expect("heads are plain data");
    String::from_utf8(signer.seal(body)).expect("JSON is text")
}

/// A head of this kind, unsigned.
#[must_use]
pub fn head(kind: &str, chain: &str, at: UtcMs) -> HeadPayload {
    HeadPayload {
        v: CONTRACT_VERSION,
        k: kind.to_owned(),
        chain: chain.to_owned(),
        n: 0,
        first: 1,
        epoch: 0,
        head: NOTHING_BEFORE.to_owned(),
        at: rfc3339(at),
        checkpoints: None,
        sig: None,
    }
}

/// A head read from text, its signature not judged.
#[must_use]
pub fn read_head(text: &str) -> Option<HeadPayload> {
    serde_json::from_str(text).ok().filter(|head: &HeadPayload| matches!(head.k.as_str(), HEAD | END))
}

/// Bytes as hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What the line that begins an epoch says was done.
pub const START: &str = "start";
/// Kind of a published head and of a checkpoint within a chain.
pub const HEAD: &str = "audit";
/// Kind of the last line of an export.
pub const END: &str = "audit-end";
/// What stands as the hash before the first line.
pub const NOTHING_BEFORE: &str = "0000000000000000000000000000000000000000000000000000000000000000";
const EMPTY_HASH: &str = ",\"hash\":\"\"}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_back_and_one_changed_letter_is_noticed() {
        let place = Place { n: 1, epoch: 1, prev: NOTHING_BEFORE.to_owned() };
        let (text, hash) = line_of(&Deed::done("purge").by("owner").about("windows", 3), &place, UtcMs(0));
        let line = read_line(&text).expect("its own line");
        assert_eq!((line.hash, line.who.as_str(), line.n), (hash, "owner", 1));
        assert!(read_line(&text.replace("owner", "oxner")).is_err_and(|why| why.starts_with("edited")));
    }
}
