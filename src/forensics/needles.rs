//! What is looked for: windows of pictures, to be recognised in a stream of bytes.
//!
//! In: bytes of pictures, each with its form and number. Out: for any sixteen bytes, where they come from. Invariants: a
//! window with fewer than [`DISTINCT_MIN`] different bytes is no needle; a needle is only found where all its bytes agree; needles are neither printed nor stored.

use std::fmt;

/// Bytes of a needle.
pub const WINDOW: usize = 16;
/// Least number of different bytes in a needle: what is plain or regular is found everywhere and proves nothing.
pub const DISTINCT_MIN: u32 = 8;

/// In which form a picture, or a part of it, lies in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// As it came, packed.
    Coded,
    /// A plane as it was decoded, in full size: brightness or a colour difference.
    Plane,
    /// Blue, green, red point by point, in full size.
    Bgr,
    /// Red, green, blue point by point, in full size.
    Rgb,
    /// A plane in the size the network looks at: brightness, colour differences, or a colour.
    SmallPlane,
    /// Blue, green, red point by point, in that size.
    SmallBgr,
    /// Red, green, blue point by point, in that size.
    SmallRgb,
    /// The network's input in 32-bit floats.
    Tensor,
    /// The first tensors that the network makes of its input, in its own layout: the input in eight bits, the first
    /// activations.
    FirstLayer,
    /// The tensors behind them. In eight bits they repeat themselves, within a picture and from one to the next and to a
    /// grey one, so that only pieces of [`super::LAYER_BYTES`] count.
    Layer,
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Coded => "packed",
            Self::Plane => "decoded plane",
            Self::Bgr => "BGR",
            Self::Rgb => "RGB",
            Self::SmallPlane => "resized plane",
            Self::SmallBgr => "resized BGR",
            Self::SmallRgb => "resized RGB",
            Self::Tensor => "input tensor",
            Self::FirstLayer => "first layer",
            Self::Layer => "layer",
        })
    }
}

/// Pictures that are being gathered.
#[derive(Default)]
pub struct Gathering {
    bytes: Vec<u8>,
    parts: Vec<Part>,
}

struct Part {
    start: usize,
    end: usize,
    form: Form,
    picture: u64,
    stride: usize,
}

/// Everything that is looked for.
pub struct Needles {
    bytes: Vec<u8>,
    parts: Vec<Part>,
    /// Place of a needle in `bytes`, plus one; 0 where there is none, marked by [`DROPPED`] where it is none any more. Open
    /// addressing.
    table: Vec<u32>,
    filter: Sieve,
    count: usize,
}

impl Gathering {
    /// Adds a picture in one form; a window begins at every `stride`th byte, so that each unbroken piece of
    /// `stride + 15` bytes holds one.
    ///
    /// # Panics
    /// Beyond two gigabytes, which no test has at once.
    pub fn add(&mut self, form: Form, picture: u64, bytes: &[u8], stride: usize) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        assert!(self.bytes.len() < DROPPED as usize, "more pictures than can be looked for at once");
        self.parts.push(Part { start, end: self.bytes.len(), form, picture, stride });
    }

    /// Adds a picture of many of which little is looked for: pieces of [`SAMPLE`] bytes, one in every `apart`.
    pub fn add_samples(&mut self, form: Form, picture: u64, bytes: &[u8], apart: usize) {
        let samples = bytes.chunks(apart).filter_map(|chunk| chunk.get(..SAMPLE));
        samples.for_each(|sample| self.add(form, picture, sample, WINDOW));
    }

    /// Makes needles of all windows that tell something.
    #[must_use]
    pub fn into_needles(self) -> Needles {
        let windows = self.parts.iter().map(|part| (part.end - part.start) / part.stride + 1).sum::<usize>();
        let slots = (windows * 2).next_power_of_two().max(64);
        let mut needles = Needles {
            bytes: self.bytes,
            parts: self.parts,
            table: vec![0; slots],
            filter: Sieve::for_needles(slots),
            count: 0,
        };
        for index in 0..needles.parts.len() {
            let Part { start, end, stride, .. } = needles.parts[index];
            for at in (start..end.saturating_sub(WINDOW - 1)).step_by(stride) {
                let window = window_at(&needles.bytes, at);
                if is_distinct(window) {
                    needles.insert(window, at);
                }
            }
        }
        needles
    }
}

impl Needles {
    /// Drops from both what both have.
    pub fn part(one: &mut Self, other: &mut Self) {
        let shared = [one.shared_with(other), other.shared_with(one)];
        for (needles, slots) in [one, other].into_iter().zip(shared) {
            slots.into_iter().for_each(|slot| needles.drop_at(slot));
        }
    }

    fn shared_with(&self, other: &Self) -> Vec<usize> {
        let is_shared = |entry: u32| other.find(window_at(&self.bytes, place(entry))).is_some();
        let is_needle = |slot: &usize| self.table[*slot] != 0 && self.table[*slot] & DROPPED == 0;
        (0..self.table.len()).filter(is_needle).filter(|slot| is_shared(self.table[*slot])).collect()
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    fn insert(&mut self, window: u128, at: usize) {
        let hash = hash(window);
        if let Err(free) = self.slot_of(window, hash) {
            self.table[free] = at as u32 + 1;
            self.filter.insert(hash);
            self.count += 1;
        }
    }

    /// It stays known, so that it is not taken in again.
    fn drop_at(&mut self, slot: usize) {
        self.table[slot] |= DROPPED;
        self.count -= 1;
    }

    /// Where a window stands in the table, or where it would.
    fn slot_of(&self, window: u128, hash: u64) -> Result<usize, usize> {
        let mut slot = self.slot(hash);
        while self.table[slot] != 0 {
            if window_at(&self.bytes, place(self.table[slot])) == window {
                return Ok(slot);
            }
            slot = (slot + 1) & (self.table.len() - 1);
        }
        Err(slot)
    }

    /// Where a window comes from, if it is a needle.
    pub(super) fn find(&self, window: u128) -> Option<usize> {
        let hash = hash(window);
        self.filter.may_have(hash).then(|| self.probe(window, hash)).flatten()
    }

    #[cold]
    fn probe(&self, window: u128, hash: u64) -> Option<usize> {
        let entry = self.table[self.slot_of(window, hash).ok()?];
        (entry & DROPPED == 0).then(|| place(entry))
    }

    /// Bytes of the picture before `at` and from there on, with its form and number.
    pub(super) fn around(&self, at: usize) -> (&[u8], &[u8], Form, u64) {
        let part = &self.parts[self.parts.partition_point(|part| part.end <= at)];
        (&self.bytes[part.start..at], &self.bytes[at..part.end], part.form, part.picture)
    }

    fn slot(&self, hash: u64) -> usize {
        hash as usize & (self.table.len() - 1)
    }
}

/// Tells quickly of most windows that they are no needle of any of several lists (Bloom's filter, in blocks of a word).
pub(super) struct Sieve(Vec<u64>);

impl Sieve {
    fn for_needles(slots: usize) -> Self {
        Self(vec![0; (slots / 4).max(64)])
    }

    /// The sieve of several lists at once.
    pub(super) fn of(lists: &[&Needles]) -> Self {
        let longest = lists.iter().map(|needles| needles.filter.0.len()).max().unwrap_or(64);
        let mut joint = vec![0; longest];
        for needles in lists {
            // Lengths are powers of two: the place in a shorter one is the end of the place in a longer one.
            for (word, added) in joint.iter_mut().zip(needles.filter.0.iter().cycle()) {
                *word |= added;
            }
        }
        Self(joint)
    }

    fn insert(&mut self, hash: u64) {
        let (word, bits) = self.bits(hash);
        self.0[word] |= bits;
    }

    /// Whether a window may be a needle.
    #[inline(always)]
    pub(super) fn lets_pass(&self, window: u128) -> bool {
        self.may_have(hash(window))
    }

    #[inline(always)]
    fn may_have(&self, hash: u64) -> bool {
        let (word, bits) = self.bits(hash);
        self.0[word] & bits == bits
    }

    /// Two bits of one word: one look into memory decides most cases.
    #[inline(always)]
    fn bits(&self, hash: u64) -> (usize, u64) {
        let word = (hash >> 20) as usize & (self.0.len() - 1);
        (word, 1 << (hash >> 58) | 1 << (hash >> 52 & 63))
    }
}

/// Where the bytes of an entry of the table lie.
fn place(entry: u32) -> usize {
    (entry & !DROPPED) as usize - 1
}

fn window_at(bytes: &[u8], at: usize) -> u128 {
    u128::from_le_bytes(*bytes[at..].first_chunk().expect("a window lies within its part"))
}

fn is_distinct(window: u128) -> bool {
    let mut seen = [0u64; 4];
    for byte in window.to_le_bytes() {
        seen[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }
    seen.iter().map(|word| word.count_ones()).sum::<u32>() >= DISTINCT_MIN
}

#[inline(always)]
fn hash(window: u128) -> u64 {
    let (low, high) = (window as u64, (window >> 64) as u64);
    let mixed = low.wrapping_mul(ODD[0]) ^ high.rotate_left(29).wrapping_mul(ODD[1]);
    (mixed ^ mixed >> 32).wrapping_mul(ODD[2])
}

/// Any odd numbers with bits all over (the first is 2^64 divided by the golden ratio).
const ODD: [u64; 3] = [0x9E37_79B9_7F4A_7C15, 0xC2B2_AE3D_27D4_EB4F, 0xD6E8_FEB8_6659_FD93];
/// Marks in the table what is no needle any more.
const DROPPED: u32 = 1 << 31;
/// Bytes of a piece of which little is looked for.
const SAMPLE: usize = 4 * WINDOW;

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(key: u64, length: usize) -> Vec<u8> {
        (0..length as u64).map(|at| (hash(u128::from(at) << 64 | u128::from(key)) >> 40) as u8).collect()
    }

    fn needles(key: u64, stride: usize) -> Needles {
        let mut gathering = Gathering::default();
        gathering.add(Form::Plane, 7, &noise(key, 4096), stride);
        gathering.into_needles()
    }

    #[test]
    fn every_window_of_a_picture_is_found_and_none_of_another() {
        let (needles, picture, other) = (needles(1, 1), noise(1, 4096), noise(2, 4096));
        assert!(picture.windows(WINDOW).enumerate().all(|(at, _)| needles.find(window_at(&picture, at)) == Some(at)));
        assert!(other.windows(WINDOW).enumerate().all(|(at, _)| needles.find(window_at(&other, at)).is_none()));
    }

    #[test]
    fn what_is_plain_or_belongs_to_others_too_is_no_needle() {
        let mut gathering = Gathering::default();
        gathering.add(Form::Plane, 0, &[7; 100], 1);
        gathering.add(Form::Plane, 0, &[1, 2, 3, 4, 5, 6, 7].repeat(20), 1);
        gathering.add(Form::Plane, 0, &noise(1, 200), 1);
        let mut others_too = gathering.into_needles();
        assert_eq!(others_too.count(), 185, "of three pictures one");
        Needles::part(&mut others_too, &mut needles(1, 1));
        assert_eq!(others_too.count(), 0);
        assert!(others_too.find(window_at(&noise(1, 200), 3)).is_none());
    }

    #[test]
    fn a_needle_knows_its_form_and_its_picture() {
        let mut gathering = Gathering::default();
        gathering.add(Form::Plane, 3, &noise(1, 100), 1);
        gathering.add(Form::Tensor, 4, &noise(2, 100), WINDOW);
        let needles = gathering.into_needles();
        let at = needles.find(window_at(&noise(2, 100), 16)).expect("every sixteenth is one");
        let (before, rest, form, picture) = needles.around(at);
        assert_eq!((before.len(), rest.len(), form, picture), (16, 84, Form::Tensor, 4));
        assert!(needles.find(window_at(&noise(2, 100), 17)).is_none());
    }
}
