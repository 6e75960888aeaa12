//! Encoding "vz1" of the cells of a grid: base64(zlib(unsigned LEB128 numbers)), 16–20 KB for 160 × 120 cells.
//!
//! In: `N` numbers for each cell that has some, by index. Out: text, and back. The numbers of each such cell come behind
//! the distance of its index from the one before; the first counts from 0.
//! Invariant: what cannot have been encoded is refused, in bounded memory.

use std::io::{Read, Write};

use base64::Engine;
use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};

/// Cells as text.
#[must_use]
pub fn encode<const N: usize>(cells: impl Iterator<Item = Option<[u64; N]>>) -> String {
    let mut plain = Vec::new();
    let mut last = 0;
    for (index, numbers) in cells.enumerate().filter_map(|(index, cell)| cell.map(|numbers| (index, numbers))) {
        leb128((index - last) as u64, &mut plain);
        numbers.into_iter().for_each(|number| leb128(number, &mut plain));
        last = index;
    }
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&plain).expect("writing to memory");
    base64::engine::general_purpose::STANDARD.encode(encoder.finish().expect("writing to memory"))
}

/// Cells from text; `None` when it is not such an encoding of at most `count` cells.
#[must_use]
pub fn decode<const N: usize>(text: &str, count: usize) -> Option<Vec<Option<[u64; N]>>> {
    let packed = base64::engine::general_purpose::STANDARD.decode(text).ok()?;
    let mut plain = Vec::new();
    let limit = (count as u64 + 1) * 8 * (1 + N as u64);
    ZlibDecoder::new(&packed[..]).take(limit).read_to_end(&mut plain).ok()?;
    let mut cells = vec![None; count];
    let (mut bytes, mut index) = (plain.into_iter(), 0usize);
    while bytes.len() > 0 {
        index = index.checked_add(usize::try_from(unleb128(&mut bytes)?).ok()?)?;
        let mut numbers = [0; N];
        for number in &mut numbers {
            *number = unleb128(&mut bytes)?;
        }
        *cells.get_mut(index)? = Some(numbers);
    }
    Some(cells)
}

fn leb128(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn unleb128(bytes: &mut impl Iterator<Item = u8>) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = bytes.next()?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_encoded_is_what_is_decoded(cells in prop::collection::vec(prop::option::of(any::<[u32; 3]>()), 0..300)) {
            let cells: Vec<Option<[u64; 3]>> = cells.into_iter().map(|cell| cell.map(|cell| cell.map(u64::from))).collect();
            prop_assert_eq!(decode(&encode(cells.iter().copied()), cells.len()), Some(cells));
        }

        #[test]
        fn nonsense_is_refused_and_never_panics(text in "[A-Za-z0-9+/=]{0,200}") {
            let _ = decode::<1>(&text, 100);
        }
    }
}
