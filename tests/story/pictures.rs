//! A folder of pictures is a recording like any other.

use super::evaluation::sample_rows;
use super::sample::must_balance;
use crate::support::folder::{Folder, read};
use crate::support::program::kehai;
use crate::support::recording::{FIRST_FRAMES, Played, draw_room, first_frames};
use crate::support::site::{BARE, demo_path};

#[test]
fn every_picture_is_a_frame() {
    let played = Played::replay(&first_frames(), &demo_path(), &[]);
    played.ended.must_be_well();
    assert_eq!(must_balance(&played), FIRST_FRAMES);
}

#[test]
fn pictures_of_a_clip_give_the_boxes_of_the_clip() {
    let folder = Folder::new();
    let out = folder.path("det.txt");
    kehai(&["detect", &first_frames(), "--model", "nanodet-g", "--every", "5", "--out", &out]).must_be_well();
    let of_pictures = String::from_utf8(read(&out)).expect("rows are text");
    let is_early = |row: &&str| {
        row.split(',').next().and_then(|frame| frame.parse().ok()).is_some_and(|frame: u64| frame <= FIRST_FRAMES)
    };
    let of_clip: Vec<&str> = sample_rows().lines().filter(is_early).collect();
    assert!(of_clip.len() > 30, "{} boxes in the first frames", of_clip.len());
    assert_eq!(of_pictures.lines().collect::<Vec<&str>>(), of_clip);
}

#[test]
fn a_broken_picture_is_counted_as_failed_and_the_rest_is_seen() {
    let folder = Folder::new();
    let room = draw_room(&folder, 6);
    folder.write("room/00003.png", "no picture");
    folder.write("room/readme.txt", "no picture, and none by its name");
    let site = folder.write("site.toml", BARE);
    let played = Played::replay(&room, &site, &[]);
    played.ended.must_be_well();
    assert_eq!(must_balance(&played), 6);
    assert_eq!([&played.summary()["frames"]["detected"], &played.summary()["frames"]["failed"]], [5, 1]);
}

#[test]
fn an_empty_room_is_zero_at_the_door_and_withheld_in_zones() {
    let folder = Folder::new();
    let places = "[[line]]\nid = \"door\"\nends_px = [[10, 50], [110, 50]]\ninside_px = [60, 90]\n\
                  [[zone]]\nid = \"shelf\"\npolygon_px = [[10, 10], [60, 10], [60, 60]]\n";
    let site = folder.write("site.toml", format!("{BARE}{places}"));
    let played = Played::replay(&draw_room(&folder, 6), &site, &[]);
    let windows = played.windows();
    let figures: Vec<String> = windows.iter().map(|window| window["d"].to_string()).collect();
    assert_eq!(figures, [r#"{"in":0,"out":0,"uncertain":0}"#, "{}"]);
}
