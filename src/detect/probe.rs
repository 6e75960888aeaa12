//! What an unknown network turns out to be when it is shown a grey picture.
//!
//! In: a file without a card. Out: [`Probe`], its inputs, its outputs, and every reading of them that adds up.
//! Invariant: nothing here decides; a person completes the card, and the card decides.

use std::path::Path;

use super::DetectError;
use super::decode::Decoder;
use super::decode::shape::{Shape, classes, heads_like, in_words};
use super::letterbox::InputTensor;
use super::session::{Output, Port, Session};
use crate::config::card::{ColorOrder, DetectorCard, Fit, Head, ScoreLevels};
use crate::units::PictureSize;

/// What an unknown network turned out to be.
pub struct Probe {
    /// Its picture input, as the file declares it.
    pub input: Port,
    /// Its outputs for a grey picture.
    pub outputs: Vec<Shape>,
    /// Size of that picture, px.
    pub size: PictureSize,
    /// Whether the graph takes no other.
    pub is_fixed: bool,
    /// Ways to read the outputs that add up, likeliest first; never empty.
    pub readings: Vec<Reading>,
}

/// One way to read the outputs of a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The head.
    pub head: Head,
    /// Its strides, px; none without cells.
    pub strides: Vec<u32>,
    /// Its bins; 0 where there are none.
    pub bins: u32,
    /// Its classes, where the shapes tell.
    pub classes: Option<usize>,
}

impl Probe {
    /// Shows a network a grey picture.
    ///
    /// # Errors
    /// [`DetectError`] when it does not load or run, or when no known head has such outputs.
    pub fn of(runtime: &Path, path: &Path) -> Result<Self, DetectError> {
        let mut session = Session::load(runtime, path)?;
        let input = session.inputs().into_iter().find(|port| port.name == session.input()).expect("it was found there");
        let side = |axis: usize, free: u32| input.dims.get(axis).copied().flatten().unwrap_or(free);
        let size = PictureSize { height: side(2, SIZE_FREE.height), width: side(3, SIZE_FREE.width) };
        let is_fixed = input.dims[2].is_some() && input.dims[3].is_some();
        let wants_size = session.wants_size();
        let tried = session.run(&InputTensor::grey(size), |outputs| {
            let shapes: Vec<Shape> = outputs.iter().map(Output::as_shape).collect();
            let readings = readings(outputs, &shapes, size, wants_size);
            let broken = outputs.iter().find(|output| !output.is_finite()).map(|output| output.as_shape().name);
            (shapes, readings, broken)
        });
        let refused = |reason: String| DetectError::Head { reason };
        let (outputs, readings, broken) = tried.map_err(|error| match error {
            DetectError::Inference { reason } => refused(format!("a grey picture of {size} fails: {reason}")),
            other => other,
        })?;
        if let Some(name) = broken {
            return Err(refused(format!(
                "a grey picture gives values that are not finite (NaN or infinite) in output {name}"
            )));
        }
        if readings.is_empty() {
            let known: Vec<&str> = Head::ALL.iter().map(|head| head.name()).collect();
            let found = in_words(&outputs);
            return Err(refused(format!("no known head has outputs {found} at {size}; known: {}", known.join(", "))));
        }
        Ok(Self { input, outputs, size, is_fixed, readings })
    }
}

/// Every reading that adds up, likeliest first.
fn readings(outputs: &[Output<'_>], shapes: &[Shape], size: PictureSize, wants_size: bool) -> Vec<Reading> {
    let mut found = Vec::new();
    for head in heads_like(shapes).into_iter().filter(|head| (*head == Head::DetrPost) == wants_size) {
        let strides: &[&[u32]] = if head.has_cells() { &STRIDES } else { &[&[]] };
        let bins: &[u32] = if head.has_bins() { &BINS } else { &[0] };
        for (strides, bins) in strides.iter().flat_map(|strides| bins.iter().map(move |bins| (*strides, *bins))) {
            let card = provisional(head, strides, bins);
            if Decoder::recognise(&card, size, outputs).is_ok() {
                let cells = strides.iter().map(|px| (size.height.div_ceil(*px) * size.width.div_ceil(*px)) as usize);
                let classes = classes(head, shapes, cells.sum(), bins as usize).flatten();
                found.push(Reading { head, strides: strides.to_vec(), bins, classes });
            }
        }
    }
    let is_named = |reading: &Reading| match reading.head {
        Head::RfDetr => shapes.iter().any(|shape| shape.name == "dets"),
        Head::YoloV10 => true,
        _ => false,
    };
    // Networks know persons alone or the classes of COCO; another number speaks for another reading.
    let is_usual = |reading: &Reading| reading.classes.is_none_or(|count| CLASSES_USUAL.contains(&count));
    // As many answers as there are cells is no coincidence.
    found.sort_by_key(|reading| (!reading.head.has_cells(), !is_named(reading), !is_usual(reading)));
    found
}

/// A card that says as little as a card can.
fn provisional(head: Head, strides: &[u32], bins: u32) -> DetectorCard {
    DetectorCard {
        name: String::new(),
        file: String::new(),
        sha256: String::new(),
        bytes: 0,
        licence: String::new(),
        source: String::new(),
        head,
        input: String::new(),
        multiple_of: 1,
        fixed: None,
        size_default: None,
        color: ColorOrder::Bgr,
        mean: [0.0; 3],
        std: [1.0; 3],
        fit: Fit::Stretch,
        pad: 0,
        strides: strides.to_vec(),
        cell_offset: 0.0,
        bins,
        person_class: 0,
        nms_iou: 1.0,
        score: ScoreLevels { low: 0.1, high: 0.4, birth: 0.5 },
    }
}

/// Size shown to a graph that takes any, px.
const SIZE_FREE: PictureSize = PictureSize { height: 320, width: 416 };

/// Strides of the networks we have met, px.
const STRIDES: [&[u32]; 5] = [&[8, 16, 32], &[8, 16, 32, 64], &[16, 32], &[4, 8, 16, 32], &[8, 16, 32, 64, 128]];

/// Bins of the networks we have met: `reg_max` 7, 10 and 16.
const BINS: [u32; 3] = [8, 11, 17];

/// Numbers of classes one meets: persons alone, COCO, COCO with its gaps.
const CLASSES_USUAL: [usize; 4] = [1, 80, 90, 91];
