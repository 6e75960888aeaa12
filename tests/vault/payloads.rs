//! `kehai verify`: a changed byte of a payload is named with its number, gaps and second contents are told, and what
//! everybody's key has signed is no evidence.

use kehai::wire::seal::Signer;

use crate::support::folder::Folder;
use crate::support::program::{Ended, kehai};
use crate::support::recording::played;
use crate::support::records::door;

/// What six windows look like once a node has signed them.
fn signed(signer: &Signer) -> Vec<String> {
    let body = |seq: u64| signer.seal(door(seq as i64 - 1, seq).message.body);
    (1..=6).map(|seq| String::from_utf8(body(seq)).expect("text")).collect()
}

fn node() -> (Signer, String) {
    let signer = Signer::new(&[5; 32]);
    let key = signer.public().to_string();
    (signer, key)
}

fn verified(lines: &[String], more: &[&str]) -> Ended {
    let folder = Folder::new();
    let file = folder.write("windows.jsonl", lines.join("\n") + "\n");
    kehai(&[&["verify", &file], more].concat())
}

fn must_say(ended: &Ended, code: i32, words: &[&str]) {
    let said = format!("{}\n{}", ended.out, ended.err);
    assert_eq!(ended.code, Some(code), "{said}");
    words.iter().for_each(|words| assert!(said.contains(words), "\"{words}\" is missing in\n{said}"));
}

#[test]
fn payloads_as_they_were_signed_are_verified_with_and_without_their_topics() {
    let (signer, key) = node();
    let lines = signed(&signer);
    must_say(&verified(&lines, &["--key", &key]), 0, &["6 verified, 0 of replays, 0 windows unsigned, 0 broken"]);
    let heard: Vec<String> = lines.iter().map(|line| format!("kehai/v1/acme/s1/n1/win/line/door {line}")).collect();
    must_say(&verified(&heard, &["--key", &key]), 0, &["6 verified"]);
}

#[test]
fn a_changed_byte_is_named_with_its_line_and_number_and_an_intact_copy_shows_what_it_was() {
    let (signer, key) = node();
    let mut lines = signed(&signer);
    let intact = lines[3].clone();
    lines[3] = lines[3].replace("\"in\":3", "\"in\":9");
    let alone = verified(&lines, &["--key", &key]);
    must_say(&alone, 1, &["5 verified", "1 broken", "line 4 (seq 4): its signature does not fit", "1 gap(s): 4"]);
    lines.push(intact);
    must_say(&verified(&lines, &["--key", &key]), 1, &["line 4 (seq 4)", "d.in is 9, was 3"]);
}

#[test]
fn any_changed_byte_of_a_payload_is_noticed() {
    let (signer, key) = node();
    let line = signed(&signer).remove(2);
    // One file of all the ways to change one byte, each a line; a line feed would make two.
    let mut changed: Vec<Vec<u8>> = Vec::new();
    for at in 0..line.len() {
        let mut bytes = line.clone().into_bytes();
        bytes[at] ^= 1 + (at % 31) as u8;
        if bytes[at] != b'\n' && bytes[at] != b'\r' {
            changed.push(bytes);
        }
    }
    let folder = Folder::new();
    let file = folder.write("changed.jsonl", changed.join(&b'\n'));
    let ended = kehai(&["verify", &file, "--key", &key]);
    must_say(&ended, 1, &["0 verified, 0 of replays"]);
}

#[test]
fn what_is_stripped_of_its_signature_and_number_does_not_pass_for_something_never_signed() {
    let (signer, key) = node();
    let event = r#"{"v":1,"k":"evt","of":"clock-step","at":"2026-01-05T10:00:00Z","boot":"b","about":{}}"#;
    let sealed = String::from_utf8(signer.seal(event.as_bytes().to_vec())).expect("text");
    must_say(&verified(std::slice::from_ref(&sealed), &["--key", &key]), 0, &["1 verified"]);
    let bare = r#"{"v":1,"k":"line","id":"door","ws":0,"d":{"in":9}}"#;
    let disguised = [
        event.to_owned(),
        sealed.replace("\"sig\"", "\"sag\""),
        bare.to_owned(),
        bare.replace("\"line\"", "\"health\""),
        format!("kehai/v1/acme/s1/n1/win/line/door {}", r#"{"v":1,"k":"state","d":{"in":9}}"#),
        r#"{"v":1,"k":"audit","chain":"c","n":9,"first":1,"epoch":1,"head":"h","at":"a"}"#.to_owned(),
    ];
    must_say(&verified(&disguised, &["--key", &key]), 1, &["0 verified", "6 windows unsigned, 0 broken"]);
    let plain = [
        r#"{"v":1,"k":"state","state":"online","boot":"b"}"#,
        r#"{"v":1,"k":"meta","of":"lines","cfg":"c","items":[]}"#,
    ];
    must_say(&verified(&plain.map(str::to_owned), &["--key", &key]), 0, &["2 that are never signed"]);
}

#[test]
fn a_payload_that_is_no_json_any_more_is_still_named_by_its_number() {
    let (signer, key) = node();
    let mut lines = signed(&signer);
    lines[3].insert(1, 'x');
    must_say(&verified(&lines, &["--key", &key]), 1, &["5 verified", "line 4 (seq 4): no payload"]);
}

#[test]
fn white_space_alone_a_foreign_topic_and_another_key_are_told_apart() {
    let (signer, key) = node();
    let lines = signed(&signer);
    let spaced = [lines[0].replace("\"v\":1,", "\"v\": 1, ")];
    must_say(&verified(&spaced, &["--key", &key]), 1, &["other white space"]);
    let moved = [format!("kehai/v1/acme/s1/n1/win/line/back-door {}", lines[0])];
    must_say(&verified(&moved, &["--key", &key]), 1, &["under the topic of another object"]);
    let other = Signer::new(&[6; 32]).public().to_string();
    must_say(&verified(&lines, &["--key", &other]), 1, &["0 verified", "6 broken"]);
}

#[test]
fn a_second_content_of_a_window_is_told_and_the_same_again_is_harmless() {
    let (signer, key) = node();
    let mut lines = signed(&signer);
    lines.push(lines[1].clone());
    must_say(&verified(&lines, &["--key", &key]), 0, &["1 came more than once, byte for byte"]);
    let body = door(1, 2).message.body;
    let other = String::from_utf8(body).expect("text").replace("\"in\":1", "\"in\":8");
    lines.push(String::from_utf8(signer.seal(other.into_bytes())).expect("text"));
    must_say(
        &verified(&lines, &["--key", &key]),
        1,
        &["line 8 (seq 2): the same window was there with another content"],
    );
    let mut lines = signed(&signer);
    lines.push(String::from_utf8(signer.seal(door(50, 2).message.body)).expect("text"));
    must_say(&verified(&lines, &["--key", &key]), 1, &["another window has the same seq 2"]);
}

#[test]
fn an_unsigned_window_and_a_missing_key_are_no_success() {
    let (signer, key) = node();
    let mut lines = signed(&signer);
    must_say(&verified(&lines, &[]), 2, &["no key to check it with", "--site"]);
    lines.push(String::from_utf8(door(9, 10).message.body).expect("text"));
    must_say(&verified(&lines, &["--key", &key]), 1, &["1 windows unsigned"]);
    let about = format!("kehai/v1/acme/s1/n1/about {{\"v\":1,\"k\":\"about\",\"public_key\":\"{key}\"}}");
    let mut heard: Vec<String> =
        signed(&signer).iter().map(|line| format!("kehai/v1/acme/s1/n1/win/line/door {line}")).collect();
    heard.insert(3, about);
    must_say(&verified(&heard, &[]), 0, &["6 verified", "name themselves"]);
}

#[test]
fn what_a_replay_signed_is_no_evidence_and_a_shop_cannot_pass_for_one() {
    let everybody = Signer::of_replays();
    let replayed = br#"{"v":1,"k":"line","id":"door","boot":"replay","seq":1,"d":{"in":1}}"#.to_vec();
    let said = String::from_utf8(everybody.seal(replayed)).expect("text");
    must_say(&verified(&[said], &[]), 0, &["0 verified, 1 of replays", "no evidence"]);
    let live = br#"{"v":1,"k":"line","id":"door","boot":"7f3a9c01","seq":1,"d":{"in":1}}"#.to_vec();
    let said = String::from_utf8(everybody.seal(live)).expect("text");
    must_say(&verified(&[said], &["--key", &node().1]), 1, &["everybody's key of replays"]);
}

#[test]
fn a_replay_written_to_a_file_is_whole_and_said_to_be_no_evidence() {
    let ended = kehai(&["verify", &format!("{}/windows.jsonl", played().out())]);
    must_say(&ended, 0, &["0 verified, 10 of replays, 0 windows unsigned, 0 broken"]);
    must_say(&kehai(&["verify", "/nowhere"]), 2, &["/nowhere"]);
}
