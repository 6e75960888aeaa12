//! A carver: finds pictures and film in bytes, whatever the file they lie in is called.
//!
//! In: bytes of a disk, a log or a wire; and the pixels of a picture that must not be among them. Out: what was found and
//! where. Invariants: a header alone is no find, what follows must be plausible; a run of 16 pixels is one that holds at
//! least 8 different values (5 where a pixel is three bytes).

use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trace {
    /// A JPEG picture.
    Jpeg,
    /// A PNG picture.
    Png,
    /// A film: MP4, AVI, Matroska.
    Film,
    /// A bare H.264 stream, or the description of one.
    H264,
    /// Sixteen pixels in a row.
    Pixels,
    /// Words that must not be said.
    Words,
}

/// Knows what to look for.
#[derive(Default)]
pub struct Carver {
    runs: HashSet<u128>,
    words: Vec<String>,
}

impl Carver {
    /// Looks for pictures and film of any kind, and for runs of these grey pixels, alone or three alike (BGR, RGB).
    pub fn knowing(pixels: &[u8]) -> Self {
        let spread: Vec<u8> = pixels.iter().flat_map(|grey| [*grey; 3]).collect();
        let runs = |bytes: &[u8], different_min: usize| -> Vec<u128> {
            bytes.as_chunks().0.iter().filter_map(|run| run_of(run, different_min)).collect()
        };
        // Five whole pixels and a third, where each is three bytes.
        Self { runs: [runs(pixels, DIFFERENT_MIN), runs(&spread, 5)].concat().into_iter().collect(), words: Vec::new() }
    }

    /// Looks for these words too.
    pub fn and_words(mut self, words: &str) -> Self {
        self.words.push(words.to_owned());
        self
    }

    /// Everything found in these bytes, with its place.
    pub fn carve(&self, bytes: &[u8]) -> Vec<(Trace, usize)> {
        let found = (0..bytes.len()).filter_map(|at| Some((self.at(&bytes[at..])?, at)));
        found.collect()
    }

    fn at(&self, rest: &[u8]) -> Option<Trace> {
        let header = match rest[0] {
            0xFF if is_jpeg(rest) => Some(Trace::Jpeg),
            0x89 if rest.starts_with(b"\x89PNG\r\n\x1a\n") && rest.get(12..16) == Some(b"IHDR") => Some(Trace::Png),
            b'R' if rest.starts_with(b"RIFF") && rest.get(8..12) == Some(b"AVI ") => Some(Trace::Film),
            0x1A if rest.starts_with(b"\x1a\x45\xdf\xa3") && within(rest, b"matroska") => Some(Trace::Film),
            0x1A if rest.starts_with(b"\x1a\x45\xdf\xa3") && within(rest, b"webm") => Some(Trace::Film),
            0 if is_mp4(rest) => Some(Trace::Film),
            0 if is_annex_b(rest) => Some(Trace::H264),
            1 if is_avcc(rest) => Some(Trace::H264),
            _ => None,
        };
        let is_run = || rest.first_chunk().is_some_and(|run| self.runs.contains(&u128::from_ne_bytes(*run)));
        let is_said = || self.words.iter().any(|words| rest.starts_with(words.as_bytes()));
        header.or_else(|| is_run().then_some(Trace::Pixels)).or_else(|| is_said().then_some(Trace::Words))
    }

    /// Everything found in all files below a folder.
    pub fn carve_folder(&self, folder: &Path) -> Vec<(PathBuf, Trace, usize)> {
        let find = |path: PathBuf| {
            let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let found = self.carve(&bytes);
            found.into_iter().map(move |(trace, at)| (path.clone(), trace, at)).collect::<Vec<_>>()
        };
        files_in(folder).into_iter().flat_map(find).collect()
    }
}

/// All files below a folder, links not followed.
pub fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())).flatten();
    let below = |entry: std::fs::DirEntry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => files_in(&entry.path()),
        Ok(kind) if kind.is_file() => vec![entry.path()],
        _ => Vec::new(),
    };
    let mut files: Vec<PathBuf> = entries.flat_map(below).collect();
    files.sort();
    files
}

fn run_of(bytes: &[u8; RUN], different_min: usize) -> Option<u128> {
    let different: HashSet<&u8> = bytes.iter().collect();
    (different.len() >= different_min).then(|| u128::from_ne_bytes(*bytes))
}

fn within(rest: &[u8], words: &[u8]) -> bool {
    rest[..rest.len().min(64)].windows(words.len()).any(|window| window == words)
}

/// Start of image, then a segment whose length leads to the next marker (ITU-T T.81, B.1.1).
fn is_jpeg(rest: &[u8]) -> bool {
    let Some([0xFF, 0xD8, 0xFF, kind, high, low]) = rest.get(..6) else { return false };
    let next = 4 + usize::from(u16::from_be_bytes([*high, *low]));
    matches!(kind, 0xC0..=0xFE) && rest.get(next) == Some(&0xFF) && rest.get(next + 1).is_some_and(|kind| *kind >= 0xC0)
}

/// A box of type `ftyp` of plausible length with a brand of letters (ISO/IEC 14496-12, 4.3).
fn is_mp4(rest: &[u8]) -> bool {
    let Some(head) = rest.get(..12) else { return false };
    let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]);
    (16..256).contains(&length) && &head[4..8] == b"ftyp" && head[8..].iter().all(|letter| letter.is_ascii_graphic())
}

/// A sequence parameter set behind a start code, and a picture's set soon after (ITU-T H.264, B.1, 7.4.1).
fn is_annex_b(rest: &[u8]) -> bool {
    let is_set = |at: usize, kind: u8| {
        rest.get(at..at + 4).is_some_and(|four| four[..3] == [0, 0, 1] && four[3] & 0x9F == kind && four[3] & 0x60 != 0)
    };
    is_set(0, 7) && is_profile(rest.get(4)) && (5..64).any(|at| is_set(at, 8))
}

/// A decoder's configuration record (ISO/IEC 14496-15, 5.3.3.1).
fn is_avcc(rest: &[u8]) -> bool {
    let Some(head) = rest.get(..9) else { return false };
    head[0] == 1 && is_profile(head.get(1)) && head[4] == 0xFF && head[5] & 0xE0 == 0xE0 && head[8] & 0x1F == 7
}

fn is_profile(byte: Option<&u8>) -> bool {
    matches!(byte, Some(44 | 66 | 77 | 88 | 100 | 110 | 122 | 244))
}

/// Pixels nobody else draws: one stream of bytes for each key.
pub fn keyed(key: u64, count: usize) -> Vec<u8> {
    let mut state = key | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        // Black to white as cameras send it.
        16 + (state >> 32) as u8 % 220
    };
    (0..count).map(|_| next()).collect()
}

/// Length of a run, bytes.
const RUN: usize = 16;
const DIFFERENT_MIN: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use kehai::cli::report::h264_pcm;

    /// Traces of a thing that lies somewhere in other bytes.
    fn in_the_middle(carver: &Carver, thing: &[u8]) -> Vec<Trace> {
        let around = [b"{\"k\":\"line\"}\n".repeat(40), thing.to_vec(), vec![0; 300]].concat();
        let mut traces: Vec<Trace> = carver.carve(&around).into_iter().map(|(trace, _)| trace).collect();
        traces.dedup();
        traces
    }

    #[test]
    fn what_is_planted_is_found() {
        let pixels = keyed(7, 64 * 48);
        let picture = opencv::core::Mat::new_rows_cols_with_data(48, 64, &pixels).expect("a picture");
        for (suffix, trace) in [(".png", Trace::Png), (".jpg", Trace::Jpeg)] {
            let mut encoded = opencv::core::Vector::<u8>::new();
            opencv::imgcodecs::imencode(suffix, &picture, &mut encoded, &opencv::core::Vector::new()).expect("encodes");
            assert!(in_the_middle(&Carver::default(), encoded.as_slice()).contains(&trace), "{suffix}");
        }
        let carver = Carver::knowing(&pixels);
        assert_eq!(in_the_middle(&carver, &pixels[512..1024]), [Trace::Pixels]);
        let colours: Vec<u8> = pixels.iter().flat_map(|grey| [*grey; 3]).collect();
        assert_eq!(in_the_middle(&carver, &colours[480..960]), [Trace::Pixels]);
        assert_eq!(in_the_middle(&Carver::knowing(&keyed(9, 64 * 48)), &pixels), [], "another key");
        assert_eq!(in_the_middle(&Carver::default().and_words("who was it"), b"who was it?"), [Trace::Words]);
    }

    #[test]
    fn film_is_found_however_it_is_packed() {
        let nal = |unit: Vec<u8>| [vec![0, 0, 0, 1], unit].concat();
        let stream = [nal(h264_pcm::sps(64, 48)), nal(h264_pcm::pps())].concat();
        assert_eq!(in_the_middle(&Carver::default(), &stream), [Trace::H264]);
        let sps = h264_pcm::sps(64, 48);
        let length = (sps.len() as u16).to_be_bytes();
        let record = [vec![1, sps[1], sps[2], sps[3], 0xFF, 0xE1], length.to_vec(), sps].concat();
        assert_eq!(in_the_middle(&Carver::default(), &record), [Trace::H264]);
        assert_eq!(in_the_middle(&Carver::default(), b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41"), [Trace::Film]);
        let sample = crate::support::folder::read(&crate::support::recording::sample());
        assert_eq!(in_the_middle(&Carver::default(), &sample[..4096])[0], Trace::Film);
    }

    #[test]
    fn words_numbers_and_noise_are_no_pictures() {
        let carver = Carver::knowing(&keyed(7, 64 * 48));
        assert_eq!(carver.carve(&keyed(11, 1 << 20)), []);
        assert_eq!(carver.carve(&vec![0; 1 << 16]), []);
        assert_eq!(carver.carve(crate::support::folder::in_repository("README.md").as_bytes()), []);
        assert_eq!(carver.carve(b"\xff\xd8\xff\xe0 is how it begins, ftyp and \x89PNG too"), []);
    }
}
