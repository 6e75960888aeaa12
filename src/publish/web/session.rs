//! Sessions: who has come in, for how long, and by which word their forms are known.
//!
//! In: people who were proved, random values of cookies. Out: [`Session`]s. Invariants: what is kept of a cookie is its hash; a
//! session ends after [`IDLE_NS`] without use and [`LIFE_NS`] in any case; each has a new value, whatever the browser had
//! before; their number is bounded, the oldest goes first.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};

use crate::switch::{Person, Role};
use crate::wire::audit::hex;

/// Somebody who has come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Session {
    pub(super) name: String,
    pub(super) role: Role,
    /// Number of the password that was shown.
    pub(super) edition: u64,
    /// What their forms carry.
    pub(super) token: String,
    begun_ns: i64,
    used_ns: i64,
}

/// All who have come in.
#[derive(Default)]
pub(super) struct Sessions(Mutex<BTreeMap<[u8; 32], Session>>);

impl Sessions {
    /// Lets somebody in; gives the value of their cookie, or nothing where the system has no randomness.
    pub(super) fn open(&self, person: Person, edition: u64, now_ns: i64) -> Option<String> {
        let (cookie, token) = (random()?, random()?);
        let mut all = self.lock();
        all.retain(|_, session| session.is_alive(now_ns));
        drop_oldest(&mut all, SESSIONS_OF_ONE, |session| session.name == person.name);
        drop_oldest(&mut all, SESSIONS_MAX, |_| true);
        let Person { name, role, .. } = person;
        all.insert(key(&cookie), Session { name, role, edition, token, begun_ns: now_ns, used_ns: now_ns });
        Some(cookie)
    }

    /// Whose cookie this is; `is_use` where a person did something, and not a page by itself.
    pub(super) fn of(&self, cookie: &str, now_ns: i64, is_use: bool) -> Option<Session> {
        let (mut all, key) = (self.lock(), key(cookie));
        let session = all.get_mut(&key)?;
        if !session.is_alive(now_ns) {
            all.remove(&key);
            return None;
        }
        if is_use {
            session.used_ns = now_ns;
        }
        Some(session.clone())
    }

    /// Ends a session.
    pub(super) fn close(&self, cookie: &str) {
        self.lock().remove(&key(cookie));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<[u8; 32], Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    fn is_alive(&self, now_ns: i64) -> bool {
        now_ns - self.used_ns < IDLE_NS && now_ns - self.begun_ns < LIFE_NS
    }
}

/// Makes room for one more of those meant, where there are `most` already.
fn drop_oldest(all: &mut BTreeMap<[u8; 32], Session>, most: usize, is_meant: impl Fn(&Session) -> bool) {
    let mut meant: Vec<([u8; 32], i64)> =
        all.iter().filter(|(_, session)| is_meant(session)).map(|(key, session)| (*key, session.begun_ns)).collect();
    meant.sort_by_key(|(_, begun_ns)| *begun_ns);
    let many = (meant.len() + 1).saturating_sub(most);
    for (key, _) in meant.into_iter().take(many) {
        all.remove(&key);
    }
}

/// 256 random bits as text; nothing where the system has no randomness.
pub(super) fn random() -> Option<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).ok()?;
    Some(hex(&bytes))
}

/// Whether two secret texts are the same, in a time that does not tell how far they agree.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    key(one) == key(other)
}

fn key(cookie: &str) -> [u8; 32] {
    Sha256::digest(cookie.as_bytes()).into()
}

const MINUTE_NS: i64 = 60_000_000_000;
/// A quarter of an hour.
const IDLE_NS: i64 = 15 * MINUTE_NS;
/// A day's work.
const LIFE_NS: i64 = 8 * 60 * MINUTE_NS;
const SESSIONS_MAX: usize = 64;
const SESSIONS_OF_ONE: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn person(name: &str) -> Person {
        Person::new(name, Role::Viewer)
    }

    #[test]
    fn a_session_ends_when_nobody_uses_it_and_in_any_case_in_the_evening() {
        let sessions = Sessions::default();
        let cookie = sessions.open(person("hana"), 1, 0).expect("randomness");
        assert!(sessions.of(&cookie, 14 * MINUTE_NS, false).is_some());
        assert!(sessions.of(&cookie, 15 * MINUTE_NS, false).is_none(), "a page that asks by itself is no use of it");
        let cookie = sessions.open(person("hana"), 1, 0).expect("randomness");
        let mut at_ns = 0;
        while sessions.of(&cookie, at_ns, true).is_some() {
            at_ns += 10 * MINUTE_NS;
        }
        assert_eq!(at_ns, LIFE_NS);
    }

    #[test]
    fn a_fifth_session_of_somebody_ends_their_first_and_nobody_elses() {
        let sessions = Sessions::default();
        let other = sessions.open(person("ken"), 1, 0).expect("randomness");
        let own: Vec<String> = (1..=5).map(|at| sessions.open(person("hana"), 1, at).expect("randomness")).collect();
        let alive = |cookie: &String| sessions.of(cookie, 9, false).is_some();
        assert_eq!(own.iter().map(alive).collect::<Vec<_>>(), [false, true, true, true, true]);
        assert!(alive(&other));
    }

    #[test]
    fn however_many_come_in_their_number_is_bounded() {
        let sessions = Sessions::default();
        for number in 0..500 {
            sessions.open(person(&format!("p{number}")), 1, number).expect("randomness");
        }
        assert_eq!(sessions.lock().len(), SESSIONS_MAX);
    }
}
