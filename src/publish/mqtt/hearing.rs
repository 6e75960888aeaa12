//! Commands from outside: asked for after every CONNACK, handed on as they come and judged elsewhere.
//!
//! In: what the broker passes on. Out: [`Command`]s on a bounded channel. Invariants: who reads that we are online is
//! heard, for we ask before we say so; a refusal is told and asked again
//! after a pause that grows; a broker that hangs up because it was asked, or passes on what is too long, is not asked for an
//! hour, for windows matter more; a command that finds the channel full is dropped, and its sender asks again.

use tokio::sync::mpsc;

use super::trouble::Trouble;

/// A command as it came: neither checked nor believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Last level of its topic.
    pub verb: String,
    /// Its bytes.
    pub body: Vec<u8>,
    /// Whether the broker had kept it, which no command may be.
    pub is_retained: bool,
}

/// Our subscription, across connections.
pub(super) struct Hearing {
    base: String,
    sender: mpsc::Sender<Command>,
    state: Asking,
    strikes: u8,
    pause_ns: i64,
    not_before_ns: i64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Asking {
    Due,
    Asked,
    Answered,
}

impl Hearing {
    /// For the commands below `base`, which ends in a slash.
    pub(super) fn new(base: String, sender: mpsc::Sender<Command>) -> Self {
        Self { base, sender, state: Asking::Due, strikes: 0, pause_ns: PAUSE_FIRST_NS, not_before_ns: 0 }
    }

    /// What is asked for.
    pub(super) fn filter(&self) -> String {
        format!("{}+", self.base)
    }

    /// Whether it is time to ask: before anything else, but who hung up when asked is asked again when nothing is under way
    /// and the greeting is answered, so that it shows why.
    pub(super) fn is_due(&self, is_idle: bool, now_ns: i64) -> bool {
        self.state == Asking::Due && now_ns >= self.not_before_ns && (self.strikes == 0 || is_idle)
    }

    pub(super) fn asked(&mut self) {
        self.state = Asking::Asked;
    }

    /// Takes the broker's answer.
    pub(super) fn answered(&mut self, refusal: Option<String>, now_ns: i64) -> Option<Trouble> {
        self.strikes = 0;
        let Some(reason) = refusal else {
            (self.state, self.pause_ns) = (Asking::Answered, PAUSE_FIRST_NS);
            return None;
        };
        self.state = Asking::Due;
        self.not_before_ns = now_ns + self.pause_ns;
        self.pause_ns = (self.pause_ns * 2).min(PAUSE_MAX_NS);
        Some(Trouble::Deaf { reason })
    }

    /// Whether the broker was asked and has not answered.
    pub(super) fn is_open(&self) -> bool {
        self.state == Asking::Asked
    }

    /// The connection is over; whether the other end hung up, or something overlong came.
    pub(super) fn lost(&mut self, has_hung_up: bool, is_overlong: bool, now_ns: i64) -> Option<Trouble> {
        let was = std::mem::replace(&mut self.state, Asking::Due);
        if has_hung_up && was == Asking::Asked {
            self.strikes += 1;
        }
        if !is_overlong && self.strikes < STRIKES_MAX {
            return None;
        }
        (self.strikes, self.not_before_ns) = (1, now_ns + SILENCE_NS);
        let reason =
            if is_overlong { "somebody sends overlong ones" } else { "the broker hangs up when asked for them" };
        Some(Trouble::Deaf { reason: reason.to_owned() })
    }

    /// Hands on what came, if it is a command and short enough to be one.
    pub(super) fn came(&self, topic: &str, body: Vec<u8>, is_retained: bool) {
        let Some(verb) = topic.strip_prefix(&self.base).filter(|verb| !verb.is_empty() && !verb.contains('/')) else {
            return;
        };
        if body.len() <= COMMAND_BYTES_MAX {
            // Whoever wanted an answer and gets none asks again.
            let _ = self.sender.try_send(Command { verb: verb.to_owned(), body, is_retained });
        }
    }
}

/// Longest command heeded, bytes.
const COMMAND_BYTES_MAX: usize = 64 * 1024;
/// Times a broker hangs up when asked before it is left alone.
const STRIKES_MAX: u8 = 3;
const PAUSE_FIRST_NS: i64 = 1_000_000_000;
const PAUSE_MAX_NS: i64 = 60 * 1_000_000_000;
/// How long a broker that hangs up is not asked, ns.
const SILENCE_NS: i64 = 3600 * 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn hearing() -> (Hearing, mpsc::Receiver<Command>) {
        let (sender, commands) = mpsc::channel(2);
        (Hearing::new("k/o/s/n/cmd/".to_owned(), sender), commands)
    }

    #[test]
    fn a_refusal_is_told_and_asked_again_later_and_later() {
        let (mut hearing, _commands) = hearing();
        let mut now_ns = 0;
        for pause_s in [1, 2, 4, 8, 16, 32, 60, 60] {
            assert!(hearing.is_due(false, now_ns));
            hearing.asked();
            assert!(!hearing.is_due(true, i64::MAX), "asked once");
            assert!(hearing.answered(Some("NotAuthorized".to_owned()), now_ns).is_some());
            now_ns += pause_s * 1_000_000_000;
            assert!(!hearing.is_due(true, now_ns - 1));
        }
    }

    #[test]
    fn a_broker_that_hangs_up_when_asked_is_left_alone_for_an_hour() {
        let (mut hearing, _commands) = hearing();
        for strike in 1..=STRIKES_MAX {
            assert!(hearing.is_due(true, 0));
            hearing.asked();
            assert_eq!(hearing.lost(true, false, 0).is_some(), strike == STRIKES_MAX);
            assert!(!hearing.is_due(false, 0), "while other things are under way nobody knows what it was");
        }
        assert!(!hearing.is_due(true, SILENCE_NS - 1));
        assert!(hearing.is_due(true, SILENCE_NS));
    }

    #[test]
    fn a_connection_lost_later_or_otherwise_is_no_strike() {
        let (mut hearing, _commands) = hearing();
        for _ in 0..9 {
            hearing.asked();
            assert_eq!(hearing.answered(None, 0), None);
            assert_eq!(hearing.lost(true, false, 0), None);
            hearing.asked();
            assert_eq!(hearing.lost(false, false, 0), None);
        }
        assert!(hearing.is_due(false, 0));
    }

    #[test]
    fn commands_are_handed_on_as_they_are_and_nothing_else_is() {
        let (hearing, mut commands) = hearing();
        hearing.came("k/o/s/n/cmd/ping", b"{}".to_vec(), true);
        for topic in ["k/o/s/n/cmd/", "k/o/s/n/cmd/a/b", "k/o/s/other/cmd/ping", "ping"] {
            hearing.came(topic, b"{}".to_vec(), false);
        }
        hearing.came("k/o/s/n/cmd/ping", vec![b' '; COMMAND_BYTES_MAX + 1], false);
        hearing.came("k/o/s/n/cmd/lock", b"1".to_vec(), false);
        hearing.came("k/o/s/n/cmd/third", b"finds it full".to_vec(), false);
        let heard: Vec<Command> = std::iter::from_fn(|| commands.try_recv().ok()).collect();
        let command =
            |verb: &str, body: &[u8], is_retained| Command { verb: verb.into(), body: body.into(), is_retained };
        assert_eq!(heard, [command("ping", b"{}", true), command("lock", b"1", false)]);
    }
}
