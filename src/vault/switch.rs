//! The switch in the store: where it stands, and every turn of it in the audit chain, refused ones too.
//!
//! In: [`Turn`]s and who asks. Out: the [`Switch`] as it stands. Invariants: a turn and its line are on the disk together or not
//! at all; but a stop holds at once, whether or not there is room or a key to write it ([`StopFile`]), and is written as soon as
//! there is.

use std::path::Path;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::Connection;
use rusqlite::types::Type;

use super::people::standing;
use super::stop::{Asked, Stop, StopFile};
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

/// Reads where the switch stands, whatever else the store is busy with.
pub struct SwitchReader {
    db: Connection,
    stop: Option<StopFile>,
    halted: Arc<AtomicBool>,
}

impl SwitchReader {
    /// Where it stands now; nobody may watch anything where that cannot be told.
    #[must_use]
    pub fn read(&self) -> Option<Switch> {
        if self.halted.load(Ordering::Acquire) {
            return None;
        }
        let switch = read(&self.db).ok()?;
        Some(stopped(switch, self.stop.as_ref().and_then(StopFile::asked).as_ref()))
    }
}

/// Stops what runs in a folder, whether or not its store can be opened: [`Vault::turn`] writes it down.
///
/// # Errors
/// The folder is not there, or not ours.
pub fn stop(folder: &Path, turn: &Turn, who: &str) -> std::io::Result<()> {
    Stop::of(turn).map_or(Ok(()), |stop| StopFile::of(folder).set(&Asked::now(stop, who)))
}

impl Vault {
    /// A reader of the switch for the thread that obeys it; there is one, and none where the store is in memory.
    #[must_use]
    pub fn switch_reader(&self) -> Option<SwitchReader> {
        let db = self.spare.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        Some(SwitchReader { db, stop: self.stop.clone(), halted: Arc::clone(&self.halted) })
    }

    /// Where the switch stands.
    ///
    /// # Errors
    /// The store cannot be read: nothing may be watched then.
    pub fn switch(&self) -> Result<Switch, VaultError> {
        let mut inner = self.lock();
        if self.halted.load(Ordering::Acquire) || self.stop.as_ref().is_some_and(StopFile::is_left) {
            // What finds no room holds all the same.
            let _ = self.take_up_stop(&mut inner);
        }
        let switch = read(&inner.db).map_err(|error| store::of(&self.path, error))?;
        Ok(stopped(switch, self.asked().as_ref()))
    }

    /// Turns the switch on behalf of `who`; `right_sign` is the sign of the configuration, where a sign is acknowledged.
    ///
    /// # Errors
    /// [`TurnError`].
    pub fn turn(&self, turn: &Turn, who: &str, right_sign: Option<&str>) -> Result<Switch, TurnError> {
        let asked = Stop::of(turn).map(|stop| Asked::now(stop, who));
        if let (Some(asked), Some(file)) = (&asked, &self.stop) {
            // Where not even the file can be written, this process at least watches nothing.
            self.halted.store(file.set(asked).is_err(), Ordering::Release);
        }
        let mut inner = self.lock();
        if asked.is_none() {
            // What was stopped and could not be written down is not started by what can.
            self.take_up_stop(&mut inner)?;
        }
        let turned = inner.write(&self.path, |db, epoch| {
            let at = utc_now();
            let (before, turned) = turned(db, read(db)?, (turn, right_sign), at)?;
            let mut deed = deed_of(turn, who, &before);
            match &turned {
                Ok(after) => {
                    deed = deed.about("to", after.mode().name());
                    write(db, after)?;
                }
                Err(refusal) => deed = deed.that_was("refused").about("why", refusal.to_string()),
            }
            audit::append(db, epoch, &deed, at)?;
            Ok(turned)
        })?;
        if let Some(asked) = asked {
            self.is_written(&asked);
        }
        drop(inner);
        self.changed.notify_one();
        Ok(turned?)
    }

    /// What was asked and is not in the store yet.
    fn asked(&self) -> Option<Asked> {
        let in_file = self.stop.as_ref().and_then(StopFile::asked);
        in_file.or_else(|| {
            let is_halted = self.halted.load(Ordering::Acquire);
            is_halted.then(Asked::of_somebody)
        })
    }

    /// Writes down a stop that nobody has yet, for want of room or of a key, or because whoever asked for it is gone.
    fn take_up_stop(&self, inner: &mut Inner) -> Result<(), VaultError> {
        let Some(asked) = self.asked() else { return Ok(()) };
        inner.write(&self.path, |db, epoch| {
            let (before, turn, at) = (read(db)?, asked.stop.turn(), utc_now());
            let after = stopped(before.clone(), Some(&asked));
            if after != before {
                let deed = deed_of(&turn, &asked.who, &before).about("to", after.mode().name()).about("late", true);
                write(db, &after)?;
                audit::append(db, epoch, &deed, at)?;
            }
            Ok(())
        })?;
        self.is_written(&asked);
        Ok(())
    }

    fn is_written(&self, asked: &Asked) {
        self.halted.store(false, Ordering::Release);
        // One that cannot be taken out stops on, and is written once more.
        let _ = self.stop.as_ref().map(|file| file.clear(asked));
    }
}

fn deed_of(turn: &Turn, who: &str, before: &Switch) -> Deed {
    let deed = Deed::done(turn.name()).by(who).about("from", before.mode().name());
    match turn {
        Turn::Arm { site, .. } => {
            deed.about("sign", site.sign.as_str()).about("declaration", site.declaration.as_str())
        }
        _ => deed,
    }
}

/// The switch under a stop that the store does not hold yet.
fn stopped(switch: Switch, asked: Option<&Asked>) -> Switch {
    // A stop is never refused.
    asked.and_then(|asked| switch.turned(&asked.stop.turn(), None, utc_now()).ok()).unwrap_or(switch)
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
