//! One picture in memory, and the fixed pool it lives in.
//!
//! In: the size of a camera's pictures. Out: [`Frame`]s, `[height, width, 3]` u8, BGR.
//! Invariants: a pool holds [`FRAMES_PER_CAMERA`] buffers and never more; a buffer is wiped when its frame
//! is dropped, also while unwinding (test `a_dropped_frame_leaves_nothing_behind`); a frame can be neither
//! copied, printed nor serialised (tests/disclosure).

use crossbeam_channel::{Receiver, Sender, bounded};
use opencv::boxed_ref::{BoxedRef, BoxedRefMut};
use opencv::core::{CV_8UC3, Mat};
use zeroize::Zeroize;

use crate::clock::CaptureTime;
use crate::units::PictureSize;

/// One being filled and one waiting. The detector needs a third only while it resizes (0.4 ms for 1080p), then the
/// frame is gone; capture waits that long if it must, and 6 MB per 1080p camera are saved.
pub const FRAMES_PER_CAMERA: usize = 2;

/// A picture of people. Consumed by `detect`, wiped on drop.
pub struct Frame {
    buffer: Vec<u64>,
    home: Sender<Vec<u64>>,
    size: PictureSize,
    captured_at: CaptureTime,
}

/// The fixed buffers of one camera.
pub struct FramePool {
    size: PictureSize,
    free: Receiver<Vec<u64>>,
    home: Sender<Vec<u64>>,
}

impl FramePool {
    /// Allocates all buffers for pictures of `size`, zeroed.
    #[must_use]
    pub fn new(size: PictureSize) -> Self {
        let (home, free) = bounded(FRAMES_PER_CAMERA);
        for _ in 0..FRAMES_PER_CAMERA {
            let words = vec![0u64; size.bgr_bytes().div_ceil(size_of::<u64>())];
            home.send(words).expect("the pool holds both ends of its channel");
        }
        Self { size, free, home }
    }

    /// Size of the pictures this pool is for.
    #[must_use]
    pub fn size(&self) -> PictureSize {
        self.size
    }

    /// Takes a zeroed buffer, waiting until one is free. Frames given away come back when they are dropped.
    #[must_use]
    pub fn take(&self, captured_at: CaptureTime) -> Frame {
        let buffer = self.free.recv().expect("the pool holds both ends of its channel");
        Frame { buffer, home: self.home.clone(), size: self.size, captured_at }
    }
}

impl Frame {
    /// Size of the picture.
    #[must_use]
    pub fn size(&self) -> PictureSize {
        self.size
    }

    /// When the picture was captured.
    #[must_use]
    pub fn captured_at(&self) -> CaptureTime {
        self.captured_at
    }

    /// The pixels as OpenCV sees them, `[height, width, 3]` BGR, without a copy.
    pub(crate) fn pixels(&self) -> opencv::Result<BoxedRef<'_, Mat>> {
        let [rows, columns] = self.rows_and_columns();
        Mat::new_rows_cols_with_bytes::<opencv::core::Vec3b>(rows, columns, self.bytes())
    }

    /// The pixels to be written, `[height, width, 3]` BGR, without a copy.
    pub(crate) fn pixels_mut(&mut self) -> opencv::Result<BoxedRefMut<'_, Mat>> {
        let [rows, columns] = self.rows_and_columns();
        let length = self.size.bgr_bytes();
        let start = self.buffer.as_mut_ptr().cast::<std::ffi::c_void>();
        debug_assert!(length <= self.buffer.len() * size_of::<u64>());
        // SAFETY: the buffer holds rows x columns x 3 bytes (FramePool::new) and outlives the borrow.
        let mat = unsafe { Mat::new_rows_cols_with_data_unsafe_def(rows, columns, CV_8UC3, start) }?;
        Ok(BoxedRefMut::from(mat))
    }

    fn rows_and_columns(&self) -> [i32; 2] {
        [self.size.height as i32, self.size.width as i32]
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: u64s are plain bytes, and the length lies within the buffer (FramePool::new).
        unsafe { std::slice::from_raw_parts(self.buffer.as_ptr().cast::<u8>(), self.size.bgr_bytes()) }
    }
}

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

    const SIZE: PictureSize = PictureSize { height: 5, width: 7 };

    fn painted(pool: &FramePool) -> Frame {
        let mut frame = pool.take(CaptureTime(0));
        frame.buffer.fill(u64::MAX);
        frame
    }

    #[test]
    fn a_dropped_frame_leaves_nothing_behind() {
        let pool = FramePool::new(SIZE);
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
        let pool = FramePool::new(SIZE);
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
        let pool = FramePool::new(SIZE);
        let mut frame = pool.take(CaptureTime(0));
        opencv::core::MatTrait::set_scalar(&mut frame.pixels_mut().expect("mat"), opencv::core::Scalar::all(9.0))
            .expect("set");
        assert_eq!(frame.bytes().len(), 105);
        assert!(frame.bytes().iter().all(|byte| *byte == 9));
    }
}
