//! What is kept for a bad day: one file, a passphrase, and a box that is there again within seconds.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use kehai::cli::armable;
use kehai::config::site;
use kehai::switch::Mode;
use kehai::vault::Vault;

use super::box_of::Box;
use crate::support::armed::arm;
use crate::support::program::kehai;

const WORDS: &str = "five quiet words nobody guesses\n";

fn passphrase(shop: &Box, name: &str, words: &str) -> String {
    let path = shop.folder.write(name, words);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("it is ours");
    path
}

#[test]
fn a_box_is_restored_from_one_file_and_armed_again_by_people_alone() {
    let shop = Box::new();
    let (words, file, site_again) =
        (passphrase(&shop, "words", WORDS), shop.folder.path("box.backup"), shop.folder.path("again.toml"));
    let key = shop.vault().public_key();
    let text = std::fs::read_to_string(&shop.site).expect("a site file");
    kehai(&["backup", "--site", &shop.site, "--out", &file, "--passphrase-file", &words]).must_be_well();
    assert_eq!(std::fs::metadata(&file).expect("it is there").permissions().mode() & 0o777, 0o600);
    assert!(shop.chain().iter().any(|line| line.contains("\"what\":\"backup\"")));
    let restore = |to: &str| kehai(&["restore", &file, "--site", to, "--passphrase-file", &words]);
    restore(&site_again).must_be_refused(3, &["is there already", "kehai wipe"]);

    // The box burns down.
    std::fs::remove_dir_all(&shop.state).expect("it is gone");
    let begun = Instant::now();
    restore(&site_again).must_be_well();
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    assert_eq!(std::fs::read_to_string(&site_again).expect("a site file"), text);
    let vault = shop.vault();
    assert_eq!(vault.public_key(), key, "what it signs is believed as before");
    assert!(!vault.has_people().expect("it opens"));
    assert_eq!(vault.switch().expect("it opens").mode(), Mode::Unprovisioned);
    assert!(shop.chain().iter().any(|line| line.contains("\"what\":\"restore\"")));
    let same = site::load(Path::new(&site_again)).expect("a good site").settings.declaration;
    assert_eq!(same, site::load(Path::new(&shop.site)).expect("a good site").settings.declaration, "the sign stays");
    drop(vault);
    kehai(&["run", "--site", &site_again]).must_be_refused(7, &["not armed"]);
    restore(&site_again).must_be_refused(2, &["is there already"]);
}

#[test]
fn a_restored_box_is_no_looser_than_it_was_and_locked_if_it_was() {
    let k = |k: &str| format!("[gate]\nk = {k}\n[vault]\n");
    for is_locked in [false, true] {
        let shop = Box::with(&[("[vault]\n", &k("8"))]);
        let text = std::fs::read_to_string(&shop.site).expect("a site file");
        arm(&text, Path::new(&shop.state));
        if is_locked {
            kehai(&["lock", "--site", &shop.site]).must_be_well();
        }
        let (words, file, again) =
            (passphrase(&shop, "words", WORDS), shop.folder.path("box.backup"), shop.folder.path("again.toml"));
        kehai(&["backup", "--site", &shop.site, "--out", &file, "--passphrase-file", &words]).must_be_well();
        std::fs::remove_dir_all(&shop.state).expect("it is gone");
        kehai(&["restore", &file, "--site", &again, "--passphrase-file", &words]).must_be_well();

        let switch = shop.vault().switch().expect("it opens");
        assert_eq!(switch.bounds().map(|bounds| bounds.k), Some(8));
        assert_eq!(switch.mode(), if is_locked { Mode::Locked } else { Mode::Unprovisioned });
        assert_eq!(switch.arming(), None);
        let owner = passphrase(&shop, "owner", "seven bridges over snow\n");
        kehai(&["people", "add", "neu", "--role", "owner", "--site", &again, "--new-password-file", &owner])
            .must_be_well();
        let who = ["--as", "neu", "--password-file", &owner];
        let arm = |site: &str, text: &str| {
            let sign = armable(&site::parse(text, "again").expect("a good site")).sign;
            kehai(&[&["arm", "--site", site, "--sign", &sign], &who[..]].concat())
        };
        if is_locked {
            arm(&again, &text).must_be_refused(7, &["locked"]);
            kehai(&[&["unlock", "--site", &again], &who[..]].concat()).must_be_well();
        }
        let loose = text.replace("k = 8", "k = 5");
        let loose_site = shop.folder.write("loose.toml", &loose);
        arm(&loose_site, &loose).must_be_refused(7, &["privacy only tightens", "gate.k = 5, was 8"]);
        arm(&again, &text).must_be_well();
        assert_eq!(shop.vault().switch().expect("it opens").mode(), Mode::Armed);
    }
}

#[test]
fn a_wrong_passphrase_a_changed_and_a_foreign_file_restore_nothing() {
    let shop = Box::new();
    let (words, file) = (passphrase(&shop, "words", WORDS), shop.folder.path("box.backup"));
    kehai(&["backup", "--site", &shop.site, "--out", &file, "--passphrase-file", &words]).must_be_well();
    std::fs::remove_dir_all(&shop.state).expect("it is gone");
    let good = std::fs::read(&file).expect("it is there");
    let wrong = passphrase(&shop, "wrong", "five quiet words somebody guesses\n");
    let again = shop.folder.path("again.toml");
    let refused = |file: &str, words: &str, said: &str| {
        kehai(&["restore", file, "--site", &again, "--passphrase-file", words]).must_be_refused(3, &[said]);
        assert!(!Path::new(&again).exists() && !Path::new(&shop.state).exists(), "{said}: something was restored");
    };
    refused(&file, &wrong, "does not open it");
    let cut = shop.folder.write("cut", &good[..good.len() - 1]);
    refused(&cut, &words, "cut short");
    let changed: Vec<u8> =
        good.iter().enumerate().map(|(at, byte)| if at == good.len() / 2 { byte ^ 1 } else { *byte }).collect();
    refused(&shop.folder.write("changed", &changed), &words, "was changed");
    refused(&shop.folder.write("foreign", "a text"), &words, "not a backup of kehai");
}

#[test]
fn a_weak_passphrase_is_refused_and_nothing_is_written() {
    let shop = Box::new();
    let (words, file) = (passphrase(&shop, "words", "short\n"), shop.folder.path("box.backup"));
    kehai(&["backup", "--site", &shop.site, "--out", &file, "--passphrase-file", &words])
        .must_be_refused(2, &["passphrase", "characters"]);
    assert!(!Path::new(&file).exists());
    drop(Vault::open_beside(Path::new(&shop.state), Default::default()).expect("it still opens"));
}
