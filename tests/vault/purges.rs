//! What is purged or wiped is gone at the broker as well, and a shop that runs meanwhile notices.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use kehai::config::Keeping;
use kehai::config::site;
use kehai::vault::Vault;
use kehai::wire::compose::{Composer, Voice};
use serde_json::Value;

use super::commands::Store;
use crate::live::cameras::scene;
use crate::live::shop::{DOOR, Shop, VIEW};
use crate::support::broker::{Broker, free_port};
use crate::support::folder::{Folder, read};
use crate::support::program::kehai;
use crate::support::records::{closed, door, site_with_a_door};
use crate::support::rtsp_camera::RtspCamera;

fn retained(broker: &Broker, below: &str) -> Vec<String> {
    broker.kept().into_iter().map(|got| got.topic).filter(|topic| topic.contains(below)).collect()
}

fn page(port: u16) -> String {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).expect("the page is served");
    write!(stream, "GET /panel HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n").expect("it listens");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("it answers");
    text
}

fn within(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what} within 20 s");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_shop_that_runs_notices_a_purge_on_its_page_and_at_its_broker() {
    let (folder, camera, (port, held)) = (Folder::new(), RtspCamera::start(scene(), 10.0), free_port());
    drop(held);
    let broker = Broker::start(port, &folder);
    let state = folder.path("state");
    let more = format!(
        "[broker]\nurl = \"mqtt://127.0.0.1:{port}\"\n[vault]\nfolder = \"{state}\"\n{VIEW}url = \"{}\"\n{DOOR}",
        camera.url()
    );
    let text = format!("[store]\norg = \"test\"\nstore = \"live\"\nnode = \"purged\"\ntimezone = \"UTC\"\n{more}");
    let site_path = folder.write("purge.toml", &text);
    let settings = site::parse(&text, "purge.toml").expect("a site").settings;
    let voice = Voice {
        topic_root: "kehai/v1".into(),
        boot: "before".into(),
        synchronised: true,
        retain_windows: true,
        sign: None,
    };
    let composer = Composer::new(&settings, voice);
    let vault = Vault::open(Path::new(&state), Keeping::default(), Duration::ZERO).expect("new");
    (0..3).for_each(|index| vault.release(|seq| composer.window(seq, &closed(index))).expect("room"));
    drop(vault);
    let shop = Shop::open_with("purged", &more);
    let door = "test/live/purged/win/line/door";
    within("the newest window is kept by the broker", || retained(&broker, "/win/") == [format!("kehai/v1/{door}")]);
    within("the page shows it", || page(shop.page_port).contains(">42<"));
    let ended = kehai(&["purge", "--site", &site_path, "--from", "2026-01-05", "--to", "2026-01-06", "--yes"]);
    assert_eq!((ended.code, ended.out.contains("3 windows are gone")), (Some(0), true), "{}{}", ended.out, ended.err);
    within("the broker has forgotten it", || retained(&broker, "/win/").is_empty());
    within("and so has the page", || !page(shop.page_port).contains(">42<"));
    assert_eq!(retained(&broker, "/about").len(), 1, "what is not a window stays");
}

#[test]
fn a_store_has_another_version_once_windows_are_gone_whoever_took_them_out() {
    let folder = Folder::new();
    let state = folder.path("state");
    let vault = Vault::open(Path::new(&state), Keeping::default(), Duration::ZERO).expect("new");
    let beside = Vault::open_beside(Path::new(&state), Keeping::default()).expect("there");
    let empty = vault.version();
    (0..3).for_each(|index| vault.release(|seq| door(index, seq)).expect("room"));
    let full = vault.version();
    assert!(full != empty && full == vault.version(), "nothing happens, nothing changes");
    let start_s = door(0, 1).span.start_s;
    beside.purge(start_s, start_s + 1, "another process").expect("purged");
    let less = vault.version();
    assert_ne!(less, full);
    vault.purge(start_s, start_s + 86_400, "this one").expect("purged");
    assert_ne!(vault.version(), less);
}

#[test]
fn a_shop_makes_its_store_where_there_is_none_and_nobody_else_can_look_in() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, camera) = (Folder::new(), RtspCamera::start(scene(), 10.0));
    let state = folder.path("deep/below/state");
    let shop =
        Shop::open_with("fresh", &format!("[vault]\nfolder = \"{state}\"\n{VIEW}url = \"{}\"\n{DOOR}", camera.url()));
    shop.hear("camera view seen");
    assert!(Path::new(&format!("{state}/store.db")).exists());
    assert_eq!(std::fs::metadata(&state).expect("there").permissions().mode() & 0o777, 0o700);
}

/// A library that puts the clock of a program on by thirty-one days: the wall's alone, pauses stay as they are.
fn month_later(folder: &Folder) -> String {
    let source = folder.write("later.c", LATER);
    let library = folder.path("later.so");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-O1", "-o", &library, &source, "-ldl"]);
    assert!(compiler.status().expect("a C compiler is installed: Rust links with it").success());
    library
}

#[test]
#[ignore = "a minute and a half: a shop keeps house once a minute"]
fn a_shop_whose_windows_are_thirty_one_days_old_deletes_them_on_the_box_and_at_its_broker() {
    let (folder, camera, (port, held)) = (Folder::new(), RtspCamera::start(scene(), 10.0), free_port());
    drop(held);
    let broker = Broker::start(port, &folder);
    let (state, settings) = (folder.path("state"), site_with_a_door());
    let voice = Voice {
        topic_root: "kehai/v1".into(),
        boot: "before".into(),
        synchronised: true,
        retain_windows: true,
        sign: None,
    };
    let composer = Composer::new(&settings, voice);
    let vault = Vault::open(Path::new(&state), Keeping::default(), Duration::ZERO).expect("new");
    // A quarter of an hour of now, to the second or so.
    let now = kehai::clock::utc_now().0 / 1000;
    let mut window = closed(0);
    window.span.start_s = now / 900 * 900 - 1800;
    vault.release(|seq| composer.window(seq, &window)).expect("room");
    drop(vault);
    let topic = "kehai/v1/test/drawn/box/win/line/door";
    leave(port, topic, "the copy a broker keeps");
    let more = format!(
        "[broker]\nurl = \"mqtt://127.0.0.1:{port}\"\n[vault]\nfolder = \"{state}\"\n{VIEW}url = \"{}\"\n{DOOR}",
        camera.url()
    );
    let mut command = Command::new(env!("CARGO_BIN_EXE_kehai"));
    command.env("LD_PRELOAD", month_later(&folder));
    let shop = Shop::open_by(command, "later", &more);
    shop.hear("camera view seen");
    let beside = || Vault::open_beside(Path::new(&state), Keeping::default()).expect("it is there");
    assert_eq!(beside().held().len(), 1);
    let begun = Instant::now();
    while !beside().held().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(90), "house is kept once a minute");
        std::thread::sleep(Duration::from_secs(1));
    }
    within("the broker has forgotten it", || retained(&broker, "/win/").is_empty());
    let mut told = Vec::new();
    beside()
        .export_audit(&mut |line| told.extend(line.contains("\"what\":\"expire\"").then(|| line.to_owned())))
        .expect("readable");
    assert!(told.len() == 1 && told[0].contains("\"windows\":1"), "{told:?}");
}

/// Leaves a message at a broker, as a node would have.
fn leave(port: u16, topic: &str, body: &str) {
    let mut client = Command::new("mosquitto_pub");
    client.args(["-h", "127.0.0.1", "-p", &port.to_string(), "-q", "1", "-r", "-t", topic, "-m", body]);
    assert!(client.status().expect("mosquitto-clients is installed (make setup)").success());
}

#[test]
fn a_wipe_clears_all_that_the_broker_keeps_of_the_node_and_of_no_other() {
    let (folder, (port, held)) = (Folder::new(), free_port());
    drop(held);
    let broker = Broker::start(port, &folder);
    let shop = Store::new(&format!("[broker]\nurl = \"mqtt://127.0.0.1:{port}\"\n"));
    let node = "kehai/v1/test/drawn/box";
    let heat = "x".repeat(60_000);
    for topic in ["state", "about", "meta/lines", "win/line/door", "img/heat/hall", "win/zone/long-gone"] {
        leave(port, &format!("{node}/{topic}"), &heat);
    }
    leave(port, "kehai/v1/test/drawn/box-2/state", "{}");
    let receipt = folder.path("receipt.json");
    let ended = kehai(&["wipe", "--site", &shop.site, "--yes", "--receipt", &receipt]);
    assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
    assert_eq!(retained(&broker, ""), ["kehai/v1/test/drawn/box-2/state"]);
    let told: Value = serde_json::from_slice(&read(&receipt)).expect("json");
    assert_eq!(told["uncleared"], Value::Array(Vec::new()));
    assert!(told["cleared"].as_array().expect("a list").contains(&format!("{node}/img/heat/hall").into()));
}

#[test]
fn a_wipe_without_its_broker_destroys_all_the_same_and_the_receipt_clears_later() {
    let (folder, (port, held)) = (Folder::new(), free_port());
    drop(held);
    let shop = Store::new(&format!("[broker]\nurl = \"mqtt://127.0.0.1:{port}\"\n"));
    let receipt = folder.path("receipt.json");
    let ended = kehai(&["wipe", "--site", &shop.site, "--yes", "--receipt", &receipt]);
    assert_eq!(ended.code, Some(5), "{}{}", ended.out, ended.err);
    assert!(ended.err.contains("--clear"), "{}", ended.err);
    assert!(!Path::new(&format!("{}/store.db", shop.state)).exists(), "the store is gone all the same");
    let later = ["wipe", "--site", &shop.site, "--receipt", &receipt, "--clear"];
    assert_eq!(kehai(&later).code, Some(5), "still nobody there");
    let edited = String::from_utf8(read(&receipt)).expect("text").replace("box/about", "box-2/about");
    let edited = folder.write("edited.json", edited);
    let refused = kehai(&["wipe", "--site", &shop.site, "--receipt", &edited, "--clear"]);
    assert!(refused.code == Some(2) && refused.err.contains("does not fit"), "{}", refused.err);
    let broker = Broker::start(port, &folder);
    leave(port, "kehai/v1/test/drawn/box/about", "{}");
    let ended = kehai(&later);
    assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
    assert_eq!(retained(&broker, ""), Vec::<String>::new());
}

/// See [`month_later`].
const LATER: &str = "
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>
int clock_gettime(clockid_t clock, struct timespec *at) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, \"clock_gettime\");
    int code = real(clock, at);
    if (code == 0 && clock == CLOCK_REALTIME) at->tv_sec += 31L * 86400;
    return code;
}
";
