//! What `kehai doctor --cameras` learns of one camera: counters and codes, in the words of one pipe record.
//!
//! In: a [`Sounding`] of the eye. Out: the same on the mouth's side. Invariant: no pixel, no text, no address; a number
//! that no camera can have is refused.

use super::record::{Outbox, Record};
use crate::health::Silence;
use crate::units::Codec;

/// One camera, opened and listened to for some seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sounding {
    /// Why it shows nothing; [`Silence::None`] when it does.
    pub silence: Silence,
    /// How its pictures are packed.
    pub codec: Codec,
    /// Picture width, px; 0 when it was not opened.
    pub width: u32,
    /// Picture height, px; 0 when it was not opened.
    pub height: u32,
    /// Pictures that came.
    pub frames: u32,
    /// From the first picture to the last, ms.
    pub span_ms: u32,
    /// Longest wait between two pictures, ms.
    pub gap_ms_max: u32,
    /// From the first call to the first picture, ms.
    pub first_ms: u32,
    /// The rate the stream claims, thousandths of a picture per second; 0 where it claims none.
    pub claimed_fps_milli: u32,
}

impl Sounding {
    /// A camera that shows nothing.
    #[must_use]
    pub fn silent(silence: Silence) -> Self {
        Self {
            silence,
            codec: Codec::Unknown,
            width: 0,
            height: 0,
            frames: 0,
            span_ms: 0,
            gap_ms_max: 0,
            first_ms: 0,
            claimed_fps_milli: 0,
        }
    }

    /// Pictures per second as they came; `None` for fewer than two.
    #[must_use]
    pub fn fps(&self) -> Option<f64> {
        (self.frames > 1 && self.span_ms > 0).then(|| f64::from(self.frames - 1) * 1000.0 / f64::from(self.span_ms))
    }

    fn words(&self) -> [u32; SOUNDING_WORDS] {
        [
            self.silence as u32,
            self.codec as u32,
            self.width,
            self.height,
            self.frames,
            self.span_ms,
            self.gap_ms_max,
            self.first_ms,
            self.claimed_fps_milli,
        ]
    }

    /// Reads the words of a record; `None` for a code that does not exist.
    pub(super) fn read(words: &[u32]) -> Option<Self> {
        let silence = Silence::from_number(words[0])?;
        let codec = Codec::from_number(words[1])?;
        let [width, height, frames, span_ms, gap_ms_max, first_ms, claimed_fps_milli] = words[2..].try_into().ok()?;
        Some(Self { silence, codec, width, height, frames, span_ms, gap_ms_max, first_ms, claimed_fps_milli })
    }
}

impl Outbox {
    /// What was learnt of a camera.
    #[must_use]
    pub fn sounding(&self, camera: u16, sounding: &Sounding) -> Vec<Record> {
        self.records(KIND_SOUNDING, camera, None, &sounding.words())
    }
}

pub(super) const KIND_SOUNDING: u8 = 20;
/// Words of a [`Sounding`].
pub(super) const SOUNDING_WORDS: usize = 9;
