//! What is too old is really gone: rows, bytes of the file, and whatever a page once held.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use hkdf::Hkdf;
use kehai::clock::UtcMs;
use kehai::config::Keeping;
use kehai::vault::{Gone, Judge, Vault};
use kehai::wire::audit::{hex, read_line};
use sha2::Sha256;

use crate::support::folder::Folder;
use crate::support::records::{BEGIN_S, door, map};

const DAY_S: i64 = 86_400;

fn open(state: &str) -> Vault {
    Vault::open(Path::new(state), Keeping::default(), Duration::ZERO).expect("room")
}

fn after_days(days: i64) -> UtcMs {
    UtcMs((BEGIN_S + days * DAY_S) * 1000)
}

/// Every page of the store's file, decrypted with the keys that lie beside it, deleted ones as well: AES-256 in CBC mode,
/// each page with its initialisation vector behind it (SQLCipher 4 with a raw key), by the openssl of this machine.
fn pages(state: &str) -> Vec<u8> {
    let [secret, salt] = ["secret", "salt"].map(|name| std::fs::read(format!("{state}/{name}")).expect("ours"));
    let mut key = [0; 32];
    Hkdf::<Sha256>::new(Some(&salt), &secret).expand(b"kehai store v1", &mut key).expect("32 bytes");
    let file = std::fs::read(format!("{state}/store.db")).expect("ours");
    let mut plain = Vec::new();
    for (number, page) in file.chunks(PAGE).enumerate() {
        // The first page begins with the salt of the file, in clear.
        let begin = if number == 0 { 16 } else { 0 };
        let vector = &page[PAGE - RESERVE..PAGE - RESERVE + 16];
        let mut openssl = Command::new("openssl");
        openssl.args(["enc", "-d", "-aes-256-cbc", "-nopad", "-K", &hex(&key), "-iv", &hex(vector)]);
        let mut child = openssl.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("openssl is installed");
        child.stdin.take().expect("piped").write_all(&page[begin..PAGE - RESERVE]).expect("it reads");
        plain.extend(child.wait_with_output().expect("it ends").stdout);
    }
    plain
}

fn holds(plain: &[u8], words: &[u8]) -> bool {
    plain.windows(words.len()).any(|window| window == words)
}

#[test]
fn after_thirty_one_days_a_window_is_gone_from_the_rows_from_the_file_and_from_every_page() {
    let folder = Folder::new();
    let state = folder.path("state");
    let vault = open(&state);
    (0..16).for_each(|index| vault.release(|seq| map(index, seq, 9_000)).expect("room"));
    let body = vault.held()[5].body.clone();
    // Somewhere in the middle of a body that takes several pages.
    let piece = body[body.len() / 2..body.len() / 2 + 24].to_vec();
    drop(vault);
    let size = |state: &str| std::fs::metadata(format!("{state}/store.db")).expect("ours").len();
    let before = size(&state);
    assert!(holds(&pages(&state), &piece), "with the key a page shows what it holds");
    let vault = open(&state);
    assert_eq!(vault.expire(after_days(30)).expect("room"), Gone::default(), "not a day too soon");
    let gone = vault.expire(after_days(31)).expect("room");
    assert_eq!((gone.windows, gone.undelivered), (16, 16));
    assert_eq!(vault.held(), []);
    assert_eq!(vault.windows(i64::MIN, i64::MAX).expect("readable"), Vec::<Vec<u8>>::new());
    let journal = std::fs::metadata(format!("{state}/store.db-wal")).map_or(0, |about| about.len());
    assert_eq!(journal, 0, "nor does the journal keep it");
    assert!(size(&state) < before / 2, "{} of {before} bytes are left", size(&state));
    assert!(!holds(&pages(&state), &piece), "no page holds it any more");
    let mut told = Vec::new();
    vault
        .export_audit(&mut |line| told.extend(read_line(line).ok().filter(|line| line.what == "expire")))
        .expect("readable");
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].about["windows"], 16);
}

#[test]
fn the_broker_is_told_to_forget_what_it_kept_of_an_object_that_has_expired() {
    let folder = Folder::new();
    let vault = open(&folder.path("state"));
    vault.release(|seq| door(0, seq)).expect("room");
    vault.expire(after_days(31)).expect("room");
    let (_, message) = vault.due(0).expect("a row that clears it");
    assert_eq!((message.body.len(), message.retain, message.topic.ends_with("/win/line/door")), (0, true, true));
}

#[test]
fn after_a_year_the_chain_begins_at_a_signed_checkpoint_and_is_as_whole_as_before() {
    let folder = Folder::new();
    let vault = open(&folder.path("state"));
    for index in 0..6 {
        vault.release(|seq| door(index, seq)).expect("room");
        vault.publish_head("t").expect("room");
    }
    vault.release(|seq| door(6, seq)).expect("room");
    // Lines are as old as the clock of this machine says they are.
    let now = kehai::clock::utc_now();
    assert_eq!(vault.expire(UtcMs(now.0 + 364 * DAY_S * 1000)).expect("room").lines, 0);
    let gone = vault.expire(UtcMs(now.0 + 366 * DAY_S * 1000)).expect("room");
    assert_eq!(gone.lines, 7, "up to the newest checkpoint, which holds their place");
    let mut judge = Judge::new(vault.public_key());
    vault.export_audit(&mut |line| judge.line(line)).expect("readable");
    let verdict = judge.end();
    assert_eq!((verdict.faults.len(), verdict.first), (0, Some(8)), "{:#?}", verdict.faults);
}

const PAGE: usize = 4096;
/// Bytes behind each page: the initialisation vector and its seal.
const RESERVE: usize = 80;
