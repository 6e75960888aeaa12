//! Passwords: what is kept of one, and whether another is the same.
//!
//! In: a name and a password. Out: its argon2id hash as a PHC string, a verdict. Invariants: a password is kept, printed and
//! compared nowhere else and wiped when dropped; whoever asks for a name nobody has waits as long as for one that is known.
//! Source: OWASP Password Storage Cheat Sheet (argon2id, 19 MiB, two passes, one lane); NIST SP 800-63B, section 5.1.1.

use std::sync::{Mutex, PoisonError};

use argon2::password_hash::phc::{Output, PasswordHash};
use argon2::{Algorithm, Argon2, Block, Params, PasswordHasher, Version};
use zeroize::{Zeroize, Zeroizing};

/// A password that is good enough for somebody of a certain name.
pub struct Password(Zeroizing<String>);

/// Why a password is not good enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Weak {
    /// Too short.
    #[error("a password has at least {PASSWORD_CHARS_MIN} characters; four words nobody would guess will do")]
    Short,
    /// Too long to be looked at.
    #[error("a password has at most {PASSWORD_BYTES_MAX} bytes")]
    Long,
    /// The name, or one that holds little else.
    #[error("the password is made of the name; choose four words nobody would guess")]
    Name,
    /// The same few characters over and over.
    #[error("the password repeats too few characters; choose four words nobody would guess")]
    Plain,
}

impl Password {
    /// A password for somebody of this name.
    ///
    /// # Errors
    /// [`Weak`].
    pub fn of(name: &str, text: &str) -> Result<Self, Weak> {
        let rest = text.to_lowercase().replace(&name.to_lowercase(), "");
        let mut different: Vec<char> = text.chars().collect();
        different.sort_unstable();
        different.dedup();
        match text.chars().count() {
            _ if text.len() > PASSWORD_BYTES_MAX => Err(Weak::Long),
            chars if chars < PASSWORD_CHARS_MIN => Err(Weak::Short),
            chars if rest.chars().count() < chars && rest.chars().count() < NAME_REST_CHARS_MIN => Err(Weak::Name),
            _ if different.len() < DIFFERENT_CHARS_MIN => Err(Weak::Plain),
            _ => Ok(Self(Zeroizing::new(text.to_owned()))),
        }
    }

    /// What is kept of it: a PHC string with a salt of its own; none where the system has no randomness.
    pub(super) fn hashed(&self) -> Option<String> {
        let mut salt = [0; SALT_BYTES];
        getrandom::fill(&mut salt).ok()?;
        Some(hash_of(self.0.as_bytes(), &salt))
    }
}

/// A key of 256 bits from a passphrase, for what leaves the box and may be tried for ever; none where memory is short.
/// Source: argon2id, RFC 9106, second recommended option with one lane: 64 MiB, three passes.
pub(super) fn stretched(passphrase: &[u8], salt: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let mut key = Zeroizing::new([0; 32]);
    let params = Params::new(64 << 10, 3, 1, Some(key.len())).ok()?;
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon.hash_password_into(passphrase, salt, &mut *key).ok()?;
    Some(key)
}

/// Whether this is the password that was hashed; where nobody is known it takes as long and is not.
pub(super) fn is_right(given: &str, hash: Option<&str>) -> bool {
    let kept = PasswordHash::new(hash.unwrap_or(NOBODY));
    let given = &given.as_bytes()[..given.len().min(PASSWORD_BYTES_MAX + 1)];
    let is_it = kept.is_ok_and(|kept| is_of(given, &kept).unwrap_or(false));
    is_it && hash.is_some()
}

/// Whether a hash is of this password, worked out in the one room there is: threads that each had a room of their own would each
/// keep it.
fn is_of(given: &[u8], kept: &PasswordHash) -> Option<bool> {
    let (salt, expected) = (kept.salt.as_ref()?, kept.hash.as_ref()?);
    let params = Params::try_from(kept).ok()?;
    let mut found = Zeroizing::new(vec![0; expected.as_bytes().len()]);
    let mut room = ROOM.lock().unwrap_or_else(PoisonError::into_inner);
    room.resize(params.block_count(), Block::new());
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let worked_out = argon.hash_password_into_with_memory(given, salt.as_ref(), &mut found, &mut room[..]);
    room.iter_mut().for_each(Zeroize::zeroize);
    worked_out.ok()?;
    // Compared in a time that does not tell how far they agree.
    Some(Output::new(&found).ok()? == *expected)
}

fn hash_of(password: &[u8], salt: &[u8; SALT_BYTES]) -> String {
    hasher().hash_password_with_salt(password, salt).expect("the figures are allowed").to_string()
}

fn hasher() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("the figures are allowed");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// Where passwords are worked out, one at a time; wiped after each.
static ROOM: Mutex<Vec<Block>> = Mutex::new(Vec::new());
/// Fewest characters of a password.
pub const PASSWORD_CHARS_MIN: usize = 12;
/// Longest password, bytes.
pub const PASSWORD_BYTES_MAX: usize = 256;
/// What must be left of a password that holds the name.
const NAME_REST_CHARS_MIN: usize = 8;
const DIFFERENT_CHARS_MIN: usize = 5;
/// OWASP's second choice of figures; each is as strong as the others.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const SALT_BYTES: usize = 16;
/// What the password of a name nobody has is held against: as costly as any, and met by nothing.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_by_its_hash_alone_and_nobody_has_none() {
        let hash = Password::of("hana", "four words nobody knows").ok().and_then(|word| word.hashed()).expect("good");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(is_right("four words nobody knows", Some(&hash)));
        assert!(!is_right("four words nobody know", Some(&hash)) && !is_right("four words nobody knows", None));
    }

    #[test]
    fn what_stands_for_nobody_costs_what_everybody_costs() {
        let params = |hash: &str| PasswordHash::new(hash).expect("a hash").params.to_string();
        let hash = Password::of("hana", "four words nobody knows").ok().and_then(|word| word.hashed()).expect("good");
        assert_eq!(params(NOBODY), params(&hash));
        assert_eq!(is_of(b"", &PasswordHash::new(NOBODY).expect("a hash")), Some(false));
    }

    #[test]
    fn two_of_the_same_are_kept_differently() {
        let hashed =
            || Password::of("hana", "four words nobody knows").ok().and_then(|word| word.hashed()).expect("good");
        assert_ne!(hashed(), hashed());
    }

    #[test]
    fn what_is_easily_guessed_is_refused() {
        let weak = |text: &str| Password::of("hana-owner", text).err();
        assert_eq!(weak("short"), Some(Weak::Short));
        assert_eq!(weak("HANA-OWNER2026"), Some(Weak::Name));
        assert_eq!(weak("abababababababab"), Some(Weak::Plain));
        assert_eq!(weak(&"long words ".repeat(40)), Some(Weak::Long));
        assert_eq!(weak("四つのことばを並べて作る合い言葉"), None);
    }
}
