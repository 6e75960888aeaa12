//! A stop holds whatever else is broken: the site file, the disk, the keys of the store.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use kehai::config::Keeping;
use kehai::switch::{From, Mode, Person, Role, Turn};
use kehai::vault::Vault;

use crate::live::cameras::scene;
use crate::live::shop::{DOOR, Shop, VIEW, eye_of};
use crate::support::armed::{arm, declared};
use crate::support::folder::Folder;
use crate::support::program::{kehai, start};
use crate::support::rtsp_camera::RtspCamera;
use crate::support::site::BARE;
use crate::support::twin;

/// A shop that watches, and the folder of its store.
fn shop(name: &str) -> (Folder, RtspCamera, Shop) {
    let (folder, camera) = (Folder::new(), RtspCamera::start(scene(), 10.0));
    let state = folder.path("state");
    let more = format!("[vault]\nfolder = \"{state}\"\n{VIEW}url = \"{}\"\n{DOOR}", camera.url());
    let shop = Shop::open_with(name, &more);
    shop.hear("camera view seen");
    (folder, camera, shop)
}

fn beside(folder: &Folder) -> Vault {
    Vault::open_beside(Path::new(&folder.path("state")), Keeping::default()).expect("the shop's store")
}

fn must_be_blind(shop: &Shop) {
    let begun = Instant::now();
    while eye_of(shop.mouth() as u32).is_some() {
        assert!(begun.elapsed() < Duration::from_secs(1), "the eye goes on");
    }
}

#[test]
fn a_site_file_with_a_fault_keeps_nobody_from_stopping() {
    let (folder, _camera, shop) = shop("faulty");
    let good = std::fs::read_to_string(shop.site()).expect("it is there");
    let faulty = folder.write("faulty.toml", format!("{good}\noops = \n[gate]\nk = 2\n"));
    kehai(&["status", "--site", &faulty]).must_be_refused(3, &["oops"]);
    let paused = kehai(&["pause", "--site", &faulty, "--json"]);
    paused.must_be_well();
    assert!(paused.out.contains("\"paused-here\"") && paused.out.contains("\"is_blind\": true"), "{}", paused.out);
    must_be_blind(&shop);
    let locked = kehai(&["lock", "--state", &folder.path("state")]);
    locked.must_be_well();
    assert!(locked.out.contains("locked"), "{}", locked.out);
    assert_eq!(beside(&folder).switch().expect("it can be read").mode(), Mode::Locked);
}

#[test]
fn a_lock_holds_where_the_store_is_under_other_keys() {
    let (folder, _camera, shop) = shop("other-keys");
    let credentials = folder.path("credentials");
    std::fs::create_dir_all(&credentials).expect("ours");
    folder.write("credentials/kehai-secret", [7; 32]);
    let site = shop.site().to_string_lossy().into_owned();
    let locked =
        start(&["lock", "--site", &site, "--json"], &[("CREDENTIALS_DIRECTORY", credentials.as_str())]).ended();
    locked.must_be_well();
    assert!(locked.out.contains("\"locked\""), "{}", locked.out);
    must_be_blind(&shop);
    shop.hear("locked");
    drop(shop);
    assert_eq!(beside(&folder).switch().expect("it can be read").mode(), Mode::Locked);
    let mut late = Vec::new();
    let mut take = |line: &str| late.extend(line.contains("\"what\":\"lock\"").then(|| line.to_owned()));
    beside(&folder).export_audit(&mut take).expect("the chain is there");
    assert_eq!(late.len(), 1, "{late:?}");
    assert!(late[0].contains("\"uid:") && late[0].contains("\"late\":true"), "{late:?}");
}

#[test]
#[expect(clippy::print_stdout, reason = "the twin tells, and a test that is skipped says so")]
fn a_lock_on_a_full_disk_outlives_kill_9_and_is_written_down_once_there_is_room() {
    if let Some(disk) = twin::part() {
        let state = format!("{disk}/state");
        let open = || Vault::open(Path::new(&state), Keeping::default(), Duration::ZERO).expect("a store");
        arm(&declared(&format!("{BARE}url = \"rtsp://127.0.0.1:1/view\"\n")), Path::new(&state));
        drop(open());
        let filled = Command::new("sh").args(["-c", &format!("yes > '{disk}/filler'")]).output().expect("a shell");
        assert!(!filled.status.success(), "the disk is full");
        let locked = kehai(&["lock", "--state", &state]);
        let unlocked = Vault::open_beside(Path::new(&state), Keeping::default()).is_ok_and(|vault| {
            let by = Some(Person { name: "aki".to_owned(), role: Role::Owner });
            vault.turn(&Turn::Unlock { by, from: From::Here }, "aki", None).is_ok()
        });
        std::fs::remove_file(format!("{disk}/filler")).expect("ours");
        let vault = open();
        let mode = vault.switch().expect("it can be read").mode();
        let mut lines = 0;
        let mut count = |line: &str| lines += usize::from(line.contains("\"what\":\"lock\"") && line.contains("uid:"));
        vault.export_audit(&mut count).expect("the chain is there");
        let said = locked.out.contains("over a restart");
        return println!("TWIN {:?} {said} {unlocked} {mode} {lines}", locked.code);
    }
    let folder = Folder::new();
    let disk = folder.path("disk");
    std::fs::create_dir_all(&disk).expect("ours");
    let mount = format!("mount -t tmpfs -o size=3m tmpfs '{disk}'");
    let Some(ended) = twin::behind_a_mount(&twin::command(FULL, &disk), &mount) else {
        return println!("skipped: this machine lets nobody mount a disk of their own");
    };
    let said = ended.out.lines().find_map(|line| Some(line.split_once("TWIN ")?.1.to_owned()));
    assert_eq!(said.as_deref(), Some("Some(0) true false locked 1"), "{}\n{}", ended.out, ended.err);
}

const FULL: &str = "switch::held::a_lock_on_a_full_disk_outlives_kill_9_and_is_written_down_once_there_is_room";

#[test]
fn a_box_that_never_ran_can_be_locked_and_one_of_somebody_else_says_whose_it_is() {
    let folder = Folder::new();
    let state = folder.path("state");
    let site = folder.write("site.toml", format!("{BARE}[vault]\nfolder = \"{state}\"\n"));
    kehai(&["lock", "--site", &site]).must_be_well();
    let status = kehai(&["status", "--site", &site]);
    assert!(status.out.contains("locked"), "{}{}", status.out, status.err);
}
