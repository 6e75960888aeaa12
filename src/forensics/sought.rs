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
            _ => Depth::Samples(SAMPLES_APART),
        };
        let mut gathering = Gathering::default();
        let made = darkroom.gather(path, *fps, &depth, &mut gathering)?;
        if made != *count {
            return Err(FormsError::Count { made, count: *count });
        }
        for (number, file) in recording.files()?.iter().enumerate() {
            let bytes = std::fs::read(file)?;
            let [first, last] = [bytes.len().min(CODED), bytes.len().saturating_sub(CODED).max(CODED)];
            gathering.add(Form::Coded, number as u64, &bytes[..first], 1);
            gathering.add(Form::Coded, number as u64, bytes.get(last..).unwrap_or_default(), 1);
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

/// A needle begins at every so manyth byte, so that each unbroken piece of 31 bytes holds one.
pub const STRIDE: usize = 16;
/// So much of the beginning and of the end of a file is looked for as it is, bytes.
const CODED: usize = 1 << 20;
/// A piece of older pictures in so many bytes.
const SAMPLES_APART: usize = 2048;
