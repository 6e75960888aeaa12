//! Who may do what from the command line: each role at each command, and what is refused stands in the chain.

use kehai::cli::armable;
use kehai::config::site;
use kehai::publish::web::{Need, routes};
use kehai::switch::{Act, Mode, Role, may};
use kehai::vault::step_at;
use serde_json::Value;

use super::staff::{Staff, chain, lines, password, password_file};
use crate::support::armed::declared;
use crate::support::folder::{Folder, in_repository, read};
use crate::support::papers::private;
use crate::support::program::{Ended, kehai, start_command};
use crate::support::site::BARE;
use crate::vault::commands::Store;

/// Where an act is asked for.
enum Asked {
    /// By a command, which the chain calls so.
    Command(&'static str, Vec<String>),
    /// By a command that asks nobody who they are.
    OfNobody(Vec<String>),
    /// At the page alone.
    AtPage,
}

/// Where each act is asked for: there is none that nothing enforces.
fn asked(store: &Store, act: Act) -> Vec<Asked> {
    let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let command = |what, line: String| Asked::Command(what, words(&format!("{line} --site {}", store.site)));
    let out = |name: &str| store.folder.path(name);
    let arm = |is_alone| {
        let (site, sign) = armable_site(store, is_alone);
        vec![Asked::Command("arm", words(&format!("arm --sign {sign} --site {site}")))]
    };
    let of_nobody = |what: &str| vec![Asked::OfNobody(words(&format!("{what} --site {}", store.site)))];
    match act {
        Act::SeeFigures | Act::SeeHealth | Act::SeeReports => vec![Asked::AtPage],
        Act::SeeAudit => vec![
            command("audit-search", "audit search".to_owned()),
            command("audit-export", format!("audit export --out {}", out("audit.jsonl"))),
            command("breach", "audit note --kind breach --about cable".to_owned()),
        ],
        Act::Export => {
            let figures = out("figures.csv");
            let line = format!("export --from 2020-01-01 --to 2020-02-01 --format csv --out {figures}");
            vec![command("export", line)]
        }
        Act::Arm => arm(false),
        Act::ArmAlone => arm(true),
        Act::Pause => of_nobody("pause"),
        Act::Lock => of_nobody("lock"),
        Act::Resume => vec![command("resume", "resume".to_owned())],
        Act::Unlock => vec![command("unlock", "unlock".to_owned())],
        Act::Purge => vec![command("purge", "purge --from 2020-01-01 --to 2020-01-02 --yes".to_owned())],
        Act::Wipe => vec![command("wipe", format!("wipe --yes --receipt {}", out("receipt.json")))],
        Act::ManagePeople => vec![command("person-revoke", "people revoke somebody".to_owned())],
        Act::Backup => {
            let words = private(&store.folder, "passphrase", "five quiet words nobody guesses");
            vec![command("backup", format!("backup --out {} --passphrase-file {words}", out("box.backup")))]
        }
    }
}

/// A site file of the same store that can be armed, and the id of its sign.
fn armable_site(store: &Store, is_alone: bool) -> (String, String) {
    let camera = "url = \"rtsp://127.0.0.1:9/view\"\n[[line]]\nid = \"door\"\nends_px = [[10, 50], [110, 50]]\ninside_px = [60, 90]\n";
    let text = declared(&format!("{BARE}{camera}[vault]\nfolder = \"{}\"\n", store.state));
    let text = if is_alone { text } else { text.replace("sole_operator = true", "") };
    let sign = armable(&site::parse(&text, "armed").expect("a good site")).sign;
    (store.folder.write(if is_alone { "alone.toml" } else { "two.toml" }, &text), sign)
}

fn ask(words: &[String], who: &[&str]) -> Ended {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    kehai(&[&words[..], who].concat())
}

/// All acts, in an order in which whoever may do everything can: alone before beside another, for that only tightens, and after
/// a wipe there is nobody left to ask.
fn acts() -> Vec<Act> {
    let mut acts = Act::ALL.to_vec();
    acts.sort_by_key(|act| match act {
        Act::ArmAlone => 0,
        Act::Wipe => 2,
        _ => 1,
    });
    acts
}

#[test]
fn every_role_does_from_the_command_line_what_it_may_and_each_refusal_is_remembered() {
    let store = Store::new("");
    Staff::join_without_codes(&store.beside());
    let mut roles = Role::ALL.to_vec();
    // Whoever may wipe comes last: there is nobody left to ask afterwards.
    roles.sort_by_key(|role| *role == Role::Owner);
    for role in roles {
        let file = password_file(&store.folder, role);
        for (act, at) in acts().into_iter().flat_map(|act| asked(&store, act).into_iter().map(move |at| (act, at))) {
            let (what, words) = match at {
                Asked::Command(what, words) => (what, words),
                Asked::OfNobody(words) => {
                    assert!(may(None, act), "{} asks nobody", act.name());
                    // Whoever stops it at this point would stop what another may yet go on with.
                    if role == Role::Owner {
                        ask(&words, &[]).must_be_well();
                    }
                    continue;
                }
                Asked::AtPage => {
                    assert!(routes().iter().any(|way| way.need == Need::Right(act)), "{} is asked nowhere", act.name());
                    continue;
                }
            };
            let before = lines(&store.beside(), what, "refused").len();
            let ended = ask(&words, &["--as", role.name(), "--password-file", &file]);
            if may(Some(role), act) {
                // Nobody is called somebody, and nothing was counted that early: no matter of rights.
                let expected = if matches!(act, Act::ManagePeople | Act::Export) { 2 } else { 0 };
                assert_eq!(ended.code, Some(expected), "{} {what}: {}", role.name(), ended.err);
                if act == Act::Export {
                    let taken = lines(&store.beside(), what, "done");
                    assert_eq!(
                        taken.last().map(|line| line.who.as_str()),
                        Some(role.name()),
                        "who takes figures stands there"
                    );
                }
                continue;
            }
            ended.must_be_refused(7, &[role.name(), act.name(), "may not"]);
            let refusals = lines(&store.beside(), what, "refused");
            assert_eq!(refusals.len(), before + 1, "{} {what}", role.name());
            assert_eq!(refusals[before].who, role.name());
        }
    }
}

#[test]
fn once_anybody_is_known_nobody_acts_without_a_name() {
    let store = Store::new("");
    Staff::join(&store.beside());
    for (act, at) in acts().into_iter().flat_map(|act| asked(&store, act).into_iter().map(move |at| (act, at))) {
        let Asked::Command(what, words) = at else { continue };
        let ended = ask(&words, &[]);
        if matches!(act, Act::Arm | Act::ArmAlone | Act::Resume | Act::Unlock) {
            ended.must_be_refused(2, &["--as"]);
            continue;
        }
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
    let words = ["purge", "--from", "2020-01-01", "--to", "2020-01-02", "--yes", "--code", "0", "--site", &store.site];
    let words = words.map(str::to_owned);
    for _ in 0..5 {
        ask(&words, &["--as", "owner", "--password-file", &wrong]).must_be_refused(7, &["owner", "wrong"]);
    }
    let right = password_file(&store.folder, Role::Owner);
    ask(&words, &["--as", "owner", "--password-file", &right]).must_be_refused(7, &["too many failures", "1 s"]);
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
