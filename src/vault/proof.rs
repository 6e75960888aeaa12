//! Proof that somebody is who they say: a password, a code, and patience after failures.
//!
//! In: [`Claim`]s, whoever makes them. Out: a [`Person`] or a refusal that does not tell which part was wrong. Invariants: every
//! verdict is a line of the audit chain; a failure is counted before the password is looked at, so that nobody gains by
//! asking many times at once; one door's failures bar that door alone, so that nobody off the box locks out who is at it; whoever has
//! codes gives one at every door, and guesses of them are counted for each person, at the page as a whole and at the box.

use rusqlite::{Connection, OptionalExtension, params};

use sha2::{Digest, Sha256};

use super::people::{PEOPLE_MAX, make_tables, person, standing};
use super::totp::TotpSecret;
use super::{Vault, VaultError, audit, password, store};
use crate::clock::utc_now;
use crate::switch::Person;
use crate::wire::audit::{Deed, hex};

/// Somebody's word, to be believed or not.
pub struct Claim<'a> {
    /// Who they say they are.
    pub name: &'a str,
    /// Their password.
    pub password: &'a str,
    /// A code, if they gave one.
    pub code: Option<&'a str>,
    /// Where they stand.
    pub door: Door,
}

/// Where somebody stands who claims to be somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// On the box, by its command line: to be there is the second factor.
    Box,
    /// At its page.
    Page,
    /// At its page, from an address from where they have come in before.
    KnownPage,
}

impl Door {
    fn name(self) -> &'static str {
        match self {
            Self::Box => "box",
            Self::Page => "page",
            Self::KnownPage => "known-page",
        }
    }

    /// Where guesses of codes are counted together.
    fn codes(self) -> &'static str {
        match self {
            Self::Box => "code-at-box",
            Self::Page | Self::KnownPage => CODE_AT_PAGE,
        }
    }
}

/// Why somebody is not believed.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// Something does not fit; which is not told.
    #[error("name, password or code is wrong (a code holds for half a minute and is good once)")]
    Wrong,
    /// Too many failures lately.
    #[error("too many failures; try again in {wait_s} s")]
    Wait {
        /// How long, s.
        wait_s: i64,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] VaultError),
}

impl Vault {
    /// Who makes this claim.
    ///
    /// # Errors
    /// [`ProofError`]; a refusal is a line of the audit chain.
    pub fn prove(&self, claim: &Claim<'_>) -> Result<Person, ProofError> {
        let (key, codes) = (Key::of(claim.door.name(), claim.name), Key::of(claim.door.codes(), claim.name));
        self.begin_attempt(&key, &codes)?;
        let hash: Option<String> = self
            .lock()
            .db
            .query_row("SELECT hash FROM person WHERE name = ?1 AND revoked_s IS NULL", [claim.name], |row| row.get(0))
            .optional()
            .map_err(|error| store::of(&self.path, error))?;
        // The store is not held meanwhile: it takes its time on purpose.
        let is_right = password::is_right(claim.password, hash.as_deref());
        self.end_attempt(&key, |db| {
            let now: Option<String> = db
                .query_row("SELECT hash FROM person WHERE name = ?1 AND revoked_s IS NULL", [claim.name], |row| {
                    row.get(0)
                })
                .optional()?;
            let Some(there) = standing(db, claim.name)?.filter(|_| is_right && now == hash) else { return Ok(None) };
            let is_proved = match claim.code {
                Some(code) => judge_code(db, &codes, code)?,
                None => !there.has_totp,
            };
            if is_proved { person(db, claim.name) } else { Ok(None) }
        })
    }

    /// Whether somebody who has come in already holds their second factor, now. Each code is good once.
    ///
    /// # Errors
    /// [`ProofError`]; a refusal is a line of the audit chain.
    pub fn prove_code(&self, name: &str, code: &str) -> Result<Person, ProofError> {
        let (key, codes) = (Key::of(AFTER_LOGIN, name), Key::of(CODE_AT_PAGE, name));
        self.begin_attempt(&key, &codes)?;
        self.end_attempt(&key, |db| if judge_code(db, &codes, code)? { person(db, name) } else { Ok(None) })
    }

    /// Counts a failure beforehand, or says how long to wait; also where codes were guessed wrongly too often.
    fn begin_attempt(&self, key: &Key, codes: &Key) -> Result<(), ProofError> {
        self.lock().write(&self.path, |db, epoch| {
            make_tables(db)?;
            let now_s = utc_now().0.div_euclid(1000);
            let (failures, last_s) = attempts(db, key)?;
            let wait_s = wait_s(&PASSWORDS, (failures, last_s), now_s).max(wait_s(&CODES, attempts(db, codes)?, now_s));
            if wait_s > 0 {
                let deed = key.deed(db, "refused")?.about("why", "too many failures");
                audit::append(db, epoch, &deed, utc_now())?;
                return Ok(Err(ProofError::Wait { wait_s }));
            }
            count_failure(db, key, (failures, now_s))?;
            // Names nobody has are told apart from others by nothing, but need not be remembered for ever.
            db.execute(
                "DELETE FROM attempt WHERE key IN (SELECT key FROM attempt WHERE name = ''
                 ORDER BY last_s DESC LIMIT -1 OFFSET ?1)",
                [ATTEMPTS_MAX],
            )?;
            Ok(Ok(()))
        })?
    }

    /// The verdict, its line, and for whoever is believed no failures any more.
    fn end_attempt(
        &self,
        key: &Key,
        verdict: impl FnOnce(&Connection) -> rusqlite::Result<Option<Person>>,
    ) -> Result<Person, ProofError> {
        self.lock().write(&self.path, |db, epoch| {
            let person = verdict(db)?;
            let outcome = if person.is_some() { "done" } else { "refused" };
            if person.is_some() {
                db.execute("DELETE FROM attempt WHERE key = ?1", [&key.text])?;
            }
            audit::append(db, epoch, &key.deed(db, outcome)?, utc_now())?;
            Ok(person.ok_or(ProofError::Wrong))
        })?
    }
}

/// Whose failures at which door are counted together.
struct Key {
    door: &'static str,
    name: String,
    /// Holds a hash of the name: people type passwords where names belong.
    text: String,
}

impl Key {
    fn of(door: &'static str, name: &str) -> Self {
        let hash = hex(&Sha256::digest(name.as_bytes())[..16]);
        Self { door, name: name.to_owned(), text: format!("{door}/{hash}") }
    }

    /// The name, if it was ever given to anybody; what strangers type is not kept.
    fn known(&self, db: &Connection) -> rusqlite::Result<Option<&str>> {
        let count: u64 = db.query_row("SELECT count(*) FROM person WHERE name = ?1", [&self.name], |row| row.get(0))?;
        Ok((count > 0).then_some(&self.name))
    }

    fn deed(&self, db: &Connection, outcome: &'static str) -> rusqlite::Result<Deed> {
        let who = self.known(db)?.unwrap_or(NOBODY);
        Ok(Deed::done("prove").by(who).that_was(outcome).about("door", self.door))
    }
}

/// Failures since the last success, and when the last one was, s since 1970.
fn attempts(db: &Connection, key: &Key) -> rusqlite::Result<(u32, i64)> {
    let found = db
        .query_row("SELECT failures, last_s FROM attempt WHERE key = ?1", [&key.text], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    Ok(found.unwrap_or((0, 0)))
}

fn count_failure(db: &Connection, key: &Key, (before, now_s): (u32, i64)) -> rusqlite::Result<usize> {
    db.execute(
        "INSERT OR REPLACE INTO attempt (key, name, failures, last_s) VALUES (?1, ?2, ?3, ?4)",
        params![key.text, key.known(db)?.unwrap_or_default(), before.saturating_add(1), now_s],
    )
}

/// How many failures cost nothing, and how the wait grows that each further one costs.
struct Patience {
    free: u32,
    first_s: i64,
    max_s: i64,
}

/// How long to wait after so many failures, the last of them then, s; a clock that was set back does not lengthen it.
fn wait_s(patience: &Patience, (failures, last_s): (u32, i64), now_s: i64) -> i64 {
    if failures < patience.free {
        return 0;
    }
    let whole_s = (patience.first_s << (failures - patience.free).min(16)).min(patience.max_s);
    (whole_s - (now_s - last_s).max(0)).clamp(0, whole_s)
}

/// Whether a code is good, which it then was once; a wrong one is counted, whatever else was right.
fn judge_code(db: &Connection, codes: &Key, code: &str) -> rusqlite::Result<bool> {
    let (failures, last_s) = attempts(db, codes)?;
    let now_s = utc_now().0.div_euclid(1000);
    // Others may have guessed while the password was looked at.
    if wait_s(&CODES, (failures, last_s), now_s) > 0 {
        return Ok(false);
    }
    if use_code(db, &codes.name, code)? {
        db.execute("DELETE FROM attempt WHERE key = ?1", [&codes.text])?;
        return Ok(true);
    }
    count_failure(db, codes, (failures, now_s))?;
    Ok(false)
}

/// Uses up a code, if it is one of theirs and of now.
fn use_code(db: &Connection, name: &str, code: &str) -> rusqlite::Result<bool> {
    let kept: Option<(Vec<u8>, u64)> = db
        .query_row(
            "SELECT totp, totp_step FROM person WHERE name = ?1 AND totp IS NOT NULL AND revoked_s IS NULL",
            [name],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let Some((secret, used)) = kept else { return Ok(false) };
    let secret = TotpSecret::of_bytes(&zeroize::Zeroizing::new(secret));
    let step = secret.and_then(|secret| secret.step_of(code, utc_now().0.div_euclid(1000), used));
    if let Some(step) = step {
        db.execute("UPDATE person SET totp_step = ?2 WHERE name = ?1", params![name, step])?;
    }
    Ok(step.is_some())
}

/// With it nobody tries more than 1,500 passwords a day of one name.
const PASSWORDS: Patience = Patience { free: 5, first_s: 1, max_s: 60 };
/// With it nobody who has the password tries more than 24 codes a day for long: three of a million are good at any time.
const CODES: Patience = Patience { free: 5, first_s: 60, max_s: 3600 };
/// The door of a code that is asked for after a login.
const AFTER_LOGIN: &str = "code";
const CODE_AT_PAGE: &str = "code-at-page";
/// Names nobody has whose failures are remembered.
const ATTEMPTS_MAX: u64 = PEOPLE_MAX;
/// Who tries a name that nobody ever had.
const NOBODY: &str = "stranger";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_grows_to_a_minute_and_no_clock_makes_it_longer() {
        let wait = |failures, last_s, now_s| wait_s(&PASSWORDS, (failures, last_s), now_s);
        assert_eq!([4, 5, 6, 8, 30].map(|failures| wait(failures, 100, 100)), [0, 1, 2, 8, 60]);
        assert_eq!(wait(8, 100, 105), 3);
        assert_eq!(wait(8, 100, 200), 0);
        assert_eq!(wait(8, 1000, 0), 8, "the clock was set back");
    }

    #[test]
    fn guesses_of_codes_cost_up_to_an_hour_each() {
        let wait = |failures| wait_s(&CODES, (failures, 100), 100);
        assert_eq!([4, 5, 6, 10, 11, u32::MAX].map(wait), [0, 60, 120, 1920, 3600, 3600]);
    }
}
