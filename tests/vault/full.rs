//! No room: a disk that is full, a quota that is reached. What is released stays; what is not waits and comes when there is room.
//!
//! The full disk is a small one in memory, in a mount namespace of its own; where the machine allows none, that is said.

use std::path::Path;
use std::time::Duration;

use kehai::config::{Keeping, Settings};
use kehai::pipeline::mouth::Backlog;
use kehai::vault::{Delivery, Judge, Vault, VaultError};
use kehai::wire::compose::{Composer, Voice};

use crate::support::folder::Folder;
use crate::support::records::{closed, map, site_with_a_door};
use crate::support::twin;

fn open(state: &str, quota_mb: u32) -> Vault {
    let keeping = Keeping { quota_mb, ..Keeping::default() };
    Vault::open(Path::new(state), keeping, Duration::ZERO).expect("room for a store")
}

fn composer(settings: &Settings) -> Composer {
    let voice =
        Voice { topic_root: "kehai/v1".into(), boot: "b".into(), synchronised: true, retain_windows: true, sign: None };
    Composer::new(settings, voice)
}

fn must_be_whole(vault: &Vault) {
    assert_eq!(vault.damage().expect("readable"), Vec::<String>::new());
    let key = vault.public_key();
    assert!(vault.held().iter().all(|message| key.verify(&message.body).is_ok()), "no window is half there");
    let mut judge = Judge::new(key);
    vault.export_audit(&mut |line| judge.line(line)).expect("readable");
    assert_eq!(judge.end().faults, []);
}

/// Fills the disk below `disk` beside the store, and empties it again.
fn live_on_a_small_disk(disk: &str) {
    let (state, settings) = (format!("{disk}/state"), site_with_a_door());
    let (vault, composer) = (open(&state, 64), composer(&settings));
    (0..20).for_each(|index| vault.release(|seq| map(index, seq, 18_000)).expect("room still"));
    let before = vault.held();
    let filler = format!("{disk}/filler");
    fill(&filler);
    let mut backlog = Backlog::default();
    for index in 0..60 {
        backlog.take(closed(index));
        backlog.release(&vault, &composer);
    }
    let waiting = backlog.count();
    assert!(waiting > 0, "the disk is full");
    let kept = vault.held();
    assert_eq!(kept[..before.len()], before, "what was released stays");
    assert_eq!(kept.len() as u64 - before.len() as u64 + waiting, 60, "each is there or waits");
    for (number, _) in std::iter::successors(vault.due(0), |(number, _)| vault.due(number + 1)).take(10) {
        vault.settle(number, Delivery::Done);
    }
    must_be_whole(&vault);
    // Whoever starts on a full disk finds what was released.
    drop(vault);
    std::fs::remove_file(&filler).expect("ours");
    let vault = open(&state, 64);
    backlog.release(&vault, &composer);
    assert_eq!(backlog.count(), 0, "all come when there is room");
    let lines = vault.held().into_iter().filter(|message| message.topic.ends_with("/win/line/door"));
    let seqs: Vec<u64> = lines
        .map(|message| {
            serde_json::from_slice::<serde_json::Value>(&message.body).expect("json")["seq"].as_u64().expect("seq")
        })
        .collect();
    assert_eq!(seqs, (21..=80).collect::<Vec<_>>(), "in order, each once");
    must_be_whole(&vault);
}

/// Writes until nothing more fits.
fn fill(path: &str) {
    use std::io::Write;
    let mut file = std::fs::File::create(path).expect("ours");
    for size in [1 << 16, 1 << 12, 1 << 9, 1] {
        while file.write_all(&vec![b'x'; size]).is_ok() {}
    }
}

#[test]
fn on_a_full_disk_what_is_released_stays_and_what_is_not_waits_for_room() {
    if let Some(disk) = twin::part() {
        return live_on_a_small_disk(&disk);
    }
    let folder = Folder::new();
    let disk = folder.path("disk");
    std::fs::create_dir_all(&disk).expect("ours");
    let twin =
        twin::command("vault::full::on_a_full_disk_what_is_released_stays_and_what_is_not_waits_for_room", &disk);
    let Some(ended) = twin::behind_a_mount(&twin, &format!("mount -t tmpfs -o size=4m tmpfs '{disk}'")) else {
        return skipped();
    };
    assert_eq!(ended.code, Some(0), "{}\n{}", ended.out, ended.err);
}

#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
fn skipped() {
    println!("skipped: this machine lets nobody mount a disk of their own");
}

#[test]
fn within_its_quota_the_oldest_delivered_goes_first_and_then_the_oldest_of_all_and_the_chain_says_so() {
    let folder = Folder::new();
    let state = folder.path("state");
    let vault = open(&state, 4);
    let most = vault.size().expect("readable").1;
    let mut index = 0;
    let mut release = |count: i64| {
        for _ in 0..count {
            vault.release(|seq| map(index, seq, 18_000)).expect("the oldest gives way");
            index += 1;
            let (bytes, _) = vault.size().expect("readable");
            assert!(bytes <= most, "{bytes} of {most} bytes");
        }
    };
    release(20);
    // Of the first twenty the last ten are delivered.
    for number in 11..=20 {
        vault.settle(number, Delivery::Done);
    }
    release(75);
    let kept: Vec<u64> = vault.held().iter().map(|message| seq_of(&message.body)).collect();
    let gone: Vec<u64> = (1..=95).filter(|seq| !kept.contains(seq)).collect();
    assert!(!gone.is_empty() && gone.len() <= 10, "{gone:?}");
    assert_eq!(gone, (11..11 + gone.len() as u64).collect::<Vec<_>>(), "the oldest delivered ones go, no other");
    assert_eq!(vault.counts().dropped, 0);
    release(215);
    let kept: Vec<u64> = vault.held().iter().map(|message| seq_of(&message.body)).collect();
    let dropped = vault.counts().dropped;
    assert_eq!(kept, (310 - kept.len() as u64 + 1..=310).collect::<Vec<_>>(), "then the oldest");
    assert!(dropped > 0);
    let mut told = 0;
    vault
        .export_audit(&mut |line| {
            if line.contains("\"what\":\"quota\"") {
                let line = kehai::wire::audit::read_line(line).expect("whole");
                told += line.about["undelivered"].as_u64().expect("a number");
            }
        })
        .expect("readable");
    assert_eq!(told, dropped, "each undelivered window that went is told of");
    must_be_whole(&vault);
    let on_disk: u64 = ["store.db", "store.db-wal"]
        .map(|name| std::fs::metadata(format!("{state}/{name}")).map_or(0, |about| about.len()))
        .iter()
        .sum();
    assert!(on_disk <= 4 << 20, "{on_disk} bytes with the journal");
}

#[test]
fn a_chain_that_grows_without_end_gives_way_as_well_and_still_begins_at_a_signed_checkpoint() {
    let folder = Folder::new();
    let vault = open(&folder.path("state"), 3);
    // Doors are small: it is the chain that fills the store. Delivered rows and windows go all the time.
    for index in 0..2600 {
        vault.release(|seq| crate::support::records::door(index, seq)).expect("the oldest gives way");
        if index % 50 == 0 {
            vault.publish_head("t").expect("room");
        }
    }
    must_be_whole(&vault);
    let mut judge = Judge::new(vault.public_key());
    vault.export_audit(&mut |line| judge.line(line)).expect("readable");
    let verdict = judge.end();
    assert!(verdict.first.is_some_and(|first| first > 1), "the oldest lines went: {:?}", verdict.first);
    assert!(vault.held().len() > 100, "and the windows did not all go for them: {}", vault.held().len());
}

#[test]
fn what_is_longer_than_the_whole_quota_is_refused_and_nothing_of_it_is_there() {
    let folder = Folder::new();
    let vault = open(&folder.path("state"), 3);
    vault.release(|seq| map(0, seq, 1000)).expect("room");
    let refused = vault.release(|seq| map(1, seq, 3 << 20));
    assert!(matches!(refused, Err(VaultError::Full { .. })), "{refused:?}");
    vault.release(|seq| map(2, seq, 1000)).expect("the next one fits");
    let kept: Vec<u64> = vault.held().iter().map(|message| seq_of(&message.body)).collect();
    assert_eq!(kept, [1, 2], "a window that was not released takes no number");
    must_be_whole(&vault);
}

fn seq_of(body: &[u8]) -> u64 {
    serde_json::from_slice::<serde_json::Value>(body).expect("json")["seq"].as_u64().expect("seq")
}
