//! The people of a box: who they are, what they may do, and how they show that they are it.
//!
//! In: names, roles and secrets, by an owner; the first owner by whoever may open the store. Out: who stands there. Invariants:
//! a name is given once and never again, also not after it was revoked; there is always an owner once there was one; every
//! change and its line in the audit chain are on the disk together, and no line holds a secret.

use rusqlite::{Connection, OptionalExtension, params};

use super::password::Password;
use super::totp::TotpSecret;
use super::{Vault, VaultError, audit, store};
use crate::clock::utc_now;
use crate::switch::{Act, Person, Role, may};
use crate::wire::audit::Deed;

/// Somebody who is to be known.
pub struct NewPerson<'a> {
    /// Name: 1 to 32 of a-z, 0-9, _ and -.
    pub name: &'a str,
    /// What they may do.
    pub role: Role,
    /// What they show.
    pub password: &'a Password,
    /// What makes their codes, if they have any.
    pub totp: Option<&'a TotpSecret>,
}

/// Somebody who is known, or was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Name.
    pub name: String,
    /// What they may do, or might.
    pub role: Role,
    /// Whether they have codes besides their password.
    pub has_totp: bool,
    /// Who else may know their password: who set it, and whoever may know theirs. Nobody once they set it themselves.
    pub set_by: Vec<String>,
    /// When they were added, s since 1970.
    pub made_s: i64,
    /// When they were revoked, s since 1970.
    pub revoked_s: Option<i64>,
}

/// How somebody stands now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// What they may do.
    pub role: Role,
    /// Number of their password: what was proved with an earlier one holds no longer.
    pub edition: u64,
    /// Whether they have codes.
    pub has_totp: bool,
}

/// Why somebody is not added, changed or revoked.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// No name.
    #[error(
        "\"{name}\" is no name: write 1 to 32 of a-z, 0-9, _ and -, and none by which the audit chain calls what is no person ({}, and what begins with uid)",
        RESERVED.join(", ")
    )]
    Name {
        /// As given.
        name: String,
    },
    /// Given before.
    #[error("the name {name} was given before and is never given again; choose another")]
    Taken {
        /// The name.
        name: String,
    },
    /// Not there.
    #[error("nobody is called {name} (kehai people list)")]
    Unknown {
        /// The name.
        name: String,
    },
    /// Nobody could arm, resume or add anybody any more.
    #[error("{name} is the only owner; add another one first")]
    LastOwner {
        /// The name.
        name: String,
    },
    /// The first of all.
    #[error("nobody is known yet, and the first is an owner: --role owner")]
    FirstIsOwner,
    /// Somebody without the right to it.
    #[error("{by} may not do that: an owner does (--as NAME)")]
    NotOwner {
        /// Who asked.
        by: String,
    },
    /// Too many.
    #[error("a box knows {PEOPLE_MAX} names at most, revoked ones among them; `kehai wipe` alone forgets them")]
    Full,
    /// The system gives no randomness.
    #[error("the system gives no randomness; try again")]
    NoRandomness,
    /// The store.
    #[error(transparent)]
    Store(#[from] VaultError),
}

/// What a change needs to know of its outcome: what to write, or why not.
type Change = Result<Deed, PeopleError>;

impl Vault {
    /// Everybody who is or was known, by name.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn people(&self) -> Result<Vec<Known>, VaultError> {
        all(&self.lock().db).map_err(|error| store::of(&self.path, error))
    }

    /// Whether anybody is known: from then on privileged commands ask who.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn has_people(&self) -> Result<bool, VaultError> {
        count(&self.lock().db).map(|count| count > 0).map_err(|error| store::of(&self.path, error))
    }

    /// How somebody stands; nothing where they are not known any more.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn standing(&self, name: &str) -> Result<Option<Standing>, VaultError> {
        standing(&self.lock().db, name).map_err(|error| store::of(&self.path, error))
    }

    /// Adds somebody, on behalf of an owner; the very first on behalf of anybody.
    ///
    /// # Errors
    /// [`PeopleError`], which the audit chain then tells.
    pub fn add_person(&self, new: &NewPerson<'_>, by: &str) -> Result<(), PeopleError> {
        let hash = new.password.hashed().ok_or(PeopleError::NoRandomness)?;
        let deed = Deed::done("person-add").by(by).about("role", new.role.name()).about("totp", new.totp.is_some());
        self.change_people(new.name, deed, |db, deed| {
            if !is_name(new.name) {
                return Ok(Err(PeopleError::Name { name: new.name.to_owned() }));
            }
            match count(db)? {
                0 if new.role != Role::Owner => return Ok(Err(PeopleError::FirstIsOwner)),
                0 => {}
                _ if !is_owner(db, by)? => return Ok(Err(PeopleError::NotOwner { by: by.to_owned() })),
                PEOPLE_MAX.. => return Ok(Err(PeopleError::Full)),
                _ => {}
            }
            let added = db.execute(
                "INSERT OR IGNORE INTO person (name, role, hash, totp, made_s, set_by) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    new.name,
                    new.role.name(),
                    hash,
                    new.totp.map(TotpSecret::bytes),
                    now_s(),
                    known_to(db, new.name, by)?
                ],
            )?;
            Ok(if added == 1 { Ok(deed) } else { Err(PeopleError::Taken { name: new.name.to_owned() }) })
        })
    }

    /// Revokes somebody, on behalf of an owner. Their name stays taken.
    ///
    /// # Errors
    /// [`PeopleError`], which the audit chain then tells.
    pub fn revoke_person(&self, name: &str, by: &str) -> Result<(), PeopleError> {
        let deed = Deed::done("person-revoke").by(by);
        self.change_people(name, deed, |db, deed| {
            if !is_owner(db, by)? {
                return Ok(Err(PeopleError::NotOwner { by: by.to_owned() }));
            }
            let Some(there) = standing(db, name)? else {
                return Ok(Err(PeopleError::Unknown { name: name.to_owned() }));
            };
            let owners: u64 =
                db.query_row("SELECT count(*) FROM person WHERE role = 'owner' AND revoked_s IS NULL", [], |row| {
                    row.get(0)
                })?;
            if there.role == Role::Owner && owners < 2 {
                return Ok(Err(PeopleError::LastOwner { name: name.to_owned() }));
            }
            // What could still be tried is gone with them; the name stays.
            db.execute(
                "UPDATE person SET revoked_s = ?2, hash = '', totp = NULL WHERE name = ?1",
                params![name, now_s()],
            )?;
            Ok(Ok(deed.about("role", there.role.name())))
        })
    }

    /// Gives somebody another password: an owner does, or they themselves.
    ///
    /// # Errors
    /// [`PeopleError`], which the audit chain then tells.
    pub fn change_password(&self, name: &str, password: &Password, by: &str) -> Result<(), PeopleError> {
        let hash = password.hashed().ok_or(PeopleError::NoRandomness)?;
        self.change_people(name, Deed::done("person-password").by(by), |db, deed| {
            if by != name && !is_owner(db, by)? {
                return Ok(Err(PeopleError::NotOwner { by: by.to_owned() }));
            }
            if standing(db, name)?.is_none() {
                return Ok(Err(PeopleError::Unknown { name: name.to_owned() }));
            }
            db.execute(
                "UPDATE person SET hash = ?2, edition = edition + 1, set_by = ?3 WHERE name = ?1",
                params![name, hash, known_to(db, name, by)?],
            )?;
            Ok(Ok(deed))
        })
    }

    /// A change of the people, and its line; a refusal leaves only the line.
    fn change_people(
        &self,
        name: &str,
        deed: Deed,
        change: impl FnOnce(&Connection, Deed) -> rusqlite::Result<Change>,
    ) -> Result<(), PeopleError> {
        let whom: String = name.chars().filter(|letter| is_name_char(*letter)).take(NAME_CHARS_MAX).collect();
        let refused = deed.clone().that_was("refused").about("whom", whom.as_str());
        self.lock().write(&self.path, |db, epoch| {
            make_tables(db)?;
            let changed = change(db, deed.about("whom", whom.as_str()))?;
            let (line, outcome) = match changed {
                Ok(deed) => (deed, Ok(())),
                Err(why) => (refused.about("why", why.to_string()), Err(why)),
            };
            audit::append(db, epoch, &line, utc_now())?;
            Ok(outcome)
        })?
    }
}

/// Whether it can be somebody's name, and nobody takes it for what the product does itself, or a user of the system.
#[must_use]
fn is_name(name: &str) -> bool {
    let is_reserved = RESERVED.contains(&name) || name.starts_with("uid");
    (1..=NAME_CHARS_MAX).contains(&name.len()) && name.chars().all(is_name_char) && !is_reserved
}

fn is_name_char(letter: char) -> bool {
    letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_' || letter == '-'
}

/// Makes the tables of people where there are none: stores made by earlier versions have none.
pub(super) fn make_tables(db: &Connection) -> rusqlite::Result<()> {
    db.execute_batch(TABLES)
}

fn has_tables(db: &Connection) -> rusqlite::Result<bool> {
    db.query_row("SELECT count(*) FROM sqlite_master WHERE name = 'person'", [], |row| row.get(0))
}

fn count(db: &Connection) -> rusqlite::Result<u64> {
    if !has_tables(db)? {
        return Ok(0);
    }
    db.query_row("SELECT count(*) FROM person", [], |row| row.get(0))
}

fn all(db: &Connection) -> rusqlite::Result<Vec<Known>> {
    if !has_tables(db)? {
        return Ok(Vec::new());
    }
    let mut rows =
        db.prepare("SELECT name, role, totp IS NOT NULL, made_s, revoked_s, set_by FROM person ORDER BY name")?;
    let known = rows.query_map([], |row| {
        Ok(Known {
            name: row.get(0)?,
            role: role_in(row, 1)?,
            has_totp: row.get(2)?,
            set_by: names(&row.get::<_, String>(5)?),
            made_s: row.get(3)?,
            revoked_s: row.get(4)?,
        })
    })?;
    known.collect()
}

pub(super) fn standing(db: &Connection, name: &str) -> rusqlite::Result<Option<Standing>> {
    if !has_tables(db)? {
        return Ok(None);
    }
    let mut rows =
        db.prepare_cached("SELECT role, edition, totp IS NOT NULL FROM person WHERE name = ?1 AND revoked_s IS NULL")?;
    rows.query_row([name], |row| Ok(Standing { role: role_in(row, 0)?, edition: row.get(1)?, has_totp: row.get(2)? }))
        .optional()
}

/// Somebody as the switch knows them: with their password's number, and who else may know it.
pub(super) fn person(db: &Connection, name: &str) -> rusqlite::Result<Option<Person>> {
    let Some(there) = standing(db, name)? else { return Ok(None) };
    let set_by: String = db.query_row("SELECT set_by FROM person WHERE name = ?1", [name], |row| row.get(0))?;
    Ok(Some(Person { name: name.to_owned(), role: there.role, edition: there.edition, set_by: names(&set_by) }))
}

/// Who but its owner may know a password that `by` sets: they, and whoever may know theirs, for these could have spoken in
/// their name. Only people are meant: whoever may open the store adds the first owner, and could read the keys anyway.
fn known_to(db: &Connection, name: &str, by: &str) -> rusqlite::Result<String> {
    let Some(by) = person(db, by)?.filter(|by| by.name != name) else { return Ok(String::new()) };
    let mut names = by.set_by;
    names.retain(|known| known != name);
    names.push(by.name);
    Ok(names.join(" "))
}

fn names(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn is_owner(db: &Connection, name: &str) -> rusqlite::Result<bool> {
    Ok(standing(db, name)?.is_some_and(|there| may(Some(there.role), Act::ManagePeople)))
}

/// A role as it is kept; one that nobody knows is the least of all.
fn role_in(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Role> {
    let name: String = row.get(column)?;
    Ok(Role::ALL.into_iter().find(|role| role.name() == name).unwrap_or(Role::Viewer))
}

fn now_s() -> i64 {
    utc_now().0.div_euclid(1000)
}

/// Names a box knows at most, revoked ones among them.
pub(super) const PEOPLE_MAX: u64 = 200;
const NAME_CHARS_MAX: usize = 32;
/// By what the audit chain calls what is no person. Keys of commands and users of the system are told by a colon.
const RESERVED: [&str; 9] = ["key", "kehai", "nobody", "node", "page", "self-test", "signal", "stranger", "unknown"];
/// `person` holds everybody ever known, `attempt` failures that were not followed by a success.
const TABLES: &str = "
CREATE TABLE IF NOT EXISTS person (
    name TEXT PRIMARY KEY, role TEXT NOT NULL, hash TEXT NOT NULL, totp BLOB, totp_step INTEGER NOT NULL DEFAULT 0,
    edition INTEGER NOT NULL DEFAULT 1, set_by TEXT NOT NULL DEFAULT '', made_s INTEGER NOT NULL, revoked_s INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS attempt (
    key TEXT PRIMARY KEY, name TEXT NOT NULL, failures INTEGER NOT NULL, last_s INTEGER NOT NULL) WITHOUT ROWID;
";
