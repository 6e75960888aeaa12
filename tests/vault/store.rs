//! The store over its life: what is released outlives the process, keeps its bytes, and opens for nobody else.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use kehai::config::Keeping;
use kehai::vault::{Delivery, Vault, VaultError};
use kehai::wire::Message;

use crate::support::folder::Folder;
use crate::support::records::door;

fn open(folder: &Folder) -> Vault {
    Vault::open(Path::new(&folder.path("state")), Keeping::default(), Duration::ZERO).expect("a new folder")
}

fn release(vault: &Vault, indexes: std::ops::Range<i64>) {
    for index in indexes {
        vault.release(|seq| door(index, seq)).expect("room");
    }
}

#[test]
fn what_was_released_and_not_delivered_is_due_again_after_a_restart_byte_for_byte() {
    let folder = Folder::new();
    let vault = open(&folder);
    release(&vault, 0..4);
    let first: Vec<Message> = vault.held();
    vault.settle(1, Delivery::Done);
    vault.settle(2, Delivery::Refused);
    drop(vault);
    let vault = open(&folder);
    let (three, message) = vault.due(0).expect("two rows wait");
    assert_eq!((three, &message.body), (3, &first[2].body));
    let (four, message) = vault.due(4).expect("one row more");
    assert_eq!((four, &message), (4, &first[3]), "the newest keeps its place at the broker");
    assert_eq!(vault.counts().waiting, 2);
    assert_eq!(vault.held(), first, "delivered or not, the history stays");
}

#[test]
fn numbers_go_on_after_a_restart_and_a_window_is_released_once() {
    let folder = Folder::new();
    release(&open(&folder), 0..3);
    let vault = open(&folder);
    let again = vault.release(|seq| door(2, seq));
    assert!(matches!(again, Err(VaultError::Past { .. })), "{again:?}");
    let mut seen = 0;
    vault
        .release(|seq| {
            seen = seq;
            door(3, seq)
        })
        .expect("a later window");
    assert_eq!(seen, 4, "a refused window takes no number");
}

#[test]
fn an_older_window_does_not_take_the_place_of_the_newest_at_the_broker() {
    let folder = Folder::new();
    let vault = open(&folder);
    release(&vault, 0..2);
    assert!(!vault.due(0).expect("waits").1.retain);
    assert!(vault.due(2).expect("waits").1.retain);
}

#[test]
fn every_window_carries_the_signature_of_its_node() {
    let folder = Folder::new();
    let vault = open(&folder);
    release(&vault, 0..1);
    let body = vault.held().remove(0).body;
    assert_eq!(vault.public_key().verify(&body), Ok(()));
    drop(vault);
    assert_eq!(open(&folder).public_key().verify(&body), Ok(()), "the key is the same after a restart");
}

#[test]
fn a_row_settled_twice_counts_once_and_one_that_is_unknown_does_not_count() {
    let folder = Folder::new();
    let vault = open(&folder);
    release(&vault, 0..2);
    for row in [2, 2, 77] {
        vault.settle(row, Delivery::Done);
    }
    assert_eq!((vault.counts().done, vault.counts().waiting), (1, 1));
}

#[test]
fn a_row_is_held_back_before_it_is_sent_and_so_is_what_comes_after_it() {
    let folder = Folder::new();
    let hold = Duration::from_secs(3600);
    let vault = Vault::open(Path::new(&folder.path("state")), Keeping::default(), hold).expect("new");
    release(&vault, 0..1);
    let event = Message { topic: "t".into(), body: b"{}".to_vec(), retain: false, at_least_once: true };
    vault.enqueue(&event).expect("room");
    assert_eq!(vault.due(0), None);
    assert_eq!(vault.newest().len(), 1, "the page on this box need not wait");
    drop(vault);
    assert!(open(&folder).due(0).is_some(), "a new process does not hold back what the old one did");
}

#[test]
fn two_mouths_do_not_share_a_store_but_a_command_may_look_in() {
    let folder = Folder::new();
    let vault = open(&folder);
    release(&vault, 0..2);
    let state = folder.path("state");
    let second = Vault::open(Path::new(&state), Keeping::default(), Duration::ZERO);
    assert!(matches!(second, Err(VaultError::InUse { .. })));
    let beside = Vault::open_beside(Path::new(&state), Keeping::default()).expect("may look");
    assert_eq!(beside.held(), vault.held());
}

#[test]
fn a_store_does_not_open_under_another_key_and_a_key_others_can_read_is_refused() {
    let folder = Folder::new();
    release(&open(&folder), 0..1);
    let state = folder.path("state");
    let secret = format!("{state}/secret");
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o644)).expect("ours");
    let opened = || Vault::open(Path::new(&state), Keeping::default(), Duration::ZERO);
    assert!(matches!(opened(), Err(VaultError::Open { mode: 0o644, .. })));
    std::fs::write(&secret, [1; 32]).expect("ours");
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).expect("ours");
    assert!(matches!(opened(), Err(VaultError::Key { .. })));
    std::fs::remove_file(&secret).expect("ours");
    assert!(matches!(opened(), Err(VaultError::Missing { .. })), "a lost key is not made anew over a store");
}
