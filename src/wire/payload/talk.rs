//! Payloads of what is said beside the record: events, commands and answers.
//!
//! In: what happened, what was asked. Out: serde types whose order of fields is the order on the wire. Invariant: a command is
//! signed by whom the site file names, lives five minutes at most and is addressed to one node (`publish/commands.rs`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Something the operator should know of. Never a person, a path, or anything finer than a window about people.
#[derive(Debug, Serialize, JsonSchema)]
pub struct EventPayload {
    /// Version of the contract.
    pub v: u8,
    /// Kind: evt.
    pub k: &'static str,
    /// What happened, as the last level of the topic: "camera-lost", "camera-back", "clock-step", "coverage-low",
    /// "config-applied", "publish-refused", "broker-denied", "store-damaged", "commands-unheard", "certificate-expiring",
    /// "command-refused" or "switch".
    pub of: String,
    /// When, UTC, RFC 3339.
    pub at: String,
    /// The process.
    pub boot: String,
    /// What it is about: depends on what happened.
    pub about: Map<String, Value>,
    /// Signature of the node over exactly these bytes without this last member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sig: Option<String>,
}

/// What an operator asks of a node. Retained, unsigned, expired, repeated or misaddressed ones change nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandPayload {
    /// Version of the contract.
    pub v: u8,
    /// Kind: cmd.
    pub k: String,
    /// What is asked, as the last level of the topic: "ping", "rebirth", "replay", "config-get", "pause" or "lock".
    pub verb: String,
    /// Name of this request, of the asker's choice: 1 to 64 letters, digits, "-" and "_". The answer repeats it.
    pub id: String,
    /// The node that is asked: "ORG/STORE/NODE".
    pub node: String,
    /// When it was made, UTC, RFC 3339.
    pub at: String,
    /// Until when it holds, UTC, RFC 3339; at most five minutes later.
    pub exp: String,
    /// For "replay": first start of a window that is sent again, UTC, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// For "replay": windows that start here or later are not sent again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Signature of the asker over exactly these bytes without this last member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sig: Option<String>,
}

impl CommandPayload {
    /// A command read from its bytes, its signature not judged; `None` when it is none.
    #[must_use]
    pub fn read(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok().filter(|command: &Self| command.k == "cmd")
    }

    /// The bytes to be signed.
    #[must_use]
    pub fn unsigned(&self) -> Vec<u8> {
        serde_json::to_vec(&Self { sig: None, ..self.clone() }).expect("commands are plain data")
    }
}

/// What a node answers.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AnswerPayload {
    /// Version of the contract.
    pub v: u8,
    /// Kind: rsp.
    pub k: &'static str,
    /// What was asked.
    pub verb: String,
    /// Name of the request.
    pub id: String,
    /// When, UTC, RFC 3339.
    pub at: String,
    /// The process.
    pub boot: String,
    /// Whether it was done.
    pub ok: bool,
    /// Why it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What was asked for: of "ping" the uptime `uptime_s` and the waiting rows `spool_waiting`, of "replay" the number of windows `windows`
    /// that will come, of "config-get" all that decides what is measured and released, as `settings`,
    /// of "pause" and "lock" where the switch then stands, as `mode`.
    pub d: Map<String, Value>,
    /// Signature of the node over exactly these bytes without this last member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sig: Option<String>,
}
