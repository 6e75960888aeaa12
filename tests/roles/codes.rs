//! The second factor: whoever has codes gives one at every door, each is good once, and nobody guesses them for long.

use std::path::Path;
use std::time::Duration;

use kehai::clock::utc_now;
use kehai::config::Keeping;
use kehai::switch::Role;
use kehai::vault::{Claim, Door, ProofError, Vault, step_at};

use super::staff::{Staff, lines, password, password_file};
use crate::support::folder::Folder;
use crate::support::program::{kehai, start_command};
use crate::vault::commands::Store;

fn now_step() -> u64 {
    step_at(utc_now().0.div_euclid(1000))
}

#[test]
fn whoever_has_codes_gives_one_at_every_command_and_each_is_good_once() {
    let store = Store::new("");
    let staff = Staff::join(&store.beside());
    let word = password_file(&store.folder, Role::Owner);
    let path = |name: &str| store.folder.path(name);
    let (figures, chain, backup) = (path("figures.csv"), path("chain.jsonl"), path("box.backup"));
    let span = ["--from", "2020-01-01", "--to", "2020-01-02"];
    let purge = [&["purge", "--yes"], &span[..]].concat();
    let commands: [&[&str]; 8] = [
        &purge,
        &["wipe", "--yes"],
        &["audit", "search"],
        &["audit", "export", "--out", &chain],
        &[&["export", "--format", "csv", "--out", &figures], &span[..]].concat(),
        &["people", "revoke", "viewer"],
        &["people", "password", "owner"],
        &["backup", "--out", &backup, "--passphrase-file", &word],
    ];
    let who = ["--site", &store.site, "--as", "owner", "--password-file", &word];
    for command in commands {
        let ask = |more: &[&str]| kehai(&[command, &who, more].concat());
        ask(&[]).must_be_refused(2, &["code of owner", "--code CODE"]);
        if command == commands[0] {
            ask(&["--code", "12345"]).must_be_refused(7, &["owner", "code is wrong"]);
        }
    }
    let (vault, code) = (store.beside(), staff.codes.code_of(now_step()));
    assert_eq!(lines(&vault, "prove", "done").len(), 0);
    assert_eq!((vault.status().expect("it is there").windows, vault.people().expect("they are there").len()), (6, 4));
    kehai(&[&purge[..], &who, &["--code", &code]].concat()).must_be_well();
    kehai(&[&purge[..], &who, &["--code", &code]].concat()).must_be_refused(7, &["good once"]);
    // Password and code as two lines, for whoever types nothing.
    let mut shell = std::process::Command::new("sh");
    let lines = format!("printf '%s\\n' '{}' {} | \"$@\"", password(Role::Owner), staff.codes.code_of(now_step() + 1));
    shell.args(["-c", &lines, "sh", env!("CARGO_BIN_EXE_kehai")]).args(&purge).args(&who[..4]);
    start_command(shell).ended().must_be_well();
}

#[test]
fn five_wrong_codes_bar_the_page_for_longer_and_longer_also_after_a_restart_and_not_the_box() {
    let folder = Folder::new();
    let state = folder.path("state");
    let open = || Vault::open(Path::new(&state), Keeping::default(), Duration::ZERO).expect("a store");
    let vault = open();
    let staff = Staff::join(&vault);
    let good = || staff.codes.code_of(now_step());
    let try_in = |vault: &Vault, door, word: &str, code: &str| {
        vault.prove(&Claim { name: "owner", password: word, code: Some(code), door })
    };
    for _ in 0..3 {
        let wrong = try_in(&vault, Door::Page, "not the password of anybody", "no-code");
        assert!(matches!(wrong, Err(ProofError::Wrong)), "{wrong:?}");
    }
    assert!(try_in(&vault, Door::KnownPage, password(Role::Owner), &good()).is_ok(), "nobody has guessed a code");
    let right = password(Role::Owner);
    for (door, guesses) in [(Door::KnownPage, 3), (Door::Page, 1)] {
        for _ in 0..guesses {
            assert!(matches!(try_in(&vault, door, right, "no-code"), Err(ProofError::Wrong)));
        }
    }
    assert!(matches!(vault.prove_code("owner", "no-code"), Err(ProofError::Wrong)), "the fifth, behind a login");
    drop(vault);
    let vault = open();
    let waits = |refusal: Result<_, ProofError>| match refusal {
        Err(ProofError::Wait { wait_s }) => wait_s,
        other => panic!("{other:?}"),
    };
    for wait_s in [
        waits(try_in(&vault, Door::Page, right, &good())),
        waits(try_in(&vault, Door::KnownPage, right, &good())),
        waits(vault.prove_code("owner", &good())),
    ] {
        assert!((50..=60).contains(&wait_s), "{wait_s}");
    }
    let next = staff.codes.code_of(now_step() + 1);
    assert!(try_in(&vault, Door::Box, right, &next).is_ok(), "who is at the box waits for nobody");
}
