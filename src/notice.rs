//! What is said openly: the sign at the door, the policy behind its QR code, short texts, all made from what runs.
//!
//! In: a checked site ([`crate::config::site::Site`]) and the newest self-test. Out: documents. Invariants: nothing is claimed
//! that the self-test of these programs and this declaration has not proved ([`claims`]); the id of a sign follows from the
//! declaration and the wording alone, so that another declaration needs another sign.

pub mod claims;
pub mod paper;
pub mod promises;

use sha2::{Digest, Sha256};

/// Id of the sign that belongs to a declaration: eight characters of Crockford's base 32, "XXXX-XXXX".
///
/// `declaration` is `settings.declaration`. Two signs of the same declaration and wording have the same id.
#[must_use]
pub fn sign_id(declaration: &str) -> String {
    let text = format!("kehai sign v1{declaration}\0{WORDING_VERSION}");
    let bits = Sha256::digest(text.as_bytes()).iter().take(5).fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
    let chars: String = (0..8).rev().map(|place| char::from(CROCKFORD[(bits >> (5 * place) & 31) as usize])).collect();
    format!("{}-{}", &chars[..4], &chars[4..])
}

/// Version of the words that stand on every sign; another one makes another sign id.
pub const WORDING_VERSION: &str = "1";
const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_id_follows_from_the_declaration_and_can_be_read_aloud() {
        let id = sign_id("ab");
        assert_eq!(id, sign_id("ab"));
        assert_ne!(id, sign_id("ac"));
        assert_eq!((id.len(), id.as_bytes()[4]), (9, b'-'));
        assert!(id.bytes().all(|byte| byte == b'-' || CROCKFORD.contains(&byte)), "{id}");
        // The first five bytes of SHA-256("kehai sign v1ab\0" "1") are b6d1c71bfd.
        assert_eq!(id, "PV8W-E6ZX");
    }
}
