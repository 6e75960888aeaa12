//! What was seen of verified windows: a window has one content for ever, and a number has one window.
//!
//! In: verified payloads. Out: whether one is new, the same again, or the same with another content; gaps in the numbers.
//! Invariant: eighty bytes for each window, whatever its length: a year of a large shop fits.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::Line;

/// Windows by what they are, and by their numbers.
#[derive(Default)]
pub struct Ledger {
    contents: BTreeMap<Short, Short>,
    numbers: BTreeMap<(Short, u64), Short>,
}

/// What a payload is to those before it.
pub enum Entered {
    /// Not seen before.
    New,
    /// The very same bytes again.
    Again,
    /// The same window with other bytes, or another window under the same number; in words.
    Otherwise(String),
}

impl Ledger {
    /// Takes a verified payload in.
    pub fn enter(&mut self, line: &Line<'_>) -> Entered {
        let Some(seq) = line.value["seq"].as_u64() else { return Entered::New };
        let (identity, content) = (identity(line), short(&[line.body.as_bytes()]));
        match self.contents.insert(identity, content) {
            Some(before) if before == content => return Entered::Again,
            Some(_) => {
                return Entered::Otherwise(
                    "the same window was there with another content; both are signed".to_owned(),
                );
            }
            None => {}
        }
        let node = short(&[line.base.as_bytes()]);
        match self.numbers.insert((node, seq), identity) {
            Some(before) if before != identity => Entered::Otherwise(format!(
                "another window has the same seq {seq}; the store was rolled back in between"
            )),
            _ => Entered::New,
        }
    }

    /// The first gaps in the numbers of every node, and how many there are.
    #[must_use]
    pub fn gaps(&self) -> (Vec<[u64; 2]>, u64) {
        let (mut gaps, mut count) = (Vec::new(), 0);
        let mut numbers = self.numbers.keys().peekable();
        while let Some((node, seq)) = numbers.next() {
            if let Some((_, next)) = numbers.peek().filter(|(other, next)| other == node && *next > seq + 1) {
                count += 1;
                if gaps.len() < GAPS_MAX {
                    gaps.push([seq + 1, next - 1]);
                }
            }
        }
        (gaps, count)
    }
}

type Short = [u8; 16];

/// Which window of which object of which node a payload says it is.
pub fn identity(line: &Line<'_>) -> Short {
    let parts = ["k", "id", "ws", "dur"].map(|name| line.value[name].to_string());
    let [kind, id, start, dur] = &parts;
    short(&[line.base.as_bytes(), kind.as_bytes(), id.as_bytes(), start.as_bytes(), dur.as_bytes()])
}

fn short(parts: &[&[u8]]) -> Short {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let whole = hash.finalize();
    std::array::from_fn(|at| whole[at])
}

/// Gaps that are told one by one.
const GAPS_MAX: usize = 20;
