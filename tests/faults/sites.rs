//! Site files that do not hold together: exit code 3, the key as it is written in the file, its value, the remedy.

use crate::support::folder::Folder;
use crate::support::program::kehai;
use crate::support::recording::{draw_room, first_frames};
use crate::support::site::{BARE, demo_with};

/// A site file of this text is refused by every command that takes one, before anything is written.
fn must_be_refused(text: &str, naming: &[&str]) {
    let folder = Folder::new();
    let (site, out) = (folder.write("site.toml", text), folder.path("out"));
    let naming: Vec<&str> = naming.iter().chain(&[site.as_str()]).copied().collect();
    kehai(&["replay", &first_frames(), "--site", &site, "--out", &out]).must_be_refused(3, &naming);
    assert_eq!(folder.names(), ["site.toml"], "a failed run leaves nothing");
}

/// The demo's site file with one change.
fn demo_must_be_refused(from: &str, to: &str, naming: &[&str]) {
    must_be_refused(&demo_with(&[(from, to)]), naming);
}

#[test]
fn a_site_file_that_is_not_there_is_named() {
    let folder = Folder::new();
    let ended = kehai(&["replay", &first_frames(), "--site", "/nowhere/site.toml", "--out", &folder.path("out")]);
    ended.must_be_refused(3, &["/nowhere/site.toml", "No such file", "deploy/demo.toml is a commented sample"]);
}

#[test]
fn an_unknown_key_is_named_with_those_there_are() {
    demo_must_be_refused("k = 5 ", "kk = 5 ", &["kk", "unknown field", "expected one of `profile`, `k`, `crowd_min`"]);
    demo_must_be_refused("[gate]", "[gates]", &["gates", "unknown field", "`gate`"]);
}

#[test]
fn a_value_of_the_wrong_type_is_shown() {
    demo_must_be_refused("k = 5 ", "k = \"five\" ", &["k = \"five\"", "expected u32"]);
    demo_must_be_refused("px = [0, 160]", "px = [0]", &["px = [0]"]);
}

#[test]
fn what_is_no_toml_is_shown_with_its_line() {
    demo_must_be_refused("[store]", "[store", &["line", "[store"]);
}

#[test]
fn a_profile_that_is_not_built_is_not_claimed() {
    let naming = ["gate.profile = \"standard\"", "no calibrated noise yet", "write \"threshold\""];
    demo_must_be_refused("profile = \"threshold\"", "profile = \"standard\"", &naming);
    demo_must_be_refused(
        "profile = \"threshold\"",
        "profile = \"none\"",
        &["gate.profile = \"none\"", "write \"threshold\""],
    );
}

#[test]
fn k_cannot_be_loosened() {
    for k in ["3", "4", "0", "100000"] {
        let value = format!("gate.k = {k}: write 5 (region uk) to 1000");
        demo_must_be_refused("k = 5 ", &format!("k = {k} "), &[&value, "privacy only tightens"]);
    }
}

#[test]
fn a_cell_below_a_metre_would_show_steps() {
    demo_must_be_refused("cell_m = 1.0", "cell_m = 0.5", &["floor.crossing.cell_m = 0.5", "write 1 to 10 metres"]);
}

#[test]
fn a_floor_of_too_many_cells_is_refused() {
    let naming = ["floor.crossing.size_m = [330.0, 34.0]", "4096 cells"];
    demo_must_be_refused("size_m = [33.0, 34.0]", "size_m = [330.0, 34.0]", &naming);
}

#[test]
fn a_floor_that_lies_nowhere_is_refused() {
    for origin in ["[nan, -17.0]", "[1e300, -17.0]", "[inf, 0.0]"] {
        let to = format!("origin_m = {origin}");
        demo_must_be_refused("origin_m = [-21.0, -17.0]", &to, &["floor.crossing.origin_m = "]);
    }
}

#[test]
fn a_zone_outside_the_picture_is_named_with_the_size_of_the_picture() {
    let naming = ["zone.junction", "outside the picture of camera view-1", "768 px wide and 576 px high", "900"];
    demo_must_be_refused("[[440, 200], [640, 200]", "[[440, 200], [900, 200]", &naming);
}

#[test]
fn a_zone_beyond_what_the_camera_shows_is_named_in_metres_too() {
    let far = "\n[[zone]]\nid = \"far\"\npolygon_m = [[500.0, 500.0], [510.0, 500.0], [510.0, 510.0]]\n";
    let naming =
        ["zone.far", "500.0", "outside the picture of camera view-1", "draw it on the floor that the camera shows"];
    must_be_refused(&(demo_with(&[]) + far), &naming);
}

#[test]
fn a_sensitivity_out_of_range_is_refused_with_the_range() {
    for motion in ["-1", "0.01", "1.5", "nan"] {
        let to = format!("fps = 7.0\nmotion = {motion}\n#");
        demo_must_be_refused("fps = 7.0", &to, &["camera.view-1.motion = ", "write 0.05 to 1", "0 to look at every"]);
    }
    demo_must_be_refused("fps = 7.0", "fps = 7.0\nmotionless = 1\n#", &["motionless = 1", "expected a boolean"]);
}

#[test]
fn an_ignored_place_that_is_nowhere_is_named() {
    let corners = "[[0, 0], [10, 0], [10, 10]]";
    for (place, naming) in [
        (String::new(), ["ignore.desk = …", "write either polygon_px"]),
        (format!("polygon_px = {corners}\npolygon_m = {corners}"), ["ignore.desk = …", "write either polygon_px"]),
        ("polygon_px = [[0, 0], [10, 0]]".to_owned(), ["ignore.desk.polygon = 2 corners", "write 3 to 32"]),
        ("polygon_px = [[0, 0], [nan, 0], [10, 10]]".to_owned(), ["ignore.desk = ", "finite"]),
        (format!("floor = \"attic\"\npolygon_m = {corners}"), ["ignore.desk.floor = \"attic\"", "id of a [[floor]]"]),
        (format!("camera = \"view-9\"\npolygon_m = {corners}"), ["ignore.desk.camera = \"view-9\"", "[[camera]]"]),
        (format!("floor = \"crossing\"\npolygon_px = {corners}"), ["ignore.desk.polygon_px", "write polygon_m"]),
        (
            format!("floor = \"crossing\"\ncamera = \"view-1\"\npolygon_m = {corners}"),
            ["ignore.desk = \"crossing\" and \"view-1\"", "not both"],
        ),
        (format!("polygon_px = [[0, 0], [900, 0], [10, 10]]\n# {corners}"), ["ignore.desk = ", "768 px wide"]),
    ] {
        must_be_refused(&(demo_with(&[]) + "\n[[ignore]]\nid = \"desk\"\n" + &place + "\n"), &naming);
    }
    must_be_refused(
        &format!("{BARE}[[ignore]]\nid = \"desk\"\npolygon_m = {corners}\n"),
        &["ignore.desk = in metres", "no calibration"],
    );
}

#[test]
fn a_queue_that_leads_nowhere_is_named() {
    for (queue, naming) in [
        ("zone = \"attic\"\nserved_by = \"junction\"", ["queue.tills.zone = \"attic\"", "id of the [[zone]]"]),
        ("zone = \"sign\"\nserved_by = \"attic\"", ["queue.tills.served_by = \"attic\"", "[[zone]] or [[line]]"]),
        ("zone = \"sign\"\nserved_by = \"sign\"", ["queue.tills.served_by = \"sign\"", "where they wait"]),
        ("zone = \"sign\"\nserved_by = \"east-gate\"\ntarget_s = 0", ["queue.tills.target_s = 0", "write 1 to 7200"]),
        ("zone = \"sign\"", ["line", "missing field `served_by`"]),
    ] {
        must_be_refused(&(demo_with(&[]) + "\n[[queue]]\nid = \"tills\"\n" + queue + "\n"), &naming);
    }
    let both = "\n[[zone]]\nid = \"east-gate\"\npolygon_px = [[250, 210], [440, 205], [430, 300]]\n\
                [[queue]]\nid = \"tills\"\nzone = \"sign\"\nserved_by = \"east-gate\"\n";
    must_be_refused(
        &(demo_with(&[]) + both),
        &["queue.tills.served_by = \"east-gate\"", "a zone and a line have this id"],
    );
    let elsewhere = "\n[[camera]]\nid = \"view-2\"\n[[zone]]\nid = \"till\"\ncamera = \"view-2\"\n\
                     polygon_px = [[0, 0], [9, 0], [9, 9]]\n[[queue]]\nid = \"tills\"\nzone = \"sign\"\nserved_by = \"till\"\n";
    let named = |id: &str| (format!("id = \"{id}\""), format!("id = \"{id}\"\ncamera = \"view-1\""));
    let places = ["east-gate", "mid-path", "west-gate", "junction", "sign"].map(named);
    let mut changes: Vec<(&str, &str)> = places.iter().map(|(from, to)| (from.as_str(), to.as_str())).collect();
    changes.push(("name = \"Whole crossing\"", "camera = \"view-1\""));
    must_be_refused(
        &(demo_with(&changes) + elsewhere),
        &["queue.tills.served_by = \"till\"", "the camera that watches the queue"],
    );
}

#[test]
fn marks_on_one_line_make_no_floor() {
    let marks = "calibration = [ { px = [10, 10], m = [1, 1] }, { px = [20, 20], m = [2, 2] }, \
                 { px = [30, 30], m = [3, 3] }, { px = [40, 40], m = [4, 4] } ]\n";
    let naming = ["camera.cam.calibration", "[40.0, 40.0]", "4 point pairs lie on one line", "spread the marks"];
    must_be_refused(&format!("{BARE}{marks}"), &naming);
}

#[test]
fn a_mark_that_lies_nowhere_is_not_called_a_line() {
    demo_must_be_refused("px = [420, 150]", "px = [nan, 150]", &["camera.view-1.calibration", "finite"]);
    demo_must_be_refused("m = [4.67, 0.42]", "m = [inf, 0.42]", &["camera.view-1.calibration", "finite"]);
}

#[test]
fn an_id_that_is_given_twice_is_named() {
    demo_must_be_refused("id = \"mid-path\"", "id = \"east-gate\"", &["line.id = \"east-gate\"", "used twice"]);
    demo_must_be_refused("id = \"sign\"", "id = \"junction\"", &["zone.id = \"junction\"", "used twice"]);
}

#[test]
fn an_id_that_brokers_would_trip_over_is_refused() {
    for id in ["East.Gate", "east/gate", "+", "", "-gate", "a-very-long-name-of-thirty-three-c"] {
        let naming = [&format!("line.id = \"{id}\""), "a-z, 0-9, _ and -"];
        demo_must_be_refused("id = \"east-gate\"", &format!("id = \"{id}\""), &naming);
    }
    demo_must_be_refused("org = \"demo\"", "org = \"Demo Ltd\"", &["store.org = \"Demo Ltd\"", "a-z, 0-9"]);
}

#[test]
fn an_input_of_no_size_is_refused_as_a_setting() {
    for size in ["{ height = 0, width = 416 }", "{ height = 320, width = 100000 }"] {
        let model = "model = \"nanodet-g-8bit\"";
        demo_must_be_refused(model, &format!("{model}\nsize = {size}\n#"), &["detector.size", "write"]);
    }
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let text =
        demo_with(&[("k = 5 ", "k = 2 "), ("cell_m = 1.0", "cell_m = 0.2"), ("Europe/London", "Europe/Londres")]);
    must_be_refused(&text, &["gate.k = 2", "floor.crossing.cell_m = 0.2", "store.timezone = \"Europe/Londres\""]);
}

#[test]
fn a_side_of_a_line_that_lies_in_the_sky_is_refused() {
    let marks = "calibration = [{ px = [10, 90], m = [0, 0] }, { px = [118, 90], m = [8, 0] }, \
                 { px = [80, 40], m = [8, 12] }, { px = [48, 40], m = [0, 12] }]\n";
    let line = "[[line]]\nid = \"door\"\nends_px = [[40, 60], [90, 60]]\ninside_px = [64, 5]\n";
    let folder = Folder::new();
    let (room, site) = (draw_room(&folder, 1), folder.write("site.toml", format!("{BARE}{marks}{line}")));
    let ended = kehai(&["replay", &room, "--site", &site, "--out", &folder.path("out")]);
    ended.must_be_refused(3, &["line.door", "[64.0, 5.0]", "at its horizon"]);
}

#[test]
fn a_zone_larger_than_the_picture_is_none_outside_it() {
    let whole = "\n[[zone]]\nid = \"shop\"\npolygon_m = [[-90.0, -90.0], [90.0, -90.0], [90.0, 90.0], [-90.0, 90.0]]\n";
    let folder = Folder::new();
    let site = folder.write("site.toml", demo_with(&[]) + whole);
    kehai(&["replay", &first_frames(), "--site", &site, "--out", &folder.path("out")]).must_be_well();
}

#[test]
fn an_address_that_two_readers_read_differently_is_refused() {
    for url in ["rtsp://192.0.2.7#@127.0.0.1/x", "rtsp://192.0.2.7\\\\@127.0.0.1/x", "rtsp://127.0.0.1/a b"] {
        let folder = Folder::new();
        let site = folder.write("site.toml", format!("{BARE}url = \"{url}\"\n"));
        kehai(&["run", "--site", &site]).must_be_refused(3, &["camera.cam.url", "without blanks"]);
    }
}

#[test]
fn no_password_is_repeated_whatever_is_wrong_around_it() {
    let folder = Folder::new();
    let camera = "url = \"rtsp://admin:a/geheim@192.0.2.7/live\"\n";
    let broker = "[broker]\nurl = \"mqtt://node:geheim@127.0.0.1:1883\"\n";
    let room = draw_room(&folder, 1);
    let cases = [
        ("url", broker.to_owned()),
        ("uri", camera.replace("url", "uri")),
        ("uri", camera.replace("url", "uri").replace("a/", "it's/")),
        ("url", camera.replace("= \"", "= [\"").replace("live\"", "live\"]")),
        ("url", camera.replace("rtsp:", "http:")),
        ("url", camera.trim_end().trim_end_matches('"').to_owned()),
        ("line 1", camera.replace("url =", "url:")),
        ("line 1", camera.replace("url =", "url:").replace("live", "live?channel=1")),
        ("line 1", "rtsp://admin:geheim@192.0.2.7/live\n".to_owned()),
        ("line 1", "password: geheim\n".to_owned()),
        ("password", "password = \"geheim\n".to_owned()),
        ("password", "password = 'geheim\n".to_owned()),
        ("password", "password = geheim\n".to_owned()),
        ("line 1", "password = \"\"\"\ngeheim\n".to_owned()),
        ("line 1", "password = [\ngeheim\n".to_owned()),
        ("password", "[broker]\nurl = \"mqtt://127.0.0.1:1883\"\npassword = \"geheim\"\n".to_owned()),
    ];
    for (key, text) in cases {
        let site = folder.write("site.toml", format!("{BARE}{text}"));
        let ended = kehai(&["replay", &room, "--site", &site, "--out", &folder.path("out")]);
        ended.must_be_refused(3, &[key]);
        assert!(!ended.err.contains("geheim"), "{}", ended.err);
    }
    let site = folder.write("site.toml", format!("{BARE}{}", camera.replace("a/geheim", "geheim")));
    let ended = kehai(&["run", "--site", &site]);
    ended.must_be_refused(7, &["not armed"]);
    assert!(!ended.err.contains("geheim"), "{}", ended.err);
}
