//! The attendant: answers commands, and tells what the broker objects to, as events and in words.
//!
//! In: [`Command`]s and [`Trouble`]s from the publisher. Out: answers and events; lines in the audit chain. Invariants: every command
//! that is heeded stands in the chain before it is answered; no more than [`TURNS_MAX`] are looked at in a second, and refused
//! ones are remembered and told at most [`REFUSALS_MAX`] times an hour, whoever floods us.

use std::sync::Arc;

use tokio::sync::{Notify, mpsc};

use super::commands::{Ask, Desk, Request};
use super::mqtt::{Command, Trouble};
use crate::clock::{monotonic_ns, utc_now};
use crate::switch::{From, Turn};
use crate::vault::{TurnError, Vault};
use crate::wire::Message;
use crate::wire::audit::Deed;
use crate::wire::compose::{About, Answer, Composer, about};

/// Whoever stands between the publisher's ways in and the store.
pub struct Attendant {
    /// Makes the messages.
    pub composer: Composer,
    /// Takes events and deeds.
    pub vault: Arc<Vault>,
    /// Judges commands.
    pub desk: Desk,
    /// Takes answers, which go out at once.
    pub answers: mpsc::Sender<Message>,
    /// Wakes the publisher to introduce itself again.
    pub again: Arc<Notify>,
    /// Commands looked at in a second: to judge one costs more than to send one.
    pub turns: Allowance,
    /// Refused commands told in an hour.
    pub refusals: Allowance,
}

/// What may happen so often within so long; what is more is passed over.
#[derive(Default)]
pub struct Allowance {
    begun_ns: i64,
    taken: u32,
}

impl Allowance {
    /// Whether it may happen once more, at most `most` times within `span_ns`.
    fn take(&mut self, now_ns: i64, most: u32, span_ns: i64) -> bool {
        if now_ns - self.begun_ns > span_ns {
            *self = Self { begun_ns: now_ns, taken: 0 };
        }
        self.taken += 1;
        self.taken <= most
    }
}

impl Attendant {
    /// Attends until both ways in are closed; `say` gets words for a person.
    pub async fn attend(
        mut self,
        mut troubles: mpsc::Receiver<Trouble>,
        mut commands: mpsc::Receiver<Command>,
        say: impl Fn(&str),
    ) {
        loop {
            tokio::select! {
                Some(trouble) = troubles.recv() => {
                    say(&format!("broker: {trouble}"));
                    self.tell(&trouble);
                }
                // Whoever wanted an answer and gets none asks again.
                Some(command) = commands.recv() => {
                    let is_heard = self.turns.take(monotonic_ns(), TURNS_MAX, SECOND_NS);
                    if let Some(words) = is_heard.then(|| self.heed(&command)).flatten() {
                        say(&words);
                    }
                }
                else => return,
            }
        }
    }

    /// A trouble as an event; it arrives once the broker is there again.
    fn tell(&self, trouble: &Trouble) {
        let words = [("reason", trouble.to_string().into())];
        let (of, about) = match trouble {
            Trouble::Refused { topic, .. } | Trouble::TooLarge { topic, .. } => {
                let [reason] = words;
                ("publish-refused", about([("topic", topic.as_str().into()), reason]))
            }
            Trouble::Denied { .. } => ("broker-denied", about(words)),
            Trouble::Store { .. } => ("store-damaged", about(words)),
            Trouble::Deaf { .. } => ("commands-unheard", about(words)),
            Trouble::CertificateExpiring { which, not_after_s } => {
                ("certificate-expiring", about([("which", (*which).into()), ("not_after_s", (*not_after_s).into())]))
            }
        };
        // A refused event must not make another one for ever: the broker's refusal of this topic is told once an hour.
        let _ = self.vault.enqueue_signed(self.composer.event(utc_now(), of, about));
    }

    /// Does what a command asks, if it may; words for a person when it may not.
    fn heed(&mut self, command: &Command) -> Option<String> {
        match self.desk.judge(command, utc_now(), monotonic_ns()) {
            Ok(request) => {
                self.serve(request);
                None
            }
            Err(why) => {
                if !self.refusals.take(monotonic_ns(), REFUSALS_MAX, HOUR_NS) {
                    return None;
                }
                let deed = Deed::done("command").by("unknown").that_was("refused").about("why", why.to_string());
                // What finds no room is lost to the chain; nothing was done.
                let _ = self.vault.remember(&deed);
                let event = self.composer.event(utc_now(), "command-refused", about([("why", why.to_string().into())]));
                let _ = self.vault.enqueue_signed(event);
                Some(format!("a command was refused: {why}"))
            }
        }
    }

    /// Stops at once, whether or not there is room to write that down.
    fn turn(&self, ask: Ask, who: &str) -> Result<About, String> {
        let turn = if ask == Ask::Lock { Turn::Lock } else { Turn::Pause(From::Afar) };
        match self.vault.turn(&turn, who, None) {
            Ok(switch) => Ok(about([("mode", switch.mode().name().into())])),
            Err(TurnError::Store(error)) => Err(format!("stopped, and not written down: {error}")),
            Err(TurnError::Refused(refusal)) => Err(refusal.to_string()),
        }
    }

    fn serve(&self, Request { who, id, at, ask }: Request) {
        // No person's name holds a colon.
        let who = format!("key:{who}");
        let deed = Deed::done("command").by(&who).about("verb", ask.verb()).about("id", id.as_str());
        let outcome = match self.vault.heed(&deed, at) {
            // To stop needs no room.
            Err(_) if ask.is_stop() => self.turn(ask, &who),
            Err(error) => Err(error.to_string()),
            Ok(_) => match ask {
                Ask::Ping => Ok(about([
                    ("version", env!("CARGO_PKG_VERSION").into()),
                    ("spool_waiting", self.vault.counts().waiting.into()),
                ])),
                Ask::Rebirth => {
                    self.again.notify_one();
                    Ok(about([]))
                }
                Ask::Replay { from_s, to_s } => {
                    let windows = self.vault.respool(from_s, to_s).map_err(|error| error.to_string());
                    windows.map(|windows| about([("windows", windows.into())]))
                }
                Ask::ConfigGet => Ok(self.composer.configuration()),
                Ask::Pause | Ask::Lock => self.turn(ask, &who),
            },
        };
        let message = self.composer.answer(Answer { verb: ask.verb(), id, at: utc_now(), outcome });
        // Whoever asked and gets no answer asks again.
        let _ = self.answers.try_send(Message { body: self.vault.seal(message.body), ..message });
    }
}

/// Refused commands told in an hour.
const REFUSALS_MAX: u32 = 20;
const HOUR_NS: i64 = 3600 * SECOND_NS;
/// Commands looked at in a second.
const TURNS_MAX: u32 = 20;
const SECOND_NS: i64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_ten_thousand_commands_in_a_second_a_few_are_looked_at_and_in_the_next_as_many() {
        let mut turns = Allowance::default();
        for second in 1..4 {
            let taken = (0..10_000)
                .filter(|at| turns.take(second * (SECOND_NS + 1) + at * 100_000, TURNS_MAX, SECOND_NS))
                .count();
            assert_eq!(taken, TURNS_MAX as usize);
        }
    }
}
