//! Decoding on a device: asked for by name in the site file, the processor decodes where it is not to be had.
//!
//! In: a decoder about to be opened. Out: pictures fetched back from the device. Not tried on a real device: see README.

use std::ffi::{CString, c_int};
use std::ptr;

use super::{Picture, av};

/// Ties a decoder to the device named (`vaapi`, `cuda`, `qsv`, …). `false` when it has none or the codec cannot use it.
///
/// # Safety
/// `decoder` is allocated for `codec` and not yet open.
pub unsafe fn attach(decoder: *mut av::AVCodecContext, codec: *const av::AVCodec, name: &str) -> bool {
    let Ok(name) = CString::new(name) else { return false };
    // SAFETY: the caller vouches for the decoder; the device reference is handed to it and freed with it.
    unsafe {
        let kind = av::av_hwdevice_find_type_by_name(name.as_ptr());
        let can = (0..).map_while(|index| av::avcodec_get_hw_config(codec, index).as_ref()).any(|config| {
            config.device_type == kind && config.methods & av::AV_CODEC_HW_CONFIG_METHOD_HW_DEVICE_CTX as c_int != 0
        });
        let mut device = ptr::null_mut();
        if !can || av::av_hwdevice_ctx_create(&mut device, kind, ptr::null(), ptr::null_mut(), 0) < 0 {
            return false;
        }
        (*decoder).hw_device_ctx = device;
        true
    }
}

/// Fetches a picture from its device; one that never was there is handed over as it is. FFmpeg's code.
pub fn fetch(device: &mut Picture, picture: &mut Picture) -> c_int {
    let source = device.raw();
    // SAFETY: both frames are ours.
    unsafe {
        if (*source).hw_frames_ctx.is_null() {
            av::av_frame_move_ref(picture.raw(), source);
            return 0;
        }
        let fetched = av::av_hwframe_transfer_data(picture.raw(), source, 0);
        (*picture.raw()).best_effort_timestamp = (*source).best_effort_timestamp;
        (*picture.raw()).color_range = (*source).color_range;
        (*picture.raw()).colorspace = (*source).colorspace;
        device.release();
        fetched
    }
}
