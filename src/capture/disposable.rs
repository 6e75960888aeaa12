//! Which coded pictures no other picture refers to, told by their first bytes: they may stay undecoded.
//!
//! In: a packet of H.264 or H.265, with start codes or with lengths. Out: whether every slice in it is disposable.
//! Source: ITU-T H.264 §7.4.1 (`nal_ref_idc`), ITU-T H.265 table 7-1 (sub-layer non-reference pictures of even types
//! below 16). A packet that cannot be read counts as needed.

/// Which standard.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// ITU-T H.264.
    H264,
    /// ITU-T H.265.
    H265,
}

/// Whether nothing depends on the pictures of this packet; `extra` is the stream's configuration record.
#[must_use]
pub fn is_disposable(family: Family, extra: &[u8], packet: &[u8]) -> bool {
    let mut slices = 0;
    let mut judge = |unit: &[u8]| {
        let Some(first) = unit.first() else { return true };
        let (is_slice, needed) = match family {
            Family::H264 => (matches!(first & 0x1F, 1..=5), first & 0x60 != 0),
            Family::H265 => {
                let kind = first >> 1 & 0x3F;
                (kind < 32, kind >= 16 || !kind.is_multiple_of(2))
            }
        };
        slices += usize::from(is_slice);
        !is_slice || !needed
    };
    let all = match length_bytes(family, extra) {
        Some(bytes) => with_lengths(packet, bytes, &mut judge),
        None => with_start_codes(packet, &mut judge),
    };
    all && slices > 0
}

/// How many bytes a length has, where units carry lengths (`avcC`, `hvcC`: ISO/IEC 14496-15).
fn length_bytes(family: Family, extra: &[u8]) -> Option<usize> {
    let place = if family == Family::H264 { 4 } else { 21 };
    let is_record = extra.first() == Some(&1);
    is_record.then(|| extra.get(place).map(|byte| usize::from(byte & 3) + 1)).flatten()
}

fn with_lengths(mut packet: &[u8], bytes: usize, judge: &mut dyn FnMut(&[u8]) -> bool) -> bool {
    while packet.len() > bytes {
        let length = packet[..bytes].iter().fold(0usize, |length, byte| length << 8 | usize::from(*byte));
        let Some(unit) = packet.get(bytes..bytes + length) else { return false };
        if !judge(unit) {
            return false;
        }
        packet = &packet[bytes + length..];
    }
    packet.is_empty()
}

fn with_start_codes(packet: &[u8], judge: &mut dyn FnMut(&[u8]) -> bool) -> bool {
    // Only the first byte of each unit matters.
    packet.windows(4).filter(|window| window[..3] == [0, 0, 1]).all(|window| judge(&window[3..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_others_refer_to_is_needed_and_a_bare_b_slice_is_not() {
        let (reference, bare) = ([0, 0, 0, 1, 0x41, 9, 9], [0, 0, 0, 1, 0x01, 9, 9]);
        assert!(!is_disposable(Family::H264, &[], &reference));
        assert!(is_disposable(Family::H264, &[], &bare));
        let both = [&bare[..], &reference[..]].concat();
        assert!(!is_disposable(Family::H264, &[], &both));
    }

    #[test]
    fn units_with_lengths_read_like_those_with_start_codes() {
        let record = [1, 100, 0, 40, 0xFF];
        assert!(is_disposable(Family::H264, &record, &[0, 0, 0, 3, 0x01, 0, 0]));
        assert!(!is_disposable(Family::H264, &record, &[0, 0, 0, 3, 0x61, 0, 0]));
        assert!(!is_disposable(Family::H264, &record, &[0, 0, 0, 9, 0x01, 0, 0]), "a length beyond the packet");
    }

    #[test]
    fn trailing_pictures_of_even_types_are_disposable_in_h265() {
        let unit = |kind: u8| [0, 0, 1, kind << 1, 1, 0];
        assert!(is_disposable(Family::H265, &[], &unit(0)) && is_disposable(Family::H265, &[], &unit(8)));
        assert!(!is_disposable(Family::H265, &[], &unit(1)) && !is_disposable(Family::H265, &[], &unit(19)));
    }

    #[test]
    fn what_holds_no_slice_is_kept() {
        assert!(!is_disposable(Family::H264, &[], &[0, 0, 1, 0x67, 1, 2]));
        assert!(!is_disposable(Family::H264, &[], &[]));
    }
}
