//! A shop on a live RTSP camera: another picture is not watched, an eye that dies is replaced, nobody outlives the mouth.
//! How a camera goes and comes back is in `returns.rs`.

use std::time::{Duration, Instant};

use super::shop::{Shop, is_alive, signal};
use crate::support::rtsp_camera::{RtspCamera, Scene};

/// A bar that wanders over a grey wall: nobody there, but every frame another.
pub fn scene() -> Scene {
    scene_of(320, 240)
}

/// As [`scene`], of this size, px.
pub fn scene_of(width: usize, height: usize) -> Scene {
    let draw = move |number: u64| {
        let bar = (number as usize * 4) % width;
        (0..width * height).map(|pixel| if (pixel % width).abs_diff(bar) < 8 { 200 } else { 90 }).collect()
    };
    Scene { width, height, draw: Box::new(draw) }
}

#[test]
fn a_camera_with_another_picture_is_not_watched_until_it_is_itself_again() {
    let camera = RtspCamera::start(scene(), 10.0);
    let (port, url) = (camera.port(), camera.url());
    let shop = Shop::open("changed", &url);
    shop.hear("camera view seen");
    camera.stop();
    shop.hear("camera view lost");
    let changed = RtspCamera::start_on(port, scene_of(160, 240), 10.0);
    shop.hear("camera view now sends 160x240");
    changed.stop();
    let _back = RtspCamera::start_on(port, scene(), 10.0);
    shop.hear("camera view seen, 320x240");
}

#[test]
#[ignore = "a quarter of a minute: the patience of the mouth"]
fn an_eye_that_hangs_is_replaced() {
    let camera = RtspCamera::start(scene(), 10.0);
    let shop = Shop::open("hangs", &camera.url());
    shop.hear("camera view seen");
    let first = shop.eye(None);
    signal(first, libc::SIGSTOP);
    shop.hear("the eye said nothing any more");
    assert_ne!(shop.eye(Some(first)), first);
    shop.hear("camera view seen");
}

#[test]
fn a_dead_eye_is_replaced_within_two_seconds() {
    let camera = RtspCamera::start(scene(), 10.0);
    let shop = Shop::open("killed", &camera.url());
    shop.hear("camera view seen");
    let first = shop.eye(None);
    let begun = Instant::now();
    signal(first, libc::SIGKILL);
    let second = shop.eye(Some(first));
    assert!(begun.elapsed() < Duration::from_secs(2), "replaced after {:?}", begun.elapsed());
    assert_ne!(first, second);
    shop.hear("signal 9");
    shop.hear("camera view seen");
}

#[test]
fn the_eye_does_not_outlive_a_killed_mouth() {
    let camera = RtspCamera::start(scene(), 10.0);
    let shop = Shop::open("orphan", &camera.url());
    shop.hear("camera view seen");
    let eye = shop.eye(None);
    signal(shop.mouth(), libc::SIGKILL);
    assert_eq!(shop.ended(), None, "a signal leaves no exit code");
    must_end(eye);
}

#[test]
fn a_terminated_shop_ends_well_and_takes_its_eye_along() {
    let camera = RtspCamera::start(scene(), 10.0);
    let shop = Shop::open("term", &camera.url());
    shop.hear("camera view seen");
    let eye = shop.eye(None);
    signal(shop.mouth(), libc::SIGTERM);
    assert_eq!(shop.ended(), Some(0));
    must_end(eye);
}

/// The kernel takes a killed process apart in its own time.
fn must_end(pid: i32) {
    let begun = Instant::now();
    while is_alive(pid) && begun.elapsed() < Duration::from_secs(5) {
        std::thread::yield_now();
    }
    assert!(!is_alive(pid));
}
