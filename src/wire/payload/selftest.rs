//! The self-test of a box: what was tried on it, when, on which programs and which declaration, and how it ended.
//!
//! In: outcomes of `kehai report`. Out: a serde type, signed by the box like a window, that sign and transparency page rest on.
//! Invariant: no figure of people and no name of a person is in here.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::UtcMs;
use crate::wire::seal::PublicKey;

/// File in the state folder that holds the newest [`SelfTest`], sealed.
pub const SELF_TEST_FILE: &str = "selftest.json";

/// Everything that was tried in one go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SelfTest {
    /// Version of the product, as `kehai --version` says it.
    pub version: String,
    /// SHA-256 (hex) of each program, by its file name, and of the network they load, as "network".
    pub binaries: BTreeMap<String, String>,
    /// Hash of everything the site file declares.
    pub declaration: String,
    /// Fingerprint of the configuration, as in every message.
    pub cfg: String,
    /// When it ended, ms since 1970 UTC.
    #[schemars(with = "i64")]
    pub at: UtcMs,
    /// What was tried.
    pub proofs: Vec<Proof>,
    /// "ed25519:…": signature of the box over exactly these bytes without this last member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sig: Option<String>,
}

/// One thing that was tried, or was not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Proof {
    /// Name of the test.
    pub id: String,
    /// How it ended.
    pub outcome: Outcome,
    /// When, ms since 1970 UTC.
    #[schemars(with = "i64")]
    pub at: UtcMs,
    /// What was seen, for people.
    pub words: String,
}

/// How a test ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It holds.
    Green,
    /// It does not.
    Red,
    /// It was not tried, or could not be.
    NotRun,
}

impl SelfTest {
    /// Its bytes before they are signed: no signature stands in them.
    #[must_use]
    pub fn to_body(&self) -> Vec<u8> {
        serde_json::to_vec(&Self { sig: None, ..self.clone() }).expect("a self-test is plain data")
    }

    /// Read from bytes that the box with this key has signed.
    ///
    /// # Errors
    /// Why it is not believed, in words.
    pub fn of_signed(body: &[u8], key: &PublicKey) -> Result<Self, String> {
        key.verify(body).map_err(|error| error.to_string())?;
        serde_json::from_slice(body).map_err(|error| error.to_string())
    }

    /// The proof of this name.
    #[must_use]
    pub fn proof(&self, id: &str) -> Option<&Proof> {
        self.proofs.iter().find(|proof| proof.id == id)
    }
}
