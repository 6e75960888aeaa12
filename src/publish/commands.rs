//! Commands: who may ask what, and whether this one still holds.
//!
//! In: bytes from the broker, neither checked nor believed. Out: [`Request`]s, or why not. Invariants: nothing is done that is not
//! signed by a key of the site file, addressed to this node, made after this process began, unexpired and new, by the clock as
//! it is now and however often it was set; a command only asks or stops, none starts or loosens anything.

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
    /// When it was made, as it says.
    pub at: UtcMs,
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
    /// Made before this process began, or ahead of this box's clock, or so long ago that nobody knows whether it came before.
    #[error("made before this process began, or ahead of its clock")]
    Untimely,
    /// It came before, or may have.
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
    /// When this process began, ns of the monotonic clock: what that is on the wall changes with the clock.
    begun_ns: i64,
    /// Commands that were heeded, oldest first. They are remembered when they are over as well: a clock that is put back makes
    /// them hold again.
    seen: VecDeque<Seen>,
    /// When the latest command was made that was heeded and is not remembered by name.
    forgotten: UtcMs,
}

struct Seen {
    id: String,
    at: UtcMs,
    exp: UtcMs,
}

impl Desk {
    /// For a node, with the keys of its site file, in a process that began at `begun_ns` of the monotonic clock; those before
    /// it have heeded nothing that was made after `heeded`.
    #[must_use]
    pub fn new(node: String, keys: Vec<Asker>, begun_ns: i64, heeded: UtcMs) -> Self {
        Self { node, keys, begun_ns, seen: VecDeque::new(), forgotten: heeded }
    }

    /// Judges a command, at a moment of the wall clock and of the monotonic one.
    ///
    /// # Errors
    /// Why it changes nothing.
    pub fn judge(&mut self, command: &Command, now: UtcMs, now_ns: i64) -> Result<Request, Refusal> {
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
        let begun_ms = now.0 - (now_ns - self.begun_ns) / 1_000_000;
        if at.0 < begun_ms || at.0 > now.0 + AHEAD_MS {
            return Err(Refusal::Untimely);
        }
        let ask = asked(&payload)?;
        // A name may come again once the request is over; the same request never.
        if self.seen.iter().any(|seen| seen.id == payload.id && (seen.exp >= now || seen.at == at)) {
            return Err(Refusal::Repeated);
        }
        if at <= self.forgotten {
            return Err(Refusal::Untimely);
        }
        let is_name = (1..=ID_CHARS_MAX).contains(&payload.id.len()) && payload.id.bytes().all(is_id_byte);
        if !is_name || !self.has_room(now) {
            return Err(Refusal::Malformed);
        }
        self.seen.push_back(Seen { id: payload.id.clone(), at, exp });
        Ok(Request { who, id: payload.id, at, ask })
    }

    /// Whether one more can be remembered: for it, the first that is over is forgotten.
    fn has_room(&mut self, now: UtcMs) -> bool {
        if self.seen.len() < SEEN_MAX {
            return true;
        }
        let over = self.seen.iter().position(|seen| seen.exp < now).and_then(|over| self.seen.remove(over));
        self.forgotten = self.forgotten.max(over.as_ref().map_or(self.forgotten, |over| over.at));
        over.is_some()
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
/// Commands that are remembered; nobody asks more often within five minutes.
const SEEN_MAX: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::compose::rfc3339;
    use crate::wire::seal::Signer;

    const NOW: UtcMs = UtcMs(1_767_607_200_000);

    fn desk() -> Desk {
        let key = Asker { name: "hq".to_owned(), key: Signer::new(&[5; 32]).public() };
        Desk::new("acme/s1/n1".to_owned(), vec![key], -1_000_000_000, UtcMs(0))
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
        assert_eq!(desk.judge(&command, NOW, 0).map(|request| request.ask), Ok(Ask::Ping));
        assert_eq!(desk.judge(&command, NOW, 0), Err(Refusal::Repeated));
        let at_its_end = UtcMs(NOW.0 + 60_000);
        assert_eq!(
            desk.judge(&command, at_its_end, 60_000_000_000),
            Err(Refusal::Repeated),
            "remembered as long as it lives"
        );
        assert_eq!(desk.judge(&command, UtcMs(at_its_end.0 + 1), 60_000_000_000), Err(Refusal::Expired));
    }

    #[test]
    fn a_clock_that_is_set_ahead_and_back_makes_no_command_hold_twice() {
        let mut desk = desk();
        let command = sent(&payload("ping"));
        assert!(desk.judge(&command, NOW, 0).is_ok());
        // An hour ahead it is over, and another one makes the desk forget it; then the clock is right again.
        let ahead = UtcMs(NOW.0 + 3_600_000);
        let later = |ms: i64, id: &str| {
            let [at, exp] = [ms, ms + 60_000].map(|ms| rfc3339(UtcMs(NOW.0 + ms)));
            sent(&CommandPayload { at, exp, id: id.to_owned(), ..payload("ping") })
        };
        assert!(desk.judge(&later(3_600_000, "r-2"), ahead, 0).is_ok());
        assert_eq!(desk.judge(&command, NOW, 0), Err(Refusal::Repeated));
        assert!(desk.judge(&later(5_000, "r-3"), UtcMs(NOW.0 + 5_000), 5_000_000_000).is_ok(), "a new one is heeded");
    }

    #[test]
    fn a_restart_on_a_slow_clock_makes_no_command_hold_twice() {
        let command = sent(&payload("ping"));
        let made = desk().judge(&command, NOW, 0).expect("heeded").at;
        // The box starts with the clock of an hour ago, which is then set right.
        let key = Asker { name: "hq".to_owned(), key: Signer::new(&[5; 32]).public() };
        let again = |heeded| {
            Desk::new("acme/s1/n1".to_owned(), vec![key.clone()], -1_000_000_000, heeded).judge(&command, NOW, 0)
        };
        assert!(again(UtcMs(0)).is_ok(), "by its clock alone it cannot know");
        assert_eq!(again(made), Err(Refusal::Untimely));
    }

    #[test]
    fn a_command_in_other_words_than_were_signed_or_with_a_name_that_only_looks_right_is_refused() {
        let signer = Signer::new(&[5; 32]);
        let text = String::from_utf8(payload("ping").unsigned()).expect("text");
        let judged = |text: String| {
            let command = Command { verb: "ping".to_owned(), body: signer.seal(text.into_bytes()), is_retained: false };
            desk().judge(&command, NOW, 0).map(|request| request.ask)
        };
        assert_eq!(judged(text.clone()), Ok(Ask::Ping));
        // Which of two is meant is nobody's to guess, whoever signed it.
        assert_eq!(
            judged(text.replace("\"verb\":\"ping\"", "\"verb\":\"ping\",\"verb\":\"lock\"")),
            Err(Refusal::Malformed)
        );
        assert_eq!(judged(text.replace("{\"v\":1", "{\"v\":1,\"sig\":\"ed25519:\"")), Err(Refusal::Malformed));
        assert_eq!(
            judged(text.replace("\"v\":1", &format!("\"v\":{}1{}", "[".repeat(9999), "]".repeat(9999)))),
            Err(Refusal::Malformed)
        );
        // A Cyrillic letter, a letter of no width, a combining accent, another case.
        for name in [
            "\u{430}cme/s1/n1",
            "acme/s1/n1\u{200b}",
            "acme/s1/n\u{301}1",
            "ACME/s1/n1",
            "acme/s1/n1/",
            "acme/s1/n1\\u0000",
        ] {
            assert_eq!(judged(text.replace("acme/s1/n1", name)), Err(Refusal::Misaddressed), "{name}");
        }
    }

    #[test]
    fn what_is_retained_unsigned_changed_or_signed_by_a_stranger_is_refused() {
        let good = sent(&payload("ping"));
        let refused = |command: &Command| desk().judge(command, NOW, 0).expect_err("refused");
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
            desk().judge(&sent(&payload), NOW, 0).expect_err("refused")
        };
        assert_eq!(judged(|payload| payload.node = "acme/s1/n2".to_owned()), Refusal::Misaddressed);
        assert_eq!(judged(|payload| payload.exp = rfc3339(UtcMs(NOW.0 - 1))), Refusal::Expired);
        assert_eq!(judged(|payload| payload.exp = rfc3339(UtcMs(NOW.0 + LIFE_MS + 1))), Refusal::Expired);
        assert_eq!(judged(|payload| payload.at = rfc3339(UtcMs(NOW.0 - 1001))), Refusal::Untimely);
        assert_eq!(judged(|payload| payload.at = rfc3339(UtcMs(NOW.0 + AHEAD_MS + 1))), Refusal::Untimely);
        assert_eq!(judged(|payload| payload.verb = "resume".to_owned()), Refusal::Unknown);
        assert_eq!(judged(|payload| payload.id = "a b".to_owned()), Refusal::Malformed);
        let elsewhere = Command { verb: "rebirth".to_owned(), ..sent(&payload("ping")) };
        assert_eq!(desk().judge(&elsewhere, NOW, 0), Err(Refusal::Misaddressed), "the topic is part of what is signed");
    }

    #[test]
    fn a_replay_names_its_span() {
        let span = |from: i64, to: i64| CommandPayload {
            from: Some(rfc3339(UtcMs(from * 1000))),
            to: Some(rfc3339(UtcMs(to * 1000))),
            ..payload("replay")
        };
        let ask = desk().judge(&sent(&span(900, 1800)), NOW, 0).map(|request| request.ask);
        assert_eq!(ask, Ok(Ask::Replay { from_s: 900, to_s: 1800 }));
        assert_eq!(desk().judge(&sent(&span(900, 900)), NOW, 0), Err(Refusal::Malformed));
        assert_eq!(desk().judge(&sent(&payload("replay")), NOW, 0), Err(Refusal::Unknown));
    }
    /// A ping with this name, made at `at_ms` after [`NOW`] for a minute.
    fn ping(id: &str, at_ms: i64) -> Command {
        let [at, exp] = [at_ms, at_ms + 60_000].map(|ms| rfc3339(UtcMs(NOW.0 + ms)));
        sent(&CommandPayload { id: id.to_owned(), at, exp, ..payload("ping") })
    }

    const HOUR_MS: i64 = 3_600_000;
    const SECOND_NS: i64 = 1_000_000_000;

    #[test]
    fn a_clock_that_is_put_on_and_back_makes_no_command_new() {
        let (mut desk, command) = (desk(), ping("r-1", 0));
        let ahead = |ms: i64| UtcMs(NOW.0 + ms);
        assert!(desk.judge(&command, NOW, 0).is_ok());
        assert_eq!(desk.judge(&command, ahead(HOUR_MS), SECOND_NS), Err(Refusal::Expired));
        assert!(desk.judge(&ping("r-2", HOUR_MS), ahead(HOUR_MS), SECOND_NS).is_ok());
        assert_eq!(desk.judge(&command, ahead(2000), 2 * SECOND_NS), Err(Refusal::Repeated));
        assert_eq!(desk.judge(&ping("r-2", HOUR_MS), ahead(3000), 3 * SECOND_NS), Err(Refusal::Untimely));
        let an_hour_later = desk.judge(&ping("r-2", HOUR_MS), ahead(HOUR_MS), 3600 * SECOND_NS);
        assert_eq!(an_hour_later, Err(Refusal::Repeated));
        assert!(desk.judge(&ping("r-1", HOUR_MS), ahead(HOUR_MS), 3600 * SECOND_NS).is_ok(), "another of that name");
    }

    #[test]
    fn who_asks_by_a_clock_that_was_put_back_to_before_the_begin_is_heeded_at_once() {
        let mut desk = desk();
        let back = UtcMs(NOW.0 - HOUR_MS);
        assert!(desk.judge(&ping("r-1", -HOUR_MS), back, SECOND_NS).is_ok());
        // The process is two seconds old, whatever the clock says.
        assert_eq!(desk.judge(&ping("r-2", -HOUR_MS - 2001), back, SECOND_NS), Err(Refusal::Untimely));
    }

    #[test]
    fn what_an_earlier_process_has_heeded_stays_refused_when_the_clock_is_put_back() {
        let key = Asker { name: "hq".to_owned(), key: Signer::new(&[5; 32]).public() };
        let heeded = UtcMs(NOW.0 - 5000);
        let mut desk = Desk::new("acme/s1/n1".to_owned(), vec![key], 0, heeded);
        // The clock is put back to just before it was made.
        let now = UtcMs(NOW.0 - 5500);
        assert_eq!(desk.judge(&ping("r-1", -5000), now, 0), Err(Refusal::Untimely));
        assert!(desk.judge(&ping("r-2", -4999), now, 0).is_ok());
    }

    #[test]
    fn of_more_commands_than_are_remembered_none_is_heeded_twice() {
        let mut desk = desk();
        let after = |ms: i64| (UtcMs(NOW.0 + ms), ms * 1_000_000);
        for number in 0..2 * SEEN_MAX as i64 {
            let ((now, now_ns), id) = (after(number * 1000), format!("r-{number}"));
            assert!(desk.judge(&ping(&id, number * 1000), now, now_ns).is_ok(), "{number}");
        }
        let (_, now_ns) = after(2 * SEEN_MAX as i64 * 1000);
        for number in [0, SEEN_MAX as i64 - 1, SEEN_MAX as i64, 2 * SEEN_MAX as i64 - 1] {
            let again = desk.judge(&ping(&format!("r-{number}"), number * 1000), after(number * 1000).0, now_ns);
            assert!(matches!(again, Err(Refusal::Repeated | Refusal::Untimely)), "{number}: {again:?}");
        }
    }
}
