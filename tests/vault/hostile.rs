//! Exports of the audit chain as a stranger may hand them over: whatever was done to the file, the command names a line,
//! ends with 1 and does not fall over; and a store that was put back is told from an export that is merely old.

use std::path::Path;

use kehai::clock::UtcMs;
use kehai::wire::audit::{Deed, NOTHING_BEFORE, Place, line_of};

use super::commands::Store;
use crate::support::folder::{names_in, read};
use crate::support::program::{Ended, kehai};
use crate::support::records::door;

fn key(shop: &Store) -> String {
    shop.beside().public_key().to_string()
}

/// The chain as a file: eight lines, one checkpoint behind the seventh, and the signed end.
fn exported(shop: &Store) -> Vec<u8> {
    let out = shop.folder.path("audit.jsonl");
    let ended = kehai(&["audit", "export", "--out", &out, "--site", &shop.site]);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    read(&out)
}

fn judged(shop: &Store, bytes: &[u8], more: &[&str]) -> Ended {
    let file = shop.folder.write("judged.jsonl", bytes);
    kehai(&[&["audit", "verify", &file], more].concat())
}

fn lines(bytes: &[u8]) -> Vec<Vec<u8>> {
    bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

/// A line by itself with every hash right, as anybody can make it.
fn forged(n: u64, prev: &str) -> Vec<u8> {
    let place = Place { n, epoch: 1, prev: prev.to_owned() };
    (line_of(&Deed::done("start"), &place, UtcMs(1_767_607_200_000)).0 + "\n").into_bytes()
}

fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8(bytes.to_vec()).expect("text");
    assert!(text.contains(from), "{from} is not in it");
    text.replacen(from, to, 1).into_bytes()
}

/// What was done to a file, what is left of it, and what must be said.
type Attack = (&'static str, Vec<u8>, &'static str);

fn attacks(whole: &[u8], foreign: &[u8]) -> Vec<Attack> {
    let at = lines(whole);
    let (other, end) = (lines(foreign), at.len() - 1);
    let without = |gone: &[usize]| {
        let left = at.iter().enumerate().filter(|(index, _)| !gone.contains(index)).map(|(_, line)| line.clone());
        left.collect::<Vec<_>>().concat()
    };
    let with = |index: usize, line: &[u8]| {
        let mut lines = at.clone();
        lines.insert(index, line.to_vec());
        lines.concat()
    };
    let mut moved = at.clone();
    moved.swap(2, 4);
    let mut mixed = at.clone();
    mixed.splice(3..4, [other[3].clone()]);
    vec![
        ("nothing in it", Vec::new(), "FAULT line 0: there is nothing"),
        ("line feeds alone", b"\n\n\n".to_vec(), "FAULT line 1"),
        (
            "edited",
            replaced(whole, "\"outcome\":\"done\"", "\"outcome\":\"none\""),
            "FAULT line 1 (line 1 of the file): edited",
        ),
        ("white space", replaced(whole, "{\"n\":3,", "{\"n\": 3,"), "FAULT line 3 (line 3 of the file): edited"),
        (
            "the same JSON",
            replaced(whole, "{\"n\":3,\"epoch\":1", "{\"n\":3,\"\\u0065poch\":1"),
            "FAULT line 3 (line 3 of the file): edited",
        ),
        (
            "a head in other words",
            replaced(whole, "{\"v\":1,\"k\":\"audit\"", "{\"k\":\"audit\",\"v\":1"),
            "FAULT line 7 (line 8 of the file): a checkpoint: its signature",
        ),
        ("a line deleted", without(&[3]), "FAULT line 4"),
        ("the first deleted", without(&[0]), "FAULT line 1"),
        ("a line twice", with(4, &at[3]), "FAULT line 4 (line 5 of the file): stands there twice"),
        ("two exchanged", moved.concat(), "FAULT line 3"),
        ("the checkpoint cut", without(&[7]), "FAULT line 8"),
        ("the tail cut", at[..5].concat(), "FAULT line 5: the signed end is missing"),
        ("the tail cut and the end kept", without(&[5, 6, 7, 8]), "FAULT line 6"),
        ("the end twice", with(end, &at[end]), "stands behind the signed end"),
        ("cut within a line", whole[..at[..4].concat().len() + 40].to_vec(), "FAULT line 5"),
        ("a line of another box", mixed.concat(), "FAULT line 4"),
        ("half of another box", [&at[..5].concat()[..], &other[5..].concat()].concat(), "FAULT line 6"),
        ("another box behind it", [whole, foreign].concat(), "stands behind the signed end"),
    ]
}

/// More of them, which need no second box: what no line can be.
fn oddities(whole: &[u8]) -> Vec<Attack> {
    let at = lines(whole);
    let with = |index: usize, line: &[u8]| {
        let mut lines = at.clone();
        lines.insert(index, line.to_vec());
        lines.concat()
    };
    let mut broken = at[..3].concat();
    broken.extend([0xFF, 0xFE, 0x80, b'\n']);
    broken.extend(at[4..].concat());
    vec![
        (
            "line ends of another system",
            replaced_all(whole, "\n", "\r\n"),
            "FAULT line 1 (line 1 of the file): ends with a carriage return",
        ),
        ("no text", broken, "FAULT line 4 (line 4 of the file): no line of an audit chain"),
        ("a mark before it", [b"\xEF\xBB\xBF".as_slice(), whole].concat(), "FAULT line 1"),
        ("zeros", vec![0; 10_000], "FAULT line 1"),
        ("one endless line", vec![b'{'; 5 << 20], "FAULT line 1"),
        ("brackets without end", with(3, &[vec![b'['; 100_000], b"\n".to_vec()].concat()), "FAULT line 4"),
        (
            "a line 0 before it",
            [forged(0, NOTHING_BEFORE), whole.to_vec()].concat(),
            "FAULT line 1 (line 1 of the file): its number 0",
        ),
        (
            "a highest number",
            [forged(u64::MAX, NOTHING_BEFORE), whole.to_vec()].concat(),
            "its number 18446744073709551615",
        ),
        (
            "the highest a store gives",
            [forged(i64::MAX as u64, NOTHING_BEFORE), whole.to_vec()].concat(),
            "lines 1 to 9223372036854775806 are missing",
        ),
        ("a binary", read("/proc/self/exe")[..1 << 20].to_vec(), "FAULT line 1"),
    ]
}

fn replaced_all(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    String::from_utf8(bytes.to_vec()).expect("text").replace(from, to).into_bytes()
}

#[test]
fn whatever_was_done_to_an_export_a_line_is_named_and_the_end_is_one() {
    let (shop, other) = (Store::new(""), Store::new(""));
    let (whole, foreign) = (exported(&shop), exported(&other));
    let key = key(&shop);
    assert_eq!(judged(&shop, &whole, &["--key", &key]).code, Some(0));
    let mut wrong = Vec::new();
    for (name, bytes, words) in [attacks(&whole, &foreign), oddities(&whole)].concat() {
        let ended = judged(&shop, &bytes, &["--key", &key]);
        if ended.code != Some(1) || !ended.out.contains(words) || ended.err.contains("panicked") {
            let said: String = format!("{}{}", ended.out, ended.err).chars().take(600).collect();
            wrong.push(format!("{name}: code {:?}, \"{words}\" should be in\n{said}", ended.code));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Copies every file of a store.
fn copied(shop: &Store, to: &str) {
    std::fs::create_dir_all(to).expect("a writable folder");
    for name in names_in(&shop.state) {
        std::fs::copy(Path::new(&shop.state).join(&name), Path::new(to).join(&name)).expect("room");
    }
}

fn must_say(ended: &Ended, code: i32, words: &[&str]) {
    let said = format!("{}\n{}", ended.out, ended.err);
    assert_eq!(ended.code, Some(code), "{said}");
    words.iter().for_each(|words| assert!(said.contains(words), "\"{words}\" is missing in\n{said}"));
}

#[test]
fn an_old_export_is_told_from_a_store_that_was_put_back_and_from_one_made_anew() {
    let shop = Store::new("");
    let older = exported(&shop);
    let before = shop.folder.path("before");
    copied(&shop, &before);
    (6..9).for_each(|index| shop.open().release(|seq| door(index, seq)).expect("room"));
    let newer = exported(&shop);
    let site = ["--site", shop.site.as_str()];
    must_say(&judged(&shop, &newer, &site), 0, &["lines, 1 to"]);
    must_say(&judged(&shop, &older, &site), 0, &["OLDER: ends at line 8, the box is at line", "the same line"]);
    // Its own line 9 is another one from now on.
    for name in names_in(&shop.state) {
        std::fs::remove_file(Path::new(&shop.state).join(name)).expect("ours");
    }
    for name in names_in(&before) {
        std::fs::copy(Path::new(&before).join(&name), Path::new(&shop.state).join(&name)).expect("room");
    }
    must_say(&judged(&shop, &newer, &site), 1, &["is not on the box, whose chain ends at line 8", "rolled back"]);
    must_say(&judged(&shop, &older, &site), 0, &["lines, 1 to 8"]);
    let vault = shop.open();
    (6..20).for_each(|index| vault.release(|seq| door(index, seq)).expect("room"));
    drop(vault);
    must_say(&judged(&shop, &newer, &site), 1, &["is another one on the box", "rolled back and went on"]);
    must_say(&judged(&shop, &older, &site), 0, &["OLDER: ends at line 8"]);
    // A store made anew under the same secret signs with the same key.
    std::fs::remove_file(Path::new(&shop.state).join("store.db")).expect("ours");
    drop(shop.open());
    must_say(&judged(&shop, &older, &site), 1, &["is of another chain than that of the box"]);
}
