//! The forms of a picture: what the eye makes of it on its way, made here in the same way and by the same code.
//!
//! In: the pictures of a recording, and the network they are for. Out: their bytes in every [`Form`], in a [`Gathering`].
//! Invariant: nothing is calculated anew: planes come from the decoder, sizes from `capture`, tensors from `detect`, layers
//! from the runtime. Blue, green and red in full size are the exception: the eye never makes them of a film, and of several
//! ways to do so one is tried.

use std::path::Path;

use super::LAYER_BYTES;
use super::layers::Layers;
use super::needles::{Form, Gathering};
use crate::capture::{CaptureError, Frame, FramePool, Grab, Source, replay};
use crate::config::card::DetectorCard;
use crate::config::placement::Placement;
use crate::detect::DetectError;
use crate::detect::letterbox::Letterbox;
use crate::units::PictureSize;

/// Makes all forms of pictures of one size.
pub struct Darkroom {
    layers: Layers,
    letterbox: Letterbox,
    placed: Placement,
    pool: FramePool,
}

/// How thoroughly a picture is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// All of it and all layers of the network, a window at every so manyth byte.
    Deep(usize),
    /// All of it, but of the network only the first layers.
    Whole(usize),
    /// A piece in every so many bytes of its planes and tensor.
    Samples(usize),
    /// Not at all.
    Unsought,
}

/// Why the forms of a picture cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum FormsError {
    /// The pictures cannot be had.
    #[error("pictures: {0}")]
    Capture(#[from] CaptureError),
    /// The network cannot be had.
    #[error("network: {0}")]
    Detect(#[from] DetectError),
    /// A file cannot be read.
    #[error("pictures: {0}")]
    Read(#[from] std::io::Error),
    /// Not all that were sent come back.
    #[error("pictures: {made} of {count} can be had")]
    Count {
        /// How many there are.
        made: u64,
        /// How many there should be.
        count: u64,
    },
}

impl Darkroom {
    /// For pictures of `picture` and a network with this card, whose input has this size where it is free.
    ///
    /// # Errors
    /// [`FormsError::Detect`] where the network does not load.
    pub fn new(
        [runtime, model]: [&Path; 2],
        card: &DetectorCard,
        input: Option<PictureSize>,
        picture: PictureSize,
    ) -> Result<Self, FormsError> {
        let placed = card.placement(picture, input);
        let layers = Layers::of(runtime, model)?;
        Ok(Self { layers, letterbox: Letterbox::new(card, placed), placed, pool: FramePool::new(placed) })
    }

    /// Names and kinds of the first layers that are laid open.
    #[must_use]
    pub fn layers(&self) -> &[String] {
        &self.layers.first
    }

    /// Gathers all that the network makes of a grey picture, which is what every eye holds at rest.
    ///
    /// # Errors
    /// [`FormsError::Detect`] when the network fails.
    pub fn gather_grey(&mut self, stride: usize, into: &mut Gathering) -> Result<(), FormsError> {
        let layers = self.layers.look(&self.letterbox.grey_tensor())?;
        layers.iter().for_each(|layer| into.add(Form::Layer, 0, layer, stride));
        Ok(())
    }

    /// Gathers the pictures of a recording, each as thoroughly as `depth` says of its number; gives how many there are.
    ///
    /// # Errors
    /// [`FormsError`] when a picture cannot be had, or the network fails.
    pub fn gather(
        &mut self,
        path: &Path,
        fps: f64,
        depth: &dyn Fn(u64) -> Depth,
        into: &mut Gathering,
    ) -> Result<u64, FormsError> {
        let mut source = replay::open(path, Some(fps), None)?;
        source.will_be_drawn(&self.placed);
        let mut number = 0;
        loop {
            match source.grab(&|_| true)? {
                Grab::End => return Ok(number),
                Grab::Frame(_) => self.develop(source.as_mut(), number, depth(number), into)?,
                Grab::Passed(_) | Grab::Broken(_) => {}
            }
            number += 1;
        }
    }

    /// Gathers the picture that `source` has grabbed.
    fn develop(
        &mut self,
        source: &mut dyn Source,
        number: u64,
        depth: Depth,
        into: &mut Gathering,
    ) -> Result<(), FormsError> {
        if depth == Depth::Unsought {
            return Ok(());
        }
        let mut add = |form, bytes: &[u8]| match depth {
            Depth::Deep(stride) | Depth::Whole(stride) => into.add(form, number, bytes, stride),
            Depth::Samples(apart) => into.add_samples(form, number, bytes, apart),
            Depth::Unsought => {}
        };
        let is_whole = matches!(depth, Depth::Deep(_) | Depth::Whole(_));
        if let Some(bared) = source.bare(is_whole) {
            bared.planes.iter().for_each(|plane| add(Form::Plane, plane));
            add(Form::Bgr, &bared.bgr);
            add(Form::Rgb, &turned(&bared.bgr));
        }
        let mut frame = source.retrieve(&self.pool)?;
        frame.planes_mut().iter().for_each(|plane| add(Form::SmallPlane, plane));
        frame.colour().iter().for_each(|plane| add(Form::SmallPlane, plane));
        if is_whole {
            let small = interleaved(&mut frame);
            add(Form::SmallBgr, &small);
            add(Form::SmallRgb, &turned(&small));
        }
        self.letterbox.fill(frame)?;
        add(Form::Tensor, &bytes_of(&self.letterbox));
        if is_whole {
            let layers = self.layers.look(self.letterbox.tensor())?;
            let (first, rest) = layers.split_at(self.layers.first.len());
            first.iter().for_each(|layer| add(Form::FirstLayer, layer));
            if matches!(depth, Depth::Deep(_)) {
                rest.iter().for_each(|layer| into.add(Form::Layer, number, layer, LAYER_STRIDE));
            }
        }
        self.letterbox.wipe();
        Ok(())
    }
}

fn bytes_of(letterbox: &Letterbox) -> Vec<u8> {
    letterbox.tensor().view().iter().flat_map(|value| value.to_ne_bytes()).collect()
}

fn interleaved(frame: &mut Frame) -> Vec<u8> {
    let [blue, green, red] = frame.colour();
    blue.iter().zip(green).zip(red).flat_map(|((blue, green), red)| [*blue, *green, *red]).collect()
}

/// Blue and red exchanged.
fn turned(points: &[u8]) -> Vec<u8> {
    points.as_chunks::<3>().0.iter().flat_map(|[blue, green, red]| [*red, *green, *blue]).collect()
}

/// Of deeper layers only long pieces count, of which each has four windows to be found by.
const LAYER_STRIDE: usize = LAYER_BYTES as usize / 4;
