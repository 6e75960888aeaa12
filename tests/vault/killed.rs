//! Killed at any moment: what a mouth was told is released is there afterwards, once, byte for byte.
//!
//! The victim is this very test in a process of its own: it releases, settles, purges and signs in a loop over a real store
//! and says, once each call has returned, what it did. A kill takes no power away: that commits are forced to the disk
//! (`synchronous = FULL`) is what stands against that, and is not what is tested here.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::time::Duration;

use kehai::config::Keeping;
use kehai::vault::{Delivery, Judge, Vault, VaultError};
use kehai::wire::audit::{AuditLine, hex, read_line};
use sha2::{Digest, Sha256};

use crate::support::folder::{Folder, names_in};
use crate::support::records::{BEGIN_S, map};
use crate::support::twin;

/// What a victim said before it was killed.
#[derive(Default)]
struct Said {
    /// Hash of the body by index.
    released: BTreeMap<i64, String>,
    /// Indexes that were to be purged, and whether that was said to be done.
    purged: Vec<(std::ops::Range<i64>, bool)>,
}

fn open(state: &str) -> Vault {
    Vault::open(Path::new(state), Keeping::default(), Duration::ZERO).expect("a killed mouth leaves a store that opens")
}

/// The life of a victim: it does not end by itself.
fn live(state: &str, mut index: i64) {
    let mut out = std::io::stdout();
    let mut say = |words: String| {
        // In one piece, or the reader sees half a word.
        out.write_all(format!("{words}\n").as_bytes()).and_then(|()| out.flush()).expect("somebody listens");
    };
    let vault = open(state);
    say("VICTIM open".to_owned());
    loop {
        match vault.release(|seq| map(index, seq, BYTES)) {
            Ok(()) => {
                let body = vault.newest().remove(0).body;
                say(format!("VICTIM released {index} {}", hex(&Sha256::digest(&body))));
            }
            Err(VaultError::Past { .. }) => {}
            Err(error) => panic!("{error}"),
        }
        if index % 3 == 0
            && let Some((number, _)) = vault.due(0)
        {
            vault.settle(number, if index % 2 == 0 { Delivery::Done } else { Delivery::Refused });
        }
        if index % 7 == 0 {
            vault.publish_head("kehai/v1/acme/s1/n1/audit").expect("room");
        }
        if index % 11 == 0 {
            let range = index - 6..index - 4;
            say(format!("VICTIM purging {} {}", range.start, range.end));
            vault.purge(BEGIN_S + range.start * 900, BEGIN_S + range.end * 900, "owner").expect("room");
            say("VICTIM purged".to_owned());
        }
        index += 1;
    }
}

impl Said {
    fn take(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.iter().position(|word| *word == "VICTIM").map(|at| &words[at + 1..]) {
            Some(["released", index, hash]) => {
                self.released.insert(index.parse().expect("an index"), (*hash).to_owned());
            }
            Some(["purging", from, to]) => {
                let [from, to] = [from, to].map(|text| text.parse().expect("an index"));
                self.purged.push((from..to, false));
            }
            Some(["purged"]) => self.purged.last_mut().expect("it was said before").1 = true,
            _ => {}
        }
    }

    fn next_index(&self) -> i64 {
        self.released.keys().next_back().map_or(0, |last| last + 1)
    }
}

/// Lets a victim live for a while and kills it.
fn kill_one(state: &str, said: &mut Said, life: Duration) {
    let mut victim = twin::start(twin::command(NAME, &format!("{state} {}", said.next_index())));
    let mut lines = BufReader::new(victim.stdout.take().expect("piped")).lines().map_while(Result::ok);
    // It has begun once it says so; what comes before is the harness.
    let begun = lines.by_ref().any(|line| line.contains("VICTIM open"));
    assert!(begun, "the victim lives");
    std::thread::sleep(life);
    victim.kill().expect("it is ours");
    lines.for_each(|line| said.take(&line));
    victim.wait().expect("it is ours");
}

/// Holds the store against everything that was ever said.
fn must_hold_all(state: &str, said: &Said) {
    let vault = open(state);
    assert_eq!(vault.damage().expect("it can be read"), Vec::<String>::new());
    let key = vault.public_key();
    let kept: BTreeMap<i64, Vec<u8>> =
        vault.held().into_iter().map(|message| (index_of(&message.body), message.body)).collect();
    for (index, body) in &kept {
        assert_eq!(key.verify(body), Ok(()), "window {index} is whole");
    }
    let gone = |index: &i64| said.purged.iter().any(|(range, is_done)| *is_done && range.contains(index));
    let may_be_gone = |index: &i64| said.purged.iter().any(|(range, _)| range.contains(index));
    for (index, hash) in &said.released {
        match kept.get(index) {
            Some(body) => {
                assert!(!gone(index) && hex(&Sha256::digest(body)) == *hash, "window {index} is as it was released")
            }
            None => assert!(may_be_gone(index), "window {index} was released and is not there"),
        }
    }
    for (range, _) in &said.purged {
        let left = range.clone().filter(|index| kept.contains_key(index)).count();
        assert!(left == 0 || left == range.clone().count(), "half of {range:?} was purged");
    }
    must_be_chained(&vault, &kept);
}

/// The chain is whole, and tells of the very windows that are there, by number and by content.
fn must_be_chained(vault: &Vault, kept: &BTreeMap<i64, Vec<u8>>) {
    let (mut judge, mut lines) = (Judge::new(vault.public_key()), Vec::new());
    let mut read = |text: &str| {
        judge.line(text);
        lines.extend(read_line(text));
    };
    vault.export_audit(&mut read).expect("it can be read");
    assert_eq!(judge.end().faults, []);
    let releases: Vec<&AuditLine> = lines.iter().filter(|line| line.what == "release").collect();
    let seqs: Vec<u64> = releases.iter().filter_map(|line| line.about["seq"].as_u64()).collect();
    assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>(), "numbers have no gaps");
    let told: BTreeMap<u64, &str> = releases
        .iter()
        .filter_map(|line| Some((line.about["seq"].as_u64()?, line.about["sha256"].as_str()?)))
        .collect();
    for body in kept.values() {
        let payload: serde_json::Value = serde_json::from_slice(body).expect("json");
        let seq = payload["seq"].as_u64().expect("a number");
        assert_eq!(told.get(&seq).copied(), Some(hex(&Sha256::digest(body)).as_str()));
    }
}

fn index_of(body: &[u8]) -> i64 {
    let payload: serde_json::Value = serde_json::from_slice(body).expect("json");
    (payload["ws"].as_i64().expect("a start") - BEGIN_S) / 900
}

fn kill_many(kills: u32, seed: u64) {
    let folder = Folder::new();
    let (state, mut said, mut random) = (folder.path("state"), Said::default(), Random(seed));
    for kill in 0..kills {
        kill_one(&state, &mut said, Duration::from_micros(random.below(LIFE_MAX_US)));
        if kill % 5 == 4 || kill + 1 == kills {
            must_hold_all(&state, &said);
        }
    }
    assert!(said.released.len() > kills as usize / 2, "the victims did some work: {} windows", said.released.len());
    let stray: Vec<String> = names_in(&state).into_iter().filter(|name| name.ends_with(".partial")).collect();
    assert_eq!(stray, Vec::<String>::new());
}

/// A small generator: the seed is in the name of the test.
struct Random(u64);

impl Random {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }
}

#[test]
fn ten_kills_at_random_moments_lose_nothing_and_leave_nothing_half_done() {
    if let Some(part) = twin::part() {
        let (state, index) = part.rsplit_once(' ').expect("a folder and a number");
        return live(state, index.parse().expect("a number"));
    }
    kill_many(10, 20_261_127);
}

#[test]
#[ignore = "two hundred kills: two minutes"]
fn two_hundred_kills_at_random_moments_lose_nothing_and_leave_nothing_half_done() {
    kill_many(200, 4_711);
}

const NAME: &str = "vault::killed::ten_kills_at_random_moments_lose_nothing_and_leave_nothing_half_done";
/// Length of a window: several pages of the store.
const BYTES: usize = 18_000;
/// Longest life of a victim behind its start, µs.
const LIFE_MAX_US: u64 = 150_000;
