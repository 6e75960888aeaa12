//! Cameras that work, falter or do not open, as `kehai doctor --cameras` tells of them.

use std::net::TcpListener;

use serde_json::Value;

use super::cameras::scene;
use super::shop::eye_of;
use crate::support::folder::Folder;
use crate::support::program::{Ended, GLANCE, kehai, start};
use crate::support::rtsp_camera::{RtspCamera, Scene};
use crate::support::rtsp_faults::Door;
use crate::support::site::BARE;

const PASSWORD: &str = "gehe1m";

/// A camera that only lets in who knows the password, and its address with it.
fn locked() -> (RtspCamera, String) {
    let camera = RtspCamera::start(scene(), 10.0);
    camera.answer(Door::Locked(format!("admin:{PASSWORD}")));
    let url = camera.url().replace("rtsp://", &format!("rtsp://admin:{PASSWORD}@"));
    (camera, url)
}

fn site_of(folder: &Folder, url: &str) -> String {
    folder.write("site.toml", format!("{BARE}url = \"{url}\"\n"))
}

fn sound(url: &str) -> (Ended, Value) {
    let folder = Folder::new();
    let ended = kehai(&["doctor", "--site", &site_of(&folder, url), "--cameras", "--seconds", "1", "--json"]);
    assert!(!ended.out.contains(PASSWORD) && !ended.err.contains(PASSWORD), "{}{}", ended.out, ended.err);
    let told: Value = serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("{}{}", ended.out, ended.err));
    (ended, told[0].clone())
}

fn must_fail(url: &str, reason: &str, words: &str) {
    let (ended, told) = sound(url);
    assert_eq!((ended.code, told["reason"].as_str()), (Some(4), Some(reason)), "{told}");
    assert!(told["advice"][0].as_str().is_some_and(|advice| advice.contains(words)), "{told}");
}

#[test]
fn a_camera_that_works_is_told_by_size_codec_and_rate() {
    let (_camera, url) = locked();
    let (ended, told) = sound(&url);
    assert_eq!(ended.code, Some(0), "{told}");
    assert_eq!((&told["width_px"], &told["height_px"]), (&320.into(), &240.into()));
    assert_eq!((&told["codec"], &told["reason"]), (&"H.264".into(), &"none".into()));
    assert!(told["fps"].as_f64().is_some_and(|fps| (8.0..12.0).contains(&fps)), "{told}");
    assert!(told["gap_ms_max"].as_u64().is_some_and(|ms| (90..1000).contains(&ms)), "{told}");
    assert!(told["first_picture_ms"].as_u64().is_some_and(|ms| ms > 0), "{told}");
    assert!(told["lag_ms"].is_null(), "no stream tells when a picture was taken");
}

#[test]
fn a_large_stream_is_told_what_would_do() {
    let draw = |number: u64| vec![90 + (number % 50) as u8; 1280 * 720];
    let camera = RtspCamera::start(Scene { width: 1280, height: 720, draw: Box::new(draw) }, 5.0);
    let (ended, told) = sound(&camera.url());
    assert_eq!(ended.code, Some(0), "{told}");
    let advice = told["advice"].to_string();
    assert!(advice.contains("sends 1280x720") && advice.contains("set up a sub-stream of 640x360"), "{advice}");
}

#[test]
fn each_way_not_to_open_has_its_reason() {
    let (camera, url) = locked();
    must_fail(&url.replace(PASSWORD, "wrong"), "wrong-password", "(401)");
    camera.answer(Door::NotFound);
    must_fail(&url, "no-such-path", "(404)");
    camera.answer(Door::Unavailable);
    must_fail(&url, "busy", "declined");
    camera.answer(Door::Full);
    must_fail(&url, "busy", "declined");
    camera.stop();
    must_fail(&url, "refused", "nobody listens");
}

#[test]
fn a_port_that_never_speaks_gives_no_answer() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = silent.local_addr().expect("an address").port();
    must_fail(&format!("rtsp://127.0.0.1:{port}/live"), "no-answer", "no answer");
}

#[test]
fn pictures_that_cannot_be_unpacked_are_no_pictures() {
    let camera = RtspCamera::start(scene(), 10.0);
    camera.corrupt();
    let (ended, told) = sound(&camera.url());
    assert_eq!((ended.code, told["reason"].as_str()), (Some(4), Some("no-picture")), "{told}");
}

#[test]
fn a_usb_camera_that_is_not_there_is_named_with_what_to_look_at() {
    must_fail("usb:/dev/video987", "no-device", "no such device /dev/video987; `ls /dev/video*`");
}

#[test]
fn one_camera_of_two_that_fails_is_a_failed_check() {
    let camera = RtspCamera::start(scene(), 10.0);
    let folder = Folder::new();
    let second = "[[camera]]\nid = \"usb\"\nurl = \"usb:987\"\n";
    let site = folder.write("site.toml", format!("{BARE}url = \"{}\"\n{second}", camera.url()));
    let ended = kehai(&["doctor", "--site", &site, "--cameras", "--seconds", "1"]);
    assert_eq!(ended.code, Some(1), "{}{}", ended.out, ended.err);
    assert!(ended.out.contains("320x240 H.264") && ended.out.contains("lag unknown"), "{}", ended.out);
    assert!(ended.err.contains("1 of 2 cameras fail"), "{}", ended.err);
}

#[test]
fn a_camera_of_another_machine_is_not_opened_where_nobody_answers_for_the_box() {
    let folder = Folder::new();
    let site = site_of(&folder, "rtsp://admin:gehe1m@192.0.2.7/live");
    let ended = kehai(&["doctor", "--site", &site, "--cameras"]);
    ended.must_be_refused(7, &["unprovisioned", "no camera is opened", "kehai people add"]);
    assert!(!ended.err.contains(PASSWORD), "{}", ended.err);
}

#[test]
fn the_password_is_in_no_argument_and_no_environment_while_cameras_are_sounded() {
    let (_camera, url) = locked();
    let folder = Folder::new();
    let mut running = start(&["doctor", "--site", &site_of(&folder, &url), "--cameras", "--seconds", "2"], &[]);
    let mut looked = 0;
    while running.is_running() {
        let Some(eye) = eye_of(running.id()) else { continue };
        for (pid, file) in
            [(eye as u32, "cmdline"), (eye as u32, "environ"), (running.id(), "cmdline"), (running.id(), "environ")]
        {
            let shown = std::fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
            assert!(!shown.windows(PASSWORD.len()).any(|window| window == PASSWORD.as_bytes()), "{file} of {pid}");
            looked += usize::from(!shown.is_empty());
        }
        std::thread::sleep(GLANCE);
    }
    let ended = running.ended();
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(looked > 10, "the eye was seen at work");
}
