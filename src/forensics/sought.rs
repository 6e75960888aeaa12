//! What is looked for: recordings as a network sees them, made into needles.
//!
//! In: two recordings, one that was looked at and one that nobody has ever seen, and the network. Out: [`Wanted`].
//! Invariant: what both have, or a grey picture has, is no needle of either.

use std::path::{Path, PathBuf};

use super::forms::{Darkroom, Depth, FormsError};
use super::needles::{Form, Gathering, Needles};
use crate::config::card::DetectorCard;
use crate::units::PictureSize;

/// A network as an eye has it.
#[derive(Clone, Copy)]
pub struct Network<'a> {
    /// The runtime library.
    pub runtime: &'a Path,
    /// The model file.
    pub model: &'a Path,
    /// What the model wants.
    pub card: &'a DetectorCard,
    /// Size of its input, where that is free.
    pub input: Option<PictureSize>,
}

/// Pictures in a file or a folder.
#[derive(Clone)]
pub struct Pictures {
    /// Where.
    pub path: PathBuf,
    /// Their size, px.
    pub size: PictureSize,
    /// How many.
    pub count: u64,
    /// How many a second, where their file does not say it.
    pub fps: f64,
}

/// How much is looked for: a little of every picture, and of the last ones more.
#[derive(Clone, Copy)]
pub struct Sought {
    /// Pictures that are looked for whole.
    pub whole: u64,
    /// Pictures of these of which all layers of the network are looked for.
    pub deep: u64,
}

/// The needles.
pub struct Wanted {
    /// Of the pictures that were looked at.
    pub own: Needles,
    /// Of those that nobody has seen.
    pub other: Needles,
    /// Names and kinds of the first layers that are looked for.
    pub first_layers: Vec<String>,
}

impl Sought {
    /// Makes the needles of pictures that were looked at, and of others.
    ///
    /// # Errors
    /// [`FormsError`] when a picture cannot be had, or the network fails.
    pub fn in_two(self, network: &Network, recordings: [&Pictures; 2]) -> Result<Wanted, FormsError> {
        let mut darkroom = network.darkroom(recordings[0].size)?;
        let [own, other] = recordings.map(|recording| self.gathered(&mut darkroom, recording));
        let (mut own, mut other) = (own?.into_needles(), other?.into_needles());
        if self.deep > 0 {
            let mut grey = Gathering::default();
            darkroom.gather_grey(STRIDE, &mut grey)?;
            let mut grey = grey.into_needles();
            Needles::part(&mut own, &mut grey);
            Needles::part(&mut other, &mut grey);
        }
        Needles::part(&mut own, &mut other);
        Ok(Wanted { own, other, first_layers: darkroom.layers().to_vec() })
    }

    fn gathered(self, darkroom: &mut Darkroom, recording: &Pictures) -> Result<Gathering, FormsError> {
        let Pictures { path, count, fps, .. } = recording;
        let depth = |number| match count.saturating_sub(number) {
            left if left <= self.deep => Depth::Deep(STRIDE),
            left if left <= self.whole => Depth::Whole(STRIDE),
            left if left <= LATE || number < EARLY || number % EVERY == 0 => Depth::Samples(SAMPLES_APART),
            _ => Depth::Unsought,
        };
        let mut gathering = Gathering::default();
        let made = darkroom.gather(path, *fps, &depth, &mut gathering)?;
        if made != *count {
            return Err(FormsError::Count { made, count: *count });
        }
        let files = recording.files()?.into_iter().map(std::fs::read).collect::<std::io::Result<Vec<_>>>()?;
        let packed: Vec<&[u8]> = files.iter().flat_map(|file| pictures_of_stream(file)).collect();
        for (number, bytes) in packed.iter().enumerate() {
            // Of pictures before the last ones a piece here and there.
            let is_late = (packed.len() - number) as u64 <= self.whole;
            let (first, rest) = bytes.split_at(if is_late { CODED.min(bytes.len()) } else { 0 });
            let (middle, last) = rest.split_at(rest.len() - first.len().min(rest.len()));
            [first, last].iter().for_each(|piece| gathering.add(Form::Coded, number as u64, piece, STRIDE));
            let apart = SAMPLES_APART.max(middle.len() / CODED_SAMPLES);
            gathering.add_samples(Form::Coded, number as u64, middle, apart);
        }
        Ok(gathering)
    }
}

impl Network<'_> {
    fn darkroom(&self, size: PictureSize) -> Result<Darkroom, FormsError> {
        Darkroom::new([self.runtime, self.model], self.card, self.input, size)
    }
}

impl Pictures {
    /// Its files, in order.
    fn files(&self) -> std::io::Result<Vec<PathBuf>> {
        if !self.path.is_dir() {
            return Ok(vec![self.path.clone()]);
        }
        let mut files = std::fs::read_dir(&self.path)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<std::io::Result<Vec<_>>>()?;
        files.sort();
        Ok(files)
    }
}

/// The pictures of a stream that each begin with a parameter set of their own, as a keyed camera sends them; any other file
/// in one piece.
fn pictures_of_stream(file: &[u8]) -> Vec<&[u8]> {
    if !file.starts_with(PARAMETER_SET) {
        return vec![file];
    }
    let windows = file.windows(PARAMETER_SET.len()).enumerate();
    let starts: Vec<usize> = windows.filter(|(_, bytes)| *bytes == PARAMETER_SET).map(|(at, _)| at).collect();
    let ends = starts[1..].iter().copied().chain([file.len()]);
    starts.iter().zip(ends).map(|(start, end)| &file[*start..end]).collect()
}

/// A start code and the header of a sequence parameter set (ITU-T H.264, 7.4.1, B.1).
const PARAMETER_SET: &[u8] = b"\0\0\0\x01\x67";
/// Pieces at the most of what lies between the beginning and the end of a file.
const CODED_SAMPLES: usize = 20_000;
/// Pictures at the end and at the beginning of which each is looked for, and each so manyth in between.
const LATE: u64 = 100;
const EARLY: u64 = 30;
const EVERY: u64 = 4;
/// A needle begins at every so manyth byte, so that each unbroken piece of 31 bytes holds one.
pub const STRIDE: usize = 16;
/// So much of the beginning and of the end of a file is looked for as it is, bytes.
const CODED: usize = 1 << 20;
/// A piece of older pictures in so many bytes.
const SAMPLES_APART: usize = 2048;
