//! No disk: an eye at work leaves no core when it dies, and what it writes is not swapped out where it may lock it.

use crate::live::cameras::scene;
use crate::live::shop::Shop;
use crate::support::rtsp_camera::RtspCamera;

/// The value behind a key of a file in the folder of a process.
fn told(eye: i32, file: &str, key: &str) -> String {
    let text = std::fs::read_to_string(format!("/proc/{eye}/{file}")).expect("the eye runs");
    let line = text.lines().find_map(|line| line.strip_prefix(key)).expect("the kernel says it");
    line.trim().to_owned()
}

#[test]
fn an_eye_at_work_leaves_no_core_and_locks_what_it_writes() {
    let camera = RtspCamera::start(scene(), 10.0);
    let shop = Shop::open("no-disk", &camera.url());
    shop.hear("camera view seen");
    let eye = shop.eye(None);
    let limits = told(eye, "limits", "Max core file size");
    assert_eq!(limits.split_whitespace().take(2).collect::<Vec<_>>(), ["0", "0"], "{limits}");
    let kilobytes = |key| -> u64 {
        let value = told(eye, "status", key);
        value.trim_end_matches("kB").trim().parse().expect("a number of kilobytes")
    };
    let rights = u64::from_str_radix(&told(eye, "status", "CapEff:"), 16).expect("a mask");
    if rights & IPC_LOCK != 0 {
        assert!(kilobytes("VmLck:") >= kilobytes("VmData:") / 2, "locked {} kB", kilobytes("VmLck:"));
    }
}

/// The right to lock memory (capabilities(7)).
const IPC_LOCK: u64 = 1 << 14;
