//! What somebody can do to an audit chain, and that the judge names the line at which they did it.
//!
//! Six attacks of whom the disk belongs to (edit, delete, cut off, seal anew, move, roll back), each with every hash made
//! right again that can be made right without the key of the box; then any change at all.

use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use kehai::clock::UtcMs;
use kehai::config::Keeping;
use kehai::vault::{Judge, Vault, Verdict};
use kehai::wire::audit::{AuditLine, Deed, HeadPayload, Place, head_of, line_of, read_head, read_line};
use kehai::wire::seal::{PublicKey, Signer};
use proptest::prelude::*;

use crate::support::folder::Folder;
use crate::support::records::{BEGIN_S, door};

const TOPIC: &str = "kehai/v1/acme/s1/n1/audit";

/// A chain of three starts, six windows, a purge and what a person did; its heads were published three times.
struct Chain {
    key: PublicKey,
    lines: Vec<String>,
    /// The same chain some lines earlier.
    older: Vec<String>,
    heads: Vec<String>,
}

fn open(folder: &Folder) -> Vault {
    Vault::open(Path::new(&folder.path("state")), Keeping::default(), Duration::ZERO).expect("room")
}

fn exported(vault: &Vault) -> Vec<String> {
    let mut lines = Vec::new();
    vault.export_audit(&mut |line| lines.push(line.to_owned())).expect("it can be read");
    lines
}

impl Chain {
    fn new() -> Self {
        let folder = Folder::new();
        let mut older = Vec::new();
        for start in 0..3 {
            let vault = open(&folder);
            for index in start * 2..start * 2 + 2 {
                vault.release(|seq| door(index, seq)).expect("room");
            }
            vault.remember(&Deed::done("config").by("owner").about("cfg", "c41")).expect("room");
            if start == 1 {
                older = exported(&vault);
                vault.purge(BEGIN_S, BEGIN_S + 900, "owner").expect("room");
            }
            vault.publish_head(TOPIC).expect("room");
        }
        let vault = open(&folder);
        let mut heads = Vec::new();
        let mut row = 0;
        while let Some((number, message)) = vault.due(row) {
            row = number + 1;
            heads.extend((message.topic == TOPIC).then(|| String::from_utf8(message.body).expect("text")));
        }
        Self { key: vault.public_key(), lines: exported(&vault), older, heads }
    }

    /// One for all: it is not changed.
    fn get() -> &'static Self {
        static CHAIN: OnceLock<Chain> = OnceLock::new();
        CHAIN.get_or_init(Self::new)
    }

    fn judge(&self, lines: &[String]) -> Verdict {
        let mut judge = Judge::new(self.key);
        lines.iter().for_each(|line| judge.line(line));
        judge.end()
    }

    fn judge_with_heads(&self, lines: &[String]) -> Verdict {
        let mut judge = Judge::new(self.key);
        assert!(self.heads.iter().all(|head| judge.published(head)));
        lines.iter().for_each(|line| judge.line(line));
        judge.end()
    }

    /// Where line `n` stands.
    fn at(&self, n: u64) -> usize {
        self.lines.iter().position(|line| read_line(line).is_ok_and(|line| line.n == n)).expect("it is there")
    }
}

fn must_name(verdict: &Verdict, n: u64, words: &str) {
    let found = verdict.faults.iter().find(|fault| fault.what.contains(words));
    let fault = found.unwrap_or_else(|| panic!("\"{words}\" is missing in {:#?}", verdict.faults));
    assert_eq!(fault.n, n, "{:#?}", verdict.faults);
}

/// All lines from `from` on with their hashes made anew, as whoever has no key can; heads signed by `signer`, if anybody.
fn sealed_anew(lines: &[String], from: usize, signer: Option<&Signer>) -> Vec<String> {
    let mut sealed = lines[..from].to_vec();
    let mut last = lines[..from].iter().rev().find_map(|line| read_line(line).ok());
    for text in &lines[from..] {
        match parsed(text) {
            Some(line) => {
                let prev = last.as_ref().map_or(line.prev.clone(), |last: &AuditLine| last.hash.clone());
                let place = Place { n: line.n, epoch: line.epoch, prev };
                let deed =
                    Deed { who: line.who, what: leaked(line.what), outcome: leaked(line.outcome), about: line.about };
                let at: jiff::Timestamp = line.at.parse().expect("a time");
                let (text, _) = line_of(&deed, &place, UtcMs(at.as_millisecond()));
                last = read_line(&text).ok();
                sealed.push(text);
            }
            None => {
                let head = read_head(text).expect("what is no line is a head");
                let hash = last.as_ref().expect("a line stands before").hash.clone();
                sealed.push(signer.map_or(text.clone(), |signer| head_of(&HeadPayload { head: hash, ..head }, signer)));
            }
        }
    }
    sealed
}

/// A line whether its hash fits or not.
fn parsed(text: &str) -> Option<AuditLine> {
    serde_json::from_str(text).ok()
}

fn leaked(text: String) -> &'static str {
    text.leak()
}

#[test]
fn a_chain_as_it_was_written_is_whole_from_its_first_start_to_its_signed_end() {
    let chain = Chain::get();
    let verdict = chain.judge_with_heads(&chain.lines);
    assert_eq!(verdict.faults, []);
    assert_eq!((verdict.first, verdict.epoch, verdict.checkpoints, verdict.heads), (Some(1), 4, 3, 3));
    assert_eq!(verdict.last.as_ref().map(|(n, _)| *n), Some(verdict.lines));
}

#[test]
fn an_edited_line_is_named() {
    let (chain, mut lines) = (Chain::get(), Chain::get().lines.clone());
    let at = chain.at(4);
    lines[at] = lines[at].replace("\"who\":\"owner\"", "\"who\":\"nobody\"");
    assert_ne!(lines[at], chain.lines[at]);
    let verdict = chain.judge(&lines);
    must_name(&verdict, 4, "edited");
    assert_eq!(verdict.faults.len(), 1, "nothing but the edit is wrong: {:#?}", verdict.faults);
}

#[test]
fn a_deleted_line_is_named() {
    let (chain, mut lines) = (Chain::get(), Chain::get().lines.clone());
    lines.remove(chain.at(3));
    must_name(&chain.judge(&lines), 3, "line 3 is missing");
    let mut lines = chain.lines.clone();
    lines.drain(chain.at(6)..=chain.at(8));
    must_name(&chain.judge(&lines), 6, "lines 6 to 8 are missing");
}

#[test]
fn the_first_lines_cannot_be_left_out_behind_a_genuine_checkpoint() {
    let chain = Chain::get();
    let checkpoint = chain.lines.iter().position(|line| read_head(line).is_some()).expect("there is one");
    let verdict = chain.judge(&chain.lines[checkpoint..]);
    must_name(&verdict, 1, "are missing at the begin");
}

#[test]
fn a_cut_tail_is_named_with_its_end_and_without_it() {
    let (chain, mut lines) = (Chain::get(), Chain::get().lines.clone());
    let end = lines.pop().expect("an end");
    let last = chain.judge(&chain.lines).lines;
    must_name(&chain.judge(&lines), last, "the signed end is missing");
    lines.truncate(chain.at(last - 1));
    must_name(&chain.judge(&lines), last - 2, "the signed end is missing");
    lines.push(end);
    must_name(
        &chain.judge(&lines),
        last - 1,
        &format!("lines {} to {last} are missing before the signed end", last - 1),
    );
}

#[test]
fn a_chain_sealed_anew_after_an_edit_does_not_fit_the_signed_checkpoints() {
    let (chain, mut lines) = (Chain::get(), Chain::get().lines.clone());
    let at = chain.at(9);
    lines[at] = lines[at].replace("\"outcome\":\"done\"", "\"outcome\":\"none\"");
    let verdict = chain.judge(&sealed_anew(&lines, at, None));
    let checkpoint = chain.lines[at..].iter().find_map(|line| read_head(line)).expect("one follows");
    must_name(&verdict, checkpoint.n, "was changed and all after it sealed anew");
    must_name(&verdict, checkpoint.n, "something in lines 5 to");
}

#[test]
fn a_chain_sealed_anew_with_another_key_is_not_signed_by_the_box() {
    let (chain, mut lines) = (Chain::get(), Chain::get().lines.clone());
    let at = chain.at(2);
    lines[at] = lines[at].replace("\"seq\":1", "\"seq\":7");
    let thief = Signer::new(&[66; 32]);
    let sealed = sealed_anew(&lines, at, Some(&thief));
    let verdict = chain.judge(&sealed);
    must_name(&verdict, 4, "a checkpoint: its signature does not fit");
    must_name(&verdict, verdict.lines, "the end of the chain: its signature does not fit");
    // Under the thief's own key it is as whole as theirs can be: the key must be known beforehand.
    let mut judge = Judge::new(thief.public());
    sealed.iter().for_each(|line| judge.line(line));
    assert_eq!(judge.end().faults, []);
}

#[test]
fn a_moved_line_is_named() {
    let (chain, mut lines) = (Chain::get(), Chain::get().lines.clone());
    let (one, other) = (chain.at(6), chain.at(7));
    lines.swap(one, other);
    let verdict = chain.judge(&lines);
    must_name(&verdict, 6, "line 6 is missing between 5 and 7");
    must_name(&verdict, 6, "stands behind line 7: moved, or repeated");
}

#[test]
fn an_older_chain_is_genuine_by_itself_and_given_away_by_what_was_published() {
    let chain = Chain::get();
    assert_eq!(chain.judge(&chain.older).faults, [], "alone it is as it was written");
    let last = chain.judge(&chain.older).lines;
    let published: Vec<HeadPayload> = chain.heads.iter().filter_map(|head| read_head(head)).collect();
    let newer = published.iter().find(|head| head.n > last).expect("one came later");
    let verdict = chain.judge_with_heads(&chain.older);
    must_name(&verdict, newer.n, &format!("the chain ends at line {last}: rolled back, or an older export"));
}

#[test]
fn a_store_that_was_put_back_and_went_on_is_given_away_by_what_was_published() {
    let folder = Folder::new();
    let state = folder.path("state");
    drop(open(&folder));
    let copy = folder.path("copy");
    let copied = |from: &str, to: &str| {
        std::fs::create_dir_all(to).expect("ours");
        for name in crate::support::folder::names_in(from) {
            std::fs::copy(format!("{from}/{name}"), format!("{to}/{name}")).expect("ours");
        }
    };
    copied(&state, &copy);
    let vault = open(&folder);
    (0..3).for_each(|index| vault.release(|seq| door(index, seq)).expect("room"));
    vault.publish_head(TOPIC).expect("room");
    let (_, head) = std::iter::successors(vault.due(0), |(number, _)| vault.due(number + 1))
        .find(|(_, message)| message.topic == TOPIC)
        .expect("published");
    drop(vault);
    std::fs::remove_dir_all(&state).expect("ours");
    copied(&copy, &state);
    let vault = open(&folder);
    (0..9).for_each(|index| vault.release(|seq| door(index + 4, seq)).expect("room"));
    let mut judge = Judge::new(vault.public_key());
    assert!(judge.published(std::str::from_utf8(&head.body).expect("text")));
    exported(&vault).iter().for_each(|line| judge.line(line));
    must_name(&judge.end(), 5, "was published with another hash");
}

#[test]
fn a_whole_second_is_not_taken_for_one_that_runs_back() {
    let mut judge = Judge::new(Chain::get().key);
    let mut prev = kehai::wire::audit::NOTHING_BEFORE.to_owned();
    for (n, ms) in [(1, 999), (2, 1000), (3, 1500), (4, 2000)] {
        let (line, hash) = line_of(&Deed::done("start"), &Place { n, epoch: n, prev }, UtcMs(ms));
        judge.line(&line);
        prev = hash;
    }
    assert_eq!(judge.end().clock_back, None);
}

#[test]
fn time_that_runs_back_is_told_and_is_no_fault_and_an_epoch_that_runs_back_is_one() {
    let (folder, chain) = (Folder::new(), Chain::get());
    let vault = open(&folder);
    vault.release(|seq| door(0, seq)).expect("room");
    // Whoever expires long ago writes its line long ago.
    vault.expire(UtcMs((BEGIN_S + 40 * 86_400) * 1000)).expect("room");
    let mut judge = Judge::new(vault.public_key());
    exported(&vault).iter().for_each(|line| judge.line(line));
    let verdict = judge.end();
    assert_eq!((verdict.faults.len(), verdict.clock_back), (0, Some((1, 3))), "{:#?}", verdict.faults);
    let mut lines = chain.lines.clone();
    let at = chain.at(8);
    let line = read_line(&lines[at]).expect("whole");
    lines[at] = lines[at].replace(&format!("\"epoch\":{}", line.epoch), "\"epoch\":1");
    let verdict = chain.judge(&sealed_anew(&lines, at, None));
    must_name(&verdict, 8, "is of epoch 1 behind one of epoch");
}

#[test]
fn no_letter_of_a_chain_can_change_unnoticed() {
    let chain = Chain::get();
    let text = chain.lines.join("\n") + "\n";
    // Each with another change; the property below tries all of them at random.
    for at in (0..text.len()).step_by(3) {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1 + (at % 127) as u8;
        assert!(!is_clean(chain, &bytes), "at {at}");
    }
}

fn is_clean(chain: &Chain, bytes: &[u8]) -> bool {
    let mut judge = Judge::new(chain.key);
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    bytes.split(|byte| *byte == b'\n').for_each(|line| judge.line(&String::from_utf8_lossy(line)));
    judge.end().faults.is_empty()
}

proptest! {
    #[test]
    fn any_byte_changed_in_an_export_is_noticed(at in any::<prop::sample::Index>(), flip in 1u8..=255) {
        let chain = Chain::get();
        let mut bytes = (chain.lines.join("\n") + "\n").into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        prop_assert!(!is_clean(chain, &bytes), "byte {}", at);
    }

    #[test]
    fn any_line_dropped_repeated_or_moved_is_noticed(
        one in any::<prop::sample::Index>(), other in any::<prop::sample::Index>(), way in 0..3u8,
    ) {
        let (chain, mut lines) = (Chain::get(), Chain::get().lines.clone());
        let (one, other) = (one.index(lines.len()), other.index(lines.len()));
        match way {
            0 => drop(lines.remove(one)),
            1 => lines.insert(other, chain.lines[one].clone()),
            _ => lines.swap(one, other),
        }
        prop_assume!(lines != chain.lines);
        prop_assert!(!chain.judge(&lines).faults.is_empty());
    }
}
