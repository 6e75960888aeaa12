//! Cards that do not fit their network, or fit nothing: exit code 6, the field, and no panic on the way.
//!
//! The network is the default one with a remark behind it: the same outputs under another sha256, so that only
//! the card beside it speaks for it.

use sha2::{Digest, Sha256};

use crate::support::folder::{Folder, in_repository, read};
use crate::support::program::{Ended, kehai};
use crate::support::recording::draw_room;
use crate::support::site::BARE;

/// A network of one's own with its card; each first text of the card replaced by its second.
struct OwnNetwork {
    folder: Folder,
}

impl OwnNetwork {
    fn new(changes: &[(&str, &str)]) -> Self {
        let folder = Folder::new();
        let mut network = read(&in_repository("fetched/models/nanodet_g.onnx"));
        // Field 6 of an ONNX model is its documentation: one letter.
        network.extend([0x32, 0x01, b'x']);
        let sha256: String = Sha256::digest(&network).iter().map(|byte| format!("{byte:02x}")).collect();
        folder.write("own.onnx", network);
        let known = include_str!("../../models/nanodet-g.card.toml");
        let card = known.replace("5844a9b3385c3450112859db3005c9d807a9bda8bef70364b437418fec5390b7", &sha256);
        assert_ne!(card, known, "the sha256 of the default network has changed");
        let card = changes.iter().fold(card, |card, (from, to)| {
            assert!(card.contains(from), "the card no longer holds {from}");
            card.replacen(from, to, 1)
        });
        folder.write("own.onnx.card.toml", card);
        Self { folder }
    }

    fn detect(&self) -> Ended {
        let room = draw_room(&self.folder, 1);
        kehai(&["detect", &room, "--model", &self.folder.path("own.onnx"), "--out", &self.folder.path("out")])
    }

    fn replay(&self) -> Ended {
        let (room, site) = (draw_room(&self.folder, 1), self.folder.write("site.toml", BARE));
        let (model, out) = (self.folder.path("own.onnx"), self.folder.path("out"));
        kehai(&["replay", &room, "--site", &site, "--model", &model, "--out", &out])
    }
}

fn must_be_refused_everywhere(changes: &[(&str, &str)], naming: &[&str]) {
    let own = OwnNetwork::new(changes);
    own.detect().must_be_refused(6, naming);
    own.replay().must_be_refused(6, naming);
    assert!(!own.folder.names().iter().any(|name| name.starts_with("out")), "a failed run leaves nothing");
}

#[test]
fn a_network_of_ones_own_works_with_a_card_that_fits() {
    let own = OwnNetwork::new(&[]);
    own.detect().must_be_well();
    std::fs::remove_file(own.folder.path("out")).expect("the boxes were written");
    own.replay().must_be_well();
}

#[test]
fn a_card_with_another_head_is_refused() {
    let naming = ["model head", "nanodet-pairs", "the card says yolox-raw"];
    must_be_refused_everywhere(&[("\"nanodet-pairs\"", "\"yolox-raw\""), ("bins = 11", "")], &naming);
}

#[test]
fn a_head_nobody_knows_is_answered_with_those_we_know() {
    let naming = ["own.onnx.card.toml", "detr", "yolox-raw", "nanodet-pairs"];
    must_be_refused_everywhere(&[("\"nanodet-pairs\"", "\"detr\"")], &naming);
}

#[test]
fn a_card_that_names_another_input_is_refused() {
    must_be_refused_everywhere(&[("\"images\"", "\"picture\"")], &["the card names the input \"picture\"", "images"]);
}

#[test]
fn a_card_with_an_unknown_field_is_refused() {
    must_be_refused_everywhere(&[("pad = 0", "padding = 0")], &["own.onnx.card.toml", "unknown field `padding`"]);
}

#[test]
fn a_card_of_another_file_is_refused() {
    let own = OwnNetwork::new(&[]);
    own.folder.write("own.onnx", "other bytes");
    own.detect().must_be_refused(6, &["own.onnx", "sha256", "correct the card"]);
}

#[test]
fn numbers_no_card_can_hold_are_refused_before_they_divide_anything() {
    let cases = [
        ("strides = [8, 16, 32]", "strides = [0, 16, 32]", "strides"),
        ("strides = [8, 16, 32]", "strides = []", "strides"),
        ("multiple_of = 32", "multiple_of = 0", "multiple_of"),
        ("std = [57.375", "std = [0.0", "std"),
        ("height = 320, width = 416", "height = 0, width = 416", "size_default"),
        ("height = 320, width = 416", "height = 100000, width = 100000", "size_default"),
        ("nms_iou = 0.45", "nms_iou = nan", "nms_iou"),
        ("low = 0.1", "low = nan", "score"),
        ("birth = 0.5", "birth = 5.0", "score"),
    ];
    for (from, to, key) in cases {
        let own = OwnNetwork::new(&[(from, to)]);
        own.detect().must_be_refused(6, &["own.onnx.card.toml", key]);
    }
}
