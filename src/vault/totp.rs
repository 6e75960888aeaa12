//! Codes of the second factor: six digits that hold for half a minute and are good once.
//!
//! In: a secret of twenty bytes, a moment. Out: the codes of that moment, and which step a given code is of. Invariant: a code
//! of a step that was used, or of an earlier one, is of no step.
//! Source: RFC 6238 and RFC 4226 (HMAC-SHA-1, 30 s, 6 digits), RFC 4648 (base 32).

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use zeroize::Zeroizing;

/// The secret of somebody's codes.
pub struct TotpSecret(Zeroizing<[u8; SECRET_BYTES]>);

impl TotpSecret {
    /// A new one; none where the system has no randomness.
    #[must_use]
    pub fn new() -> Option<Self> {
        let mut bytes = Zeroizing::new([0; SECRET_BYTES]);
        getrandom::fill(&mut *bytes).ok()?;
        Some(Self(bytes))
    }

    /// As it is kept in the store.
    pub(super) fn of_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self(Zeroizing::new(bytes.try_into().ok()?)))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &*self.0
    }

    /// As it is typed into an application, once: base 32.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let digits = self.0.chunks(5).flat_map(|chunk| {
            let bits = chunk.iter().fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
            (0..8).map(move |place| BASE32[(bits >> (35 - 5 * place) & 31) as usize] as char)
        });
        Zeroizing::new(digits.collect())
    }

    /// As an application reads it from a QR code.
    #[must_use]
    pub fn to_uri(&self, name: &str) -> Zeroizing<String> {
        Zeroizing::new(format!("otpauth://totp/Kehai:{name}?secret={}&issuer=Kehai", *self.to_text()))
    }

    /// The code of a step of half a minute.
    #[must_use]
    pub fn code_of(&self, step: u64) -> String {
        let mut mac = Hmac::<Sha1>::new_from_slice(&*self.0).expect("keys of any length");
        mac.update(&step.to_be_bytes());
        let sum = mac.finalize().into_bytes();
        let at = usize::from(sum[sum.len() - 1] & 15);
        let word = u32::from_be_bytes([sum[at], sum[at + 1], sum[at + 2], sum[at + 3]]) & 0x7fff_ffff;
        format!("{:06}", word % 1_000_000)
    }

    /// The step a code is of, where it holds at this moment (s since 1970; one step early or late) and comes after `used`.
    pub(super) fn step_of(&self, code: &str, now_s: i64, used: u64) -> Option<u64> {
        let now = step_at(now_s);
        (now.saturating_sub(1)..=now + 1).filter(|step| *step > used).find(|step| self.code_of(*step) == code)
    }
}

/// The step of a moment, s since 1970.
#[must_use]
pub fn step_at(now_s: i64) -> u64 {
    now_s.div_euclid(STEP_S).try_into().unwrap_or(0)
}

/// Length of a secret, as RFC 4226 recommends.
const SECRET_BYTES: usize = 20;
/// Length of a step, s.
const STEP_S: i64 = 30;
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

#[cfg(test)]
mod tests {
    use super::*;

    fn of_rfc() -> TotpSecret {
        TotpSecret::of_bytes(b"12345678901234567890").expect("twenty bytes")
    }

    #[test]
    fn the_codes_are_those_of_the_rfc() {
        // RFC 6238, appendix B, the last six of eight digits.
        for (at_s, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")]
        {
            assert_eq!(of_rfc().code_of(step_at(at_s)), code);
        }
        assert_eq!(*of_rfc().to_text(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    }

    #[test]
    fn a_code_is_good_once_and_for_a_minute_and_a_half_at_most() {
        let secret = of_rfc();
        let code = secret.code_of(step_at(3000));
        assert_eq!(secret.step_of(&code, 3000, 0), Some(100));
        assert_eq!(secret.step_of(&code, 3030, 0), Some(100), "clocks differ");
        assert_eq!(secret.step_of(&code, 3060, 0), None, "too late");
        assert_eq!(secret.step_of(&code, 3000, 100), None, "it was used");
    }
}
