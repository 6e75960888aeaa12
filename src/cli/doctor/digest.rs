//! What is shown of a password: digests that are good for one question.
//!
//! In: [`Credentials`], and what the device wants. Out: a WS-Security header, or an HTTP `Authorization`. Invariant:
//! Basic, which would send the password itself, is never answered.
//! Source: OASIS WS-Security UsernameToken Profile 1.0, 3.1; RFC 7616 (MD5 and SHA-256, `qop=auth`), RFC 2617.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use zeroize::Zeroize;

use super::secret::Credentials;
use super::xml::escape;

/// The WS-Security header of one question, created at this time of the device (RFC 3339).
#[must_use]
pub fn username_token(credentials: &Credentials, created: &str, nonce: [u8; 16]) -> String {
    let mut sha1 = Sha1::new();
    sha1.update(nonce);
    sha1.update(created);
    sha1.update(credentials.reveal());
    let digest = STANDARD.encode(sha1.finalize());
    format!(
        "<wsse:Security s:mustUnderstand=\"1\" xmlns:wsse=\"{WSS}wssecurity-secext-1.0.xsd\" xmlns:wsu=\"{WSS}wssecurity-utility-1.0.xsd\">\
         <wsse:UsernameToken><wsse:Username>{}</wsse:Username>\
         <wsse:Password Type=\"{WSS}username-token-profile-1.0#PasswordDigest\">{digest}</wsse:Password>\
         <wsse:Nonce EncodingType=\"{WSS}soap-message-security-1.0#Base64Binary\">{}</wsse:Nonce>\
         <wsu:Created>{created}</wsu:Created></wsse:UsernameToken></wsse:Security>",
        escape(credentials.user()),
        STANDARD.encode(nonce)
    )
}

/// The `Authorization` that answers one of the challenges to a POST on `path`; `None` where none is a digest.
#[must_use]
pub fn authorization(credentials: &Credentials, challenges: &[String], path: &str, nonce: [u8; 16]) -> Option<String> {
    let digests: Vec<&str> = challenges.iter().filter_map(|challenge| strip_word(challenge, "Digest ")).collect();
    digests.iter().find_map(|challenge| answer(credentials, challenge, path, &hex(&nonce)))
}

fn answer(credentials: &Credentials, challenge: &str, path: &str, cnonce: &str) -> Option<String> {
    let field = |name: &str| field_of(challenge, name);
    let (realm, nonce) = (field("realm")?, field("nonce")?);
    let algorithm = field("algorithm").unwrap_or_else(|| "MD5".to_owned());
    let hash: fn(&str) -> String = match algorithm.to_ascii_uppercase().as_str() {
        "MD5" => |text| hex(&Md5::digest(text)),
        "SHA-256" => |text| hex(&Sha256::digest(text)),
        _ => return None,
    };
    let mut secret = format!("{}:{realm}:{}", credentials.user(), credentials.reveal());
    let who = hash(&secret);
    secret.zeroize();
    let what = hash(&format!("POST:{path}"));
    let offered = field("qop").unwrap_or_default();
    let (response, quality) = if offered.split(',').any(|quality| quality.trim() == "auth") {
        let response = hash(&format!("{who}:{nonce}:00000001:{cnonce}:auth:{what}"));
        (response, format!(", qop=auth, nc=00000001, cnonce=\"{cnonce}\""))
    } else if offered.is_empty() {
        (hash(&format!("{who}:{nonce}:{what}")), String::new())
    } else {
        return None;
    };
    let opaque = field("opaque").map(|opaque| format!(", opaque=\"{opaque}\"")).unwrap_or_default();
    let user = quoted(credentials.user())?;
    Some(format!(
        "Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{path}\", algorithm={algorithm}, response=\"{response}\"{quality}{opaque}"
    ))
}

/// The value of a field of a challenge; one that could break out of a header is none.
fn field_of(challenge: &str, name: &str) -> Option<String> {
    let mut rest = challenge;
    for _ in 0..FIELDS_MAX {
        let (key, behind) = rest.split_once('=')?;
        let (value, after) = match behind.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => behind.split_at(behind.find(',').unwrap_or(behind.len())),
        };
        if key.trim_matches([' ', ',']).eq_ignore_ascii_case(name) {
            return quoted(value.trim());
        }
        rest = after;
    }
    None
}

fn quoted(text: &str) -> Option<String> {
    let is_plain = text.len() <= FIELD_BYTES_MAX && !text.contains(|c: char| c.is_control() || c == '"' || c == '\\');
    is_plain.then(|| text.to_owned())
}

fn strip_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let start = text.get(..word.len())?;
    start.eq_ignore_ascii_case(word).then(|| &text[word.len()..])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

const WSS: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-";
/// Fields a challenge has at most.
const FIELDS_MAX: usize = 16;
const FIELD_BYTES_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cli::doctor::secret::Credentials;

    fn credentials(line: &str) -> Credentials {
        Credentials::of(line).expect("user and password")
    }

    #[test]
    fn the_username_token_is_the_one_of_the_onvif_guide() {
        // ONVIF Application Programmer's Guide 1.0, 6.1.1.3.
        let nonce = STANDARD.decode("LKqI6G/AikKCQrN0zqZFlg==").expect("base64").try_into().expect("16 bytes");
        let token = username_token(&credentials("user:userpassword"), "2010-09-16T07:50:45Z", nonce);
        assert!(token.contains(">tuOSpGlFlIXsozq4HFNeeGeFLEI=<"), "{token}");
        assert!(!token.contains("userpassword"));
    }

    #[test]
    fn the_http_digest_is_the_one_of_the_rfc() {
        let said = answer(
            &credentials("Mufasa:Circle Of Life"),
            "realm=\"testrealm@host.com\", qop=\"auth,auth-int\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", opaque=\"5ccc\"",
            "/dir/index.html",
            "0a4f113b",
        )
        .expect("an answer");
        // RFC 2617, 3.5, with POST in place of GET: computed with another MD5 (Python's hashlib), which gives the RFC's own answer for GET.
        assert!(said.contains("nc=00000001") && said.contains("opaque=\"5ccc\""), "{said}");
        assert!(said.contains("response=\"440c5a7b9ed304fecd2ddd39c9c7b726\""), "{said}");
    }

    #[test]
    fn basic_is_never_answered_and_a_better_challenge_is_found() {
        let with = |challenges: &[&str]| {
            let challenges: Vec<String> = challenges.iter().map(|text| (*text).to_owned()).collect();
            authorization(&credentials("admin:a"), &challenges, "/x", [7; 16])
        };
        assert_eq!(with(&["Basic realm=\"x\""]), None);
        assert_eq!(with(&["Digest realm=\"x\", nonce=\"y\", algorithm=MD5-sess"]), None);
        assert!(with(&["Basic realm=\"x\"", "digest realm=\"x\", nonce=\"y\""]).is_some());
    }

    proptest! {
        #[test]
        fn a_challenge_of_garbage_breaks_no_header(garbage in ".{0,200}") {
            let challenge = format!("Digest realm=\"x\", nonce=\"y\", {garbage}");
            let said = authorization(&credentials("admin:a"), &[challenge, garbage], "/x", [7; 16]);
            prop_assert!(said.is_none_or(|said| !said.contains(char::is_control)));
        }
    }
}
