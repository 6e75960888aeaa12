//! At rest: nothing of what was looked at is left in any process, 250 ms after the eye has overwritten what it held, and
//! nothing after its end, whatever the pictures' size, their way in and the network.
//!
//! Processes of others are looked at as root alone.

use kehai::units::PictureSize;

use super::case::{Network, Recording, Sought};
use super::watched::{OTHER, OWN};
use super::ways::{camera_must_leave_nothing, recording_must_leave_nothing};
use crate::support::folder::Folder;
use crate::support::keyed::Keyed;

/// Films of the key that is looked at, and of another.
fn films(size: PictureSize, counts: [u64; 2]) -> [Recording; 2] {
    pictures(counts, size, Keyed::film)
}

/// The same in folders of pictures.
fn folders(size: PictureSize, counts: [u64; 2]) -> [Recording; 2] {
    pictures(counts, size, Keyed::folder)
}

fn pictures(counts: [u64; 2], size: PictureSize, make: impl Fn(&Keyed, &Folder, u64) -> String) -> [Recording; 2] {
    [(OWN, counts[0]), (OTHER, counts[1])].map(|(key, count)| {
        let folder = Folder::new();
        Recording { path: make(&Keyed::new(key, size), &folder, count), size, count, _folder: folder }
    })
}

#[test]
fn nothing_of_a_clip_is_left() {
    let [own, other] = films(SMALL, [FEW; 2]);
    recording_must_leave_nothing("clip", &Network::default_one(), [&own, &other], LITTLE);
}

#[test]
fn nothing_of_a_folder_of_pictures_is_left() {
    let [own, other] = folders(SMALL, [FEW; 2]);
    recording_must_leave_nothing("folder", &Network::default_one(), [&own, &other], LITTLE);
}

#[test]
fn nothing_of_a_camera_that_was_lost_is_left() {
    camera_must_leave_nothing("camera", &Network::default_one(), SMALL, FEW, LITTLE);
}

/// All networks and ways in at one size: what is drawn and filmed once serves all networks.
fn nothing_of_many_may_be_left(size: PictureSize) {
    let (films, folders) = (films(size, [MANY, OTHERS]), folders(size, [MANY, OTHERS]));
    for network in [Some(Network::default_one()), Network::rtmdet()].into_iter().flatten() {
        let case = |way: &str| format!("{way} {size} {}", network.name());
        camera_must_leave_nothing(&case("camera"), &network, size, MANY, MUCH);
        recording_must_leave_nothing(&case("clip"), &network, films.each_ref(), MUCH);
        recording_must_leave_nothing(&case("folder"), &network, folders.each_ref(), MUCH);
    }
}

#[test]
#[ignore = "minutes: five hundred pictures, three ways in, two networks"]
fn nothing_of_five_hundred_small_pictures_is_left() {
    nothing_of_many_may_be_left(SMALL);
}

#[test]
#[ignore = "minutes: five hundred pictures, three ways in, two networks"]
fn nothing_of_five_hundred_vga_pictures_is_left() {
    nothing_of_many_may_be_left(PictureSize { width: 640, height: 480 });
}

#[test]
#[ignore = "minutes: five hundred pictures, three ways in, two networks"]
fn nothing_of_five_hundred_720p_pictures_is_left() {
    nothing_of_many_may_be_left(PictureSize { width: 1280, height: 720 });
}

#[test]
#[ignore = "minutes: five hundred pictures, three ways in, two networks"]
fn nothing_of_five_hundred_1080p_pictures_is_left() {
    // H.264 has blocks of 16 px: 1080 rows are sent as 1088.
    nothing_of_many_may_be_left(PictureSize { width: 1920, height: 1088 });
}

const SMALL: PictureSize = PictureSize { width: 320, height: 240 };
/// Pictures that are looked at.
const FEW: u64 = 24;
const MANY: u64 = 500;
/// Pictures of the other key that nobody sees and that are looked for all the same.
const OTHERS: u64 = 60;
/// Of few pictures less is looked for, so that it is done in seconds.
const LITTLE: Sought = Sought { whole: 3, deep: 0 };
const MUCH: Sought = Sought { whole: 6, deep: 2 };
