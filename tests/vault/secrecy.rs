//! The folder of a store without its key: nothing in it can be read, by anybody else, also right after a crash.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use kehai::config::Keeping;
use kehai::vault::{Vault, VaultError};
use kehai::wire::Message;
use kehai::wire::audit::Deed;

use crate::support::folder::{Folder, names_in};
use crate::support::program::start_command;
use crate::support::records::{door, map};
use crate::support::twin;

fn open(state: &str) -> Vault {
    Vault::open(Path::new(state), Keeping::default(), Duration::ZERO).expect("room")
}

/// A store with some of everything in it.
fn fill(vault: &Vault) {
    (0..20).for_each(|index| vault.release(|seq| map(index, seq, 18_000)).expect("room"));
    (0..200).for_each(|index| vault.release(|seq| door(index, seq)).expect("room"));
    let body = b"{\"v\":1,\"k\":\"evt\",\"what\":\"camera-lost\"}".to_vec();
    let event =
        Message { topic: "kehai/v1/acme/s1/n1/evt/camera-lost".into(), body, retain: false, at_least_once: true };
    vault.enqueue(&event).expect("room");
    vault.remember(&Deed::done("config").by("owner")).expect("room");
    vault.publish_head("kehai/v1/acme/s1/n1/audit").expect("room");
}

/// What stands in a store: topics, ids, kinds, payloads, tables, the chain.
const WORDS: [&str; 12] = [
    "kehai",
    "acme",
    "win/line",
    "door",
    "heat",
    "camera-lost",
    "ed25519",
    "\"seq\"",
    "release",
    "owner",
    "CREATE TABLE",
    "sha256",
];

/// All bytes of a folder hold none of these words.
fn must_be_unreadable(state: &str) {
    for name in names_in(state) {
        let bytes = std::fs::read(format!("{state}/{name}")).expect("ours");
        for word in WORDS {
            let found = bytes.windows(word.len()).any(|window| window == word.as_bytes());
            assert!(!found, "{name} ({} bytes) holds \"{word}\"", bytes.len());
        }
    }
}

#[test]
fn no_file_of_a_store_shows_a_word_of_what_is_in_it_while_it_is_open_after_a_crash_and_at_rest() {
    let folder = Folder::new();
    let state = folder.path("state");
    let vault = open(&state);
    fill(&vault);
    assert!(names_in(&state).contains(&"store.db-wal".to_owned()), "the journal is looked at as well");
    must_be_unreadable(&state);
    // As the disk is when the power goes: the journal is there and the process is not.
    let crashed = folder.path("crashed");
    std::fs::create_dir_all(&crashed).expect("ours");
    for name in names_in(&state) {
        std::fs::copy(format!("{state}/{name}"), format!("{crashed}/{name}")).expect("ours");
    }
    std::fs::remove_file(format!("{crashed}/store.lock")).expect("ours");
    let again = open(&crashed);
    assert_eq!(again.held(), vault.held());
    drop(again);
    must_be_unreadable(&crashed);
    drop(vault);
    must_be_unreadable(&state);
}

#[test]
fn a_stranger_with_the_file_and_their_own_tools_gets_nothing() {
    let folder = Folder::new();
    let state = folder.path("state");
    let vault = open(&state);
    fill(&vault);
    let asked = Command::new("sqlite3").args([&format!("{state}/store.db"), ".schema"]).output();
    let said =
        asked.map(|said| format!("{}{}", String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr)));
    if let Ok(said) = said {
        assert!(said.contains("not a database"), "{said}");
    }
    // Entropy of what is encrypted: no byte value is much commoner than another.
    let bytes = std::fs::read(format!("{state}/store.db")).expect("ours");
    let mut counts = [0usize; 256];
    bytes.iter().for_each(|byte| counts[usize::from(*byte)] += 1);
    let most = counts.iter().max().copied().unwrap_or(0);
    assert!(most < bytes.len() / 256 * 2, "{most} of {} bytes are alike", bytes.len());
}

#[test]
fn the_folder_and_all_in_it_belong_to_one_user_whatever_the_umask_is() {
    if let Some(state) = twin::part() {
        rustix::process::umask(rustix::fs::Mode::empty());
        fill(&open(&state));
        let vault = open(&state);
        fill_more(&vault);
        for name in names_in(&state) {
            must_be_private(&format!("{state}/{name}"), 0o600);
        }
        return must_be_private(&state, 0o700);
    }
    let folder = Folder::new();
    let name = "vault::secrecy::the_folder_and_all_in_it_belong_to_one_user_whatever_the_umask_is";
    let ended = start_command(twin::command(name, &folder.path("state"))).ended();
    assert_eq!(ended.code, Some(0), "{}\n{}", ended.out, ended.err);
}

fn fill_more(vault: &Vault) {
    (300..310).for_each(|index| vault.release(|seq| door(index, seq)).expect("room"));
}

fn must_be_private(path: &str, mode: u32) {
    let found = std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!(found, mode, "{path} has mode {found:o}");
}

#[test]
fn a_folder_that_others_can_look_into_is_closed_when_it_is_ours_and_refused_when_it_is_not() {
    let folder = Folder::new();
    let state = folder.path("state");
    std::fs::create_dir_all(&state).expect("ours");
    let open_it = || Vault::open(Path::new(&state), Keeping::default(), Duration::ZERO).map(drop);
    std::fs::set_permissions(&state, std::fs::Permissions::from_mode(0o755)).expect("ours");
    open_it().expect("an empty folder is closed");
    must_be_private(&state, 0o700);
    folder.write("state/notes.txt", "somebody else's");
    std::fs::set_permissions(&state, std::fs::Permissions::from_mode(0o750)).expect("ours");
    let refused = open_it();
    assert!(matches!(refused, Err(VaultError::Open { mode: 0o750, .. })), "{refused:?}");
    must_be_private(&state, 0o750);
}
