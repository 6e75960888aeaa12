//! The search: every byte of a process held against the needles.
//!
//! In: [`Needles`] and a process. Out: [`Residue`]. Invariants: a window is looked for at every byte offset of every page
//! that is there, across the borders of pages and pieces alike; a piece is counted once, as long as it is.

use std::collections::BTreeMap;
use std::io;

use super::memory::{Mapping, Memory, PAGE, Page, Place};
use super::needles::{Form, Needles, Sieve, WINDOW};
use super::{Finding, LAYER_BYTES, Residue, SURE_BYTES};

/// Searches the memory of each process for the needles of each list; every byte is read once. Gives for every process one
/// [`Residue`] a list.
///
/// # Errors
/// Where there is no such process, or it may not be looked at.
pub fn search(pid: u32, lists: &[&Needles]) -> io::Result<Vec<Residue>> {
    let memory = Memory::of(pid)?;
    let mut haystack = Haystack::for_needles(lists);
    let (mut scanned_bytes, mut unread_bytes) = (0, 0);
    for mapping in &memory.mappings {
        for (start, length) in runs(&memory, mapping, &mut unread_bytes) {
            let mut bytes = vec![0u8; length];
            if memory.read(start, &mut bytes) {
                scanned_bytes += length as u64;
                haystack.look_through(&bytes, &mapping.place);
            } else {
                unread_bytes += length as u64;
            }
        }
    }
    let residue = |tally: Tally<'_>| Residue { found: tally.into_findings(), scanned_bytes, unread_bytes };
    Ok(haystack.tallies.into_iter().map(residue).collect())
}

/// Unbroken runs of pages that are there, start and bytes; those longer than [`PIECE`] in pieces that overlap by a window.
fn runs(memory: &Memory, mapping: &Mapping, unread_bytes: &mut u64) -> Vec<(u64, usize)> {
    let count = usize::try_from((mapping.end - mapping.start) / PAGE as u64).unwrap_or(0);
    let mut runs: Vec<(u64, usize)> = Vec::new();
    for first in (0..count).step_by(PAGES_AT_ONCE) {
        let at = mapping.start + (first * PAGE) as u64;
        for (index, page) in memory.pages(mapping, at, PAGES_AT_ONCE.min(count - first)).into_iter().enumerate() {
            let start = at + (index * PAGE) as u64;
            match (page, runs.last_mut()) {
                (Page::Absent, _) => {}
                (Page::Swapped, _) => *unread_bytes += PAGE as u64,
                (Page::Present, Some((begun, length))) if *begun + *length as u64 == start && *length < PIECE => {
                    *length += PAGE;
                }
                (Page::Present, Some((begun, length))) if *begun + *length as u64 == start => {
                    // So much of the piece before that a window on the border is whole.
                    runs.push((start - (WINDOW as u64 - 1), PAGE + WINDOW - 1));
                }
                (Page::Present, _) => runs.push((start, PAGE)),
            }
        }
    }
    runs
}

/// What is looked through, for several lists of needles at once.
struct Haystack<'a> {
    sieve: Sieve,
    tallies: Vec<Tally<'a>>,
}

impl<'a> Haystack<'a> {
    fn for_needles(lists: &[&'a Needles]) -> Self {
        let tally = |needles: &&'a Needles| Tally { needles, found: BTreeMap::new(), counted: 0 };
        Self { sieve: Sieve::of(lists), tallies: lists.iter().map(tally).collect() }
    }

    fn look_through(&mut self, bytes: &[u8], place: &Place) {
        self.tallies.iter_mut().for_each(|tally| tally.counted = 0);
        let mut is_behind_zeros = true;
        for begin in (0..bytes.len()).step_by(PAGE) {
            let end = bytes.len().min(begin + PAGE);
            let is_zero = bytes[begin..end] == ZEROS[..end - begin];
            // Zeros behind zeros are no window of anything.
            if !(is_zero && is_behind_zeros) {
                // Windows that end in this page.
                let from = begin.saturating_sub(WINDOW - 1);
                for (index, window) in bytes[from..end].windows(WINDOW).enumerate() {
                    if window.first_chunk().is_some_and(|window| self.sieve.lets_pass(u128::from_le_bytes(*window))) {
                        self.weigh(bytes, from + index, place);
                    }
                }
            }
            is_behind_zeros = is_zero;
        }
    }

    /// Asks all lists for the window at `start`.
    #[cold]
    fn weigh(&mut self, bytes: &[u8], start: usize, place: &Place) {
        let Some(window) = bytes[start..].first_chunk() else { return };
        for tally in &mut self.tallies {
            if let Some(needle) = tally.needles.find(u128::from_le_bytes(*window))
                && start + WINDOW > tally.counted
            {
                tally.counted = tally.note(bytes, start, needle, place);
            }
        }
    }
}

/// What was found of one list of needles.
struct Tally<'a> {
    needles: &'a Needles,
    found: BTreeMap<(Place, Form), Finding>,
    /// Where the last piece that was counted ends.
    counted: usize,
}

impl Tally<'_> {
    /// Counts the piece around a needle that was found at `start`; gives where it ends.
    fn note(&mut self, bytes: &[u8], start: usize, needle: usize, place: &Place) -> usize {
        let (before, rest, form, picture) = self.needles.around(needle);
        let after = bytes[start..].iter().zip(rest).take_while(|(one, other)| one == other).count();
        let uncounted = bytes[self.counted.min(start)..start].iter().rev();
        let length = after + uncounted.zip(before.iter().rev()).take_while(|(one, other)| one == other).count();
        let (end, windows) = (start + after, (length + 1 - WINDOW) as u64);
        if form == Form::Layer && (length as u64) < LAYER_BYTES {
            return end;
        }
        let nothing = || Finding { place: place.clone(), form, windows: 0, longest_bytes: 0, pictures: None };
        let finding = self.found.entry((place.clone(), form)).or_insert_with(nothing);
        finding.windows += windows;
        finding.longest_bytes = finding.longest_bytes.max(length as u64);
        if length as u64 >= SURE_BYTES {
            let [first, last] = finding.pictures.unwrap_or([picture; 2]);
            finding.pictures = Some([first.min(picture), last.max(picture)]);
        }
        end
    }

    fn into_findings(self) -> Vec<Finding> {
        self.found.into_values().collect()
    }
}

static ZEROS: [u8; PAGE] = [0; PAGE];
/// Pages asked for at once.
const PAGES_AT_ONCE: usize = 4096;
/// Bytes read at once.
const PIECE: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forensics::needles::Gathering;

    /// Bytes that no other key gives (Marsaglia's xorshift).
    fn noise(key: u64, length: usize) -> Vec<u8> {
        let mut state = key;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        };
        (0..length).map(|_| next()).collect()
    }

    fn list(key: u64, stride: usize) -> Needles {
        let mut gathering = Gathering::default();
        gathering.add(Form::Plane, 0, &noise(key, 10_000), stride);
        gathering.into_needles()
    }

    fn found(bytes: &[u8], stride: usize) -> Vec<(u64, u64)> {
        let needles = list(1, stride);
        let others = list(2, 1);
        let mut haystack = Haystack::for_needles(&[&needles, &others]);
        haystack.look_through(bytes, &Place::Heap);
        let tally = haystack.tallies.swap_remove(0);
        tally.into_findings().iter().map(|finding| (finding.windows, finding.longest_bytes)).collect()
    }

    #[test]
    fn a_piece_is_found_at_any_offset_and_counted_once() {
        for offset in [0, 1, 17, 4095, 4096] {
            let bytes = [&vec![0; offset][..], &noise(1, 10_000)[33..133], &[9; 5000]].concat();
            assert_eq!(found(&bytes, 1), [(85, 100)], "offset {offset}");
            assert_eq!(found(&bytes, 16), [(85, 100)], "with fewer needles, offset {offset}");
        }
    }

    #[test]
    fn a_piece_behind_a_page_of_zeros_is_found() {
        let mut bytes = vec![0; 4 * PAGE];
        bytes[3 * PAGE..3 * PAGE + 16].copy_from_slice(&noise(1, 10_000)[..16]);
        assert_eq!(found(&bytes, 1), [(1, 16)]);
        let mut bytes = vec![0; 4 * PAGE];
        bytes[2 * PAGE - 10..2 * PAGE + 6].copy_from_slice(&noise(1, 10_000)[..16]);
        assert_eq!(found(&bytes, 1), [(1, 16)]);
    }

    #[test]
    fn a_process_is_found_to_hold_what_it_was_given_and_nothing_else() {
        let text = |key| -> String { noise(key, 500).iter().map(|byte| char::from(b'0' + (byte & 63))).collect() };
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .env("PICTURE", text(3))
            .spawn()
            .expect("every machine can sleep");
        let list = |key| {
            let mut gathering = Gathering::default();
            gathering.add(Form::Bgr, key, text(key).as_bytes(), 16);
            gathering.into_needles()
        };
        let (given, other) = (list(3), list(4));
        let found = std::iter::repeat_with(|| search(child.id(), &[&given, &other]).expect("a child of this test"));
        // It takes a moment until it is another program.
        let found = found.take(1000).find(|found| found[0].windows() == 485 || found[1].windows() > 0);
        child.kill().expect("it sleeps");
        child.wait().expect("it was killed");
        let [given, other] = <[Residue; 2]>::try_from(found.expect("it holds its environment")).expect("two lists");
        assert_eq!((given.windows(), other.windows()), (485, 0), "{given}");
        assert!(matches!(&given.found[0].place, Place::Stack(_)), "{given}");
        assert_eq!(given.oldest(|form| form == Form::Bgr), Some(3));
    }
}
