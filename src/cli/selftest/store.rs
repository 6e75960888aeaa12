//! Of the self-test: what is kept, whether it is encrypted, signed, young enough and of enough people, and the chain of deeds.
//!
//! In: the store of a site. Out: proofs. Invariant: every window that is held was looked at; no figure stands in a proof.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::judged;
use crate::cli::Failure;
use crate::clock::{UtcMs, utc_now};
use crate::config::KEEP_DAYS_MAX;
use crate::config::declared::K_MIN;
use crate::config::declared::Metric;
use crate::config::site::Site;
use crate::notice::claims::Claim;
use crate::vault::{Judge, KeySource, Vault};
use crate::wire::compose::rfc3339;
use crate::wire::payload::selftest::Proof;
use crate::wire::record::budget::Budget;
use crate::wire::schema::inventory::fields;
use crate::wire::seal::PublicKey;

pub(super) fn proofs(site: &Site, vault: &Vault) -> Result<Vec<Proof>, Failure> {
    let status = vault.status()?;
    let held = Held::of(vault, status.span_s)?;
    let k = site.settings.gate.k;
    let per_hour = Budget::of(&site.settings).bytes_per_hour();
    let probe = vault.seal(br#"{"k":"probe"}"#.to_vec());
    let signs = vault.public_key().verify(&probe).map_err(|error| format!("a probe is not signed: {error}"));
    Ok(vec![
        judged(Claim::AggregatesOnly.id(), held.totals().map(|told| {
            format!("{told}; the process that sees images may tell {per_hour} bytes an hour, in records of whole numbers")
        })),
        judged(Claim::Signed.id(), signs.and_then(|()| held.signatures())),
        judged(Claim::KPeople.id(), held.people(k)),
        judged("privacy-state", held.states()),
        judged(Claim::KeptAtMost.id(), young(site, status.span_s)),
        judged(Claim::Encrypted.id(), encrypted(site, vault)?),
        judged("audit-chain", chain(vault)?),
        judged("clock", clock(vault)?),
    ])
}

/// What is wrong with the windows that are held, counted.
#[derive(Default)]
pub(super) struct Held {
    windows: u64,
    unsigned: u64,
    /// Fields of each kind, by the schema.
    known: BTreeMap<String, BTreeSet<String>>,
    /// Those that hold anything but totals.
    strange: u64,
    /// Those that do not say how far figures are withheld.
    stateless: u64,
    k_least: Option<u64>,
}

impl Held {
    pub(super) fn new() -> Self {
        let mut known: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for field in fields() {
            known.entry(field.message).or_default().insert(field.path);
        }
        Self { known, ..Self::default() }
    }

    /// Looks at every window, a day at a time.
    fn of(vault: &Vault, span_s: Option<[i64; 2]>) -> Result<Self, Failure> {
        let (mut held, key) = (Self::new(), vault.public_key());
        let Some([from_s, to_s]) = span_s else { return Ok(held) };
        let mut day_s = from_s;
        while day_s <= to_s {
            for body in vault.windows(day_s, day_s + DAY_S)? {
                held.look(&body, &key);
            }
            day_s += DAY_S;
        }
        Ok(held)
    }

    pub(super) fn look(&mut self, body: &[u8], key: &PublicKey) {
        self.windows += 1;
        self.unsigned += u64::from(key.verify(body).is_err());
        let value: Value = serde_json::from_slice(body).unwrap_or_default();
        let kind = Metric::ALL.iter().find(|metric| value["k"] == metric.name());
        let known = kind.and_then(|metric| self.known.get(metric.name()));
        self.strange += u64::from(!known.is_some_and(|known| knows(known, &value, "")));
        let privacy = &value["privacy"];
        let k = privacy["k"].as_u64();
        self.stateless += u64::from(k.is_none() || !privacy["profile"].is_string());
        self.k_least = [self.k_least, k].into_iter().flatten().min();
    }

    pub(super) fn totals(&self) -> Result<String, String> {
        match self.strange {
            0 if self.windows == 0 => Ok(NONE_YET.to_owned()),
            0 => Ok(format!("{} windows are held, and nothing but totals in them", self.windows)),
            strange => Err(format!("{strange} of {} windows hold something else than totals", self.windows)),
        }
    }

    pub(super) fn signatures(&self) -> Result<String, String> {
        match self.unsigned {
            0 if self.windows == 0 => Ok(format!("{NONE_YET}; a probe carries this box's signature")),
            0 => Ok(format!("{} windows are held, each with this box's signature, and so is a probe", self.windows)),
            unsigned => Err(format!("{unsigned} of {} windows do not fit their signature", self.windows)),
        }
    }

    pub(super) fn states(&self) -> Result<String, String> {
        match self.stateless {
            0 if self.windows == 0 => Ok(NONE_YET.to_owned()),
            0 => Ok(format!("{} windows are held, each with its privacy profile and k", self.windows)),
            without => Err(format!("{without} of {} windows do not say their privacy state", self.windows)),
        }
    }

    fn people(&self, k: u32) -> Result<String, String> {
        match self.k_least {
            Some(least) if least < u64::from(K_MIN) => Err(format!("a window was released with k = {least}")),
            Some(least) => Ok(format!("k = {k}; no window that is held was released with less than {least}")),
            None => Ok(format!("k = {k}; {NONE_YET}")),
        }
    }
}

/// Whether each field of a value, and of what is in it, is one of these.
fn knows(known: &BTreeSet<String>, value: &Value, prefix: &str) -> bool {
    value.as_object().is_some_and(|members| {
        members.iter().all(|(name, inner)| {
            let path = format!("{prefix}{name}");
            let is_known_within = match inner {
                Value::Object(_) => knows(known, inner, &format!("{path}.")),
                Value::Array(all) => {
                    all.iter().filter(|one| one.is_object()).all(|one| knows(known, one, &format!("{path}[].")))
                }
                _ => true,
            };
            is_known_within && known.contains(&path)
        })
    })
}

/// That nothing is older than it may be, with the day that is cleared up at once a day.
fn young(site: &Site, span_s: Option<[i64; 2]>) -> Result<String, String> {
    let days = site.outlets.keeping.days;
    if days > KEEP_DAYS_MAX {
        return Err(format!("vault.keep_days = {days}, {KEEP_DAYS_MAX} at most"));
    }
    let Some([oldest_s, _]) = span_s else { return Ok(format!("{days} days at most; {NONE_YET}")) };
    let (now_s, since) = (utc_now().0.div_euclid(1000), rfc3339(UtcMs(oldest_s * 1000)));
    let is_young = oldest_s >= now_s - (i64::from(days) + 1) * DAY_S;
    let told = format!("{days} days at most; the oldest window that is held began {since}");
    if is_young { Ok(told) } else { Err(told) }
}

/// That the file is no plain database, and what its key is worth.
fn encrypted(site: &Site, vault: &Vault) -> Result<Result<String, String>, Failure> {
    let first = vault.first_bytes(LOOKED_AT)?;
    if first.starts_with(PLAIN) {
        return Ok(Err("the store begins like a plain database".to_owned()));
    }
    let mut different = [false; 256];
    first.iter().for_each(|byte| different[usize::from(*byte)] = true);
    let count = different.iter().filter(|seen| **seen).count();
    if first.len() == LOOKED_AT && count < DIFFERENT_MIN {
        return Ok(Err(format!("the first {LOOKED_AT} bytes of the store hold only {count} different ones")));
    }
    let worth = match KeySource::of(&crate::cli::state::state_folder(&site.outlets)?) {
        KeySource::Credential(_) => "its key is a credential of the service",
        KeySource::File(_) => "its key lies in a file on the same disk, which does not protect a stolen box",
    };
    Ok(Ok(format!("the store is encrypted; {worth}")))
}

fn chain(vault: &Vault) -> Result<Result<String, String>, Failure> {
    let mut judge = Judge::new(vault.public_key());
    vault.export_audit(&mut |line| judge.line(line))?;
    let verdict = judge.end();
    let faults = verdict.faults.len() as u64 + verdict.faults_more;
    Ok(match faults {
        0 => Ok(format!("{} lines, none edited, deleted or moved", verdict.lines)),
        faults => Err(format!("{faults} faults; `kehai audit verify` names them")),
    })
}

/// That the clock is not behind what was done already.
fn clock(vault: &Vault) -> Result<Result<String, String>, Failure> {
    let (now, newest) = (utc_now(), vault.status()?.span_s.map_or(0, |[_, newest_s]| newest_s));
    let (shown, synchronised) = (rfc3339(now), crate::clock::is_synchronised());
    Ok(match () {
        () if now.0 / 1000 < newest => Err(format!("{shown} is before the newest window began")),
        () if synchronised => Ok(format!("{shown}, held by a time server")),
        () => Ok(format!("{shown}, which no time server holds; messages say so")),
    })
}

const DAY_S: i64 = 86_400;
const NONE_YET: &str = "no window is held yet";
const PLAIN: &[u8] = b"SQLite format 3";
/// Bytes looked at for order: a page or more of what is encrypted.
const LOOKED_AT: usize = 8192;
/// Of so many random bytes nearly all 256 values come up; text and pages of zeros have far fewer.
const DIFFERENT_MIN: usize = 240;
