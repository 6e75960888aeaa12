//! One picture in memory, no larger than the network looks at it, and the fixed pool it lives in.
//!
//! In: how a camera's pictures are placed in the network's input. Out: [`Frame`]s, `[3, rows, columns]` u8: brightness and
//! colour differences as the decoder gave them, blue, green and red once somebody looks at its colours. The picture in its full size never leaves the decoder.
//! Invariants: a pool holds [`FRAMES_PER_CAMERA`] buffers and never more; a buffer is wiped when its frame
//! is dropped, also while unwinding (test `a_dropped_frame_leaves_nothing_behind`); a frame can be neither
//! copied, printed nor serialised (tests/disclosure).

use crossbeam_channel::{Receiver, Sender, bounded};
use zeroize::Zeroize;

use super::colours::Colours;
use crate::clock::CaptureTime;
use crate::config::placement::Placement;
use crate::units::PictureSize;

/// One being filled and one waiting. The detector needs a third only while it makes its tensor (0.1 ms), then the
/// frame is gone; capture waits that long if it must.
pub const FRAMES_PER_CAMERA: usize = 2;

/// A picture of people. Consumed by `detect`, wiped on drop.
pub struct Frame {
    buffer: Vec<u64>,
    home: Sender<Vec<u64>>,
    placed: Placement,
    captured_at: CaptureTime,
    /// How its planes become blue, green and red; `None` once they are.
    colours: Option<Colours>,
}

/// The fixed buffers of one camera.
pub struct FramePool {
    placed: Placement,
    free: Receiver<Vec<u64>>,
    home: Sender<Vec<u64>>,
}

impl FramePool {
    /// Allocates all buffers for pictures placed like this, zeroed.
    #[must_use]
    pub fn new(placed: Placement) -> Self {
        let (home, free) = bounded(FRAMES_PER_CAMERA);
        for _ in 0..FRAMES_PER_CAMERA {
            let words = vec![0u64; placed.resized.bgr_bytes().div_ceil(size_of::<u64>()) + SLACK];
            home.send(words).expect("the pool holds both ends of its channel");
        }
        Self { placed, free, home }
    }

    /// Size of the camera's pictures, px.
    #[must_use]
    pub fn picture(&self) -> PictureSize {
        self.placed.picture
    }

    /// Takes a zeroed buffer, waiting until one is free. Frames given away come back when they are dropped.
    #[must_use]
    pub fn take(&self, captured_at: CaptureTime) -> Frame {
        let buffer = self.free.recv().expect("the pool holds both ends of its channel");
        Frame { buffer, home: self.home.clone(), placed: self.placed, captured_at, colours: None }
    }
}

impl Frame {
    /// How the picture is placed in the network's input, and how large the camera gave it.
    #[must_use]
    pub fn placed(&self) -> &Placement {
        &self.placed
    }

    /// When the picture was captured.
    #[must_use]
    pub fn captured_at(&self) -> CaptureTime {
        self.captured_at
    }

    /// Says that its planes are brightness, blue and red differences.
    pub(super) fn is_drawn_in(&mut self, colours: Colours) {
        self.colours = Some(colours);
    }

    /// How bright it is, `[rows, columns]` of [`Placement::resized`]: brightness itself, or green, which is most of it.
    pub(crate) fn brightness(&self) -> &[u8] {
        self.planes()[usize::from(self.colours.is_none())]
    }

    /// Dates the picture anew: its source knows better when it was captured than the reader it came through.
    pub(super) fn date(&mut self, captured_at: CaptureTime) {
        self.captured_at = captured_at;
    }

    /// Blue, green and red, `[rows, columns]` of [`Placement::resized`] each.
    pub(crate) fn colour(&mut self) -> [&[u8]; 3] {
        if let Some(colours) = self.colours.take() {
            colours.spread(self.planes_mut());
        }
        self.planes()
    }

    fn planes(&self) -> [&[u8]; 3] {
        let (blue, rest) = self.bytes().split_at(self.plane_bytes());
        let (green, red) = rest.split_at(self.plane_bytes());
        [blue, green, red]
    }

    /// Its three planes, to be written.
    pub(crate) fn planes_mut(&mut self) -> [&mut [u8]; 3] {
        let plane_bytes = self.plane_bytes();
        // SAFETY: u64s are plain bytes, and the length lies within the buffer (FramePool::new).
        let bytes = unsafe {
            std::slice::from_raw_parts_mut(self.buffer.as_mut_ptr().cast::<u8>(), self.placed.resized.bgr_bytes())
        };
        let (blue, rest) = bytes.split_at_mut(plane_bytes);
        let (green, red) = rest.split_at_mut(plane_bytes);
        [blue, green, red]
    }

    fn plane_bytes(&self) -> usize {
        self.placed.resized.bgr_bytes() / 3
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: u64s are plain bytes, and the length lies within the buffer (FramePool::new).
        unsafe { std::slice::from_raw_parts(self.buffer.as_ptr().cast::<u8>(), self.placed.resized.bgr_bytes()) }
    }
}

/// Words behind the pixels, so that what writes whole vectors stays within the buffer.
const SLACK: usize = 8;

impl Drop for Frame {
    fn drop(&mut self) {
        self.buffer.as_mut_slice().zeroize();
        // A pool that is gone takes no buffers back; this one, wiped, is freed.
        let _ = self.home.try_send(std::mem::take(&mut self.buffer));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::card::Fit;

    /// Pictures of 7x5, looked at as they are.
    fn pool() -> FramePool {
        let size = PictureSize { height: 5, width: 7 };
        FramePool::new(Placement::new(Fit::Stretch, size, size))
    }

    fn painted(pool: &FramePool) -> Frame {
        let mut frame = pool.take(CaptureTime(0));
        frame.buffer.fill(u64::MAX);
        frame
    }

    #[test]
    fn a_dropped_frame_leaves_nothing_behind() {
        let pool = pool();
        for _ in 0..2 * FRAMES_PER_CAMERA {
            let frame = painted(&pool);
            let place = frame.buffer.as_ptr();
            drop(frame);
            let again: Vec<Frame> = (0..FRAMES_PER_CAMERA).map(|_| pool.take(CaptureTime(0))).collect();
            assert!(again.iter().any(|frame| frame.buffer.as_ptr() == place), "the buffer came home");
            assert!(again.iter().all(|frame| frame.buffer.iter().all(|word| *word == 0)));
        }
    }

    #[test]
    fn a_frame_is_wiped_while_a_panic_unwinds() {
        let pool = pool();
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _frame = painted(&pool);
            std::panic::resume_unwind(Box::new("a stage failed"));
        }));
        assert!(outcome.is_err());
        let all: Vec<Frame> = (0..FRAMES_PER_CAMERA).map(|_| pool.take(CaptureTime(0))).collect();
        assert!(all.iter().all(|frame| frame.buffer.iter().all(|word| *word == 0)));
    }

    #[test]
    fn pixels_written_are_the_pixels_read() {
        let mut frame = pool().take(CaptureTime(0));
        frame.planes_mut().into_iter().zip([7, 8, 9]).for_each(|(plane, value)| plane.fill(value));
        assert_eq!(frame.bytes().len(), 105);
        assert!(frame.planes().iter().zip([7, 8, 9]).all(|(plane, value)| plane.iter().all(|byte| *byte == value)));
    }
}
