//! Which MQTT is spoken, and when it is tried again: 5 first, 3.1.1 where that is refused; pauses that grow.
//!
//! In: how connections ended. Out: the version and the pause before the next one. Invariants: a refusal is remembered for
//! hours, a broker that merely hung up for minutes; pauses grow while nothing comes of a connection, and no two nodes keep
//! the same ones.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use super::client::Version;
use super::loss::Loss;
use crate::config::broker::Protocol;

/// Which version is spoken.
pub(super) struct Speech {
    wish: Protocol,
    version: Version,
    hang_ups: u8,
    five_again_ns: i64,
}

impl Speech {
    pub(super) fn new(wish: Protocol) -> Self {
        let version = if wish == Protocol::Three { Version::Three } else { Version::Five };
        Self { wish, version, hang_ups: 0, five_again_ns: 0 }
    }

    /// The version for a connection made now.
    pub(super) fn version(&mut self, now_ns: i64) -> Version {
        if self.wish == Protocol::Auto && self.version == Version::Three && now_ns >= self.five_again_ns {
            self.turn_to(Version::Five);
        }
        self.version
    }

    /// Whether no other version may be tried.
    pub(super) fn is_fixed(&self) -> bool {
        self.wish != Protocol::Auto
    }

    /// Learns from a connection that was never let in.
    pub(super) fn refused(&mut self, loss: &Loss, now_ns: i64) {
        if self.is_fixed() {
            return;
        }
        let is_dumb = matches!(loss, Loss::HungUp | Loss::Gibberish(_) | Loss::Objection(_));
        self.hang_ups = if is_dumb { self.hang_ups + 1 } else { 0 };
        let again_ns = match loss {
            Loss::OtherVersion => REFUSED_NS,
            // One that is just being restarted hangs up as well.
            _ if is_dumb && self.hang_ups >= HANG_UPS => HUNG_UP_NS,
            _ => return,
        };
        match self.version {
            Version::Five => {
                self.turn_to(Version::Three);
                self.five_again_ns = now_ns + again_ns;
            }
            Version::Three => self.turn_to(Version::Five),
        }
    }

    fn turn_to(&mut self, version: Version) {
        self.version = version;
        self.hang_ups = 0;
    }
}

/// How long a broker is waited for until it lets us in: a crowded one longer than one that is there at once.
pub(super) struct Patience {
    first_s: u64,
    wait_s: u64,
}

impl Patience {
    /// Beginning with so many seconds.
    pub(super) fn of(first_s: u64) -> Self {
        Self { first_s, wait_s: first_s }
    }

    /// The wait of a connection made now, s.
    pub(super) fn wait_s(&self) -> u64 {
        self.wait_s
    }

    /// Learns from a connection that is over: one that ended in silence is followed by one of twice the wait.
    pub(super) fn learn(&mut self, has_stood: bool, was_silent: bool) {
        self.wait_s = match (has_stood, was_silent) {
            (true, _) => self.first_s,
            (false, true) => (self.wait_s * 2).min(self.first_s * PATIENCE_TIMES_MAX),
            (false, false) => self.wait_s,
        };
    }
}

/// Pauses between connections.
pub(super) struct Backoff {
    next: Duration,
    turn: u64,
    name: String,
}

impl Backoff {
    /// Those of the node with this name.
    pub(super) fn of(name: &str) -> Self {
        Self { next: PAUSE_FIRST, turn: 0, name: name.to_owned() }
    }

    /// The next pause: a quarter shorter or longer than twice the one before it, by the name of the node.
    pub(super) fn pause(&mut self, most: Duration) -> Duration {
        let pause = self.next.min(most);
        self.next = (pause * 2).min(most);
        self.turn += 1;
        let mut hasher = DefaultHasher::new();
        (&self.name, self.turn).hash(&mut hasher);
        pause.mul_f64(0.75 + 0.5 * (hasher.finish() % 1024) as f64 / 1024.0)
    }

    /// Something came of the last connection.
    pub(super) fn reset(&mut self) {
        self.next = PAUSE_FIRST;
    }
}

/// How many may be sent: `rate_per_s` and no more, a tenth of a second's share at once.
pub(super) struct Pace {
    rate_per_s: u32,
    /// Thousand-millionths of a message saved up.
    saved: i64,
    then_ns: i64,
}

impl Pace {
    pub(super) fn new(rate_per_s: u32, now_ns: i64) -> Self {
        Self { rate_per_s: rate_per_s.max(1), saved: ONE, then_ns: now_ns }
    }

    /// Takes leave for one message; false when it is too early.
    pub(super) fn take(&mut self, now_ns: i64) -> bool {
        let most = ONE.max(ONE * i64::from(self.rate_per_s) / 10);
        let earned = (now_ns - self.then_ns).clamp(0, ONE) * i64::from(self.rate_per_s);
        self.saved = (self.saved + earned).min(most);
        self.then_ns = now_ns;
        let may = self.saved >= ONE;
        self.saved -= if may { ONE } else { 0 };
        may
    }

    /// How long until the next leave.
    pub(super) fn wait(&self) -> Duration {
        let missing = (ONE - self.saved).max(0) / i64::from(self.rate_per_s);
        Duration::from_nanos(missing.unsigned_abs()).max(Duration::from_millis(1))
    }
}

/// One message, and one second, in thousand-millionths.
const ONE: i64 = 1_000_000_000;
/// Times a broker hangs up on one version before the other is tried.
const HANG_UPS: u8 = 2;
/// Longest wait for a silent broker, as a multiple of the first.
const PATIENCE_TIMES_MAX: u64 = 8;
/// How long 5 is not tried again where it was refused, ns.
const REFUSED_NS: i64 = 6 * 3600 * ONE;
/// How long 5 is not tried again where the broker merely hung up, ns.
const HUNG_UP_NS: i64 = 600 * ONE;
const PAUSE_FIRST: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_is_spoken_until_it_is_refused_and_tried_again_hours_later() {
        let mut speech = Speech::new(Protocol::Auto);
        assert_eq!(speech.version(0), Version::Five);
        speech.refused(&Loss::OtherVersion, 0);
        assert_eq!(speech.version(REFUSED_NS - 1), Version::Three);
        assert_eq!(speech.version(REFUSED_NS), Version::Five);
    }

    #[test]
    fn a_broker_that_hangs_up_twice_is_asked_in_the_other_version_and_then_in_turn() {
        let mut speech = Speech::new(Protocol::Auto);
        let mut spoken = Vec::new();
        for now_ns in 0..8 {
            spoken.push(speech.version(now_ns));
            speech.refused(&Loss::HungUp, now_ns);
        }
        use Version::{Five, Three};
        assert_eq!(spoken, [Five, Five, Three, Three, Five, Five, Three, Three]);
    }

    #[test]
    fn a_broker_that_is_away_teaches_nothing_and_a_wish_is_a_wish() {
        let mut speech = Speech::new(Protocol::Auto);
        (0..9).for_each(|now_ns| speech.refused(&Loss::Gone, now_ns));
        assert_eq!(speech.version(9), Version::Five);
        for (wish, version) in [(Protocol::Five, Version::Five), (Protocol::Three, Version::Three)] {
            let mut speech = Speech::new(wish);
            (0..9).for_each(|now_ns| speech.refused(&Loss::OtherVersion, now_ns));
            assert_eq!(speech.version(i64::MAX), version);
        }
    }

    #[test]
    fn a_silent_broker_is_waited_for_ever_longer_and_one_that_let_us_in_is_not() {
        let mut patience = Patience::of(5);
        let waits = [true; 5].map(|was_silent| {
            patience.learn(false, was_silent);
            patience.wait_s()
        });
        assert_eq!(waits, [10, 20, 40, 40, 40]);
        patience.learn(false, false);
        assert_eq!(patience.wait_s(), 40, "a broker that is being restarted is as slow afterwards");
        patience.learn(true, false);
        assert_eq!(patience.wait_s(), 5);
    }

    #[test]
    fn what_speaks_no_mqtt_is_asked_in_the_other_version_as_well() {
        let mut speech = Speech::new(Protocol::Auto);
        let gibberish = Loss::Gibberish("HTTP".to_owned());
        for version in [Version::Five, Version::Five, Version::Three, Version::Three, Version::Five] {
            assert_eq!(speech.version(0), version);
            speech.refused(&gibberish, 0);
        }
    }

    #[test]
    fn pauses_double_to_their_most_and_differ_between_nodes() {
        let pauses = |name: &str| {
            let mut backoff = Backoff::of(name);
            (0..9).map(|_| backoff.pause(Duration::from_secs(15))).collect::<Vec<_>>()
        };
        let (one, other) = (pauses("one"), pauses("other"));
        assert_ne!(one, other);
        for (index, pause) in one.into_iter().enumerate() {
            let middle = Duration::from_millis(250 << index).min(Duration::from_secs(15));
            assert!(pause >= middle.mul_f64(0.75) && pause <= middle.mul_f64(1.25), "{index}: {pause:?}");
        }
    }

    #[test]
    fn no_more_is_sent_than_the_rate_and_it_is_reached() {
        for rate_per_s in [1, 50, 2000] {
            let mut pace = Pace::new(rate_per_s, 0);
            let sent = (0..10_000).filter(|ms| pace.take(ms * 1_000_000)).count() as u32;
            let share = rate_per_s.div_ceil(10).max(1);
            assert!((rate_per_s.min(1000) * 99 / 10..=rate_per_s * 10 + share).contains(&sent), "{rate_per_s}: {sent}");
        }
    }

    #[test]
    fn who_waits_as_long_as_told_gets_leave() {
        let mut pace = Pace::new(7, 0);
        let mut now_ns = 0;
        for _ in 0..100 {
            while pace.take(now_ns) {}
            now_ns += i64::try_from(pace.wait().as_nanos()).expect("short") + 1;
            assert!(pace.take(now_ns));
        }
    }
}
