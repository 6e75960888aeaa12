//! The commands of the store as a person gives them: what they do, what they say, and the exit code.

use std::path::Path;
use std::time::Duration;

use kehai::config::Keeping;
use kehai::vault::Vault;
use kehai::wire::audit::read_line;
use serde_json::Value;

use crate::roles::staff::Staff;
use crate::support::folder::{Folder, names_in, read};
use crate::support::program::{Ended, kehai, start};
use crate::support::records::door;
use crate::support::site::BARE;

/// A site of its own with a store of six windows.
pub struct Store {
    pub folder: Folder,
    pub site: String,
    pub state: String,
}

impl Store {
    pub fn new(more: &str) -> Self {
        let folder = Folder::new();
        let state = folder.path("state");
        let site = folder.write("site.toml", format!("{BARE}{more}\n[vault]\nfolder = \"{state}\"\n"));
        let made = Self { folder, site, state };
        let vault = made.open();
        (0..6).for_each(|index| vault.release(|seq| door(index, seq)).expect("room"));
        vault.publish_head("kehai/v1/acme/s1/n1/audit").expect("room");
        made
    }

    pub fn open(&self) -> Vault {
        Vault::open(Path::new(&self.state), Keeping::default(), Duration::ZERO).expect("nobody else uses it")
    }

    pub fn beside(&self) -> Vault {
        Vault::open_beside(Path::new(&self.state), Keeping::default()).expect("it is there")
    }

    fn key(&self) -> String {
        self.beside().public_key().to_string()
    }

    fn asks(&self, arguments: &[&str]) -> Ended {
        kehai(&[arguments, &["--site", &self.site]].concat())
    }

    fn export(&self) -> String {
        let out = self.folder.path("audit.jsonl");
        let ended = self.asks(&["audit", "export", "--out", &out]);
        assert_eq!(ended.code, Some(0), "{}", ended.err);
        out
    }
}

fn must_say(ended: &Ended, code: i32, words: &[&str]) {
    let said = format!("{}\n{}", ended.out, ended.err);
    assert_eq!(ended.code, Some(code), "{said}");
    words.iter().for_each(|words| assert!(said.contains(words), "\"{words}\" is missing in\n{said}"));
}

#[test]
fn an_export_is_judged_by_its_key_by_the_box_and_by_what_was_published() {
    let shop = Store::new("");
    let out = shop.export();
    let key = shop.key();
    must_say(&kehai(&["audit", "verify", &out, "--key", &key]), 0, &["lines, 1 to 8", "1 checkpoints", &key]);
    must_say(&shop.asks(&["audit", "verify", &out]), 0, &["lines, 1 to 8"]);
    must_say(&shop.asks(&["audit", "verify"]), 0, &["lines, 1 to 8"]);
    let published = std::iter::successors(shop.beside().due(0), |(row, _)| shop.beside().due(row + 1))
        .find(|(_, message)| message.topic.ends_with("/audit"))
        .map(|(_, message)| format!("{} {}", message.topic, String::from_utf8(message.body).expect("text")))
        .expect("a head waits");
    let heads = shop.folder.write("heads.txt", format!("kehai/v1/acme/s1/n1/state {{\"k\":\"state\"}}\n{published}\n"));
    must_say(&kehai(&["audit", "verify", &out, "--key", &key, "--heads", &heads]), 0, &["published heads: 1 are part"]);
    let told = kehai(&["audit", "verify", &out, "--key", &key, "--json"]);
    let told: Value = serde_json::from_str(&told.out).expect("json");
    assert_eq!((&told["lines"], &told["faults"]), (&Value::from(8), &Value::Array(Vec::new())));
    // The chain goes on, and the export is no longer its newest.
    let _ = shop.export();
    shop.beside().release(|seq| door(9, seq)).expect("room");
    must_say(
        &shop.asks(&["audit", "verify", &out]),
        0,
        &["OLDER: ends at line 9, the box is at line 10", "the same line"],
    );
    let told = shop.asks(&["audit", "verify", &out, "--json"]);
    let told: Value = serde_json::from_str(&told.out).expect("json");
    assert_eq!(told["older"], serde_json::json!({ "ends": 9, "box": 10, "compared": true }));
    must_say(&shop.asks(&["audit", "verify", &out, "--current"]), 1, &["FAULT line 9", "shown as the present"]);
    must_say(&kehai(&["audit", "verify", &out, "--key", &key]), 0, &["lines, 1 to 9"]);
}

#[test]
fn a_changed_export_is_refused_with_the_number_of_its_line_and_without_a_key_nothing_is_judged() {
    let shop = Store::new("");
    let (out, key) = (shop.export(), shop.key());
    let text = String::from_utf8(read(&out)).expect("text");
    let edited = shop.folder.write("edited.jsonl", text.replacen("\"what\":\"release\"", "\"what\":\"rejoice\"", 1));
    must_say(&kehai(&["audit", "verify", &edited, "--key", &key]), 1, &["FAULT line 2 (line 2 of the file): edited"]);
    must_say(&kehai(&["audit", "verify", &out]), 2, &["--key ed25519:", "--site SITE"]);
    must_say(&kehai(&["audit", "verify", &out, "--key", "ed25519:AAAA"]), 2, &["no public key"]);
    let other = "ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    must_say(&kehai(&["audit", "verify", &out, "--key", other]), 1, &["its signature does not fit"]);
    must_say(&kehai(&["audit", "verify", &out, "--key", &key, "--heads", &shop.site]), 2, &["no published head in it"]);
    must_say(&kehai(&["audit", "verify", "/nowhere", "--key", &key]), 2, &["/nowhere"]);
    must_say(&shop.asks(&["audit", "export", "--out", "/nowhere/a"]), 2, &["--out /nowhere/a"]);
}

#[test]
fn the_chain_is_searched_by_what_who_when_and_words_and_who_searched_stands_in_it() {
    let shop = Store::new("");
    let found = |arguments: &[&str]| {
        let ended = shop.asks(&[&["audit", "search", "--json"], arguments].concat());
        assert_eq!(ended.code, Some(0), "{}", ended.err);
        ended.out.lines().map(|line| read_line(line).expect("as it stands in the chain")).collect::<Vec<_>>()
    };
    assert_eq!(found(&["--what", "release"]).len(), 6);
    assert_eq!(found(&["--text", "\"seq\":3"]).len(), 1);
    assert_eq!(found(&["--who", "nobody"]).len(), 0);
    assert_eq!(found(&["--outcome", "failed"]).len(), 0);
    assert_eq!(found(&["--what", "release", "--to", "2026-01-01"]).len(), 0);
    assert_eq!(found(&["--what", "release", "--from", "2026-01-01"]).len(), 6);
    let searched = found(&["--what", "audit-search"]);
    assert!(searched.len() == 7 && searched[0].who.starts_with("uid:"), "{searched:?}");
    must_say(&shop.asks(&["audit", "search", "--from", "tomorrow"]), 2, &["--from tomorrow: no moment"]);
    must_say(&kehai(&["audit", "search"]), 2, &["FILE", "--site"]);
}

#[test]
fn a_purge_takes_whole_windows_of_the_shops_own_days_and_asks_first() {
    let shop = Store::new("");
    // 2026-01-05T10:00Z is seven in the evening in Tokyo.
    let evening = ["purge", "--from", "2026-01-05T19:10", "--to", "2026-01-05T19:31"];
    must_say(&shop.asks(&evening), 2, &["2 windows", "give --yes"]);
    assert_eq!(shop.beside().held().len(), 6);
    must_say(&shop.asks(&[&evening[..], &["--yes"]].concat()), 0, &["2 windows are gone, 2 of them"]);
    assert_eq!(shop.beside().held().len(), 4);
    must_say(&shop.asks(&["purge", "--from", "2026-01-06", "--to", "2026-01-05", "--yes"]), 2, &["not after --from"]);
    must_say(
        &shop.asks(&["purge", "--from", "2026-01-05", "--to", "2026-01-06", "--yes", "--json"]),
        0,
        &["\"windows\": 4"],
    );
    assert_eq!(shop.beside().held(), []);
    must_say(&shop.asks(&["audit", "search", "--what", "purge"]), 0, &["windows=2", "windows=4"]);
    must_say(&shop.asks(&["audit", "verify"]), 0, &[]);
}

#[test]
fn a_wipe_leaves_a_signed_receipt_and_nothing_else() {
    let shop = Store::new("");
    let key = shop.key();
    must_say(&shop.asks(&["wipe"]), 2, &["destroyed for ever", "give --yes"]);
    let held = shop.open();
    must_say(&shop.asks(&["wipe", "--yes"]), 3, &["another `kehai run` uses it"]);
    drop(held);
    let secrets = ["secret", "salt"].map(|name| read(&format!("{}/{name}", shop.state)));
    let receipt = shop.folder.path("receipt.json");
    must_say(&shop.asks(&["wipe", "--yes", "--receipt", &receipt]), 0, &["the store is destroyed", &receipt]);
    assert_eq!(names_in(&shop.state), Vec::<String>::new());
    must_say(&kehai(&["verify", &receipt, "--key", &key]), 0, &["1 verified"]);
    let told: Value = serde_json::from_slice(&read(&receipt)).expect("json");
    assert_eq!((&told["key"], &told["windows"]), (&Value::from(key.as_str()), &Value::from(6)));
    assert_eq!(told["head"]["n"], 9, "a start, six windows, two wipes: {told}");
    let files: Vec<&str> = told["files"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    assert!(["secret", "salt", "store.db"].iter().all(|name| files.contains(name)), "{files:?}");
    assert!(
        told["cleared"].as_array().is_some_and(|topics| topics.contains(&"kehai/v1/acme/s1/n1/win/line/door".into()))
    );
    // Whoever begins anew has other keys.
    drop(shop.open());
    assert_ne!(shop.key(), key);
    assert_ne!(["secret", "salt"].map(|name| read(&format!("{}/{name}", shop.state))), secrets);
}

#[test]
fn a_store_that_is_damaged_under_its_own_keys_is_destroyed_all_the_same() {
    type Wound = fn(&mut Vec<u8>);
    let wounds: [Wound; 3] = [
        |bytes| bytes[..4096].fill(0),
        |bytes| bytes.truncate(1000),
        // Every page but the first: that of the people among them.
        |bytes| bytes[4096..].iter_mut().for_each(|byte| *byte ^= 1),
    ];
    for wound in wounds {
        let shop = Store::new("");
        Staff::join(&shop.beside());
        let path = format!("{}/store.db", shop.state);
        // Everything is in the one file.
        drop(shop.open());
        let mut bytes = read(&path);
        wound(&mut bytes);
        std::fs::write(&path, bytes).expect("ours");
        let receipt = shop.folder.path("receipt.json");
        must_say(&shop.asks(&["wipe", "--yes", "--receipt", &receipt]), 0, &["destroyed"]);
        assert_eq!(names_in(&shop.state), Vec::<String>::new());
    }
}

#[test]
fn under_other_keys_or_none_nobody_destroys_a_store_without_saying_who() {
    let shop = Store::new("");
    Staff::join(&shop.beside());
    let names = names_in(&shop.state);
    let wipe = |variables: &[(&str, &str)]| {
        let receipt = shop.folder.path("receipt.json");
        start(&["wipe", "--yes", "--receipt", &receipt, "--site", &shop.site], variables).ended()
    };
    let credentials = shop.folder.path("credentials");
    std::fs::create_dir_all(&credentials).expect("ours");
    std::fs::write(format!("{credentials}/kehai-secret"), [9; 32]).expect("ours");
    wipe(&[("CREDENTIALS_DIRECTORY", &credentials)]).must_be_refused(3, &["under other keys", "removing the folder"]);
    wipe(&[]).must_be_refused(7, &["--as NAME"]);
    for key in ["salt", "secret"] {
        let (path, away) = (format!("{}/{key}", shop.state), shop.folder.path(key));
        std::fs::rename(&path, &away).expect("ours");
        wipe(&[]).must_be_refused(3, &[&format!("{key}: missing"), "removing the folder"]);
        std::fs::rename(&away, &path).expect("ours");
    }
    // What nobody may write to is not damaged.
    let store = format!("{}/store.db", shop.state);
    std::fs::set_permissions(&store, std::os::unix::fs::PermissionsExt::from_mode(0o400)).expect("ours");
    assert_ne!(wipe(&[]).code, Some(0));
    assert_eq!(names_in(&shop.state), names);
    assert_eq!(shop.beside().people().expect("they are there").len(), 4);
}

#[test]
fn commands_for_a_store_that_is_not_there_say_so() {
    let shop = Store::new("");
    std::fs::remove_dir_all(&shop.state).expect("ours");
    for command in [
        &["audit", "verify"][..],
        &["purge", "--from", "2026-01-05", "--to", "2026-01-06", "--yes"],
        &["wipe", "--yes"],
    ] {
        must_say(&shop.asks(command), 3, &["no store yet"]);
    }
}

#[test]
fn the_wrong_key_is_told_in_one_sentence_with_what_to_do() {
    let shop = Store::new("");
    std::fs::write(format!("{}/secret", shop.state), [7; 32]).expect("ours");
    shop.asks(&["audit", "verify"]).must_be_refused(3, &["store.db", "under other keys", "removing the folder"]);
}

#[test]
fn doctor_tells_how_the_store_fares_and_what_its_key_is_worth() {
    let shop = Store::new("");
    let told = shop.asks(&["doctor", "--json"]);
    let findings: Value = serde_json::from_str(&told.out).expect("json");
    let detail = |what: &str| {
        let found = findings.as_array().expect("a list").iter().find(|finding| finding["what"] == what);
        let found = found.unwrap_or_else(|| panic!("nothing of {what} in {findings:#}"));
        assert_eq!(found["ok"], true, "{found}");
        found["detail"].as_str().expect("words").to_owned()
    };
    assert!(detail("state folder").ends_with("mode 700"));
    assert!(detail("store key").contains("does not protect a stolen box"));
    assert_eq!(detail("store"), "opens, and every page fits its seal");
    assert!(detail("store size").contains("6 windows from 2026-01-05T10:00:00Z to 2026-01-05T11:15:00Z"));
    assert!(detail("undelivered").starts_with("7 messages wait"));
    assert!(detail("audit chain").contains("lines 1 to 7") && detail("audit chain").contains("of line 7"));
    assert!(detail("public key").contains(&shop.key()));
    std::fs::set_permissions(format!("{}/secret", shop.state), std::os::unix::fs::PermissionsExt::from_mode(0o640))
        .expect("ours");
    must_say(&shop.asks(&["doctor"]), 1, &["FAIL store key", "mode 640 lets others read it"]);
}

#[test]
fn the_secret_may_come_as_a_credential_of_the_service_and_then_lies_on_no_disk() {
    let shop = Store::new("");
    let credentials = shop.folder.path("credentials");
    std::fs::create_dir_all(&credentials).expect("ours");
    std::fs::rename(format!("{}/secret", shop.state), format!("{credentials}/kehai-secret")).expect("ours");
    let asks = |command: &[&str]| {
        start(&[command, &["--site", &shop.site]].concat(), &[("CREDENTIALS_DIRECTORY", &credentials)]).ended()
    };
    must_say(&asks(&["audit", "verify"]), 0, &["lines, 1 to 7"]);
    must_say(&asks(&["doctor"]), 0, &["a credential of the service"]);
    must_say(&shop.asks(&["audit", "verify"]), 3, &["secret: missing", "LoadCredentialEncrypted=kehai-secret"]);
    let receipt = shop.folder.path("receipt.json");
    must_say(&asks(&["wipe", "--yes", "--receipt", &receipt]), 0, &["destroyed"]);
    assert_eq!(names_in(&credentials), ["kehai-secret"], "the box keeps its own; without its salt it opens nothing");
}

#[test]
fn a_store_with_one_changed_bit_is_damaged_and_doctor_says_so() {
    let shop = Store::new("");
    let path = format!("{}/store.db", shop.state);
    let mut bytes = read(&path);
    let at = bytes.len() - 2000;
    bytes[at] ^= 1;
    std::fs::write(&path, bytes).expect("ours");
    must_say(&shop.asks(&["doctor"]), 1, &["FAIL store "]);
}
