//! Long runs, for `make acceptance`: a real quarter hour, and twenty thousand frames in flat memory.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::cameras::scene;
use super::shop::{Shop, eye_of, resident_kb};
use crate::support::folder::Folder;
use crate::support::recording::first_frames;
use crate::support::rtsp_camera::RtspCamera;

#[test]
#[ignore = "waits for the next full quarter hour"]
fn a_quarter_hour_of_a_live_camera_is_a_record_of_nobody_with_its_coverage() {
    let camera = RtspCamera::start(scene(), 10.0);
    let shop = Shop::open("quarter", &camera.url());
    shop.hear("camera view seen");
    let begun = Instant::now();
    let panel = loop {
        let panel = get(shop.page_port, "/panel");
        if panel.contains("<h3>Lines</h3>") || begun.elapsed() > Duration::from_secs(16 * 60) {
            break panel;
        }
        std::thread::sleep(Duration::from_secs(1));
    };
    let row = panel.split("<th scope=\"row\">door <small>seen ").nth(1).unwrap_or_else(|| panic!("{panel}"));
    assert!(row.contains("</th><td>0</td><td>0</td>"), "{panel}");
    let seen_percent: f64 = row.split(' ').next().and_then(|text| text.parse().ok()).unwrap_or(-1.0);
    assert!(seen_percent > 0.0 && seen_percent <= 100.0, "{panel}");
}

#[test]
#[ignore = "twenty thousand frames"]
fn twenty_thousand_frames_leave_memory_flat() {
    let (pictures, endless) = (first_frames(), Folder::new());
    let files = std::fs::read_dir(pictures).expect("a folder of pictures").flatten().map(|entry| entry.path());
    let mut files: Vec<_> = files.collect();
    files.sort();
    for number in 0..FRAMES {
        let target = &files[number % files.len()];
        std::os::unix::fs::symlink(target, endless.path(&format!("{number:06}.png"))).expect("links can be made");
    }
    let (site, out) = (crate::support::site::demo_path(), Folder::new());
    let mut replay = Command::new(env!("CARGO_BIN_EXE_kehai"))
        .args(["replay", &endless.path(""), "--site", &site, "--out", &out.path("out")])
        .stdout(Stdio::null())
        .spawn()
        .expect("kehai starts");
    let mut samples = Vec::new();
    while matches!(replay.try_wait(), Ok(None)) {
        samples.extend(eye_of(replay.id()).and_then(resident_kb));
        std::thread::sleep(Duration::from_millis(500));
    }
    assert!(replay.wait().is_ok_and(|status| status.success()));
    let (early, late) = (samples[samples.len() / 4], samples[samples.len() - 2]);
    let slope_kb = late.saturating_sub(early) * 10_000 / (FRAMES * 3 / 4);
    assert!(slope_kb <= 1024, "{slope_kb} kB per 10,000 frames: {early} to {late}");
}

/// A page of this machine, head and all.
pub fn get(port: u16, path: &str) -> String {
    let mut answer = String::new();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the page is served");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n")
        .expect("a request can be sent");
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

const FRAMES: usize = 20_000;
