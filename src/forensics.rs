//! Forensics: whether anything of a picture is left in the memory of a process, and where.
//!
//! In: pictures in every form they take on their way ([`forms`]), and a process. Out: [`Residue`]: how much of which form
//! lies in which part of its memory. Invariants: it belongs to the mouth's side and is never linked into the eye; what is
//! found is counted, never shown: no byte of a picture is printed, stored or sent.
//!
//! A needle is a window of [`needles::WINDOW`] bytes with at least [`needles::DISTINCT_MIN`] different ones, so that what is
//! found is no accident. What the bytes of a process are held against is said by [`needles::Needles`]; which bytes there
//! are, by [`memory::Memory`]. Registers, the kernel's own buffers and memory of devices are not looked at.

pub mod forms;
pub mod layers;
pub mod memory;
pub mod needles;
pub mod search;
pub mod sought;

use std::fmt;

use memory::Place;
use needles::Form;

/// What was found in one process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Residue {
    /// What stays, by place and form.
    pub found: Vec<Finding>,
    /// Memory that was looked through, bytes.
    pub scanned_bytes: u64,
    /// Memory that is there and could not be read, or is swapped out, bytes.
    pub unread_bytes: u64,
}

/// What stays of one form in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where.
    pub place: Place,
    /// Of what.
    pub form: Form,
    /// Windows that were found.
    pub windows: u64,
    /// Longest unbroken piece, bytes.
    pub longest_bytes: u64,
    /// Pictures it is of, first and last number, by pieces of [`SURE_BYTES`] and more alone.
    pub pictures: Option<[u64; 2]>,
}

/// From so many bytes on a piece is of one picture alone: sixteen bytes are but four points of a tensor, and two pictures of
/// one wall may have four points in common.
pub const SURE_BYTES: u64 = 48;

/// From so many bytes on a piece of a deeper layer is of a picture: shorter ones were found by chance, up to 50 bytes
/// (measured, nanodet-g-8bit). A layer that stays does so in kilobytes.
pub const LAYER_BYTES: u64 = 256;

impl Residue {
    /// Windows found in all.
    #[must_use]
    pub fn windows(&self) -> u64 {
        self.found.iter().map(|finding| finding.windows).sum()
    }

    /// The oldest picture of which something was found in a form.
    #[must_use]
    pub fn oldest(&self, is_meant: impl Fn(Form) -> bool) -> Option<u64> {
        self.found
            .iter()
            .filter(|finding| is_meant(finding.form))
            .filter_map(|finding| finding.pictures)
            .map(|[first, _]| first)
            .min()
    }
}

impl fmt::Display for Residue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let megabytes = self.scanned_bytes as f64 / 1e6;
        write!(f, "{} windows in {megabytes:.0} MB", self.windows())?;
        if self.unread_bytes > 0 {
            write!(f, " ({} bytes could not be read)", self.unread_bytes)?;
        }
        for Finding { place, form, windows, longest_bytes, pictures } in &self.found {
            write!(f, "\n  {place}: {form}, {windows} windows, longest {longest_bytes} bytes")?;
            if let Some([first, last]) = pictures {
                write!(f, ", pictures {first} to {last}")?;
            }
        }
        Ok(())
    }
}
