//! Who may do what from the command line: each role at each command, and what is refused stands in the chain.

use kehai::switch::{Act, Mode, Role, may};
use kehai::vault::step_at;
use serde_json::Value;

use super::staff::{Staff, chain, lines, password, password_file};
use crate::support::folder::{Folder, in_repository, read};
use crate::support::papers::private;
use crate::support::program::{Ended, kehai, start_command};
use crate::support::site::BARE;
use crate::vault::commands::Store;

/// The commands that ask who, each with what it does.
fn commands(store: &Store) -> Vec<(Act, &'static str, Vec<String>)> {
    let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let out = |name: &str| store.folder.path(name);
    vec![
        (Act::SeeAudit, "audit-search", words("audit search")),
        (Act::SeeAudit, "audit-export", words(&format!("audit export --out {}", out("audit.jsonl")))),
        (
            Act::Export,
            "export",
            words(&format!("export --from 2020-01-01 --to 2020-02-01 --format csv --out {}", out("figures.csv"))),
        ),
        (Act::Purge, "purge", words("purge --from 2020-01-01 --to 2020-01-02 --yes")),
        (Act::ManagePeople, "person-revoke", words("people revoke somebody")),
        (Act::Wipe, "wipe", words(&format!("wipe --yes --receipt {}", out("receipt.json")))),
    ]
}

fn ask(store: &Store, words: &[String], who: &[&str]) -> Ended {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    kehai(&[&words[..], &["--site", &store.site], who].concat())
}

#[test]
fn once_anybody_is_known_nobody_acts_without_a_name() {
    let store = Store::new("");
    Staff::join(&store.beside());
    for (_, what, words) in commands(&store) {
        let ended = ask(&store, &words, &[]);
        ended.must_be_refused(7, &["--as NAME"]);
        assert_eq!(lines(&store.beside(), what, "refused").len(), 1, "{what}");
    }
    assert_eq!(store.beside().status().expect("it is there").windows, 6);
}

#[test]
fn a_wrong_password_is_refused_and_after_five_it_takes_patience_at_this_door_alone() {
    let store = Store::new("");
    let staff = Staff::join(&store.beside());
    let wrong = private(&store.folder, "wrong", "not the password of anybody");
    let words = ["purge", "--from", "2020-01-01", "--to", "2020-01-02", "--yes"].map(str::to_owned);
    for _ in 0..5 {
        ask(&store, &words, &["--as", "owner", "--password-file", &wrong]).must_be_refused(7, &["owner", "wrong"]);
    }
    let right = password_file(&store.folder, Role::Owner);
    ask(&store, &words, &["--as", "owner", "--password-file", &right])
        .must_be_refused(7, &["too many failures", "1 s"]);
    let refused = lines(&store.beside(), "prove", "refused");
    assert_eq!((refused.len(), refused[0].who.as_str(), refused[0].about["door"].as_str()), (6, "owner", Some("box")));
    let claim = kehai::vault::Claim {
        name: "owner",
        password: password(Role::Owner),
        code: Some(&staff.codes.code_of(step_at(kehai::clock::utc_now().0 / 1000))),
        door: kehai::vault::Door::Page,
    };
    assert!(store.beside().prove(&claim).is_ok(), "another door is another matter");
}

#[test]
fn a_name_nobody_has_is_refused_in_the_same_words_and_in_about_the_same_time() {
    let store = Store::new("");
    Staff::join(&store.beside());
    let claim = |name| kehai::vault::Claim {
        name,
        password: "four words nobody knows",
        code: None,
        door: kehai::vault::Door::Page,
    };
    let vault = store.beside();
    let timed = |name| {
        let begun = std::time::Instant::now();
        let why = vault.prove(&claim(name)).expect_err("it is wrong").to_string();
        (begun.elapsed().as_secs_f64(), why)
    };
    timed("nobody-1");
    let [known, unknown] = [("viewer", "auditor"), ("nobody-2", "nobody-3")].map(|(one, other)| {
        let ((one_s, why), (other_s, _)) = (timed(one), timed(other));
        (one_s.min(other_s), why)
    });
    let text = format!("{:?}", chain(&vault));
    assert!(!text.contains("nobody-"), "people type passwords where names belong: what nobody is called is not kept");
    assert_eq!(known.1, unknown.1);
    assert!((0.25..4.0).contains(&(known.0 / unknown.0)), "{} s and {} s", known.0, unknown.0);
}

#[test]
fn the_first_is_an_owner_names_are_never_given_again_and_the_last_owner_stays() {
    let folder = Folder::new();
    let site = folder.write("site.toml", format!("{BARE}\n[vault]\nfolder = \"{}\"\n", folder.path("state")));
    let [hana, ken] =
        ["four words nobody knows", "another four quiet words"].map(|words| private(&folder, &words[..4], words));
    let people = |words: &str| {
        let words: Vec<&str> = words.split(' ').collect();
        kehai(&[&["people"], &words[..], &["--site", &site]].concat())
    };
    people(&format!("add ken --role viewer --new-password-file {ken}")).must_be_refused(2, &["--role owner"]);
    people(&format!("add hana --role owner --new-password-file {hana}")).must_be_well();
    let as_hana = format!("--as hana --password-file {hana}");
    people(&format!("add ken --role viewer --new-password-file {ken}")).must_be_refused(7, &["--as NAME"]);
    people(&format!("add ken --role viewer --new-password-file {ken} {as_hana}")).must_be_well();
    people(&format!("revoke ken --as ken --password-file {ken}")).must_be_refused(7, &["viewer", "manage-people"]);
    people(&format!("revoke hana {as_hana}")).must_be_refused(7, &["only owner"]);
    people(&format!("revoke ken {as_hana}")).must_be_well();
    people(&format!("add ken --role owner --new-password-file {ken} {as_hana}"))
        .must_be_refused(2, &["never given again"]);
    people(&format!("add Ken! --role owner --new-password-file {ken} {as_hana}")).must_be_refused(2, &["Ken!", "a-z"]);
    let listed = people("list --json");
    let listed: Value = serde_json::from_str(&listed.out).expect("JSON");
    assert_eq!(listed.as_array().map(Vec::len), Some(2));
    assert!(listed[1]["revoked"].is_string() && listed[0]["revoked"].is_null(), "{listed}");
    let state = std::path::PathBuf::from(folder.path("state"));
    let vault = kehai::vault::Vault::open_beside(&state, kehai::config::Keeping::default()).expect("it is there");
    assert_eq!(vault.switch().expect("it can be read").mode(), Mode::Setup);
    assert_eq!((lines(&vault, "person-add", "done").len(), lines(&vault, "person-add", "refused").len()), (2, 4));
    let text = format!("{:?}", chain(&vault));
    assert!(!text.contains("four") && !text.contains("argon2"), "no line holds a secret");
}

#[test]
fn a_password_comes_from_a_file_of_ones_own_or_a_line_and_never_from_elsewhere() {
    let folder = Folder::new();
    let site = folder.write("site.toml", format!("{BARE}\n[vault]\nfolder = \"{}\"\n", folder.path("state")));
    let add = ["people", "add", "hana", "--role", "owner", "--totp", "--json", "--site", &site];
    kehai(&add).must_be_refused(2, &["nobody is here to be asked", "--new-password-file"]);
    let open = folder.write("open", "four words nobody knows");
    kehai(&[&add[..], &["--new-password-file", &open]].concat()).must_be_refused(2, &[&open, "chmod 600"]);
    let short = private(&folder, "short", "hana-hana-12");
    kehai(&[&add[..], &["--new-password-file", &short]].concat()).must_be_refused(2, &["made of the name"]);
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", "echo 'four words nobody knows' | \"$@\"", "sh", env!("CARGO_BIN_EXE_kehai")]).args(add);
    let ended = start_command(shell).ended();
    ended.must_be_well();
    let added: Value = serde_json::from_str(&ended.out).expect("JSON");
    let secret = added["totp_secret"].as_str().expect("it is shown once");
    assert_eq!(secret.len(), 32);
    assert_eq!(added["totp_uri"], format!("otpauth://totp/Kehai:hana?secret={secret}&issuer=Kehai"));
}

#[test]
fn the_page_of_roles_holds_the_table_of_the_program() {
    let page = String::from_utf8(read(&in_repository("docs/roles.md"))).expect("a page is UTF-8");
    let asked = [None, Some(Role::Viewer), Some(Role::Installer), Some(Role::Owner), Some(Role::Auditor)];
    let row = |act: Act| {
        let cells: String = asked.iter().map(|role| if may(*role, act) { " yes |" } else { " |" }).collect();
        format!("| {} |{cells}", act.name())
    };
    let rows: Vec<String> =
        page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| |")).map(str::to_owned).collect();
    assert_eq!(rows, Act::ALL.map(row));
}
