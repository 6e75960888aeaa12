//! Commands: who may ask what, and whether this one still holds.
//!
//! In: bytes from the broker, neither checked nor believed. Out: [`Request`]s, or why not. Invariants: nothing is done that is not
//! signed by a key of the site file, addressed to this node, made after this process began, unexpired and new; a command only
//! asks or stops, none starts or loosens anything.

use std::collections::VecDeque;

use super::mqtt::Command;
use crate::clock::UtcMs;
use crate::wire::payload::CommandPayload;
use crate::wire::read::utc_of;
use crate::wire::seal::PublicKey;

/// What is asked, by somebody who may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Name of the key, for the audit chain.
    pub who: String,
    /// Name of the request.
    pub id: String,
    /// What is asked.
    pub ask: Ask,
}

/// What can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// Whether anybody is there.
    Ping,
    /// To introduce oneself again: state, about, meta.
    Rebirth,
    /// To send the windows that start within `[from_s, to_s)` once more, s since 1970.
    Replay {
        /// First start.
        from_s: i64,
        /// First start that is too late.
        to_s: i64,
    },
    /// What decides what is measured and released.
    ConfigGet,
    /// To watch nothing, until somebody on site says otherwise.
    Pause,
    /// To watch nothing, until an owner unlocks it on site.
    Lock,
}

impl Ask {
    /// Whether it stops.
    #[must_use]
    pub fn is_stop(self) -> bool {
        matches!(self, Self::Pause | Self::Lock)
    }

    /// Its name on the wire.
    #[must_use]
    pub fn verb(self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::Rebirth => "rebirth",
            Self::Replay { .. } => "replay",
            Self::ConfigGet => "config-get",
            Self::Pause => "pause",
            Self::Lock => "lock",
        }
    }
}

/// Why a command changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The broker had kept it: whoever asked may be long gone.
    #[error("retained by the broker")]
    Retained,
    /// Not the JSON of a command.
    #[error("not a command")]
    Malformed,
    /// Not signed by a key of the site file.
    #[error("not signed by a key of [commands]")]
    Unsigned,
    /// For another node, or on another topic than it says.
    #[error("addressed to another node or topic")]
    Misaddressed,
    /// Over, or made to hold too long.
    #[error("expired, or made to hold longer than five minutes")]
    Expired,
    /// Made before this process began, or ahead of this box's clock.
    #[error("made before this process began, or ahead of its clock")]
    Untimely,
    /// It came before.
    #[error("a request of this id came before")]
    Repeated,
    /// Nothing that can be asked.
    #[error("not a thing that can be asked")]
    Unknown,
}

/// Somebody who may send commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    /// Name, for the audit chain.
    pub name: String,
    /// What tells their signature.
    pub key: PublicKey,
}

/// The desk that judges commands.
pub struct Desk {
    node: String,
    keys: Vec<Asker>,
    begun: UtcMs,
    seen: VecDeque<(String, UtcMs)>,
}

impl Desk {
    /// For a node, with the keys of its site file, from `begun` on.
    #[must_use]
    pub fn new(node: String, keys: Vec<Asker>, begun: UtcMs) -> Self {
        Self { node, keys, begun, seen: VecDeque::new() }
    }

    /// Judges a command.
    ///
    /// # Errors
    /// Why it changes nothing.
    pub fn judge(&mut self, command: &Command, now: UtcMs) -> Result<Request, Refusal> {
        if command.is_retained {
            return Err(Refusal::Retained);
        }
        let payload = CommandPayload::read(&command.body).ok_or(Refusal::Malformed)?;
        let who = self.keys.iter().find(|key| signed(&key.key, &command.body)).ok_or(Refusal::Unsigned)?.name.clone();
        if payload.node != self.node || payload.verb != command.verb {
            return Err(Refusal::Misaddressed);
        }
        let [at, exp] = [&payload.at, &payload.exp].map(|text| utc_of(text));
        let (at, exp) = (at.ok_or(Refusal::Malformed)?, exp.ok_or(Refusal::Malformed)?);
        if exp < now || exp.0.saturating_sub(at.0) > LIFE_MS {
            return Err(Refusal::Expired);
        }
        if at < self.begun || at.0 > now.0 + AHEAD_MS {
            return Err(Refusal::Untimely);
        }
        let ask = asked(&payload)?;
        self.seen.retain(|(_, exp)| *exp >= now);
        let is_name = (1..=ID_CHARS_MAX).contains(&payload.id.len()) && payload.id.bytes().all(is_id_byte);
        if !is_name || self.seen.len() >= SEEN_MAX {
            return Err(Refusal::Malformed);
        }
        if self.seen.iter().any(|(id, _)| *id == payload.id) {
            return Err(Refusal::Repeated);
        }
        self.seen.push_back((payload.id.clone(), exp));
        Ok(Request { who, id: payload.id, ask })
    }
}

fn signed(key: &PublicKey, body: &[u8]) -> bool {
    key.verify(body).is_ok()
}

fn asked(payload: &CommandPayload) -> Result<Ask, Refusal> {
    match (payload.verb.as_str(), &payload.from, &payload.to) {
        ("ping", None, None) => Ok(Ask::Ping),
        ("rebirth", None, None) => Ok(Ask::Rebirth),
        ("config-get", None, None) => Ok(Ask::ConfigGet),
        ("pause", None, None) => Ok(Ask::Pause),
        ("lock", None, None) => Ok(Ask::Lock),
        ("replay", Some(from), Some(to)) => {
            let [from_s, to_s] = [from, to].map(|text| utc_of(text).map(|at| at.0.div_euclid(1000)));
            let (from_s, to_s) = (from_s.ok_or(Refusal::Malformed)?, to_s.ok_or(Refusal::Malformed)?);
            if from_s < to_s { Ok(Ask::Replay { from_s, to_s }) } else { Err(Refusal::Malformed) }
        }
        _ => Err(Refusal::Unknown),
    }
}

fn is_id_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

/// Longest life of a command, ms.
const LIFE_MS: i64 = 300_000;
/// How far the asker's clock may be ahead of ours, ms.
const AHEAD_MS: i64 = 60_000;
const ID_CHARS_MAX: usize = 64;
/// Commands of five minutes that are remembered; beyond that nobody asks.
const SEEN_MAX: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::compose::rfc3339;
    use crate::wire::seal::Signer;

    const NOW: UtcMs = UtcMs(1_767_607_200_000);

    fn desk() -> Desk {
        let key = Asker { name: "hq".to_owned(), key: Signer::new(&[5; 32]).public() };
        Desk::new("acme/s1/n1".to_owned(), vec![key], UtcMs(NOW.0 - 1000))
    }

    fn payload(verb: &str) -> CommandPayload {
        let later = |ms: i64| rfc3339(UtcMs(NOW.0 + ms));
        let (id, node) = ("r-1".to_owned(), "acme/s1/n1".to_owned());
        let (k, verb) = ("cmd".to_owned(), verb.to_owned());
        CommandPayload { v: 1, k, verb, id, node, at: later(0), exp: later(60_000), from: None, to: None, sig: None }
    }

    fn sent(payload: &CommandPayload) -> Command {
        let body = Signer::new(&[5; 32]).seal(payload.unsigned());
        Command { verb: payload.verb.clone(), body, is_retained: false }
    }

    #[test]
    fn a_signed_command_is_heeded_once() {
        let mut desk = desk();
        let command = sent(&payload("ping"));
        assert_eq!(desk.judge(&command, NOW).map(|request| request.ask), Ok(Ask::Ping));
        assert_eq!(desk.judge(&command, NOW), Err(Refusal::Repeated));
        let at_its_end = UtcMs(NOW.0 + 60_000);
        assert_eq!(desk.judge(&command, at_its_end), Err(Refusal::Repeated), "remembered as long as it lives");
        assert_eq!(desk.judge(&command, UtcMs(at_its_end.0 + 1)), Err(Refusal::Expired));
    }

    #[test]
    fn what_is_retained_unsigned_changed_or_signed_by_a_stranger_is_refused() {
        let good = sent(&payload("ping"));
        let refused = |command: &Command| desk().judge(command, NOW).expect_err("refused");
        assert_eq!(refused(&Command { is_retained: true, ..good.clone() }), Refusal::Retained);
        assert_eq!(refused(&Command { body: payload("ping").unsigned(), ..good.clone() }), Refusal::Unsigned);
        let changed = String::from_utf8(good.body.clone()).expect("text").replace("r-1", "r-2").into_bytes();
        assert_eq!(refused(&Command { body: changed, ..good.clone() }), Refusal::Unsigned);
        let stranger = Signer::new(&[6; 32]).seal(payload("ping").unsigned());
        assert_eq!(refused(&Command { body: stranger, ..good.clone() }), Refusal::Unsigned);
        assert_eq!(refused(&Command { body: b"[]".to_vec(), ..good }), Refusal::Malformed);
    }

    #[test]
    fn another_address_another_time_and_another_verb_are_refused() {
        let judged = |change: fn(&mut CommandPayload)| {
            let mut payload = payload("ping");
            change(&mut payload);
            desk().judge(&sent(&payload), NOW).expect_err("refused")
        };
        assert_eq!(judged(|payload| payload.node = "acme/s1/n2".to_owned()), Refusal::Misaddressed);
        assert_eq!(judged(|payload| payload.exp = rfc3339(UtcMs(NOW.0 - 1))), Refusal::Expired);
        assert_eq!(judged(|payload| payload.exp = rfc3339(UtcMs(NOW.0 + LIFE_MS + 1))), Refusal::Expired);
        assert_eq!(judged(|payload| payload.at = rfc3339(UtcMs(NOW.0 - 1001))), Refusal::Untimely);
        assert_eq!(judged(|payload| payload.at = rfc3339(UtcMs(NOW.0 + AHEAD_MS + 1))), Refusal::Untimely);
        assert_eq!(judged(|payload| payload.verb = "resume".to_owned()), Refusal::Unknown);
        assert_eq!(judged(|payload| payload.id = "a b".to_owned()), Refusal::Malformed);
        let elsewhere = Command { verb: "rebirth".to_owned(), ..sent(&payload("ping")) };
        assert_eq!(desk().judge(&elsewhere, NOW), Err(Refusal::Misaddressed), "the topic is part of what is signed");
    }

    #[test]
    fn a_replay_names_its_span() {
        let span = |from: i64, to: i64| CommandPayload {
            from: Some(rfc3339(UtcMs(from * 1000))),
            to: Some(rfc3339(UtcMs(to * 1000))),
            ..payload("replay")
        };
        let ask = desk().judge(&sent(&span(900, 1800)), NOW).map(|request| request.ask);
        assert_eq!(ask, Ok(Ask::Replay { from_s: 900, to_s: 1800 }));
        assert_eq!(desk().judge(&sent(&span(900, 900)), NOW), Err(Refusal::Malformed));
        assert_eq!(desk().judge(&sent(&payload("replay")), NOW), Err(Refusal::Unknown));
    }
}
