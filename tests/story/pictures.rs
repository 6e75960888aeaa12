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
    // A clip is drawn from the decoder's planes, a picture from its own colours: rounding moves a box by a hair.
    let early = |rows: &str| -> Vec<[f64; 6]> {
        let row = |row: &str| {
            let values: Vec<f64> = row.split(',').map(|value| value.parse().expect("a number")).collect();
            [values[0], values[2], values[3], values[4], values[5], values[6]]
        };
        rows.lines().map(row).filter(|row| row[0] <= FIRST_FRAMES as f64 && row[5] > 0.4).collect()
    };
    let (of_pictures, of_clip) = (early(&of_pictures), early(sample_rows()));
    assert!(of_clip.len() > 10, "{} boxes in the first frames", of_clip.len());
    let is_near = |a: &[f64; 6], b: &[f64; 6]| {
        a[0] == b[0] && (1..5).all(|side| (a[side] - b[side]).abs() < 4.0) && (a[5] - b[5]).abs() < 0.05
    };
    let strays = of_clip.iter().filter(|row| row[5] > 0.45 && !of_pictures.iter().any(|other| is_near(row, other)));
    assert_eq!(strays.count(), 0, "{of_clip:?}\n{of_pictures:?}");
}

#[test]
fn a_camera_is_looked_at_as_often_as_its_site_file_says() {
    let folder = Folder::new();
    let site = folder.write("site.toml", format!("{BARE}looks_per_s = 10.0\n"));
    let played = Played::replay(&draw_room(&folder, 6), &site, &[]);
    played.ended.must_be_well();
    assert_eq!(must_balance(&played), 6);
    assert_eq!(played.summary()["frames"]["skipped"], 3);
}

#[test]
fn a_hardware_decoder_that_is_not_there_is_told_and_the_processor_decodes() {
    let folder = Folder::new();
    let site = folder.write("site.toml", format!("{BARE}decoder = \"vaapi\"\n"));
    let played = Played::replay(&draw_room(&folder, 6), &site, &[]);
    assert_eq!(played.ended.code, Some(0));
    assert!(played.ended.err.contains("camera.cam.decoder = \"vaapi\": not in use"), "{}", played.ended.err);
    assert_eq!(must_balance(&played), 6);
    assert_eq!(played.summary()["frames"]["failed"], 0);
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
    assert_eq!(played.summary()["frames"]["failed"], 1);
}

#[test]
fn an_empty_room_is_zero_at_the_door_and_withheld_in_zones_and_between_them() {
    let folder = Folder::new();
    let places = "[[line]]\nid = \"door\"\nends_px = [[10, 50], [110, 50]]\ninside_px = [60, 90]\n\
                  [[zone]]\nid = \"shelf\"\npolygon_px = [[10, 10], [60, 10], [60, 60]]\n";
    let site = folder.write("site.toml", format!("{BARE}{places}"));
    let played = Played::replay(&draw_room(&folder, 6), &site, &[]);
    let windows = played.windows();
    let figures: Vec<String> = windows.iter().map(|window| window["d"].to_string()).collect();
    let nowhere = r#"{"m":[],"nodes":["zone/shelf","line/door","elsewhere"]}"#;
    assert_eq!(figures, [r#"{"in":0,"out":0,"uncertain":0}"#, "{}", nowhere]);
}
