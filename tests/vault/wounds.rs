//! Stores that were hurt: cut off, overwritten, robbed of a file, on a disk that takes nothing. Nothing falls over, nothing is
//! lost in silence, and what is said names the file and what to do.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use kehai::clock::utc_now;
use kehai::config::Keeping;
use kehai::vault::{Delivery, Vault, VaultError};

use crate::support::folder::{Folder, names_in, read};
use crate::support::program::{kehai, start_command};
use crate::support::records::map;
use crate::support::site::BARE;
use crate::support::twin;

/// A store of forty maps, none delivered, in a folder of its own.
fn made(folder: &Folder) -> String {
    let state = folder.path("whole");
    let vault = open(&state).expect("room");
    (0..MAPS).for_each(|index| vault.release(|seq| map(index, seq, 3_000)).expect("room"));
    vault.publish_head("kehai/v1/acme/s1/n1/audit").expect("room");
    state
}

fn open(state: &str) -> Result<Vault, VaultError> {
    Vault::open(Path::new(state), Keeping::default(), Duration::ZERO)
}

fn copied(from: &str, folder: &Folder, name: &str) -> String {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    let to = folder.path(name);
    let _ = std::fs::remove_dir_all(&to);
    std::fs::DirBuilder::new().mode(0o700).create(&to).expect("a writable folder");
    for name in names_in(from) {
        let file = Path::new(&to).join(&name);
        std::fs::copy(Path::new(from).join(&name), &file).expect("room");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("ours");
    }
    to
}

/// What is done to the bytes of a store.
type Wound = dyn Fn(&mut Vec<u8>);
/// What is done to its folder.
type Robbery = dyn Fn(&str);

/// What a mouth can do with a store.
#[derive(Debug)]
enum Life {
    /// It does not open, or says what is wrong with it.
    Told(String),
    /// Everything that was released came out of it.
    Whole,
    /// Something is missing, and nothing said so.
    Silent(usize),
}

fn live(state: &str) -> Life {
    let vault = match open(state) {
        Ok(vault) => vault,
        Err(error) => return Life::Told(error.to_string()),
    };
    let (mut row, mut windows) = (0, 0);
    while let Some((number, message)) = vault.due(row) {
        row = number + 1;
        if message.topic.contains("/win/") && !message.body.is_empty() {
            assert_eq!(vault.public_key().verify(&message.body), Ok(()), "what is sent is as it was released");
            windows += 1;
        }
        vault.settle(number, Delivery::Done);
    }
    let mut told: Vec<String> = vault.trouble().map(|error| error.to_string()).into_iter().collect();
    let deeds: [Result<(), VaultError>; 4] = [
        vault.release(|seq| map(MAPS + 1, seq, 3_000)),
        vault.expire(utc_now()).map(drop),
        vault.export_audit(&mut |_| {}),
        vault.status().map(drop),
    ];
    told.extend(deeds.into_iter().filter_map(Result::err).map(|error| error.to_string()));
    let _ = (vault.newest(), vault.held());
    match told.into_iter().next() {
        Some(told) => Life::Told(told),
        None if windows == MAPS as usize => Life::Whole,
        None => Life::Silent(windows),
    }
}

fn hurt(folder: &Folder, whole: &str, name: &str, wound: impl Fn(&str)) -> Life {
    let state = copied(whole, folder, "hurt");
    wound(&state);
    let life = catch_unwind(AssertUnwindSafe(|| live(&state)));
    life.unwrap_or_else(|_| panic!("{name}: it fell over"))
}

fn must_help(name: &str, words: &str) {
    let helps = ["restore", "wipe", "chmod", "doctor", "free the disk", "name a folder"];
    assert!(words.starts_with("state /") && helps.iter().any(|help| words.contains(help)), "{name}: {words}");
}

#[test]
fn a_store_that_was_cut_off_or_overwritten_anywhere_says_so_and_loses_nothing_in_silence() {
    let folder = Folder::new();
    let whole = made(&folder);
    let bytes = read(&format!("{whole}/store.db"));
    let pages = bytes.len() / PAGE;
    let mut silent = Vec::new();
    for page in 0..pages {
        let wounds: [(String, Box<Wound>); 3] = [
            (format!("page {page} zeroed"), Box::new(move |db| db[page * PAGE..(page + 1) * PAGE].fill(0))),
            (format!("one bit of page {page}"), Box::new(move |db| db[page * PAGE + 1000] ^= 4)),
            (format!("cut off in page {page}"), Box::new(move |db| db.truncate(page * PAGE + 1 + page % PAGE))),
        ];
        for (name, wound) in wounds {
            let life = hurt(&folder, &whole, &name, |state| {
                let mut db = bytes.clone();
                wound(&mut db);
                std::fs::write(format!("{state}/store.db"), db).expect("room");
            });
            match life {
                Life::Told(words) => must_help(&name, &words),
                Life::Whole => {}
                Life::Silent(windows) => silent.push(format!("{name}: {windows} of {MAPS}")),
            }
        }
    }
    assert_eq!(silent, Vec::<String>::new());
}

#[test]
fn a_store_robbed_of_a_file_or_given_another_says_what_to_do() {
    let folder = Folder::new();
    let whole = made(&folder);
    let doctor = |state: &str| {
        let site = folder.write("site.toml", format!("{BARE}\n[vault]\nfolder = \"{state}\"\n"));
        kehai(&["audit", "verify", "--site", &site])
    };
    let wounds: [(&str, &Robbery, &str); 7] = [
        ("no salt", &|state| std::fs::remove_file(format!("{state}/salt")).expect("ours"), "salt: missing"),
        ("no secret", &|state| std::fs::remove_file(format!("{state}/secret")).expect("ours"), "secret: missing"),
        (
            "another secret",
            &|state| std::fs::write(format!("{state}/secret"), [7; 32]).expect("ours"),
            "under other keys",
        ),
        (
            "half a secret",
            &|state| std::fs::write(format!("{state}/secret"), [7; 16]).expect("ours"),
            "16 bytes are no secret",
        ),
        ("an open secret", &|state| open_to_all(&format!("{state}/secret")), "mode 644"),
        (
            "an empty store",
            &|state| std::fs::write(format!("{state}/store.db"), "").expect("ours"),
            "cut off at 0 bytes",
        ),
        (
            "no store but a text",
            &|state| std::fs::write(format!("{state}/store.db"), "hello".repeat(1000)).expect("ours"),
            "not a store",
        ),
    ];
    for (name, wound, words) in wounds {
        let life = hurt(&folder, &whole, name, wound);
        let Life::Told(told) = life else { panic!("{name}: {life:?}") };
        must_help(name, &told);
        assert!(told.contains(words), "{name}: {told}");
        let ended = doctor(&folder.path("hurt"));
        assert!(
            matches!(ended.code, Some(1 | 3)) && ended.err.contains(words),
            "{name}: {:?} {}",
            ended.code,
            ended.err
        );
    }
}

fn open_to_all(path: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).expect("ours");
}

#[test]
fn a_store_without_its_journal_or_its_index_opens_and_holds_what_was_brought_in() {
    let folder = Folder::new();
    let whole = folder.path("whole");
    let vault = open(&whole).expect("room");
    (0..MAPS).for_each(|index| vault.release(|seq| map(index, seq, 3_000)).expect("room"));
    // As after a kill: the journal is there.
    let killed = copied(&whole, &folder, "killed");
    drop(vault);
    assert!(names_in(&killed).contains(&"store.db-wal".to_owned()), "{:?}", names_in(&killed));
    for name in ["store.db-shm", "store.db-wal"] {
        let life =
            hurt(&folder, &killed, name, |state| std::fs::remove_file(format!("{state}/{name}")).expect("it is there"));
        assert!(name != "store.db-shm" || matches!(life, Life::Whole), "{life:?}");
        // What stood in the journal alone is gone with it; what is left hangs together.
        let vault = open(&folder.path("hurt")).expect("it opens");
        assert_eq!(vault.damage().expect("it can be read"), Vec::<String>::new());
    }
}

/// What a mouth says that begins in a folder on a disk of its own, mounted with these options and made ready by `prepare`.
fn first_start_on(options: &str, prepare: &str) -> Option<String> {
    let folder = Folder::new();
    let disk = folder.path("disk");
    std::fs::create_dir_all(&disk).expect("ours");
    let twin = twin::command(FIRST_START, &disk);
    let mut command = Command::new("unshare");
    if !rustix::process::geteuid().is_root() {
        command.arg("--map-root-user");
    }
    let mount = format!("mount -t tmpfs -o {options} tmpfs '{disk}' && cd '{disk}' && {{ {prepare}; }} && exec \"$@\"");
    command.args(["--mount", "--propagation", "private", "sh", "-c", &mount, "sh"]);
    command.arg(twin.get_program()).args(twin.get_args());
    command.envs(twin.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let ended = start_command(command).ended();
    if ended.err.contains("Operation not permitted") || ended.err.contains("unshare failed") {
        return None;
    }
    assert_eq!(ended.code, Some(0), "{options}: {}\n{}", ended.out, ended.err);
    let said = ended.out.lines().chain(ended.err.lines()).find_map(|line| line.split_once("TWIN "));
    Some(said.expect("it says how it went").1.to_owned())
}

#[test]
#[expect(clippy::print_stdout, reason = "the twin tells, and a test that is skipped says so")]
fn a_first_start_on_a_disk_that_takes_nothing_says_what_to_do_and_begins_once_there_is_room() {
    if let Some(disk) = twin::part() {
        let said = match open(&format!("{disk}/state")) {
            Ok(_) => "begun".to_owned(),
            Err(error) => error.to_string(),
        };
        // What was left behind half done must not stand in the way.
        let _ = std::fs::remove_file(format!("{disk}/filler"));
        (0..40).for_each(|number| drop(std::fs::remove_file(format!("{disk}/filler-{number}"))));
        let again = open(&format!("{disk}/state")).map_or_else(|error| error.to_string(), |_| "begun".to_owned());
        return println!("TWIN {said} | {again}");
    }
    let full = |left_kib: u32| {
        format!("mkdir -m 700 state; head -c {left_kib}K /dev/zero > spare; (yes > filler) 2>/dev/null; rm spare; true")
    };
    let inodes = |left: u32| format!("mkdir -m 700 state; for n in $(seq {}); do : > filler-$n; done", 37 - left);
    let mut disks: Vec<(&str, String)> = [0, 4, 8, 12, 16, 40, 64].map(|left| ("size=1m", full(left))).to_vec();
    disks.extend((0..6).map(|left| ("size=1m,nr_inodes=40", inodes(left))));
    for (options, prepare) in disks {
        let Some(said) = first_start_on(options, &prepare) else {
            return println!("skipped: this machine lets nobody mount a disk of their own");
        };
        println!("{options} {prepare}: {said}");
        let (first, again) = said.split_once(" | ").expect("both");
        assert_eq!(again, "begun", "{prepare}: {said}");
        assert!(first == "begun" || first.contains("no room; free the disk"), "{prepare}: {said}");
    }
    let said = first_start_on("size=1m", "mkdir -m 700 state; mount -o remount,ro .").expect("as before");
    assert!(said.contains("state /") && said.contains("Read-only") && said.contains("name a folder"), "{said}");
}

const FIRST_START: &str =
    "vault::wounds::a_first_start_on_a_disk_that_takes_nothing_says_what_to_do_and_begins_once_there_is_room";
const MAPS: i64 = 40;
const PAGE: usize = 4096;
