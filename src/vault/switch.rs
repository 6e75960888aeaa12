//! The switch in the store: where it stands, and every turn of it in the audit chain, refused ones too.
//!
//! In: [`Turn`]s and who asks. Out: the [`Switch`] as it stands. Invariants: a turn and its line are on the disk together or not
//! at all; but a stop holds in this process at once, whether or not there is room to write it, and is written as soon as there is.

use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::Connection;
use rusqlite::types::Type;

use super::people::standing;
use super::{Inner, Vault, VaultError, audit, set_text, store, text};
use crate::clock::{UtcMs, utc_now};
use crate::switch::{Refusal, Switch, Turn};
use crate::wire::audit::Deed;

/// Why a turn did not happen.
#[derive(Debug, thiserror::Error)]
pub enum TurnError {
    /// It may not be.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It could not be written. A stop holds all the same, in the process that asked for it.
    #[error(transparent)]
    Store(#[from] VaultError),
}

/// A stop that waits for room.
pub(super) struct Unwritten {
    turn: Turn,
    who: String,
    switch: Switch,
}

/// Reads where the switch stands, whatever else the store is busy with.
pub struct SwitchReader {
    db: Connection,
    halted: Arc<AtomicBool>,
}

impl SwitchReader {
    /// Where it stands now; nobody may watch anything where that cannot be told, or somebody has just stopped everything.
    #[must_use]
    pub fn read(&self) -> Option<Switch> {
        if self.halted.load(Ordering::Acquire) { None } else { read(&self.db).ok() }
    }
}

impl Vault {
    /// A reader of the switch for the thread that obeys it; there is one, and none where the store is in memory.
    #[must_use]
    pub fn switch_reader(&self) -> Option<SwitchReader> {
        let db = self.spare.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        Some(SwitchReader { db, halted: Arc::clone(&self.halted) })
    }

    /// Stops everything before anything is written: whoever calls this turns the switch next.
    pub fn halt(&self) {
        self.halted.store(true, Ordering::Release);
    }

    /// Where the switch stands.
    ///
    /// # Errors
    /// The store cannot be read: nothing may be watched then.
    pub fn switch(&self) -> Result<Switch, VaultError> {
        let mut inner = self.lock();
        self.write_stop(&mut inner);
        match &inner.unwritten {
            Some(unwritten) => Ok(unwritten.switch.clone()),
            None => read(&inner.db).map_err(|error| store::of(&self.path, error)),
        }
    }

    /// Turns the switch on behalf of `who`; `right_sign` is the sign of the configuration, where a sign is acknowledged.
    ///
    /// # Errors
    /// [`TurnError`].
    pub fn turn(&self, turn: &Turn, who: &str, right_sign: Option<&str>) -> Result<Switch, TurnError> {
        if turn.is_stop() {
            self.halt();
        }
        let mut inner = self.lock();
        if !turn.is_stop() {
            self.write_stop(&mut inner);
            if let Some(unwritten) = &inner.unwritten {
                // What was stopped and could not be written down is not started by what can.
                let path = self.path.clone();
                return Err(if unwritten.turn.is_stop() {
                    VaultError::Full { path }
                } else {
                    VaultError::Busy { path }
                }
                .into());
            }
        }
        let before = inner.unwritten.as_ref().map(|unwritten| unwritten.switch.clone());
        let written = inner.write(&self.path, |db, epoch| {
            let before = before.clone().map_or_else(|| read(db), Ok)?;
            let at = utc_now();
            let (before, turned) = turned(db, before, (turn, right_sign), at)?;
            let outcome = if turned.is_ok() { "done" } else { "refused" };
            let mut deed = Deed::done(turn.name()).by(who).that_was(outcome).about("from", before.mode().name());
            match &turned {
                Ok(after) => {
                    deed = deed.about("to", after.mode().name());
                    write(db, after)?;
                }
                Err(refusal) => deed = deed.about("why", refusal.to_string()),
            }
            if let Turn::Arm { site, .. } = turn {
                deed = deed.about("sign", site.sign.as_str()).about("declaration", site.declaration.as_str());
            }
            audit::append(db, epoch, &deed, at)?;
            Ok(turned)
        });
        match written {
            Ok(turned) => {
                inner.unwritten = None;
                self.halted.store(false, Ordering::Release);
                drop(inner);
                self.changed.notify_one();
                Ok(turned?)
            }
            Err(error) => {
                // A row that cannot be read is not written over: this process is halted for as long as it lives.
                let before = before.or_else(|| read(&inner.db).ok()).filter(|_| turn.is_stop());
                if let Some(Ok(switch)) = before.map(|before| before.turned(turn, None, utc_now())) {
                    inner.unwritten = Some(Unwritten { turn: turn.clone(), who: who.to_owned(), switch });
                }
                Err(error.into())
            }
        }
    }

    /// Writes a stop that found no room, if there is some now.
    fn write_stop(&self, inner: &mut Inner) {
        let Some(Unwritten { turn, who, switch }) = inner.unwritten.take() else { return };
        let written = inner.write(&self.path, |db, epoch| {
            write(db, &switch)?;
            let deed = Deed::done(turn.name()).by(&who).about("to", switch.mode().name()).about("late", true);
            audit::append(db, epoch, &deed, utc_now())
        });
        if written.is_err() {
            inner.unwritten = Some(Unwritten { turn, who, switch });
        } else {
            self.halted.store(false, Ordering::Release);
        }
    }
}

/// The switch a turn finds and the one it leaves. Whoever confirmed first is looked at once more: of somebody who is gone, or has
/// another password, nothing is left.
fn turned(
    db: &Connection,
    before: Switch,
    (turn, right_sign): (&Turn, Option<&str>),
    at: UtcMs,
) -> rusqlite::Result<(Switch, Result<Switch, Refusal>)> {
    let Turn::Arm { by, site } = turn else {
        let turned = before.turned(turn, right_sign, at);
        return Ok((before, turned));
    };
    let gone = match before.first(site, at).filter(|_| !site.is_sole_operator) {
        Some(first) if standing(db, &first.name)?.is_none_or(|there| there.edition != first.edition) => {
            Some(first.name.clone())
        }
        _ => None,
    };
    let before = if gone.is_some() { before.without_first() } else { before };
    let turned = before.turned(turn, right_sign, at);
    let turned = match gone.filter(|gone| *gone != by.name) {
        // Whoever comes next begins anew.
        Some(by) if turned.is_ok() => {
            write(db, &before)?;
            Err(Refusal::FirstGone { by })
        }
        _ => turned,
    };
    Ok((before, turned))
}

fn read(db: &Connection) -> rusqlite::Result<Switch> {
    let Some(text) = text(db, SWITCH)? else { return Ok(Switch::default()) };
    Switch::of_text(&text).map_err(|why| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(why)))
}

pub(super) fn write(db: &Connection, switch: &Switch) -> rusqlite::Result<()> {
    set_text(db, SWITCH, &switch.to_text())
}

const SWITCH: &str = "switch";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::switch::{Bounds, From, Person, Role, Site};

    #[test]
    fn a_row_that_cannot_be_read_starts_nothing_and_is_not_written_over() {
        let vault = Vault::throw_away().expect("memory");
        let strange = "{\"mode\":\"locked\",\"of\":\"tomorrow\"}";
        set_text(&vault.lock().db, SWITCH, strange).expect("room");
        let (masks, dangers, cell_mm) = Default::default();
        let bounds = Bounds { k: 5, crowd_min: 5, cell_mm, keep_days: 30, masks, dangers };
        let site = Site { declaration: "d".into(), sign: "s".into(), bounds, is_sole_operator: true };
        let by = Person::new("hana", Role::Owner);
        for turn in [
            Turn::Arm { by: by.clone(), site },
            Turn::Provision,
            Turn::Unlock { by: Some(by), from: From::Here },
            Turn::Pause(From::Here),
            Turn::Lock,
        ] {
            let refused = vault.turn(&turn, "hana", None);
            assert!(matches!(&refused, Err(TurnError::Store(why)) if why.to_string().contains("nothing is watched")));
            assert!(vault.switch().is_err(), "{}", turn.name());
            assert_eq!(text(&vault.lock().db, SWITCH).expect("there").as_deref(), Some(strange), "{}", turn.name());
        }
    }
}
