//! Whether anything moved: a picture as a coarse grid of grey, held against the room as it was.
//!
//! In: the [`Grid`] of a frame. Out: moved or not. Invariants: a grid is no picture (one grey per [`CELL_PX`] pixels of
//! the network's input each way, about 500 numbers in all), it is neither copied, printed nor serialised, and wiped on
//! drop; what changes the whole picture at once, a light or the camera's exposure, is one change and not motion for ever
//! (test `a_light_that_goes_on_is_one_change`); noise that a place always has is no motion.

use zeroize::Zeroize;

use crate::capture::Frame;
use crate::clock::CaptureTime;

/// A frame as the mean grey of each of its cells, 0–255. Wiped on drop.
pub struct Grid {
    cells: Vec<f32>,
}

/// The room as one camera knows it.
pub struct Motion {
    /// Least change of a cell that counts, grey levels.
    least: f32,
    /// The room without people, as it slowly becomes.
    background: Grid,
    /// The frame the network has looked at last.
    looked: Grid,
    /// The frame before, and its time.
    before: Grid,
    before_at: CaptureTime,
    /// How much each cell differs from one frame to the next while nobody is there, mean, grey levels.
    noise: Vec<f32>,
}

impl Grid {
    /// The grid of a frame, of its brightness alone.
    #[must_use]
    pub fn of(frame: &Frame) -> Self {
        let columns = frame.placed().resized.width as usize;
        let bright = frame.brightness();
        let across = columns.div_ceil(CELL_PX);
        let down = bright.len().div_ceil(columns).div_ceil(CELL_PX);
        let mut sums = vec![0u32; across * down];
        let mut pixels = vec![0u32; across * down];
        for (row, bytes) in bright.chunks_exact(columns).enumerate() {
            let first = row / CELL_PX * across;
            for (cell, part) in bytes.chunks(CELL_PX).enumerate() {
                sums[first + cell] += part.iter().map(|byte| u32::from(*byte)).sum::<u32>();
                pixels[first + cell] += part.len() as u32;
            }
        }
        let cells = sums.iter().zip(&pixels).map(|(sum, count)| *sum as f32 / *count as f32).collect();
        sums.zeroize();
        Self { cells }
    }

    /// As another grid of the same room.
    fn becomes(&mut self, other: &Self) {
        self.cells.copy_from_slice(&other.cells);
    }

    /// A grid that shows the same.
    fn same_as(other: &Self) -> Self {
        Self { cells: other.cells.to_vec() }
    }

    /// How much brighter `now` is as a whole: the middle of the ratios of all cells.
    fn gain_to(&self, now: &Self) -> f32 {
        let ratio = |(was, is): (&f32, &f32)| (is + DARK) / (was + DARK);
        let mut ratios: Vec<f32> = self.cells.iter().zip(&now.cells).map(ratio).collect();
        let middle = ratios.len() / 2;
        *ratios.select_nth_unstable_by(middle, f32::total_cmp).1
    }
}

impl Drop for Grid {
    fn drop(&mut self) {
        self.cells.zeroize();
    }
}

impl Motion {
    /// A room of which only this frame is known. `sensitivity` as in [`crate::config::Camera::motion`], above 0.
    #[must_use]
    pub fn new(first: &Grid, at: CaptureTime, sensitivity: f32) -> Self {
        Self {
            least: 1.0 / sensitivity,
            background: Grid::same_as(first),
            looked: Grid::same_as(first),
            before: Grid::same_as(first),
            before_at: at,
            noise: vec![NOISE_FIRST; first.cells.len()],
        }
    }

    /// Whether a grid is of pictures of the same size.
    #[must_use]
    pub fn fits(&self, grid: &Grid) -> bool {
        self.background.cells.len() == grid.cells.len()
    }

    /// Whether something is where it was not at the last look.
    #[must_use]
    pub fn is_since_look(&self, grid: &Grid) -> bool {
        let gain = self.looked.gain_to(grid);
        (gain - 1.0).abs() > LIGHT || self.differing(&self.looked, gain, grid) > 0
    }

    /// Whether something is where it is not in the room without people.
    #[must_use]
    pub fn is_against_room(&self, grid: &Grid) -> bool {
        self.differing(&self.background, self.background.gain_to(grid), grid) > 0
    }

    /// The network looks at this frame.
    pub fn look(&mut self, grid: &Grid) {
        self.looked.becomes(grid);
    }

    /// Somebody is there: nothing is to be learnt of the room.
    pub fn pass(&mut self, grid: &Grid, at: CaptureTime) {
        self.before.becomes(grid);
        self.before_at = at;
    }

    /// Nobody is there: this is how the room looks and how much it flickers.
    pub fn learn(&mut self, grid: &Grid, at: CaptureTime) {
        let elapsed_s = at.since_s(self.before_at).clamp(0.0, GAP_S) as f32;
        let (gain, share) = (self.before.gain_to(grid), 1.0 - (-elapsed_s / NOISE_S).exp());
        for ((noise, was), is) in self.noise.iter_mut().zip(&self.before.cells).zip(&grid.cells) {
            let change = (is - gain * was).abs().min(NOISE_GROWTH * *noise + NOISE_FIRST);
            *noise += share * (change - *noise);
        }
        let changed = self.differing(&self.background, self.background.gain_to(grid), grid);
        let share = if 2 * changed > grid.cells.len() { 1.0 } else { 1.0 - (-elapsed_s / BACKGROUND_S).exp() };
        for (was, is) in self.background.cells.iter_mut().zip(&grid.cells) {
            *was += share * (is - *was);
        }
        self.pass(grid, at);
    }

    /// Cells that differ by more than they do by themselves.
    fn differing(&self, was: &Grid, gain: f32, is: &Grid) -> usize {
        let cells = was.cells.iter().zip(&is.cells).zip(&self.noise);
        cells.filter(|((was, is), noise)| (*is - gain * *was).abs() > self.least.max(NOISES * **noise)).count()
    }
}

/// Side of a cell, px of the network's input: the smallest person a detector finds there is about one cell high.
const CELL_PX: usize = 16;
/// Grey added on both sides of a ratio, so that nothing is divided by black, grey levels.
const DARK: f32 = 1.0;
/// A picture brighter or darker by more than this share since the last look is looked at.
const LIGHT: f32 = 0.05;
/// Noise of a cell before any is known, grey levels.
const NOISE_FIRST: f32 = 0.5;
/// A change counts from this many times the mean change of its cell from frame to frame: 5.6 standard deviations of the
/// difference of two frames with normal noise, so that 500 cells call about once in a hundred thousand frames.
const NOISES: f32 = 7.0;
/// A single change adds no more than this many times what is known of a cell's noise.
const NOISE_GROWTH: f32 = 4.0;
/// Time in which noise is learnt, s.
const NOISE_S: f32 = 10.0;
/// Time in which the room is learnt, s: a chair that was moved is looked at for about three times as long, some thirty
/// looks, and at every step of whoever moves it.
const BACKGROUND_S: f32 = 2.0;
/// A longer gap between two frames teaches no more than this one, s.
const GAP_S: f64 = 5.0;
