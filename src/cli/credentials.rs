//! Who asks: a name, a password that nobody sees, a code where they have codes, and whether their role allows it.
//!
//! In: `--as NAME`, a password from the terminal, a file of the user's own, or a line of standard input; never from an argument
//! or the environment; a code, which is good once, also from an argument. Out: a [`Person`], or exit 7 in plain words. Invariant: every refusal is a line of the audit chain.

use std::io::BufRead;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::output::is_attended;
use super::state::who;
use super::{Failure, NOT_ARMED, USAGE};
use crate::switch::{Act, Person, may};
use crate::vault::{Claim, Door, ProofError, Vault};
use crate::wire::audit::Deed;

/// Who asks, where a command asks who.
#[derive(clap::Args)]
pub struct Asker {
    /// Who asks: a name that `kehai people` knows; needed once it knows anybody
    #[arg(id = "asker", long = "as", value_name = "NAME")]
    pub name: Option<String>,
    /// File with their password, mode 0600; else it is asked for, or read from standard input
    #[arg(long, value_name = "FILE", requires = "asker")]
    pub password_file: Option<PathBuf>,
    /// Their one-time code, where they have codes; else it is asked for, or read from standard input behind the password
    #[arg(long, value_name = "CODE", requires = "asker")]
    pub code: Option<String>,
}

impl Asker {
    /// Whom to write into the audit chain for this act: the person who may do it, or the user of the system where the box
    /// knows nobody yet.
    ///
    /// # Errors
    /// Exit 7: nobody was named, nobody was believed, or their role does not allow it. The audit chain tells it as `what`.
    pub fn leave(&self, vault: &Vault, act: Act, what: &'static str) -> Result<String, Failure> {
        if !vault.has_people()? {
            return match &self.name {
                None => Ok(who()),
                Some(name) => Err(refused(vault, (what, name), "this box knows nobody yet (kehai people add)")),
            };
        }
        let Some(name) = &self.name else {
            return Err(refused(
                vault,
                (what, &who()),
                "this box asks who does that: give --as NAME (kehai people list)",
            ));
        };
        let person = self.prove(vault, name)?;
        if may(Some(person.role), act) {
            return Ok(person.name);
        }
        let why = format!("{} is {}, and that role may not {}", person.name, person.role.name(), act.name());
        Err(refused(vault, (what, &person.name), &why))
    }

    /// Whether the asker is who they say.
    ///
    /// # Errors
    /// As [`prove`].
    pub fn prove(&self, vault: &Vault, name: &str) -> Result<Person, Failure> {
        prove(vault, name, self.password_file.as_deref(), self.code.as_deref())
    }
}

fn refused(vault: &Vault, (what, who): (&'static str, &str), why: &str) -> Failure {
    // Without room for the line it is refused all the same.
    let _ = vault.remember(&Deed::done(what).by(who).that_was("refused").about("why", why));
    Failure::new(NOT_ARMED, format!("refused: {why}"))
}

/// Whether somebody is who they say: their password, and a code where they have codes; without codes, to be at the box is the
/// second factor.
///
/// # Errors
/// Exit 7 where they are not believed, which the audit chain tells; exit 2 where no password can be read.
pub fn prove(vault: &Vault, name: &str, password_file: Option<&Path>, code: Option<&str>) -> Result<Person, Failure> {
    let word = password(&format!("password of {name}"), ("--password-file", password_file))?;
    let asked = match code {
        None if vault.standing(name)?.is_some_and(|there| there.has_totp) => {
            Some(line_of(&format!("code of {name}"), "--code CODE")?)
        }
        _ => None,
    };
    let code = code.or(asked.as_ref().map(|code| code.trim()));
    vault.prove(&Claim { name, password: &word, code, door: Door::Box }).map_err(|error| match error {
        ProofError::Store(error) => error.into(),
        error => Failure::new(NOT_ARMED, format!("refused: {name}: {error}")),
    })
}

/// A password: from its file, from a person who types it unseen, or from a line of standard input.
///
/// # Errors
/// Exit 2, with the option that would help.
pub fn password(prompt: &str, (flag, file): (&str, Option<&Path>)) -> Result<Zeroizing<String>, Failure> {
    match file {
        Some(path) => of_file(flag, path),
        None => line_of(prompt, &format!("{flag} FILE")),
    }
}

/// A line that a person types unseen, or of standard input; `option` is what else could be given.
fn line_of(prompt: &str, option: &str) -> Result<Zeroizing<String>, Failure> {
    let failed = |why: String| Failure::new(USAGE, format!("{prompt}: {why}"));
    if is_attended() {
        let typed = rpassword::prompt_password(format!("{prompt}: "));
        return typed.map(Zeroizing::new).map_err(|error| failed(format!("{error}; give {option}")));
    }
    let mut line = Zeroizing::new(String::with_capacity(LINE_BYTES_MAX));
    match std::io::stdin().lock().read_line(&mut line) {
        Ok(0) => Err(failed(format!("nobody is here to be asked; give {option}, or one line on standard input"))),
        Ok(_) => Ok(first_line(&line)),
        Err(error) => Err(failed(format!("{error}; give {option}"))),
    }
}

fn of_file(flag: &str, path: &Path) -> Result<Zeroizing<String>, Failure> {
    let failed = |why: String| Failure::new(USAGE, format!("{flag} {}: {why}", path.display()));
    let about = path.metadata().map_err(|error| failed(format!("{error}; name a file with one line")))?;
    if about.mode() & 0o077 != 0 {
        return Err(failed(format!("mode {:o} lets others read it; run `chmod 600` on it", about.mode() & 0o777)));
    }
    if about.len() > LINE_BYTES_MAX as u64 {
        return Err(failed(format!("{} bytes are no password; name a file with one line", about.len())));
    }
    let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    Ok(first_line(&Zeroizing::new(text)))
}

fn first_line(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.lines().next().unwrap_or_default().to_owned())
}

/// Longest line that may be a password, bytes.
const LINE_BYTES_MAX: usize = 1024;
