//! Ports that are taken, folders that cannot be written, cameras that may not be opened yet.

use std::process::{Command, Stdio};

use crate::support::broker::free_port;
use crate::support::folder::Folder;
use crate::support::program::kehai;
use crate::support::recording::draw_room;
use crate::support::site::BARE;

#[test]
fn a_taken_broker_port_is_named_before_anything_is_measured() {
    let (folder, (port, _held)) = (Folder::new(), free_port());
    let site = folder.write("site.toml", format!("{BARE}[broker]\nembedded = true\nport = {port}\n"));
    let (room, out) = (draw_room(&folder, 2), folder.path("out"));
    let ended = kehai(&["replay", &room, "--site", &site, "--out", &out, "--publish"]);
    ended.must_be_refused(5, &[&format!("broker.port = {port}"), "in use", "another port in the site file"]);
    assert_eq!(folder.names(), ["room", "site.toml"]);
}

#[test]
fn a_taken_page_port_is_named_before_anything_is_measured() {
    let (folder, (port, _held)) = (Folder::new(), free_port());
    let site = folder.write("site.toml", format!("{BARE}[page]\nport = {port}\n"));
    let (room, out) = (draw_room(&folder, 2), folder.path("out"));
    let ended = kehai(&["replay", &room, "--site", &site, "--out", &out, "--publish"]);
    ended.must_be_refused(5, &[&format!("page.port = {port}"), "in use", "another port in the site file"]);
    assert_eq!(folder.names(), ["room", "site.toml"]);
}

#[test]
fn ports_that_cannot_be_had_are_refused_as_settings() {
    let folder = Folder::new();
    let room = draw_room(&folder, 1);
    let cases = [
        ("[broker]\nembedded = true\nport = 0\n", "broker.port = 0"),
        ("[page]\nport = 0\n", "page.port = 0"),
        ("[broker]\nembedded = true\nport = 18999\n[page]\nport = 18999\n", "page.port = 18999"),
        ("[broker]\nurl = \"mqtt://127.0.0.1:0\"\n", "broker.url"),
        ("[broker]\nurl = \"mqtt://broker.example:1883\"\n", "broker.url = \"mqtt://broker.example:1883\""),
        ("[broker]\nembedded = true\nurl = \"mqtt://127.0.0.1:1883\"\n", "broker"),
        ("[broker]\nembedded = true\nuser = \"edge\"\n", "broker.user"),
        ("[broker]\nurl = \"mqtt://127.0.0.1\"\nca_file = \"ca.pem\"\n", "broker.ca_file = \"ca.pem\""),
        ("[broker]\nurl = \"mqtts://broker.example\"\ncert_file = \"node.pem\"\n", "broker.cert_file"),
        ("[broker]\nurl = \"mqtts://broker.example\"\nuser = \"edge\"\n", "broker.user"),
        ("[broker]\nurl = \"mqtts://edge:word@broker.example\"\n", "broker.url = …@…"),
        ("[broker]\nurl = \"mqtts://[2001:db8::1]\"\n", "broker.url = \"mqtts://[2001:db8::1]\""),
        ("[broker]\nurl = \"mqtt://127.0.0.1\"\nprotocol = \"4\"\n", "broker.protocol = \"4\""),
        ("[broker]\nurl = \"mqtt://127.0.0.1\"\nrate_per_s = 0\n", "broker.rate_per_s = 0"),
    ];
    for (text, key) in cases {
        let site = folder.write("site.toml", format!("{BARE}{text}"));
        let ended = kehai(&["replay", &room, "--site", &site, "--out", &folder.path("out"), "--publish"]);
        ended.must_be_refused(3, &[key]);
    }
}

#[test]
fn a_page_without_a_broker_is_no_failure() {
    let (folder, (port, held)) = (Folder::new(), free_port());
    drop(held);
    let line = "[[line]]\nid = \"door\"\nends_px = [[10, 50], [110, 50]]\ninside_px = [60, 90]\n";
    let site = folder.write("site.toml", format!("{BARE}{line}[page]\nport = {port}\n"));
    let ended = kehai(&["replay", &draw_room(&folder, 2), "--site", &site, "--out", &folder.path("out"), "--publish"]);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
}

#[test]
fn a_camera_is_not_opened_before_anybody_was_told() {
    let folder = Folder::new();
    for host in ["192.0.2.7", "user:word@198.51.100.2:554", "camera.example", "[2001:db8::1]"] {
        let site = folder.write("site.toml", format!("{BARE}url = \"rtsp://{host}/live\"\n"));
        kehai(&["run", "--site", &site]).must_be_refused(7, &["not armed", "notice.controllers", "purposes"]);
    }
}

#[test]
fn a_camera_without_an_address_cannot_be_watched() {
    let folder = Folder::new();
    let site = folder.write("site.toml", BARE);
    let naming = [site.as_str(), "camera.cam.url is missing", "rtsp://HOST:PORT/PATH", "kehai replay"];
    kehai(&["run", "--site", &site]).must_be_refused(3, &naming);
}

#[test]
fn a_folder_that_cannot_be_written_is_named_before_the_recording_is_played() {
    let folder = Folder::new();
    let (room, site) = (draw_room(&folder, 1), folder.write("site.toml", BARE));
    let (file, clip) = (folder.write("taken", "a file"), folder.write("clip.avi", "no video"));
    let below = format!("{file}/out");
    for out in [file.as_str(), below.as_str()] {
        // The second recording is worthless, but nobody waits for that to be found out.
        for recording in [&room, &clip] {
            let ended = kehai(&["replay", recording, "--site", &site, "--out", out]);
            ended.must_be_refused(2, &["--out", out, "not a folder that can be written"]);
        }
    }
}

#[test]
fn a_file_that_cannot_be_written_leaves_no_half_of_it() {
    let folder = Folder::new();
    let boxes = folder.write("det.txt", "1,-1,10,10,20,40,0.9\n");
    let taken = folder.path("taken");
    std::fs::create_dir_all(&taken).expect("the target folder can be written");
    for out in [taken.as_str(), "/nowhere/tracks.txt"] {
        let ended = kehai(&["track", "--detections", &boxes, "--fps", "7", "--out", out]);
        ended.must_be_refused(2, &["--out", out, "name a file that can be written"]);
    }
    assert_eq!(folder.names(), ["det.txt", "taken"]);
}

#[test]
fn a_reader_that_hangs_up_is_no_panic() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_kehai"))
        .arg("schema")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("kehai starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("a child can be waited for");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_ne!(output.status.code(), Some(101), "a panic");
}
