//! A decoded picture in the decoder's own memory: where its planes lie and how their values read.
//!
//! In: what FFmpeg decoded. Out: pointers to planes, lent while the picture is held. Invariant: never copied here; it is
//! given back to the decoder at the next step.

use std::ffi::c_int;

use super::av;
use crate::units::PictureSize;

/// One picture of the decoder, or the place for one.
pub struct Picture {
    frame: *mut av::AVFrame,
}

// SAFETY: the frame is owned by this value alone and belongs to no thread.
unsafe impl Send for Picture {}

/// One plane, 8 bits a value.
#[derive(Clone, Copy)]
pub struct Plane {
    /// Its first value.
    pub start: *mut u8,
    /// Bytes from row to row.
    pub stride: usize,
    /// Rows and columns, in values or in pairs of values.
    pub size: PictureSize,
}

/// How the planes are to be read.
pub enum Layout {
    /// Brightness alone.
    Grey(Plane),
    /// Brightness and two planes of colour differences (blue, red).
    Planar([Plane; 3]),
    /// Brightness, and one plane of pairs; whether red comes first in them.
    Paired(Plane, Plane, bool),
    /// Anything else: FFmpeg's own scaler reads it.
    Other,
}

impl Picture {
    /// The place for a picture.
    pub(super) fn new() -> Self {
        // SAFETY: allocation only.
        Self { frame: unsafe { av::av_frame_alloc() } }
    }

    pub(super) fn raw(&self) -> *mut av::AVFrame {
        self.frame
    }

    /// Gives the picture back to the decoder.
    pub(super) fn release(&mut self) {
        // SAFETY: the frame is ours; releasing an empty one does nothing.
        unsafe { av::av_frame_unref(self.frame) };
    }

    /// Presentation time in ticks of the stream.
    pub(super) fn timestamp(&self) -> i64 {
        self.get().best_effort_timestamp
    }

    fn get(&self) -> &av::AVFrame {
        // SAFETY: allocated in new() and ours.
        unsafe { &*self.frame }
    }

    /// Size, px.
    #[must_use]
    pub fn size(&self) -> PictureSize {
        PictureSize { height: self.get().height.max(0) as u32, width: self.get().width.max(0) as u32 }
    }

    /// Whether values span 0–255 and not 16–235.
    #[must_use]
    pub fn is_full_range(&self) -> bool {
        let full = [av::AV_PIX_FMT_YUVJ420P, av::AV_PIX_FMT_YUVJ422P, av::AV_PIX_FMT_YUVJ444P, av::AV_PIX_FMT_YUVJ440P];
        let format = self.get().format;
        self.get().color_range == av::AVCOL_RANGE_JPEG || full.contains(&format)
    }

    /// Whether colours follow ITU-R BT.709 (the stream says so) and not BT.601.
    #[must_use]
    pub fn is_bt709(&self) -> bool {
        self.get().colorspace == av::AVCOL_SPC_BT709
    }

    /// Where its planes lie.
    #[must_use]
    pub fn layout(&self) -> Layout {
        // SAFETY: descriptors are constants of the library; null for an unknown format.
        let Some(format) = (unsafe { av::av_pix_fmt_desc_get(self.get().format).as_ref() }) else {
            return Layout::Other;
        };
        let unfit = av::AV_PIX_FMT_FLAG_RGB
            | av::AV_PIX_FMT_FLAG_PAL
            | av::AV_PIX_FMT_FLAG_BITSTREAM
            | av::AV_PIX_FMT_FLAG_HWACCEL
            | av::AV_PIX_FMT_FLAG_BE;
        let used = usize::from(format.nb_components).min(3);
        let [first, second, third] = [format.comp[0], format.comp[1], format.comp[2]];
        let is_plain = format.flags & u64::from(unfit) == 0
            && format.comp[..used].iter().all(|part| part.depth == 8 && part.shift == 0)
            && self.get().linesize[..3].iter().all(|stride| *stride >= 0);
        let whole = self.size();
        let colour = PictureSize {
            height: (whole.height + (1 << format.log2_chroma_h) - 1) >> format.log2_chroma_h,
            width: (whole.width + (1 << format.log2_chroma_w) - 1) >> format.log2_chroma_w,
        };
        let single = |index: usize| format.comp[index].step == 1 && format.comp[index].offset == 0;
        match used {
            _ if !is_plain || !single(0) || first.plane != 0 => Layout::Other,
            1 => Layout::Grey(self.plane(0, whole)),
            3 if single(1) && single(2) && [second.plane, third.plane] == [1, 2] => {
                Layout::Planar([self.plane(0, whole), self.plane(1, colour), self.plane(2, colour)])
            }
            3 if [second.plane, third.plane] == [1, 1] && [second.step, third.step] == [2, 2] => {
                Layout::Paired(self.plane(0, whole), self.plane(1, colour), third.offset < second.offset)
            }
            _ => Layout::Other,
        }
    }

    fn plane(&self, index: usize, size: PictureSize) -> Plane {
        Plane { start: self.get().data[index], stride: self.get().linesize[index].unsigned_abs() as usize, size }
    }
}

impl Drop for Picture {
    fn drop(&mut self) {
        // SAFETY: the frame is ours.
        unsafe { av::av_frame_free(&mut self.frame) };
    }
}

/// FFmpeg's own scaler, for formats nobody else reads.
pub struct Scaler {
    context: *mut av::SwsContext,
}

// SAFETY: the context is owned by this value alone.
unsafe impl Send for Scaler {}

impl Default for Scaler {
    fn default() -> Self {
        Self { context: std::ptr::null_mut() }
    }
}

impl Scaler {
    /// Brings a picture to `size` as interleaved BGR, rows of `stride` bytes. `false` when FFmpeg cannot.
    pub fn scale(&mut self, picture: &Picture, size: PictureSize, target: &mut [u8], stride: usize) -> bool {
        assert!(stride >= size.width as usize * 3 && target.len() >= stride * size.height as usize);
        let frame = picture.get();
        let flags = av::SWS_BILINEAR as c_int;
        // SAFETY: the target holds `height` rows of `stride` bytes; the planes belong to the picture that is lent.
        unsafe {
            self.context = av::sws_getCachedContext(
                self.context,
                frame.width,
                frame.height,
                frame.format,
                size.width as c_int,
                size.height as c_int,
                av::AV_PIX_FMT_BGR24,
                flags,
                std::ptr::null_mut(),
                std::ptr::null_mut(),
                std::ptr::null(),
            );
            if self.context.is_null() {
                return false;
            }
            // FFmpeg reads four of each, whatever the format needs.
            let none = std::ptr::null_mut();
            let (targets, strides) = ([target.as_mut_ptr(), none, none, none], [stride as c_int, 0, 0, 0]);
            let planes = frame.data.as_ptr().cast();
            let rows = av::sws_scale(
                self.context,
                planes,
                frame.linesize.as_ptr(),
                0,
                frame.height,
                targets.as_ptr(),
                strides.as_ptr(),
            );
            rows == size.height as c_int
        }
    }
}

impl Drop for Scaler {
    fn drop(&mut self) {
        // SAFETY: the context is ours; freeing null is allowed.
        unsafe { av::sws_freeContext(self.context) };
    }
}
