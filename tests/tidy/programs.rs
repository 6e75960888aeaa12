//! What each program loads: the mouth nothing that could read a picture, the eye of cameras and clips none of OpenCV's
//! readers and the hundred libraries behind them.
//!
//! In: the programs as built; the dynamic loader lists what it would load.

use std::process::Command;

/// Names of the shared libraries a program loads.
fn libraries(program: &str) -> Vec<String> {
    let listed = Command::new(program).env("LD_TRACE_LOADED_OBJECTS", "1").output().expect("the loader lists");
    let text = String::from_utf8(listed.stdout).expect("names are text");
    let names: Vec<String> =
        text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect();
    assert!(names.iter().any(|name| name.starts_with("libc.so")), "{program}: {text}");
    names
}

fn has(program: &str, library: &str) -> bool {
    libraries(program).iter().any(|name| name.starts_with(library))
}

#[test]
fn the_mouth_loads_nothing_that_reads_pictures() {
    for library in
        ["libavcodec", "libavformat", "libswscale", "libopencv_imgproc", "libopencv_imgcodecs", "libopencv_videoio"]
    {
        assert!(!has(env!("CARGO_BIN_EXE_kehai"), library), "kehai loads {library}");
    }
}

#[test]
fn only_the_eye_that_needs_them_loads_the_readers_of_opencv() {
    for library in ["libopencv_imgcodecs", "libopencv_videoio"] {
        assert!(!has(env!("CARGO_BIN_EXE_kehai-eye"), library), "kehai-eye loads {library}");
        assert!(has(env!("CARGO_BIN_EXE_kehai-eye-opencv"), library), "kehai-eye-opencv misses {library}");
    }
    assert!(has(env!("CARGO_BIN_EXE_kehai-eye"), "libavcodec"));
}
