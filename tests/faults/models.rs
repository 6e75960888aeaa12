//! Networks and runtime libraries that are none: exit code 6, what is wrong, and how to mend it.

use crate::support::folder::{Folder, in_repository, read};
use crate::support::onnx::{Network, Values};
use crate::support::program::{Ended, kehai, start};
use crate::support::recording::draw_room;
use crate::support::site::BARE;

/// Runs both commands that load a network on a drawn room; neither may leave anything behind.
fn must_be_refused_everywhere(model: &str, variables: &[(&str, &str)], naming: &[&str]) {
    let folder = Folder::new();
    let (room, site, out) = (draw_room(&folder, 2), folder.write("site.toml", BARE), folder.path("out"));
    let detect = ["detect", &room, "--model", model, "--out", &out];
    let replay = ["replay", &room, "--site", &site, "--model", model, "--out", &out];
    let ended = |arguments: &[&str]| -> Ended { start(arguments, variables).ended() };
    ended(&detect).must_be_refused(6, naming);
    ended(&replay).must_be_refused(6, naming);
    assert_eq!(folder.names(), ["room", "site.toml"], "a failed run leaves nothing");
}

/// The default network as it was fetched.
fn whole_network() -> Vec<u8> {
    read(&in_repository("fetched/models/nanodet_g.onnx"))
}

#[test]
fn an_empty_network_is_named_and_fetched_again() {
    let folder = Folder::new();
    let file = folder.write("empty.onnx", "");
    must_be_refused_everywhere(&file, &[], &[&file, "the file is empty", "fetch it again"]);
}

#[test]
fn a_truncated_network_says_how_long_it_should_be() {
    let folder = Folder::new();
    let file = folder.write("nanodet_g.onnx", &whole_network()[..3_000_000]);
    must_be_refused_everywhere(&file, &[], &[&file, "3000000 bytes", "15156566 bytes", "truncated", "fetch it again"]);
}

#[test]
fn one_changed_byte_is_seen_wherever_the_network_is_named() {
    let (folder, mut network) = (Folder::new(), whole_network());
    network[5_000_000] ^= 1;
    let file = folder.write("nanodet_g.onnx", network);
    must_be_refused_everywhere(&file, &[], &[&file, "sha256", "changed", "fetch it again"]);
    let by_name = [("KEHAI_MODELS", folder.path(""))];
    let by_name = by_name.each_ref().map(|(name, value)| (*name, value.as_str()));
    must_be_refused_everywhere("nanodet-g", &by_name, &[&file, "sha256", "changed", "run `make setup`"]);
}

#[test]
fn a_network_that_is_not_there_is_answered_with_the_known_names() {
    must_be_refused_everywhere("/nowhere/people.onnx", &[], &["/nowhere/people.onnx", "no such file", "nanodet-g"]);
    let folder = Folder::new();
    let ended =
        start(&["detect", &draw_room(&folder, 1), "--model", "picodet-s", "--out", &folder.path("out")], &[]).ended();
    ended.must_be_refused(6, &["picodet-s", "picodet_s_dyn.onnx not found in", "run `make setup`", "--model a path"]);
}

#[test]
fn an_unknown_network_is_answered_with_a_card_to_complete() {
    let folder = Folder::new();
    let one_cell = vec![("output", vec![1, 252, 6], Values::Floats(vec![0.0; 252 * 6]))];
    let file = folder.write("mine.onnx", Network::answering(one_cell).bytes());
    let sha256 = "sha256 = \"";
    must_be_refused_everywhere(
        &file,
        &[],
        &["mine.onnx.card.toml", "complete this card", sha256, "bytes = 6", "head = \"yolox-raw\""],
    );
}

#[test]
fn a_missing_runtime_library_is_named_with_its_key() {
    let nowhere = [("ORT_DYLIB_PATH", "/nowhere/libonnxruntime.so")];
    must_be_refused_everywhere("nanodet-g", &nowhere, &["ORT_DYLIB_PATH", "/nowhere/libonnxruntime.so", "unset it"]);
}

#[test]
fn what_is_no_runtime_library_is_not_blamed_on_the_network() {
    let folder = Folder::new();
    let text = folder.write("libonnxruntime.so", "a text\n");
    for library in [text.as_str(), "/usr/bin/env"] {
        let named = [("ORT_DYLIB_PATH", library)];
        must_be_refused_everywhere(
            "nanodet-g",
            &named,
            &["runtime library", library, "run `make setup`", "ORT_DYLIB_PATH"],
        );
    }
    let ended = start(
        &["detect", &draw_room(&folder, 1), "--model", "nanodet-g", "--out", &folder.path("out")],
        &[("ORT_DYLIB_PATH", &text)],
    );
    assert!(!ended.ended().err.contains("card"), "the card is not at fault");
}

#[test]
fn an_input_size_that_the_network_cannot_take_says_what_it_can() {
    let folder = Folder::new();
    let (room, out) = (draw_room(&folder, 1), folder.path("out"));
    let ended = kehai(&["detect", &room, "--model", "nanodet-g", "--size", "300x416", "--out", &out]);
    ended.must_be_refused(6, &["input size 300x416", "multiples of 32"]);
}

#[test]
fn a_runtime_library_leaves_no_trace_of_its_own_on_the_machine() {
    let (folder, home) = (Folder::new(), Folder::new());
    let (room, out) = (draw_room(&folder, 1), folder.path("det.txt"));
    let network = in_repository("fetched/models/nanodet_g.onnx");
    let home_is: [(&str, &str); 2] = [("HOME", &home.path("")), ("XDG_CACHE_HOME", &home.path(".cache"))];
    start(&["detect", &room, "--model", &network, "--out", &out], &home_is).ended().must_be_well();
    assert!(home.names().is_empty(), "{:?}", home.names());
}
