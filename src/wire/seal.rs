//! Signatures: what a node says is its own, byte for byte, and anybody can tell.
//!
//! In: a JSON object as bytes. Out: the same bytes with a last member `"sig":"ed25519:…"`, over exactly those before it was
//! added. Invariant: a body is sealed once, and not one byte of it can change unnoticed.
//! Source: RFC 8032 (Ed25519); verification is the strict one, which takes no weak keys.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

/// The key a node signs with. It cannot be printed, copied or read back.
pub struct Signer {
    key: SigningKey,
}

/// The key by which anybody tells what a node has signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

/// Why a body is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// It has no signature at its end.
    #[error("it is not signed: no \"sig\" at its end")]
    Unsigned,
    /// The signature is not one.
    #[error("its signature cannot be read")]
    Unreadable,
    /// The signature is that of other bytes or of another key.
    #[error("its signature does not fit: it was changed, or somebody else signed it")]
    Broken,
}

impl Signer {
    /// From 32 secret bytes.
    #[must_use]
    pub fn new(seed: &[u8; 32]) -> Self {
        Self { key: SigningKey::from_bytes(seed) }
    }

    /// The key of every replay. It is everybody's: the same recording gives the same bytes, and such a signature shows that
    /// nothing was damaged on the way, not who made it.
    #[must_use]
    pub fn of_replays() -> Self {
        Self::new(REPLAY_SEED)
    }

    /// The key that tells its signatures.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.key.verifying_key())
    }

    /// A JSON object with its signature as the last member.
    #[must_use]
    pub fn seal(&self, mut body: Vec<u8>) -> Vec<u8> {
        let signature = self.key.sign(&body);
        let closing = body.pop();
        debug_assert_eq!(closing, Some(b'}'), "only objects are sealed");
        body.extend_from_slice(OPENING.as_bytes());
        body.extend_from_slice(STANDARD.encode(signature.to_bytes()).as_bytes());
        body.extend_from_slice(CLOSING.as_bytes());
        body
    }
}

impl PublicKey {
    /// Whether a body is exactly what the holder of the key signed.
    ///
    /// # Errors
    /// Why it is not.
    pub fn verify(&self, body: &[u8]) -> Result<(), SealError> {
        let (signed, signature) = parts(body)?;
        self.0.verify_strict(&signed, &signature).map_err(|_| SealError::Broken)
    }
}

impl std::fmt::Display for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{ALGORITHM}{}", STANDARD.encode(self.0.as_bytes()))
    }
}

impl std::str::FromStr for PublicKey {
    type Err = SealError;

    fn from_str(text: &str) -> Result<Self, SealError> {
        let bytes = text.strip_prefix(ALGORITHM).and_then(|text| STANDARD.decode(text).ok());
        let bytes = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()).ok_or(SealError::Unreadable)?;
        VerifyingKey::from_bytes(&bytes).map(Self).map_err(|_| SealError::Unreadable)
    }
}

/// What was signed, and the signature.
fn parts(body: &[u8]) -> Result<(Vec<u8>, Signature), SealError> {
    let at = body.len().checked_sub(TAIL_BYTES).ok_or(SealError::Unsigned)?;
    let tail = body[at..].strip_prefix(OPENING.as_bytes()).and_then(|tail| tail.strip_suffix(CLOSING.as_bytes()));
    let signature = STANDARD.decode(tail.ok_or(SealError::Unsigned)?).map_err(|_| SealError::Unreadable)?;
    let signature = Signature::from_slice(&signature).map_err(|_| SealError::Unreadable)?;
    Ok((body[..at].iter().copied().chain(*b"}").collect(), signature))
}

const ALGORITHM: &str = "ed25519:";
const OPENING: &str = ",\"sig\":\"ed25519:";
const CLOSING: &str = "\"}";
/// 64 bytes as base64.
const SIGNATURE_CHARS: usize = 88;
const TAIL_BYTES: usize = OPENING.len() + SIGNATURE_CHARS + CLOSING.len();
const REPLAY_SEED: &[u8; 32] = b"kehai replay: everybody's key   ";

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_sealed_body_is_still_json_and_its_signature_stands_last() {
        let sealed = Signer::of_replays().seal(br#"{"v":1,"d":{"in":3}}"#.to_vec());
        let value: serde_json::Value = serde_json::from_slice(&sealed).expect("json");
        assert_eq!(value["d"]["in"], 3);
        assert!(value["sig"].as_str().is_some_and(|sig| sig.starts_with(ALGORITHM)));
        assert_eq!(Signer::of_replays().public().verify(&sealed), Ok(()));
    }

    #[test]
    fn an_unsigned_body_and_another_key_are_told_apart() {
        let key = Signer::of_replays().public();
        assert_eq!(key.verify(br#"{"v":1}"#), Err(SealError::Unsigned));
        assert_eq!(key.verify(&Signer::new(&[7; 32]).seal(br#"{"v":1}"#.to_vec())), Err(SealError::Broken));
    }

    #[test]
    fn a_public_key_is_read_back_from_what_is_printed() {
        let key = Signer::new(&[9; 32]).public();
        assert_eq!(key.to_string().parse(), Ok(key));
        assert_eq!("ed25519:AAAA".parse::<PublicKey>(), Err(SealError::Unreadable));
    }

    proptest! {
        #[test]
        fn no_byte_can_change_unnoticed(at in any::<prop::sample::Index>(), flip in 1u8..=255) {
            let signer = Signer::new(&[3; 32]);
            let mut sealed = signer.seal(br#"{"v":1,"k":"line","id":"door","d":{"in":12,"out":9}}"#.to_vec());
            let at = at.index(sealed.len());
            sealed[at] ^= flip;
            prop_assert!(signer.public().verify(&sealed).is_err());
        }
    }
}
