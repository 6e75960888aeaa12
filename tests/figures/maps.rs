//! `kehai export --format png`: one map in a frame, or the question which one.

use crate::support::folder::Folder;
use crate::support::program::kehai;
use crate::support::simulated::shop;

/// 2026-10-26T00:00 and 2026-10-28T00:00 in Tokyo.
const FROM_S: i64 = 1_792_940_400;
const TO_S: i64 = FROM_S + 2 * 86_400;

#[test]
fn a_map_is_drawn_in_a_frame_and_so_is_the_difference_of_two_days() {
    let folder = Folder::new();
    let mut shop = shop("Asia/Tokyo", 1, 8);
    let lines = folder.write("lines.txt", shop.lines(FROM_S, TO_S));
    let site = folder.write("site.toml", &shop.site);
    let out = folder.path("map.png");
    let named = |more: &[&str]| {
        let whole = ["export", "--format", "png", "--from", "2026-10-26", "--to", "2026-10-27"];
        kehai(&[&whole, &["--site", &site, "--windows", &lines, "--out", &out][..], more].concat())
    };
    let ask = named(&[]);
    ask.must_be_refused(2, &["--kind heat --id hall-visits", "--kind heat --id hall-dwell", "--kind flow --id hall"]);
    assert_eq!(folder.names(), ["lines.txt", "site.toml"]);
    let mut pictures = Vec::new();
    let difference = ["--id", "hall-visits", "--compare-from", "2026-10-27", "--compare-to", "2026-10-28"];
    for more in [&["--id", "hall-visits"][..], &["--id", "hall-dwell"], &["--kind", "flow"], &difference] {
        let ended = named(more);
        assert_eq!(ended.code, Some(0), "{}", ended.err);
        let picture = image::load_from_memory(&std::fs::read(&out).expect("a picture")).expect("a PNG").to_rgb8();
        assert!(picture.width() > 300 && picture.height() > 200, "{more:?}");
        let first = picture.get_pixel(0, 0).0;
        assert!(picture.pixels().filter(|pixel| pixel.0 != first).count() > 20_000, "{more:?} is no blank sheet");
        pictures.push(picture.into_raw());
    }
    pictures.dedup();
    assert_eq!(pictures.len(), 4, "four maps are four pictures");
    let empty = kehai(&[
        "export",
        "--format",
        "png",
        "--from",
        "2020-01-01",
        "--to",
        "2020-01-02",
        "--site",
        &site,
        "--windows",
        &lines,
        "--out",
        &out,
    ]);
    assert_eq!(empty.code, Some(2), "{}", empty.err);
}
