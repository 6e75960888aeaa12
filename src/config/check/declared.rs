//! The check of what a shop declares: whether what is written can be what it says it is. What is not written is no fault here:
//! a recording can be replayed without it, and arming names it ([`Declared::missing`]).
//!
//! In: `[notice]`, `[purposes]`, `[[recipient]]`, `[switch]`, raw. Out: [`Declared`] and the hash of the file.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{Check, quoted};
use crate::config::CameraSource;
use crate::config::declared::{Change, Declared, Desk, Language, LegalBasis, Metric, Party, Recipient, Region, Words};
use crate::config::site::RawVault;

/// What is declared, as it is written.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct RawNotice {
    languages: Vec<Language>,
    controllers: Vec<Party>,
    processors: Vec<Party>,
    legal_basis: Option<LegalBasis>,
    interest: Option<Words>,
    desk: Option<Desk>,
    authority: Option<Words>,
    objection: Option<Words>,
    policy_url: Option<String>,
    region: Option<Region>,
    changes: Vec<Change>,
}

impl RawNotice {
    pub(in crate::config) fn region(&self) -> Option<Region> {
        self.region
    }
}

/// When and how cameras are watched, as it is written.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct RawSwitch {
    sole_operator: bool,
    pub(in crate::config) hours: Option<String>,
}

/// All of it.
pub(in crate::config) struct RawDeclared<'a> {
    pub(in crate::config) notice: Option<RawNotice>,
    pub(in crate::config) purposes: BTreeMap<Metric, Words>,
    pub(in crate::config) recipients: Vec<Recipient>,
    pub(in crate::config) switch: RawSwitch,
    pub(in crate::config) vault: &'a RawVault,
}

impl Check {
    pub(in crate::config) fn declared(&mut self, raw: RawDeclared) -> Declared {
        let notice = raw.notice.unwrap_or_default();
        self.parties("notice.controllers", &notice.controllers);
        self.parties("notice.processors", &notice.processors);
        if let Some(desk) = &notice.desk {
            self.desk(desk);
        }
        if let Some(url) = notice.policy_url.as_ref().filter(|url| !is_page(url)) {
            self.refuse(
                "notice.policy_url",
                quoted(url),
                "write the address the QR code leads to: https://… (http:// only of this machine), 200 characters at most",
            );
        }
        for change in &notice.changes {
            if change.date.parse::<jiff::civil::Date>().is_err() {
                self.refuse("notice.changes.date", quoted(&change.date), "write a date, for example \"2026-11-27\"");
            }
        }
        for recipient in &raw.recipients {
            self.recipient(recipient);
        }
        self.texts(&notice, &raw.purposes);
        let known: BTreeSet<Language> = notice.languages.iter().copied().collect();
        if known.len() != notice.languages.len() {
            self.refuse("notice.languages", format!("{:?}", notice.languages), "name each language once");
        }
        Declared {
            languages: notice.languages,
            controllers: notice.controllers,
            processors: notice.processors,
            legal_basis: notice.legal_basis,
            interest: notice.interest,
            desk: notice.desk,
            authority: notice.authority,
            objection: notice.objection,
            policy_url: notice.policy_url,
            purposes: raw.purposes,
            recipients: raw.recipients,
            region: notice.region,
            is_sole_operator: raw.switch.sole_operator,
            keep_days: raw.vault.keep_days,
            changes: notice.changes,
        }
    }

    fn parties(&mut self, key: &str, parties: &[Party]) {
        for party in parties {
            for (part, text) in [("name", &party.name), ("address", &party.address), ("contact", &party.contact)] {
                self.text(&format!("{key}.{part}"), text);
            }
        }
    }

    fn desk(&mut self, desk: &Desk) {
        if desk.phone.is_none() && desk.email.is_none() {
            self.refuse("notice.desk", "neither phone nor email", "write one by which the desk can be reached");
        }
        if let Some(email) = desk.email.as_ref().filter(|email| !is_address(email)) {
            self.refuse("notice.desk.email", quoted(email), "write an address as desk@shop.example");
        }
        let is_number = |phone: &&String| {
            phone.chars().filter(char::is_ascii_digit).count() >= 3
                && phone.chars().all(|c| c.is_ascii_digit() || "+-() ".contains(c))
        };
        if let Some(phone) = desk.phone.as_ref().filter(|phone| !is_number(phone)) {
            self.refuse("notice.desk.phone", quoted(phone), "write a number as +81 3-1234-5678");
        }
        if let Some(hours) = &desk.hours {
            self.text("notice.desk.hours", hours);
        }
    }

    fn recipient(&mut self, recipient: &Recipient) {
        self.text("recipient.name", &recipient.name);
        if recipient.host.is_empty() || recipient.host.contains(['/', ' ']) {
            self.refuse("recipient.host", quoted(&recipient.host), "write the host as in broker.url, without port");
        }
        if recipient.country.len() != 2 || !recipient.country.bytes().all(|byte| byte.is_ascii_uppercase()) {
            self.refuse("recipient.country", quoted(&recipient.country), "write two letters as \"JP\" (ISO 3166-1)");
        }
    }

    fn texts(&mut self, notice: &RawNotice, purposes: &BTreeMap<Metric, Words>) {
        let of_notice = [
            ("notice.interest", &notice.interest),
            ("notice.authority", &notice.authority),
            ("notice.objection", &notice.objection),
        ];
        for (key, words) in of_notice.into_iter().filter_map(|(key, words)| Some((key, words.as_ref()?))) {
            self.words(key, words);
        }
        for (metric, words) in purposes {
            self.words(&format!("purposes.{}", metric.name()), words);
        }
    }

    fn words(&mut self, key: &str, words: &Words) {
        for (language, text) in [("ja", &words.ja), ("en", &words.en)] {
            if let Some(text) = text {
                self.text(&format!("{key}.{language}"), text);
            }
        }
    }

    /// A text for people: there, on one line, and short enough for a sign.
    fn text(&mut self, key: &str, text: &str) {
        let chars = text.chars().count();
        if text.trim().is_empty() || chars > TEXT_CHARS_MAX || text.chars().any(char::is_control) {
            self.refuse(
                key,
                format!("{chars} characters"),
                format!("write 1 to {TEXT_CHARS_MAX} characters on one line"),
            );
        }
    }
}

fn is_page(url: &str) -> bool {
    let is_plain = url.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\".contains(&byte));
    let is_there = |rest: &str| !rest.is_empty() && !rest.starts_with('/');
    let is_safe = url.strip_prefix("https://").is_some_and(is_there);
    // Without encryption whoever sits in between can change what is read, unless there is nobody in between.
    let is_here = url.strip_prefix("http://").is_some_and(is_loopback);
    is_plain && url.len() <= URL_CHARS_MAX && (is_safe || is_here)
}

/// Whether what follows `http://` begins with a host that is this machine.
fn is_loopback(rest: &str) -> bool {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        Some((host, port)) if port.is_empty() || port.starts_with(':') => host,
        Some(_) => return false,
        None => authority.split(':').next().unwrap_or_default(),
    };
    if authority.contains('@') {
        return false; // what stands before it is a name, and no host
    }
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn is_address(email: &str) -> bool {
    let parts =
        email.split_once('@').filter(|(name, host)| !name.is_empty() && host.contains('.') && !host.contains('@'));
    parts.is_some() && email.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Hash of everything a site file says, whatever its order and comments: passwords of cameras are left out, so that it tells
/// nothing of them.
pub(in crate::config) fn hash_of(text: &str) -> Option<String> {
    let mut table: toml::Table = toml::from_str(text).ok()?;
    table.get("notice")?;
    for camera in table.get_mut("camera").and_then(toml::Value::as_array_mut).into_iter().flatten() {
        if let Some(toml::Value::String(url)) = camera.get_mut("url") {
            *url = CameraSource::new(std::mem::take(url)).without_credentials();
        }
    }
    let canonical = serde_json::to_vec(&table).ok()?;
    Some(Sha256::digest(&canonical).iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Longest text: what fits a sign that is read while walking by.
const TEXT_CHARS_MAX: usize = 300;
/// Longest address a QR code carries on a sign that is read from two metres.
const URL_CHARS_MAX: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_read_over_https_or_on_this_machine() {
        for good in ["https://shop.example/a", "http://127.0.0.1:8080/notice", "http://localhost/", "http://[::1]:80/a"]
        {
            assert!(is_page(good), "{good}");
        }
        for bad in [
            "http://shop.example/a",
            "http://10.0.0.5:8080/notice",
            "http://127.0.0.1@shop.example/",
            "http://127.0.0.1:80@shop.example/",
            "http://localhost.shop.example/",
            "http://[::1]shop.example/",
            "http://",
            "https:///a",
            "shop.example",
        ] {
            assert!(!is_page(bad), "{bad}");
        }
    }

    #[test]
    fn the_hash_sees_every_value_and_neither_order_nor_comments_nor_passwords() {
        let site =
            "[notice]\nregion = \"jp\"\n[store]\nname = \"a\"\n[[camera]]\nurl = \"rtsp://u:secret@10.0.0.1/a\"\n";
        let same = "# other\n[store]\nname = \"a\"\n[notice]\nregion = \"jp\"\n[[camera]]\nurl = \"rtsp://u:other@10.0.0.1/a\"\n";
        assert!(hash_of(site).is_some());
        assert_eq!(hash_of(site), hash_of(same));
        for (from, to) in
            [("jp", "eu"), ("10.0.0.1", "10.0.0.2"), ("\"a\"", "\"b\""), ("@10.0.0.1", "@10.0.0.9/x@10.0.0.1")]
        {
            assert_ne!(hash_of(site), hash_of(&site.replace(from, to)), "{from} to {to}");
        }
        assert_eq!(hash_of("[store]\nname = \"a\"\n"), None, "nothing is declared");
    }
}
