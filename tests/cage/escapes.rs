//! Thirteen ways out of the eye, each tried for real by its twin: denied behind all walls, open without any.
//!
//! In: `kehai doctor` and the commands that start an eye, as root, as an ordinary user, and where the kernel allows no user
//! namespaces. Without the control (every way open where no wall stands) a denial would prove nothing.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::armed::{arm, declared};
use crate::support::folder::{Folder, in_repository};
use crate::support::program::{NOBODY, kehai, others_can_run};
use crate::support::recording::draw_room;
use crate::support::site::BARE;

const WAYS: usize = 13;
const CAMERA: &str = "url = \"rtsp://127.0.0.1:8554/none\"\n";

#[test]
fn thirteen_ways_out_are_denied_and_told_one_by_one() {
    let ended = kehai(&["doctor", "--json"]);
    let findings: Value = serde_json::from_str(&ended.out).expect("doctor speaks JSON");
    let findings = findings.as_array().expect("a list");
    let is = |finding: &&Value, name: &str| finding["what"].as_str().is_some_and(|what| what.starts_with(name));
    assert_eq!(findings.iter().filter(|finding| is(finding, "escape: ")).count(), WAYS);
    for finding in findings.iter().filter(|finding| is(finding, "escape: ") || is(finding, "cage of the eye")) {
        assert_eq!(finding["ok"], true, "{finding}");
        assert!(finding["detail"].as_str().is_some_and(|detail| detail.contains("denied")), "{finding}");
    }
}

#[test]
fn every_way_is_open_without_walls_and_every_wall_stops_some() {
    let ended = kehai(&["doctor", "--walls", "--json"]);
    ended.must_be_well();
    let matrix: Value = serde_json::from_str(&ended.out).expect("doctor speaks JSON");
    let (walls, ways) = (matrix["walls"].as_array().expect("a list"), matrix["ways"].as_array().expect("a list"));
    assert_eq!(ways.len(), WAYS);
    for way in ways {
        assert_eq!(way["denied"], true, "{way}");
        assert!(way["open_without_walls"] == true || is_switched_off(way), "the attempt itself is void: {way}");
    }
    let row = |name: &str| ways.iter().find(|way| way["way"] == name).expect("a way of this name");
    for (at, wall) in walls.iter().enumerate() {
        // Privileges stops none of these alone: Landlock and seccomp stand on it for whoever is not root, and it keeps root
        // from taking the limits back.
        let stops_some = ways.iter().any(|way| way["denied_by_one"][at] == true);
        assert!(stops_some || wall == "privileges", "{wall} stops nothing alone");
        let alone = match wall.as_str() {
            Some("limits") => "file opened earlier",
            Some("namespace") => "TCP to another host",
            Some("seccomp") => "SysV shm",
            _ => continue,
        };
        assert_eq!(row(alone)["denied_without"][at], false, "without {wall} there is no way by {alone}");
    }
}

/// Some machines have io_uring switched off for everybody.
fn is_switched_off(way: &Value) -> bool {
    let setting = std::fs::read_to_string("/proc/sys/kernel/io_uring_disabled").unwrap_or_default();
    way["way"] == "io_uring" && setting.trim() != "0"
}

#[test]
fn an_ordinary_user_has_the_same_cage() {
    let kit = Kit::open_to_all();
    if !others_can_run() {
        return;
    }
    let output = kit.kehai(&["doctor"]).uid(NOBODY).gid(NOBODY).output().expect("kehai starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        said.contains("13 of 13 ways out denied; walls: limits, namespace, privileges, landlock, seccomp"),
        "{said}"
    );
}

#[test]
fn without_namespaces_no_eye_starts_that_has_a_network_camera() {
    let kit = Kit::open_to_all();
    let text = declared(&format!("{BARE}{CAMERA}"));
    arm(&text, Path::new(&kit.0.path("state")));
    let site = kit.0.write("camera.toml", text);
    let Some(ended) = kit.without_namespaces(&["run", "--site", &site]) else { return };
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(8), "{said}");
    for words in ["TCP to another host", "user.max_user_namespaces", "IPAddressAllow=", "dangerous_allow_unsandboxed"] {
        assert!(said.contains(words), "\"{words}\" is missing in: {said}");
    }
}

#[test]
fn without_namespaces_there_is_no_twin_whose_memory_could_be_searched() {
    let kit = Kit::open_to_all();
    let site = kit.0.write("site.toml", BARE);
    let Some(ended) = kit.without_namespaces(&["report", "--memory", "--site", &site]) else { return };
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(8), "{said}");
    assert!(said.contains("the twin has ended: the eye does not start, it is not caged"), "{said}");
    assert!(ended.stdout.is_empty());
}

#[test]
fn without_namespaces_a_recording_is_replayed_by_an_eye_that_has_no_socket() {
    let kit = Kit::open_to_all();
    let (site, clip) = (kit.0.write("site.toml", BARE), draw_room(&kit.0, 40));
    let out = kit.0.path("out");
    let Some(ended) = kit.without_namespaces(&["replay", &clip, "--site", &site, "--out", &out]) else { return };
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
}

#[test]
fn an_eye_without_a_cage_is_loud() {
    let kit = Kit::open_to_all();
    let line = "[[line]]\nid = \"door\"\nends_px = [[10, 50], [100, 50]]\ninside_px = [50, 80]\n";
    let site = kit.0.write("site.toml", format!("dangerous_allow_unsandboxed = true\n{BARE}{CAMERA}{line}"));
    let (clip, out) = (draw_room(&kit.0, 40), kit.0.path("out"));
    kehai(&["replay", &clip, "--site", &site, "--out", &out]).must_be_well();
    let windows = std::fs::read_to_string(format!("{out}/windows.jsonl")).expect("a replay writes its windows");
    let window: Value = serde_json::from_str(windows.lines().next().expect("a window")).expect("JSON");
    assert_eq!(window["privacy"]["unsandboxed"], true, "{window}");
}

/// The programs, the network and the runtime library where everybody can read them.
struct Kit(Folder);

impl Kit {
    fn open_to_all() -> Self {
        let folder = Folder::in_tmp();
        for program in [
            env!("CARGO_BIN_EXE_kehai"),
            env!("CARGO_BIN_EXE_kehai-detect"),
            env!("CARGO_BIN_EXE_kehai-eye"),
            env!("CARGO_BIN_EXE_kehai-eye-opencv"),
        ] {
            let name = Path::new(program).file_name().and_then(|name| name.to_str()).expect("a program has a name");
            std::fs::hard_link(program, folder.path(name))
                .or_else(|_| std::fs::copy(program, folder.path(name)).map(drop))
                .expect("a program can be copied");
        }
        for part in ["models", "onnxruntime"] {
            let from = in_repository(&format!("fetched/{part}"));
            std::fs::create_dir(folder.path(part)).expect("the folder is new");
            for file in std::fs::read_dir(&from).expect("make setup has run").flatten() {
                let to = format!("{}/{}", folder.path(part), file.file_name().to_string_lossy());
                std::fs::copy(file.path(), to).expect("a file can be copied");
            }
        }
        Self(folder)
    }

    fn kehai(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.0.path("kehai"));
        command.args(arguments).env("KEHAI_MODELS", self.0.path("models")).current_dir("/");
        command.env("STATE_DIRECTORY", self.0.path("state"));
        let library = std::fs::read_dir(self.0.path("onnxruntime")).expect("copied").flatten().map(|file| file.path());
        let library = library.into_iter().find(|path| path.to_string_lossy().contains("libonnxruntime.so"));
        command.env("ORT_DYLIB_PATH", library.expect("make setup has run"));
        command
    }

    /// Runs the program where no namespace can be made; `None` where that cannot be arranged.
    fn without_namespaces(&self, arguments: &[&str]) -> Option<Output> {
        let kehai = self.kehai(arguments);
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "sh", "-c"]);
        command.arg("echo 0 > /proc/sys/user/max_user_namespaces && exec setpriv --bounding-set=-all --inh-caps=-all --no-new-privs \"$@\"");
        command.arg("sh").arg(kehai.get_program()).args(kehai.get_args()).current_dir("/");
        for (key, value) in kehai.get_envs() {
            command.env(key, value.expect("set, not removed"));
        }
        let can = Command::new("unshare").args(["--user", "--map-root-user", "true"]).status();
        if !can.is_ok_and(|status| status.success()) {
            // There is none to be forbidden.
            return None;
        }
        Some(command.output().expect("unshare starts"))
    }
}
