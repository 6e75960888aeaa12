//! What the twin's camera sees: figures that walk before a wall, under noise that follows from a key.
//!
//! In: a key and a size. Out: pictures by number, for a camera and as a file. Invariant: the same key gives the same
//! pictures; what two keys have in common is the place and never sixteen bytes of the noise.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard};

use super::camera::{Manners, Scene};
use super::h264_pcm;
use super::noise::Noise;
use crate::units::PictureSize;

/// A view of nobody.
#[derive(Clone, Copy)]
pub struct View {
    /// What its noise follows from.
    pub key: u64,
    /// Size of its pictures, px, multiples of 16.
    pub size: PictureSize,
}

impl View {
    /// Brightness of picture `number`, row by row.
    #[must_use]
    pub fn luma(self, number: u64) -> Vec<u8> {
        let [width, height] = self.sides();
        let mut noise = Noise::new(self.key, number);
        let mut luma = Vec::with_capacity(width * height);
        for row in 0..height {
            luma.extend((0..width).map(|column| noise.over(place(number, [column, row], [width, height]))));
        }
        luma
    }

    /// It as a camera sees it.
    #[must_use]
    pub fn scene(self) -> Scene {
        let [width, height] = self.sides();
        Scene { width, height, draw: Box::new(move |number| self.luma(number)) }
    }

    /// Writes the pictures of these numbers into a file, as a camera sends them.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn film(self, path: &Path, numbers: &[u64]) -> io::Result<()> {
        let [width, height] = self.sides();
        let mut file = std::fs::File::create_new(path)?;
        let mut film =
            |number: &u64| file.write_all(&h264_pcm::in_file(&self.luma(*number), width, height, *number as u16));
        numbers.iter().try_for_each(&mut film)
    }

    fn sides(self) -> [usize; 2] {
        [self.size.width as usize, self.size.height as usize]
    }
}

/// Brightness without noise: a wall, and before it figures of a head and a body that walk by.
fn place(number: u64, [column, row]: [usize; 2], [width, height]: [usize; 2]) -> u8 {
    let figure = height / 2;
    for (index, top) in [height / 8, height / 3].into_iter().enumerate() {
        let step = (number as usize * STEPS[index] * width / STRIDES + index * width / 2) % width;
        let (beside, below) = (column.abs_diff(step), row.wrapping_sub(top));
        let is_head = below < figure / 6 && beside < figure / 14;
        let is_body = (figure / 6..figure).contains(&below) && beside < figure / 6;
        if is_head || is_body {
            return if is_head { HEAD } else { BODY };
        }
    }
    WALL + (row * 40 / height) as u8
}

/// The numbers of the pictures that a camera has drawn; otherwise it behaves.
#[derive(Default)]
pub struct Drawn(Mutex<BTreeSet<u64>>);

impl Drawn {
    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.numbers().len() as u64
    }

    /// The last ones, `count` at the most, in order.
    #[must_use]
    pub fn last(&self, count: usize) -> Vec<u64> {
        let numbers = self.numbers();
        numbers.iter().copied().skip(numbers.len().saturating_sub(count)).collect()
    }

    fn numbers(&self) -> MutexGuard<'_, BTreeSet<u64>> {
        self.0.lock().expect("nobody panics while holding it")
    }
}

impl Manners for Drawn {
    fn payloads(&self, scene: &Scene, frame: u64) -> Vec<Vec<u8>> {
        self.numbers().insert(frame);
        scene.whole(frame)
    }
}

/// How far the figures walk from one picture to the next, in parts of the picture's width.
const STEPS: [usize; 2] = [3, 2];
const STRIDES: usize = 100;
/// Grey levels.
const WALL: u8 = 120;
const HEAD: u8 = 190;
const BODY: u8 = 60;

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: PictureSize = PictureSize { width: 64, height: 48 };

    #[test]
    fn a_key_gives_the_same_picture_again_and_another_key_another() {
        let view = |key| View { key, size: SIZE };
        assert_eq!(view(u64::MAX).luma(3), view(u64::MAX).luma(3));
        let (one, other) = (view(1).luma(3), view(2).luma(3));
        let shared = one.windows(16).zip(other.windows(16)).filter(|(one, other)| one == other).count();
        assert_eq!(shared, 0, "windows in common");
    }

    #[test]
    fn what_was_drawn_is_known_by_number_newest_last() {
        let (drawn, scene) = (Drawn::default(), View { key: 1, size: SIZE }.scene());
        for number in [4, 2, 9] {
            assert_eq!(drawn.payloads(&scene, number), scene.whole(number));
        }
        assert_eq!((drawn.count(), drawn.last(2)), (3, vec![4, 9]));
    }
}
