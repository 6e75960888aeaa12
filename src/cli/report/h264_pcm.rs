//! Grey pictures as H.264: a bitstream writer that loses nothing and predicts nothing, or that nothing has changed.
//!
//! In: luma, `[height, width]` row by row, one byte per pixel; both sides multiples of 16.
//! Out: NAL units without start code, emulation prevention applied: 4:2:0, chroma 128 (no colour); and the
//! shape they take on the way: RTP payloads, the parameters of a session description.
//! Invariant: a decoder gives back the very bytes that went in, for every value 0–255: all macroblocks
//! are I_PCM and deblocking is off. No range is declared, so decoders read 16 as black, 235 as white.
//! Source: ITU-T H.264 (08/2021), 7.3 (syntax), 7.4.1 (emulation prevention), 9.1 (Exp-Golomb), A.2.1 (baseline);
//! RFC 6184 (RTP payload format).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Sequence parameter set: baseline, level 5.1, no reordering, so a decoder holds no picture back.
#[must_use]
pub fn sps(width: usize, height: usize) -> Vec<u8> {
    let (columns, rows) = macroblocks(width, height);
    let mut bits = BitWriter::default();
    bits.put(PROFILE_IDC_BASELINE, 8);
    bits.put(CONSTRAINT_SET_0_AND_1, 8);
    bits.put(LEVEL_IDC_5_1, 8);
    bits.put_ue(0); // seq_parameter_set_id
    bits.put_ue(0); // log2_max_frame_num_minus4
    bits.put_ue(2); // pic_order_cnt_type: output order is decoding order
    bits.put_ue(1); // max_num_ref_frames
    bits.put(0, 1); // gaps_in_frame_num_value_allowed_flag
    bits.put_ue(columns - 1);
    bits.put_ue(rows - 1);
    bits.put(1, 1); // frame_mbs_only_flag
    bits.put(1, 1); // direct_8x8_inference_flag
    bits.put(0, 1); // frame_cropping_flag
    bits.put(1, 1); // vui_parameters_present_flag
    put_vui(&mut bits);
    nal_unit(NAL_HEADER_SPS, bits)
}

/// Picture parameter set: CAVLC, one slice group, deblocking controlled by the slice.
#[must_use]
pub fn pps() -> Vec<u8> {
    let mut bits = BitWriter::default();
    bits.put_ue(0); // pic_parameter_set_id
    bits.put_ue(0); // seq_parameter_set_id
    bits.put(0, 1); // entropy_coding_mode_flag: CAVLC
    bits.put(0, 1); // bottom_field_pic_order_in_frame_present_flag
    bits.put_ue(0); // num_slice_groups_minus1
    bits.put_ue(0); // num_ref_idx_l0_default_active_minus1
    bits.put_ue(0); // num_ref_idx_l1_default_active_minus1
    bits.put(0, 3); // weighted_pred_flag, weighted_bipred_idc
    bits.put_ue(0); // pic_init_qp_minus26 (a signed zero is coded like an unsigned one)
    bits.put_ue(0); // pic_init_qs_minus26
    bits.put_ue(0); // chroma_qp_index_offset
    bits.put(1, 1); // deblocking_filter_control_present_flag
    bits.put(0, 2); // constrained_intra_pred_flag, redundant_pic_cnt_present_flag
    nal_unit(NAL_HEADER_PPS, bits)
}

/// One picture as one IDR slice. Pictures that follow each other need different `idr_id`s (7.4.3).
///
/// # Panics
/// When `luma` is not `width * height` bytes or a side is not a multiple of 16.
#[must_use]
pub fn idr_frame(luma: &[u8], width: usize, height: usize, idr_id: u16) -> Vec<u8> {
    let (columns, rows) = macroblocks(width, height);
    assert_eq!(luma.len(), width * height, "luma is one byte per pixel");
    let mut bits = BitWriter::default();
    bits.bytes.reserve((columns * rows) as usize * MACROBLOCK_BYTES + SLICE_HEADER_BYTES_MAX);
    put_slice_header(&mut bits, idr_id);
    for top in (0..height).step_by(MACROBLOCK_PX) {
        for left in (0..width).step_by(MACROBLOCK_PX) {
            bits.put_ue(MB_TYPE_I_PCM);
            bits.align();
            for row in luma[top * width..].chunks(width).take(MACROBLOCK_PX) {
                bits.bytes.extend_from_slice(&row[left..left + MACROBLOCK_PX]);
            }
            bits.bytes.extend_from_slice(&[CHROMA_GREY; CHROMA_BYTES]);
        }
    }
    nal_unit(NAL_HEADER_IDR, bits)
}

/// One picture behind its parameter sets as it stands in a file: a byte stream of annex B.
///
/// # Panics
/// As [`idr_frame`].
#[must_use]
pub fn in_file(luma: &[u8], width: usize, height: usize, idr_id: u16) -> Vec<u8> {
    let nals = [sps(width, height), pps(), idr_frame(luma, width, height, idr_id)];
    nals.iter().flat_map(|nal| [&[0, 0, 0, 1][..], nal].concat()).collect()
}

/// A picture in which nothing has changed since the one before: all its macroblocks are skipped. It is the `since`th after
/// an [`idr_frame`], and nobody can draw it who does not have that.
#[must_use]
pub fn unchanged_frame(width: usize, height: usize, since: u64) -> Vec<u8> {
    let (columns, rows) = macroblocks(width, height);
    let mut bits = BitWriter::default();
    bits.put_ue(0); // first_mb_in_slice
    bits.put_ue(SLICE_TYPE_ALL_P);
    bits.put_ue(0); // pic_parameter_set_id
    bits.put((since % FRAME_NUMBERS) as u32, 4); // frame_num
    bits.put(0, 1); // num_ref_idx_active_override_flag
    bits.put(0, 1); // ref_pic_list_modification_flag_l0
    bits.put(0, 1); // adaptive_ref_pic_marking_mode_flag
    bits.put_ue(0); // slice_qp_delta
    bits.put_ue(1); // disable_deblocking_filter_idc: off
    bits.put_ue(columns * rows); // mb_skip_run
    nal_unit(NAL_HEADER_PREDICTED, bits)
}

/// RTP payloads of one NAL unit: as it is, or cut into FU-A fragments when it is long (RFC 6184, 5.8).
#[must_use]
pub fn fragments(nal: &[u8]) -> Vec<Vec<u8>> {
    if nal.len() <= PAYLOAD_BYTES_MAX {
        return vec![nal.to_vec()];
    }
    let pieces: Vec<&[u8]> = nal[1..].chunks(PAYLOAD_BYTES_MAX - 2).collect();
    let fragment = |(index, piece): (usize, &&[u8])| {
        let start = if index == 0 { 0x80 } else { 0 };
        let end = if index == pieces.len() - 1 { 0x40 } else { 0 };
        [&[nal[0] & 0xE0 | NAL_TYPE_FU_A, start | end | nal[0] & 0x1F], *piece].concat()
    };
    pieces.iter().enumerate().map(fragment).collect()
}

/// What a session description says about the stream: its `fmtp` parameters (RFC 6184, 8.1).
#[must_use]
pub fn format_parameters(width: usize, height: usize) -> String {
    let sps = sps(width, height);
    let sets = format!("{},{}", STANDARD.encode(&sps), STANDARD.encode(pps()));
    let profile = format!("{:02X}{:02X}{:02X}", sps[1], sps[2], sps[3]);
    format!("packetization-mode=1;profile-level-id={profile};sprop-parameter-sets={sets}")
}

fn macroblocks(width: usize, height: usize) -> (u32, u32) {
    let count = |side_px: usize| {
        assert!(side_px > 0 && side_px.is_multiple_of(MACROBLOCK_PX), "{side_px} px is no multiple of 16");
        u32::try_from(side_px / MACROBLOCK_PX).expect("a picture side fits 32 bits")
    };
    (count(width), count(height))
}

/// Only the bitstream restriction: without it FFmpeg guesses how many pictures to hold back.
fn put_vui(bits: &mut BitWriter) {
    bits.put(0, 4); // aspect_ratio, overscan, video_signal_type, chroma_loc: absent
    bits.put(0, 4); // timing_info, nal_hrd, vcl_hrd, pic_struct: absent
    bits.put(1, 1); // bitstream_restriction_flag
    bits.put(1, 1); // motion_vectors_over_pic_boundaries_flag
    bits.put_ue(0); // max_bytes_per_pic_denom: no limit
    bits.put_ue(0); // max_bits_per_mb_denom: no limit
    bits.put_ue(0); // log2_max_mv_length_horizontal
    bits.put_ue(0); // log2_max_mv_length_vertical
    bits.put_ue(0); // max_num_reorder_frames
    bits.put_ue(1); // max_dec_frame_buffering, at least max_num_ref_frames
}

fn put_slice_header(bits: &mut BitWriter, idr_id: u16) {
    bits.put_ue(0); // first_mb_in_slice
    bits.put_ue(SLICE_TYPE_ALL_I);
    bits.put_ue(0); // pic_parameter_set_id
    bits.put(0, 4); // frame_num: 0 in every IDR picture
    bits.put_ue(u32::from(idr_id));
    bits.put(0, 2); // no_output_of_prior_pics_flag, long_term_reference_flag
    bits.put_ue(0); // slice_qp_delta
    bits.put_ue(1); // disable_deblocking_filter_idc: off
}

/// Closes the payload with its stop bit, escapes it and puts the header in front.
fn nal_unit(header: u8, mut bits: BitWriter) -> Vec<u8> {
    bits.put(1, 1); // rbsp_stop_one_bit
    bits.align();
    let mut nal = Vec::with_capacity(bits.bytes.len() + bits.bytes.len() / 64 + 1);
    nal.push(header);
    escape(&bits.bytes, &mut nal);
    nal
}

/// Puts a 3 before every byte 0–3 that follows two zeros, so that no start code can appear (7.4.1).
fn escape(payload: &[u8], nal: &mut Vec<u8>) {
    let mut zeros = 0;
    for chunk in payload.chunks(ESCAPE_CHUNK_BYTES) {
        // Whole chunks go unlooked at where nothing can need an escape: test builds are not optimised.
        if !chunk.contains(&0) && (zeros < 2 || chunk[0] > 3) {
            nal.extend_from_slice(chunk);
            zeros = 0;
            continue;
        }
        for &byte in chunk {
            if zeros == 2 && byte <= 3 {
                nal.push(3);
                zeros = 0;
            }
            nal.push(byte);
            zeros = if byte == 0 { zeros + 1 } else { 0 };
        }
    }
}

/// Bits, most significant first; `held` bits wait in `partial` for their byte to be full.
#[derive(Default)]
struct BitWriter {
    bytes: Vec<u8>,
    partial: u8,
    held: u32,
}

impl BitWriter {
    /// Appends the lowest `count` bits of `value`.
    fn put(&mut self, value: u32, count: u32) {
        for shift in (0..count).rev() {
            self.partial = (self.partial << 1) | u8::from((value >> shift) & 1 == 1);
            self.held += 1;
            if self.held == 8 {
                self.bytes.push(self.partial);
                self.held = 0;
            }
        }
    }

    /// Unsigned Exp-Golomb: as many zeros as `value + 1` has bits after its first, then `value + 1`.
    fn put_ue(&mut self, value: u32) {
        let length = (value + 1).ilog2();
        self.put(0, length);
        self.put(value + 1, length + 1);
    }

    /// Fills up the byte under way with zeros.
    fn align(&mut self) {
        while self.held != 0 {
            self.put(0, 1);
        }
    }
}

const PROFILE_IDC_BASELINE: u32 = 66;
/// Constrained baseline: both flags set, the other six bits zero (A.2.1.1).
const CONSTRAINT_SET_0_AND_1: u32 = 0b1100_0000;
/// The level with room for raw pictures: 240 Mbit/s (table A-1).
const LEVEL_IDC_5_1: u32 = 51;
/// `nal_ref_idc` 3 and `nal_unit_type` 7, 8, 5 (table 7-1).
const NAL_HEADER_SPS: u8 = 0x67;
const NAL_HEADER_PPS: u8 = 0x68;
const NAL_HEADER_IDR: u8 = 0x65;
/// `nal_ref_idc` 3 and `nal_unit_type` 1.
const NAL_HEADER_PREDICTED: u8 = 0x61;
/// Four bits of them.
const FRAME_NUMBERS: u64 = 16;
/// All slices of the picture are P slices, or I slices (table 7-6).
const SLICE_TYPE_ALL_P: u32 = 5;
const SLICE_TYPE_ALL_I: u32 = 7;
/// I_PCM in an I slice (table 7-11).
const MB_TYPE_I_PCM: u32 = 25;
/// An Ethernet frame's worth, as cameras send.
const PAYLOAD_BYTES_MAX: usize = 1400;
const NAL_TYPE_FU_A: u8 = 28;
/// `nal_unit_type` of parameter sets (table 7-1), the lowest five bits of a header.
pub const NAL_TYPE_SPS: u8 = 7;
/// As [`NAL_TYPE_SPS`].
pub const NAL_TYPE_PPS: u8 = 8;
const MACROBLOCK_PX: usize = 16;
/// Two planes of 8 × 8 samples, 4:2:0.
const CHROMA_BYTES: usize = 128;
const CHROMA_GREY: u8 = 128;
/// Type and alignment 2, luma 256, chroma 128.
const MACROBLOCK_BYTES: usize = 386;
/// 55 bits at the most, with an `idr_id` of 16 bits.
const SLICE_HEADER_BYTES_MAX: usize = 8;
/// Short, so that the one zero in every macroblock's head makes few bytes slow.
const ESCAPE_CHUNK_BYTES: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_start_code_survives_escaping() {
        for black in [vec![0; 31], vec![0; 32], vec![0; 100]] {
            for tail in 0..=4 {
                let payload = [&black[..], &[tail; 40]].concat();
                let mut nal = Vec::new();
                escape(&payload, &mut nal);
                assert!(nal.windows(3).all(|w| w[..2] != [0, 0] || w[2] >= 3), "{} zeros, then {tail}", black.len());
                assert_eq!(unescape(&nal), payload);
            }
        }
    }

    #[test]
    fn a_picture_stands_in_its_bitstream_byte_by_byte() {
        let luma: Vec<u8> = (0..=255).collect();
        let payload = unescape(&idr_frame(&luma, 16, 16, 0));
        let start = payload.len() - 1 - CHROMA_BYTES - luma.len(); // 1: the stop bit's byte
        assert_eq!(payload[start..start + luma.len()], luma);
    }

    fn unescape(nal: &[u8]) -> Vec<u8> {
        let mut payload: Vec<u8> = Vec::new();
        let mut zeros = 0;
        for &byte in nal {
            if zeros == 2 && byte == 3 {
                zeros = 0;
                continue;
            }
            zeros = if byte == 0 { zeros + 1 } else { 0 };
            payload.push(byte);
        }
        payload
    }
}
