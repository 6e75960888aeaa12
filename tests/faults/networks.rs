//! Networks that load, or nearly so, and yet are no person detector for us: exit code 6 and one clear message from
//! every command that loads a model.

use std::fs::File;

use crate::support::folder::{Folder, read};
use crate::support::onnx::{HEIGHT, Network, Values, WIDTH};
use crate::support::program::kehai;
use crate::support::recording::draw_room;
use crate::support::site::BARE;

const YOLOX: &str = "head = \"yolox-raw\"\nstrides = [8, 16, 32]\nnms_iou = 0.45\nperson_class = 0";

/// A YOLOX head of one class at the size of the drawn room, every value the same.
fn yolox(value: f32) -> Network {
    Network::answering(vec![("output", vec![1, 252, 6], Values::Floats(vec![value; 252 * 6]))])
}

/// Runs every command that loads a model; none may leave anything behind.
fn must_be_refused_by_all(folder: &Folder, file: &str, naming: &[&str]) {
    let site = format!("{BARE}\n[detector]\nmodel = \"{file}\"\n");
    let (room, site, out) = (draw_room(folder, 2), folder.write("site.toml", site), folder.path("out"));
    let before = folder.names();
    let card = format!("{file}.card.toml");
    kehai(&["detect", &room, "--model", file, "--out", &out]).must_be_refused(6, naming);
    kehai(&["replay", &room, "--site", &site, "--out", &out]).must_be_refused(6, naming);
    kehai(&["bench", &room, "--model", file, "--rounds", "1"]).must_be_refused(6, naming);
    kehai(&["model", "add", file, "--card", &card]).must_be_refused(6, naming);
    kehai(&["model", "verify", file]).must_be_refused(6, naming);
    let doctor = kehai(&["doctor", "--site", &site]);
    assert_eq!(doctor.code, Some(6), "{}{}", doctor.out, doctor.err);
    for words in naming {
        assert!(doctor.out.contains(words), "\"{words}\" is missing in:\n{}", doctor.out);
    }
    assert_eq!(folder.names(), before, "a failed run leaves nothing");
}

#[test]
fn a_head_that_nobody_knows_is_named_with_those_that_are_known() {
    let (folder, masks) = (Folder::new(), vec![("masks", vec![1, 2, 3, 4], Values::Floats(vec![0.0; 24]))]);
    let file = Network::answering(masks).write(&folder, "own.onnx", YOLOX);
    let naming =
        ["own.onnx (opset 13)", "no known head has outputs masks [1, 2, 3, 4]", "yolox-raw", "models/README.md"];
    must_be_refused_by_all(&folder, &file, &naming);
}

#[test]
fn a_network_that_answers_a_grey_picture_with_nonsense_is_refused() {
    let folder = Folder::new();
    let file = yolox(f32::NAN).write(&folder, "own.onnx", YOLOX);
    must_be_refused_by_all(&folder, &file, &["own.onnx", "not finite", "in output output"]);
}

#[test]
fn a_network_for_grey_pictures_is_refused() {
    let folder = Folder::new();
    let grey = Network { picture: [1, 1, HEIGHT, WIDTH], ..yolox(0.0) };
    let file = grey.write(&folder, "own.onnx", YOLOX);
    must_be_refused_by_all(&folder, &file, &["images f32 [1, 1, 96, 128]", "number of channels", "[1, 3, H, W]"]);
}

#[test]
fn a_network_that_knows_fewer_classes_than_its_card_is_refused() {
    let folder = Folder::new();
    let file = yolox(0.0).write(&folder, "own.onnx", &YOLOX.replace("person_class = 0", "person_class = 7"));
    must_be_refused_by_all(&folder, &file, &["have 1 classes as yolox-raw", "person_class = 7"]);
}

#[test]
fn weights_in_another_file_are_refused_before_anything_reads_them() {
    let folder = Folder::new();
    let file = Network { is_external: true, ..yolox(0.0) }.write(&folder, "own.onnx", YOLOX);
    must_be_refused_by_all(&folder, &file, &["own.onnx", "\"output_held\"", "external data", "all weights inside"]);
}

#[test]
fn a_file_of_200_mb_is_not_read() {
    let folder = Folder::new();
    let file = yolox(0.0).write(&folder, "own.onnx", YOLOX);
    let sparse = File::options().write(true).open(&file).expect("it was just written");
    sparse.set_len(200_000_000).expect("a hole takes no room");
    must_be_refused_by_all(&folder, &file, &["own.onnx", "200000000 bytes", "at most 67108864 (64 MiB)"]);
}

#[test]
fn operators_newer_than_the_runtime_are_named_by_their_version() {
    let folder = Folder::new();
    let file = Network { opset: 99, ..yolox(0.0) }.write(&folder, "own.onnx", YOLOX);
    must_be_refused_by_all(&folder, &file, &["own.onnx (opset 99)", "models/README.md"]);
}

#[test]
fn what_is_no_network_at_all_is_not_blamed_on_a_card() {
    let folder = Folder::new();
    let file = folder.write("own.onnx", "a text, not a network");
    for command in [["model", "add", &file], ["model", "verify", &file]] {
        kehai(&command).must_be_refused(6, &["own.onnx", "not an ONNX model", "truncated, or of another format"]);
    }
}

#[test]
fn a_good_network_is_added_with_what_was_found_and_can_be_verified() {
    let folder = Folder::new();
    let file = yolox(0.0).write(&folder, "own.onnx", YOLOX);
    let card = format!("{file}.card.toml");
    let added = kehai(&["model", "add", &file, "--card", &card, "--json"]);
    added.must_be_well();
    let found: serde_json::Value = serde_json::from_str(&added.out).expect("JSON");
    assert_eq!((&found["opset"], &found["cells"]), (&13.into(), &252.into()), "{found}");
    assert_eq!((&found["size"], &found["head"]), (&"96x128".into(), &"yolox-raw".into()), "{found}");
    kehai(&["model", "verify", &file]).must_be_well();
}

#[test]
fn a_card_to_complete_is_written_once_and_refused_until_it_is_complete() {
    let folder = Folder::new();
    let file = folder.write("own.onnx", yolox(0.0).bytes());
    kehai(&["model", "add", &file, "--template"]).must_be_well();
    let card = format!("{file}.card.toml");
    let text = String::from_utf8(read(&card)).expect("a card is text");
    kehai(&["model", "add", &file, "--template"]).must_be_refused(2, &["own.onnx.card.toml exists already"]);
    kehai(&["model", "verify", &file]).must_be_refused(6, &["own.onnx.card.toml", "?"]);
    let answers = [
        ("licence = \"?\"", "licence = \"MIT\""),
        ("source = \"?\"", "source = \"here\""),
        ("color = \"?\"", "color = \"rgb\""),
        ("mean = \"?\"", "mean = [0.0, 0.0, 0.0]"),
        ("std = \"?\"", "std = [1.0, 1.0, 1.0]"),
        ("fit = \"?\"", "fit = \"stretch\""),
    ];
    let complete = answers.iter().fold(text, |text, (from, to)| text.replacen(from, to, 1));
    folder.write("own.onnx.card.toml", complete);
    kehai(&["model", "add", &file, "--card", &card]).must_be_well();
    kehai(&["detect", &draw_room(&folder, 1), "--model", &file, "--out", &folder.path("out")]).must_be_well();
}

#[test]
fn an_accelerator_that_is_not_there_is_said_to_be_missing_and_the_cpu_does_the_work() {
    let folder = Folder::new();
    let file = yolox(0.0).write(&folder, "own.onnx", YOLOX);
    let site = |accelerator: &str| format!("{BARE}\n[detector]\nmodel = \"{file}\"\naccelerator = \"{accelerator}\"\n");
    let (room, on_cuda) = (draw_room(&folder, 2), folder.write("cuda.toml", site("cuda")));
    let said = "detector.accelerator = \"cuda\": not in use";
    let replay = kehai(&["replay", &room, "--site", &on_cuda, "--out", &folder.path("out")]);
    assert_eq!(replay.code, Some(0), "{}", replay.err);
    assert!(replay.err.contains(said) && replay.err.contains("the CPU does the work"), "{}", replay.err);
    let doctor = kehai(&["doctor", "--site", &on_cuda]);
    assert_eq!(doctor.code, Some(0), "{}", doctor.out);
    assert!(doctor.out.contains(said), "{}", doctor.out);
    let unknown = folder.write("tpu.toml", site("tpu"));
    kehai(&["doctor", "--site", &unknown]).must_be_refused(3, &["accelerator", "tpu", "openvino"]);
}
