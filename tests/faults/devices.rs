//! Devices that answer well, badly or not at all, as `kehai doctor --discover` tells of them.

use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::support::folder::Folder;
use crate::support::onvif_device::{Manner, OnvifDevice, PASSWORD};
use crate::support::program::{Ended, kehai, start};

fn secret(folder: &Folder, line: &str, mode: u32) -> String {
    let file = folder.write("secret", line);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).expect("own file");
    file
}

/// Searches for a device with this password; the program must never repeat it.
fn discover(device: &OnvifDevice, password: &str) -> (Ended, Value) {
    let folder = Folder::new();
    let file = secret(&folder, &format!("admin:{password}\n"), 0o600);
    let at = device.search();
    let ended = kehai(&["doctor", "--discover", "--discover-at", &at, "--credentials", &file, "--json"]);
    for said in [&ended.out, &ended.err, &device.heard()] {
        assert!(!said.contains(password), "{said}");
    }
    let told = serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("{}{}", ended.out, ended.err));
    (ended, told)
}

#[test]
fn a_device_is_listed_with_its_streams_and_the_one_to_use() {
    for manner in [Manner::WellFormed, Manner::HttpDigest] {
        let device = OnvifDevice::start(manner);
        let (ended, told) = discover(&device, PASSWORD);
        assert_eq!(ended.code, Some(0), "{told}");
        assert_eq!(told["devices"].as_array().map(Vec::len), Some(1), "four answers, one device: {told}");
        let device = &told["devices"][0];
        assert_eq!((&device["name"], &device["hardware"]), (&"Front Door".into(), &"K-1".into()));
        assert_eq!(device["address"], "127.0.0.1");
        assert_eq!(device["profiles"].as_array().map(Vec::len), Some(3), "{told}");
        assert_eq!(device["profiles"][1]["rtsp"], "rtsp://127.0.0.1:8554/sub?x=1&y=2");
        assert_eq!(
            (&device["profiles"][0]["fps_max"], &device["profiles"][0]["keyframe_s"]),
            (&25.0.into(), &2.0.into())
        );
        let advice = "use this one: 640x360 H.264; the main stream costs about 9 times the decoding";
        assert_eq!((&device["best"], &device["advice"]), (&1.into(), &advice.into()));
    }
}

#[test]
fn a_search_without_credentials_asks_nobody_for_streams() {
    let device = OnvifDevice::start(Manner::WellFormed);
    let ended = kehai(&["doctor", "--discover", "--discover-at", &device.search()]);
    ended.must_be_well();
    assert!(ended.out.contains("127.0.0.1") && ended.out.contains("Front Door (K-1)"), "{}", ended.out);
    assert!(ended.out.contains("--credentials FILE"), "{}", ended.out);
    assert_eq!(device.heard(), "", "nobody was asked");
}

#[test]
fn a_device_that_does_not_tell_is_told_with_its_reason() {
    for (manner, password, reason) in [
        (Manner::WellFormed, "wrong-one", "refuses this user and password"),
        (Manner::HttpDigest, "wrong-one", "refuses this user and password"),
        (Manner::Garbage, PASSWORD, "not understood"),
        (Manner::Entities, PASSWORD, "not understood"),
        (Manner::Huge, PASSWORD, "longer than"),
        (Manner::Silent, PASSWORD, "no answer within 5 s"),
    ] {
        let device = OnvifDevice::start(manner);
        let (ended, told) = discover(&device, password);
        assert_eq!(ended.code, Some(4), "{told}");
        let error = told["devices"][0]["error"].as_str().unwrap_or_default().to_owned();
        assert!(error.contains(reason) && !error.contains('\u{1b}'), "{error}");
        let ignored = told["answers_ignored"].as_u64();
        assert_eq!(ignored.is_some_and(|count| count > 0), manner == Manner::Garbage, "{told}");
    }
}

#[test]
fn one_device_is_asked_by_its_address() {
    let device = OnvifDevice::start(Manner::WellFormed);
    let folder = Folder::new();
    let file = secret(&folder, &format!("admin:{PASSWORD}"), 0o600);
    let ended = kehai(&["doctor", "--device", &device.service(), "--credentials", &file]);
    ended.must_be_well();
    assert!(
        ended.out.contains("sub stream: 640x360 H.264, up to 25/s, a key frame every 2.0 s, rtsp://127.0.0.1:8554/sub")
    );
    let unasked = kehai(&["doctor", "--device", &device.service()]);
    assert_eq!(unasked.code, Some(4));
    assert!(unasked.out.contains("asks for user and password; give --credentials FILE"), "{}", unasked.out);
}

#[test]
fn no_machine_beyond_this_network_is_asked() {
    for url in [
        "http://8.8.8.8/onvif",
        "http://camera.example/onvif",
        "https://192.168.1.20/",
        "http://admin:gehe1m@192.168.1.20/",
    ] {
        let ended = kehai(&["doctor", "--device", url]);
        ended.must_be_refused(2, &["--device", "private, link-local or loopback"]);
        assert!(!ended.err.contains(PASSWORD), "{}", ended.err);
    }
    for place in ["8.8.8.8:3702", "192.168.1.20:3702", "239.255.255.250:3702", "everybody"] {
        kehai(&["doctor", "--discover", "--discover-at", place]).must_be_refused(2, &["127.0.0.1:PORT"]);
    }
}

#[test]
fn a_file_of_credentials_that_others_may_read_is_refused_unread() {
    let folder = Folder::new();
    for (line, mode, words) in [
        ("admin:gehe1m", 0o644, "mode 644"),
        ("admin:gehe1m", 0o640, "chmod 600"),
        ("gehe1m", 0o600, "one line user:password"),
        ("admin:gehe1m\nmore", 0o600, "one line user:password"),
        (&"gehe1m:".repeat(200), 0o600, "at most 1024 bytes"),
    ] {
        let file = secret(&folder, line, mode);
        let ended = kehai(&["doctor", "--device", "127.0.0.1", "--credentials", &file]);
        ended.must_be_refused(3, &["credentials file", words]);
        assert!(!ended.err.contains(PASSWORD), "{}", ended.err);
    }
    let missing = kehai(&["doctor", "--device", "127.0.0.1", "--credentials", "/nowhere/secret"]);
    missing.must_be_refused(3, &["/nowhere/secret", "No such file"]);
    let alone = kehai(&["doctor", "--credentials", "/nowhere/secret"]);
    alone.must_be_refused(2, &["--discover", "--device"]);
}

#[test]
fn the_password_is_in_no_argument_and_no_environment_while_devices_are_asked() {
    let device = OnvifDevice::start(Manner::Silent);
    let folder = Folder::new();
    let file = secret(&folder, &format!("admin:{PASSWORD}"), 0o600);
    let mut running = start(&["doctor", "--device", &device.service(), "--credentials", &file], &[]);
    let mut looked = 0;
    while running.is_running() {
        for shown in ["cmdline", "environ"] {
            let shown = std::fs::read(format!("/proc/{}/{shown}", running.id())).unwrap_or_default();
            assert!(!shown.windows(PASSWORD.len()).any(|window| window == PASSWORD.as_bytes()));
            looked += usize::from(!shown.is_empty());
        }
        std::thread::yield_now();
    }
    let ended = running.ended();
    assert!(!ended.out.contains(PASSWORD) && !ended.err.contains(PASSWORD), "{}{}", ended.out, ended.err);
    assert!(looked > 2, "the program was seen at work");
}
