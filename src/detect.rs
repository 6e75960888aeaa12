//! Pixels end: a frame goes in, boxes of people come out, and the frame is wiped on the way.
//!
//! In: [`Frame`]s of one or many cameras. Out: [`Detections`], boxes in picture px with scores 0–1.
//! Invariants: [`Detector::detect`] consumes the frame, so no stage after this one can hold a pixel (I1);
//! letterbox and tensor are wiped after every inference; detections can be neither copied, printed nor
//! serialised (tests/disclosure).

pub mod decode;
pub mod letterbox;
pub mod motion;
pub mod motionless;
pub mod probe;
pub mod scene;
pub mod session;

use std::path::Path;

use crate::capture::Frame;
use crate::clock::CaptureTime;
use crate::config::Accelerator;
use crate::config::card::{DetectorCard, Head};
use crate::config::placement::Placement;
use crate::health::{NoAccelerator, Stage, StageCpu};
use crate::units::{BoxPx, PictureSize};
use decode::Decoder;
use letterbox::{InputTensor, Letterbox};
use session::Session;

/// The people found in one frame, in no particular order.
pub struct Detections {
    /// When the frame was captured.
    pub captured_at: CaptureTime,
    /// Size of the picture they were found on.
    pub picture: PictureSize,
    /// The people.
    pub people: Vec<Detection>,
}

/// One person in one frame.
pub struct Detection {
    /// Where, px, clipped to the picture.
    pub place: BoxPx,
    /// How sure the network is, 0–1.
    pub score: f32,
}

/// A loaded model with everything it needs for pictures of one size at a time.
pub struct Detector {
    session: Session,
    card: DetectorCard,
    size: Option<PictureSize>,
    /// One for every size of picture among the cameras.
    fitted: Vec<Fitted>,
    lacks: Option<NoAccelerator>,
}

struct Fitted {
    letterbox: Letterbox,
    decoder: Decoder,
}

impl Detector {
    /// Loads the model at `path` as its `card` says; `size` overrides the input size chosen from the camera's shape.
    ///
    /// # Errors
    /// [`DetectError`] when runtime or model do not load, or the size cannot be had.
    pub fn load(
        runtime: &Path,
        path: &Path,
        card: &DetectorCard,
        size: Option<PictureSize>,
    ) -> Result<Self, DetectError> {
        Self::load_on(Accelerator::Cpu, runtime, path, card, size)
    }

    /// As [`Detector::load`], on an accelerator; on the CPU where there is none ([`Detector::lacks`]).
    ///
    /// # Errors
    /// As [`Detector::load`].
    pub fn load_on(
        accelerator: Accelerator,
        runtime: &Path,
        path: &Path,
        card: &DetectorCard,
        size: Option<PictureSize>,
    ) -> Result<Self, DetectError> {
        if let Some(wanted) = size {
            check_size(card, wanted)?;
        }
        let of = |session: Session, lacks: Option<NoAccelerator>| {
            check_card(card, &session)?;
            Ok(Self { session, card: card.clone(), size, fitted: Vec::new(), lacks })
        };
        if accelerator == Accelerator::Cpu {
            return of(Session::load(runtime, path)?, None);
        }
        let tried = Session::load_on(runtime, path, accelerator).and_then(|session| {
            let mut detector = of(session, None).map_err(|_| NoAccelerator::Refused)?;
            // Some providers only fail when they run.
            detector.fit(PICTURE_TRIED).map_err(|_| NoAccelerator::Refused)?;
            detector.fitted.clear();
            Ok(detector)
        });
        tried.or_else(|lacks| of(Session::load(runtime, path)?, Some(lacks)))
    }

    /// What the network answered to the last grey picture it was shown, in words, and how many cells it has.
    #[must_use]
    pub fn answers(&self) -> Option<(String, usize)> {
        self.fitted.last().map(|fitted| (fitted.decoder.outputs_in_words(), fitted.decoder.cells()))
    }

    /// Why the accelerator asked for is not in use; `None` when it is, or none was asked for.
    #[must_use]
    pub fn lacks(&self) -> Option<NoAccelerator> {
        self.lacks
    }

    /// Prepares for pictures of `picture` and proves the head on a grey one.
    ///
    /// # Errors
    /// [`DetectError::Head`] when the outputs are not those of the card's head.
    pub fn fit(&mut self, picture: PictureSize) -> Result<(), DetectError> {
        self.fit_placed(self.card.placement(picture, self.size))
    }

    fn fit_placed(&mut self, placed: Placement) -> Result<(), DetectError> {
        let input = placed.input;
        let letterbox = Letterbox::new(&self.card, placed);
        let grey = letterbox.grey_tensor();
        let card = &self.card;
        let refused = |error: DetectError| match error {
            // A network that cannot answer to a grey picture will answer to none.
            DetectError::Inference { reason } => DetectError::Head { reason },
            other => other,
        };
        let decoder =
            self.session.run(&grey, |outputs| Decoder::recognise(card, input, outputs)).map_err(refused)??;
        self.fitted.push(Fitted { letterbox, decoder });
        Ok(())
    }

    /// Finds the people in a frame with a score of at least `score_min`, and destroys the frame.
    ///
    /// # Errors
    /// [`DetectError`] when the network fails on it.
    pub fn detect(&mut self, frame: Frame, score_min: f32, cpu: &StageCpu) -> Result<Detections, DetectError> {
        let (captured_at, placed) = (frame.captured_at(), *frame.placed());
        let picture = placed.picture;
        if !self.fitted.iter().any(|fitted| fitted.letterbox.picture() == picture) {
            self.fit_placed(placed)?;
        }
        let fitted = self.fitted.iter_mut().find(|fitted| fitted.letterbox.picture() == picture);
        let Fitted { letterbox, decoder, .. } = fitted.expect("fitted above");
        let (session, card) = (&mut self.session, &self.card);
        let people = cpu.booked(Stage::Letterbox, || letterbox.fill(frame)).and_then(|()| {
            session.run_booked(letterbox.tensor(), cpu, |outputs| decoder.people(card, outputs, score_min))
        });
        // Whatever became of it: no picture stays for the next one.
        letterbox.wipe();
        Ok(Detections { captured_at, picture, people: letterbox.onto_picture(people??) })
    }

    /// Overwrites what the runtime's arena still holds of the last frame by running a grey one.
    ///
    /// # Errors
    /// [`DetectError`] when the network fails.
    pub fn run_grey(&mut self) -> Result<(), DetectError> {
        self.grey_tensors().iter().try_for_each(|grey| self.run_on(grey))
    }

    /// A grey input for every size of picture met so far.
    #[must_use]
    pub fn grey_tensors(&self) -> Vec<InputTensor> {
        self.fitted.iter().map(|fitted| fitted.letterbox.grey_tensor()).collect()
    }

    /// Runs the network and forgets what it says.
    ///
    /// # Errors
    /// [`DetectError`] when the network fails.
    pub fn run_on(&mut self, tensor: &InputTensor) -> Result<(), DetectError> {
        self.session.run(tensor, |_| ())
    }

    /// Input size in use, once a frame or [`Detector::fit`] has decided it.
    #[must_use]
    pub fn input_size(&self) -> Option<PictureSize> {
        self.fitted.last().map(|fitted| fitted.letterbox.input_size())
    }
}

fn check_size(card: &DetectorCard, wanted: PictureSize) -> Result<(), DetectError> {
    let refused = |reason: String| Err(DetectError::Size { wanted, reason });
    match card.fixed {
        Some(fixed) if fixed != wanted => refused(format!("the model only takes {fixed}")),
        None if ![wanted.height, wanted.width].iter().all(|side| side.is_multiple_of(card.multiple_of)) => {
            refused(format!("both sides must be multiples of {}", card.multiple_of))
        }
        _ => Ok(()),
    }
}

/// Refuses a file whose inputs are not those of the card.
fn check_card(card: &DetectorCard, session: &Session) -> Result<(), DetectError> {
    let refused = |reason: String| Err(DetectError::Head { reason });
    let inputs = session.inputs();
    let picture = inputs.iter().find(|port| port.name == session.input());
    if card.input != session.input() {
        let names: Vec<&str> = inputs.iter().map(|port| port.name.as_str()).collect();
        return refused(format!("the card names the input \"{}\", the file has {names:?}", card.input));
    }
    if let Some([_, _, Some(height), Some(width)]) = picture.map(|port| port.dims.as_slice()) {
        let only = PictureSize { height: *height, width: *width };
        if card.fixed != Some(only) {
            let remedy = format!("fixed = {{ height = {height}, width = {width} }}");
            return refused(format!("the graph takes {only} only; write {remedy} on the card"));
        }
    }
    match (card.head == Head::DetrPost, session.wants_size()) {
        (true, false) => refused("head detr-post needs the input orig_target_sizes, which the file lacks".to_owned()),
        (false, true) => refused(format!(
            "the file has the input orig_target_sizes, which only head detr-post fills; the card says {}",
            card.head
        )),
        _ => Ok(()),
    }
}

/// A picture to try an accelerator with before any camera has shown its own.
const PICTURE_TRIED: PictureSize = PictureSize { height: 576, width: 768 };

/// Why people cannot be found.
#[derive(Debug, thiserror::Error)]
pub enum DetectError {
    /// The runtime library does not load.
    #[error("runtime library {path}: {reason}")]
    Runtime {
        /// Its path.
        path: String,
        /// What the loader said.
        reason: String,
    },
    /// The model file does not load.
    #[error("model: {reason}")]
    Model {
        /// What the runtime said.
        reason: String,
    },
    /// The model cannot take the wanted input size.
    #[error("input size {wanted}: {reason}")]
    Size {
        /// The size asked for.
        wanted: PictureSize,
        /// What is possible.
        reason: String,
    },
    /// The outputs are not those of the head on the card.
    #[error("model head: {reason}")]
    Head {
        /// What was expected and what was found.
        reason: String,
    },
    /// The frame was made for another input than the network has.
    #[error("the picture was made for another input")]
    Placement,
    /// The network failed on a frame.
    #[error("inference: {reason}")]
    Inference {
        /// What the runtime said.
        reason: String,
    },
}
