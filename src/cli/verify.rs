//! `kehai verify`: payloads as they were stored or heard, each against the signature of its box.
//!
//! In: lines that are a payload, with or without its topic in front (windows.jsonl, `mosquitto_sub -v`). Out: how many are
//! as they were signed, which are not and what changed as far as an intact copy shows it, gaps in the numbers, windows that
//! come with two contents. Invariant: what everybody's key has signed (replays) is never counted as evidence.

mod ledger;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use super::audit::each_line;
use super::audit::verify::parsed;
use super::output::{say, say_json};
use super::state::store_of;
use super::{CHECK_FAILED, Failure, USAGE};
use crate::wire::compose::REPLAY_BOOT;
use crate::wire::seal::{PublicKey, SealError, Signer};
use ledger::Ledger;

/// Arguments of `kehai verify`.
#[derive(clap::Args)]
pub struct Args {
    /// Files of payloads, one a line
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Public key of the box: ed25519:…
    #[arg(long)]
    key: Option<String>,
    /// Site file, on the box itself: its store says the key
    #[arg(long, conflicts_with = "key")]
    site: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A payload as it stands in a file.
pub(super) struct Line<'a> {
    /// Topic up to the node, empty where none stands in front.
    base: &'a str,
    /// What stands behind the node.
    below: &'a str,
    body: &'a str,
    value: Value,
}

/// One that is not as it was signed.
#[derive(Serialize)]
struct Broken {
    file: String,
    line: u64,
    seq: Option<u64>,
    what: String,
    /// Which window it says it is.
    #[serde(skip)]
    identity: Option<[u8; 16]>,
}

#[derive(Default, Serialize)]
struct Count {
    verified: u64,
    /// Signed with everybody's key: no evidence.
    replayed: u64,
    /// Windows without a signature.
    unsigned: u64,
    /// Messages that are never signed: state, about, meta, health.
    plain: u64,
    broken: u64,
    /// Those that are told one by one.
    faults: Vec<Broken>,
    /// Numbers that are missing between the first and the last, as ranges.
    gaps: Vec<[u64; 2]>,
    gaps_count: u64,
    /// Copies of what was there already, byte for byte.
    repeated: u64,
}

/// Runs the command; exit 1 where anything is not as it was signed.
pub fn run(args: &Args) -> Result<(), Failure> {
    let pinned = match (&args.key, &args.site) {
        (Some(key), _) => Some(parsed(key)?),
        (None, Some(site)) => Some(store_of(site)?.1.public_key()),
        (None, None) => None,
    };
    let introduced = if pinned.is_none() { introduced(&args.files)? } else { BTreeMap::new() };
    let mut check =
        Check { pinned, introduced: &introduced, count: Count::default(), ledger: Ledger::default(), keyless: None };
    for file in &args.files {
        check.file(file)?;
    }
    if let Some(place) = &check.keyless {
        return Err(Failure::new(USAGE, format!("{place}: {KEYLESS}")));
    }
    check.explain(&args.files)?;
    let Check { mut count, ledger, .. } = check;
    (count.gaps, count.gaps_count) = ledger.gaps();
    if args.json {
        say_json(&count);
    } else {
        tell(&count, &introduced);
    }
    match count.broken + count.unsigned {
        0 => Ok(()),
        bad => Err(Failure::new(CHECK_FAILED, format!("{bad} payload(s) are not what a box has signed"))),
    }
}

/// Keys as nodes introduce themselves, by topic up to the node.
fn introduced(files: &[PathBuf]) -> Result<BTreeMap<String, PublicKey>, Failure> {
    let mut keys = BTreeMap::new();
    for file in files {
        each_line(file, &mut |text| {
            if let Some(line) = Line::read(text).filter(|line| line.value["k"] == "about")
                && let Some(key) = line.value["public_key"].as_str().and_then(|key| key.parse().ok())
                && keys.len() < NODES_MAX
            {
                keys.insert(line.base.to_owned(), key);
            }
        })?;
    }
    Ok(keys)
}

struct Check<'a> {
    pinned: Option<PublicKey>,
    introduced: &'a BTreeMap<String, PublicKey>,
    count: Count,
    ledger: Ledger,
    /// Where a signature stands for which there is no key.
    keyless: Option<String>,
}

impl Check<'_> {
    fn file(&mut self, file: &Path) -> Result<(), Failure> {
        let (name, mut row) = (file.display().to_string(), 0);
        each_line(file, &mut |text| {
            row += 1;
            if !text.trim().is_empty() {
                self.line(text, (&name, row));
            }
        })
    }

    fn line(&mut self, text: &str, place: (&str, u64)) {
        let Some(line) = Line::read(text) else {
            return self.unreadable(text, place);
        };
        let key = self.pinned.or_else(|| self.introduced.get(line.base).copied()).or_else(|| self.only_key());
        match self.judge(&line, key) {
            Judged::Good => self.good(&line, place),
            Judged::Replayed => self.count.replayed += 1,
            Judged::Plain => self.count.plain += 1,
            Judged::Unsigned => self.count.unsigned += 1,
            Judged::Keyless => {
                self.keyless.get_or_insert_with(|| format!("{} line {}", place.0, place.1));
            }
            Judged::Bad(what) => self.broken(Some(&line), place, what),
        }
    }

    /// Where one node alone introduced itself, it is that one.
    fn only_key(&self) -> Option<PublicKey> {
        self.introduced.values().next().filter(|_| self.introduced.len() == 1).copied()
    }

    fn judge(&self, line: &Line<'_>, key: Option<PublicKey>) -> Judged {
        let body = line.body.as_bytes();
        let is_replay = line.value["boot"] == REPLAY_BOOT;
        if Signer::of_replays().public().verify(body).is_ok() {
            let stranger = "is signed with everybody's key of replays, and does not say that it is one".to_owned();
            return if is_replay { Judged::Replayed } else { Judged::Bad(stranger) };
        }
        if line.value.get("sig").is_none() {
            return if line.is_never_signed() { Judged::Plain } else { Judged::Unsigned };
        }
        let Some(key) = key else {
            return if is_replay { Judged::Bad(REPLAY_BROKEN.to_owned()) } else { Judged::Keyless };
        };
        match key.verify(body) {
            Ok(()) if !line.is_in_place() => {
                Judged::Bad("is as it was signed, and stands under the topic of another object".to_owned())
            }
            Ok(()) => Judged::Good,
            Err(SealError::Broken) if key.verify(compact(line.body).as_bytes()).is_ok() => Judged::Bad(
                "was written anew with other white space on its way; its content is as it was signed".to_owned(),
            ),
            Err(why) => Judged::Bad(why.to_string()),
        }
    }

    fn good(&mut self, line: &Line<'_>, place: (&str, u64)) {
        self.count.verified += 1;
        match self.ledger.enter(line) {
            ledger::Entered::New => {}
            ledger::Entered::Again => self.count.repeated += 1,
            ledger::Entered::Otherwise(what) => self.broken(Some(line), place, what),
        }
    }

    fn broken(&mut self, line: Option<&Line<'_>>, place: (&str, u64), what: String) {
        let seq = line.and_then(|line| line.value["seq"].as_u64());
        self.fault(place, seq, line.map(ledger::identity), what);
    }

    /// One that is no JSON any more: the number still stands in it somewhere, unless that is what was hit.
    fn unreadable(&mut self, text: &str, place: (&str, u64)) {
        self.fault(place, seq_in(text), None, "no payload: it cannot be read as JSON".to_owned());
    }

    fn fault(&mut self, (file, line): (&str, u64), seq: Option<u64>, identity: Option<[u8; 16]>, what: String) {
        self.count.broken += 1;
        if self.count.faults.len() < FAULTS_MAX {
            self.count.faults.push(Broken { file: file.to_owned(), line, seq, what, identity });
        }
    }

    /// Says what changed, where an intact copy of the same window is there.
    fn explain(&mut self, files: &[PathBuf]) -> Result<(), Failure> {
        if !self.count.faults.iter().any(|fault| fault.identity.is_some()) {
            return Ok(());
        }
        let mut changed: BTreeMap<usize, Value> = BTreeMap::new();
        let mut intact: BTreeMap<[u8; 16], Value> = BTreeMap::new();
        for file in files {
            let (name, mut row) = (file.display().to_string(), 0);
            each_line(file, &mut |text| {
                row += 1;
                let Some(line) = Line::read(text) else { return };
                let mut faults = self.count.faults.iter();
                if let Some(at) = faults.position(|fault| fault.line == row && fault.file == name) {
                    changed.insert(at, line.value);
                } else if self.count.faults.iter().any(|fault| fault.identity == Some(ledger::identity(&line))) {
                    intact.insert(ledger::identity(&line), line.value);
                }
            })?;
        }
        for (at, fault) in self.count.faults.iter_mut().enumerate() {
            let twin = fault.identity.and_then(|identity| intact.get(&identity));
            if let (Some(twin), Some(changed)) = (twin, changed.get(&at)) {
                let mut told = Vec::new();
                differences("", changed, twin, &mut told);
                fault.what += &format!("; beside its intact copy: {}", told.join(", "));
            }
        }
        Ok(())
    }
}

enum Judged {
    Good,
    Replayed,
    Unsigned,
    Plain,
    Keyless,
    Bad(String),
}

impl<'a> Line<'a> {
    /// Reads a line; `None` where no JSON object stands at its end.
    fn read(text: &'a str) -> Option<Self> {
        let text = text.trim_end_matches('\r');
        let begin = text.find('{')?;
        let value: Value = serde_json::from_str(&text[begin..]).ok().filter(Value::is_object)?;
        // With -F the topic need not stand alone.
        let topic = text[..begin].split_whitespace().last().unwrap_or_default();
        let ends = ["/win/", "/about", "/audit", "/state", "/meta/", "/health", "/evt/", "/rsp/"];
        let at = ends.iter().find_map(|end| topic.rfind(end)).unwrap_or(0);
        Some(Self { base: &topic[..at], below: &topic[at..], body: &text[begin..], value })
    }

    /// Whether it is something a node never signs, or nothing of a node at all.
    fn is_never_signed(&self) -> bool {
        let has = |name: &str| self.value.get(name).is_some();
        let is_where_all_are_signed = SIGNED.iter().any(|begin| self.below.starts_with(begin));
        let is_plain = match self.value["k"].as_str() {
            Some(kind) => PLAIN.contains(&kind),
            None => !has("k"),
        };
        is_plain && !is_where_all_are_signed && !["seq", "ws", "cov_ms"].into_iter().any(has)
    }

    /// Whether a window stands under the topic of its object, where a topic stands there at all.
    fn is_in_place(&self) -> bool {
        let text = |name: &str| self.value[name].as_str().unwrap_or_default();
        let place = format!("/win/{}/{}", text("k"), text("id"));
        self.value.get("seq").is_none() || self.below.is_empty() || self.below == place
    }
}

/// The number that stands in a payload, whether it can be read as JSON or not.
fn seq_in(text: &str) -> Option<u64> {
    let (_, behind) = text.split_once("\"seq\":")?;
    let digits = behind.find(|letter: char| !letter.is_ascii_digit()).map_or(behind, |end| &behind[..end]);
    digits.parse().ok()
}

/// JSON without white space between its parts.
fn compact(body: &str) -> String {
    let (mut is_text, mut is_escaped) = (false, false);
    body.chars()
        .filter(|letter| {
            let keep = is_text || !letter.is_ascii_whitespace();
            match letter {
                '"' if !is_escaped => is_text = !is_text,
                _ => {}
            }
            is_escaped = *letter == '\\' && !is_escaped;
            keep
        })
        .collect()
}

/// Members of `changed` that are not as in `twin`, by their way.
fn differences(way: &str, changed: &Value, twin: &Value, told: &mut Vec<String>) {
    match (changed, twin) {
        (Value::Object(one), Value::Object(other)) => {
            for name in one.keys().chain(other.keys().filter(|name| !one.contains_key(*name))) {
                if name != "sig" {
                    differences(&format!("{way}.{name}"), &changed[name], &twin[name], told);
                }
            }
        }
        _ if changed != twin => told.push(format!("{} is {changed}, was {twin}", way.trim_start_matches('.'))),
        _ => {}
    }
}

fn tell(count: &Count, introduced: &BTreeMap<String, PublicKey>) {
    say(&format!(
        "{} verified, {} of replays, {} windows unsigned, {} broken; {} that are never signed",
        count.verified, count.replayed, count.unsigned, count.broken, count.plain
    ));
    if !introduced.is_empty() {
        say(
            "the key is the one these files name themselves (about): they fit together; who made them only --key or --site tell",
        );
    }
    if count.replayed > 0 {
        say(
            "replays are signed with everybody's key: such a signature shows that nothing was damaged, and is no evidence of who made it",
        );
    }
    for fault in &count.faults {
        let seq = fault.seq.map_or_else(String::new, |seq| format!(" (seq {seq})"));
        say(&format!("BROKEN {} line {}{seq}: {}", fault.file, fault.line, fault.what));
    }
    if count.repeated > 0 {
        say(&format!("{} came more than once, byte for byte: harmless", count.repeated));
    }
    if count.gaps_count > 0 {
        let gaps: Vec<String> = count
            .gaps
            .iter()
            .map(|[from, to]| if from == to { from.to_string() } else { format!("{from} to {to}") })
            .collect();
        let more = if count.gaps_count as usize > gaps.len() { " …" } else { "" };
        say(&format!(
            "seq: {} gap(s): {}{more}; not yet arrived, filtered out, or purged",
            count.gaps_count,
            gaps.join(", ")
        ));
    }
}

const KEYLESS: &str = "signed, and no key to check it with; give --key ed25519:…, --site SITE on the box itself, or the node's message `about` in one of the files";
const REPLAY_BROKEN: &str = "says it is of a replay, and does not fit everybody's key: it was changed";
/// Kinds that are never signed.
const PLAIN: [&str; 4] = ["state", "about", "meta", "health"];
/// Topics below a node on which everything is signed.
const SIGNED: [&str; 4] = ["/win/", "/evt/", "/rsp/", "/audit"];
/// Faults that are told one by one.
const FAULTS_MAX: usize = 100;
/// Nodes whose introduction is remembered.
const NODES_MAX: usize = 100_000;
