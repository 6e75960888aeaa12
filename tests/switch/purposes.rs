//! A kind of figure has a purpose or is not released; and what it has left behind goes when the purpose does.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use kehai::cli::armable;
use kehai::config::{Keeping, site};
use kehai::vault::{Vault, step_at};

use crate::roles::staff::{Staff, lines, password_file};
use crate::support::armed::declared;
use crate::support::folder::Folder;
use crate::support::program::kehai;
use crate::support::recording::{Played, draw_room};
use crate::support::records::{door, map};
use crate::support::site::BARE;
use kehai::switch::Role;

const HEAT: &str = "heat = { en = \"To see where the shop is crowded\" }\n";

/// A room with something of every kind to measure.
fn room() -> String {
    let hall = "floor = \"hall\"\ncalibration = [\n  { px = [0, 96], m = [0.0, 0.0] }, { px = [128, 96], m = [8.0, 0.0] },\n  \
                { px = [128, 0], m = [8.0, 6.0] }, { px = [0, 0], m = [0.0, 6.0] },\n]\n\
                [[floor]]\nid = \"hall\"\norigin_m = [0.0, 0.0]\nsize_m = [8.0, 6.0]\n\
                [[line]]\nid = \"door\"\nends_px = [[10, 50], [110, 50]]\ninside_px = [60, 90]\n\
                [[zone]]\nid = \"shelf\"\npolygon_px = [[10, 10], [60, 10], [60, 40]]\n\
                [[queue]]\nid = \"till\"\nzone = \"shelf\"\nserved_by = \"door\"\ntarget_s = 60\n";
    declared(&format!("{BARE}{hall}"))
}

fn kinds_of(text: &str) -> BTreeSet<String> {
    let folder = Folder::new();
    let played = Played::replay(&draw_room(&folder, 3), &folder.write("site.toml", text), &[]);
    played.ended.must_be_well();
    played.windows().iter().map(|window| window["k"].as_str().expect("a kind").to_owned()).collect()
}

#[test]
fn a_kind_without_a_purpose_is_not_released_and_every_other_one_is() {
    let text = room();
    let all: BTreeSet<String> = ["line", "zone", "queue", "heat", "flow", "od"].map(str::to_owned).into();
    assert_eq!(kinds_of(&text), all);
    for kind in &all {
        let without: String = text
            .lines()
            .filter(|line| !line.starts_with(&format!("{kind} = {{")))
            .flat_map(|line| [line, "\n"])
            .collect();
        assert_ne!(without.len(), text.len(), "{kind}");
        let left = all.iter().filter(|other| *other != kind).cloned().collect();
        assert_eq!(kinds_of(&without), left, "without a purpose for {kind}");
    }
}

#[test]
fn arming_without_a_purpose_deletes_what_that_kind_has_left_and_it_comes_back_by_arming_anew_alone() {
    let folder = Folder::new();
    let state = folder.path("state");
    let with = format!("{}\n", room().replacen("[vault]\n", &format!("[vault]\nfolder = \"{state}\"\n"), 1)).replacen(
        "fps = 20.0",
        "fps = 20.0\nurl = \"rtsp://127.0.0.1:9/view\"",
        1,
    );
    let without = with.replacen(HEAT, "", 1);
    assert_ne!(with, without);
    let vault = Vault::open(Path::new(&state), Keeping::default(), Duration::ZERO).expect("a store");
    let staff = Staff::join(&vault);
    (0..4).for_each(|index| vault.release(|seq| door(index, seq)).expect("room"));
    (0..4).for_each(|index| vault.release(|seq| map(index, seq, 900)).expect("room"));
    let held = |kind: &str| vault.held().iter().filter(|row| row.topic.contains(&format!("/{kind}/"))).count();
    assert_eq!([held("line"), held("heat")], [4, 4]);

    let now_s = kehai::clock::utc_now().0 / 1000;
    let arm = |text: &str, step: u64, said: &str| {
        let path = folder.write("site.toml", text);
        let sign = armable(&site::parse(text, "purposes").expect("a good site")).sign;
        let (password, code) = (password_file(&folder, Role::Owner), staff.codes.code_of(step));
        let call = ["arm", "--site", &path, "--sign", &sign];
        let who = ["--as", "owner", "--password-file", &password, "--code", &code];
        let ended = kehai(&[&call[..], &who].concat());
        assert_eq!((ended.code, ended.err.contains(said)), (Some(0), true), "{}", ended.err);
    };
    // A code is good once, and half a minute around its time: here are two of them.
    arm(&with, step_at(now_s) - 1, "");
    assert_eq!([held("line"), held("heat")], [4, 4], "every kind has its purpose");
    arm(&without, step_at(now_s), "4 windows of kinds that have no purpose any more are gone");
    assert_eq!([held("line"), held("heat")], [4, 0]);
    let told = lines(&vault, "purge", "done");
    assert!(told.len() == 1 && told[0].about["windows"] == 4, "{told:?}");
    drop(vault);
    let again = folder.write("site.toml", &with);
    kehai(&["run", "--site", &again]).must_be_refused(7, &["not armed", "has changed since sign"]);
}
