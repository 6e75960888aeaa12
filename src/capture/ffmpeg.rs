//! A stream through FFmpeg: opened with bounded waits, taken apart into packets, decoded as far as it is wanted.
//!
//! In: an address or a file. Out: [`Picture`]s in the decoder's own memory, lent until the next step.
//! Invariants: the only file that calls FFmpeg; every wait on a camera has an end ([`Waits`]); neither the address nor
//! a text of FFmpeg is ever printed (its log is off); one thread decodes one stream: frame threads would hold
//! one picture back each. A packet whose picture no other one refers to and nobody will look at is not decoded.

mod bindings {
    #![allow(non_camel_case_types, non_snake_case, non_upper_case_globals, unsafe_op_in_unsafe_fn, missing_docs)]
    #![allow(dead_code, clippy::all, clippy::pedantic)]
    include!(concat!(env!("OUT_DIR"), "/ffmpeg.rs"));
}

mod hardware;
mod picture;

use std::ffi::{CString, c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::Duration;

use bindings as av;
pub use picture::{Layout, Picture, Plane, Scaler};

use super::disposable::is_disposable;
use crate::clock::monotonic_ns;
use crate::config::placement::Placement;
use crate::health::Silence;
use crate::units::{Codec, PictureSize};

/// How long a stream may keep us waiting.
#[derive(Clone, Copy)]
pub struct Waits {
    /// Until it is open.
    pub open: Duration,
    /// Until the next packet.
    pub read: Duration,
    /// Until the next picture, while packets come: a decoder that joins late waits for one that needs no other.
    pub picture: Duration,
}

/// What to open, and how.
pub struct Opening<'a> {
    /// Address (credentials inside) or path.
    pub address: &'a str,
    /// Options of FFmpeg's reader.
    pub options: &'a [(&'a str, &'a str)],
    /// Bounds for cameras; a file has none.
    pub waits: Option<Waits>,
    /// Name of a hardware decoder, as `ffmpeg -hwaccels` lists them; without it, or where it fails, the processor decodes.
    pub hardware: Option<&'a str>,
}

/// An open stream.
pub struct Stream {
    input: *mut av::AVFormatContext,
    decoder: *mut av::AVCodecContext,
    packet: *mut av::AVPacket,
    picture: Picture,
    /// Where a hardware decoder's picture is until it is fetched.
    on_device: Option<Picture>,
    video: c_int,
    deadline: Box<Deadline>,
    is_drained: bool,
    /// Whether pictures are drawn so small that the edges of blocks do not show.
    is_made_small: bool,
    /// Whether the decoder has failed since it got its last packet.
    has_failed: bool,
}

// SAFETY: the pointers are owned by this value alone and FFmpeg's objects belong to no thread.
unsafe impl Send for Stream {}

/// What one step through the stream brought.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A picture is decoded; its presentation time, ns, where the stream says it.
    Decoded(Option<i64>),
    /// A picture nobody refers to was not wanted and not decoded.
    Passed(Option<i64>),
    /// A packet arrived that could not be decoded.
    Broken,
    /// The stream is over.
    End,
}

/// When the interrupt callback says that it has been enough; 0 never.
struct Deadline(AtomicI64);

impl Deadline {
    fn set(&self, wait: Option<Duration>) {
        self.0.store(wait.map_or(0, |wait| monotonic_ns() + wait.as_nanos() as i64), Relaxed);
    }

    fn is_over(&self) -> bool {
        let until_ns = self.0.load(Relaxed);
        until_ns != 0 && monotonic_ns() > until_ns
    }
}

/// Asked by FFmpeg in every wait.
extern "C" fn interrupt(deadline: *mut c_void) -> c_int {
    // SAFETY: the pointer is that of the boxed deadline, which outlives the input (Stream::drop).
    c_int::from(unsafe { &*deadline.cast::<Deadline>() }.is_over())
}

impl Stream {
    /// Opens the first video stream at an address and its decoder.
    ///
    /// # Errors
    /// [`Silence`], by what the operator can do about it.
    pub fn open(opening: &Opening<'_>) -> Result<Self, Silence> {
        quiet();
        let deadline = Box::new(Deadline(AtomicI64::new(0)));
        deadline.set(opening.waits.map(|waits| waits.open));
        // SAFETY: allocation only; both are freed by Stream::drop.
        let mut stream = unsafe {
            Self {
                input: av::avformat_alloc_context(),
                decoder: ptr::null_mut(),
                packet: av::av_packet_alloc(),
                picture: Picture::new(),
                on_device: None,
                video: 0,
                deadline,
                is_drained: false,
                is_made_small: false,
                has_failed: false,
            }
        };
        stream.connect(opening)?;
        stream.start_decoder(opening.hardware)?;
        Ok(stream)
    }

    fn connect(&mut self, opening: &Opening<'_>) -> Result<(), Silence> {
        let address = CString::new(opening.address).map_err(|_| Silence::NoSuchPath)?;
        let opaque = ptr::from_ref::<Deadline>(&self.deadline).cast_mut().cast::<c_void>();
        // SAFETY: the context is fresh; a failed open frees it and sets the pointer to null; the options are freed here.
        unsafe {
            (*self.input).interrupt_callback.callback = Some(interrupt);
            (*self.input).interrupt_callback.opaque = opaque;
            let mut options = dictionary(opening.options);
            let opened = av::avformat_open_input(&mut self.input, address.as_ptr(), ptr::null(), &mut options);
            av::av_dict_free(&mut options);
            self.check(opened)?;
            let found = av::avformat_find_stream_info(self.input, ptr::null_mut());
            self.check(found)?;
            let kind = av::AVMEDIA_TYPE_VIDEO;
            self.video = av::av_find_best_stream(self.input, kind, -1, -1, ptr::null_mut(), 0);
        }
        if self.video < 0 { Err(Silence::UnknownCodec) } else { Ok(()) }
    }

    fn start_decoder(&mut self, hardware: Option<&str>) -> Result<(), Silence> {
        // SAFETY: the stream index was given by FFmpeg for this input; the decoder is freed by Stream::drop.
        unsafe {
            let parameters = (*self.stream()).codecpar;
            let codec = av::avcodec_find_decoder((*parameters).codec_id);
            if codec.is_null() {
                return Err(Silence::UnknownCodec);
            }
            self.decoder = av::avcodec_alloc_context3(codec);
            if av::avcodec_parameters_to_context(self.decoder, parameters) < 0 {
                return Err(Silence::UnknownCodec);
            }
            (*self.decoder).thread_count = 1;
            (*self.decoder).pkt_timebase = (*self.stream()).time_base;
            if hardware.is_some_and(|name| hardware::attach(self.decoder, codec, name)) {
                self.on_device = Some(Picture::new());
            }
            if av::avcodec_open2(self.decoder, codec, ptr::null_mut()) < 0 {
                return Err(Silence::UnknownCodec);
            }
        }
        Ok(())
    }

    /// Says how pictures will be drawn: at half the size or less they are not deblocked, no more than those nobody looks
    /// at. That saves a fifth of decoding H.264 and costs no detection (models/README.md), because the filter only
    /// smooths the edges of blocks of 4 to 16 px.
    pub fn will_be_drawn(&mut self, placed: &Placement) {
        self.is_made_small = placed.resized.width * 2 <= placed.picture.width;
    }

    /// Goes on to the next picture; `is_wanted` is asked with the presentation time, ns, of a picture that may be left out.
    ///
    /// # Errors
    /// [`Silence::BrokeOff`] or [`Silence::NoAnswer`] when the stream breaks off, [`Silence::NoPicture`] when it goes on
    /// and shows nothing.
    pub fn step(
        &mut self,
        waits: Option<Waits>,
        is_wanted: &mut dyn FnMut(Option<i64>) -> bool,
    ) -> Result<Step, Silence> {
        self.picture.release();
        let begun_ns = monotonic_ns();
        loop {
            if waits.is_some_and(|waits| monotonic_ns() - begun_ns > waits.picture.as_nanos() as i64) {
                return Err(Silence::NoPicture);
            }
            self.deadline.set(waits.map(|waits| waits.read));
            match self.receive() {
                0 => return Ok(self.fetched()),
                END => return Ok(Step::End),
                // Told once a packet: a decoder that goes on failing gets the next one, it is not asked for ever.
                failed if failed != AGAIN && !std::mem::replace(&mut self.has_failed, true) => return Ok(Step::Broken),
                _ => {}
            }
            // SAFETY: input and packet are ours; a packet is released before the next is read.
            unsafe {
                av::av_packet_unref(self.packet);
                match av::av_read_frame(self.input, self.packet) {
                    0 => {}
                    END if !self.is_drained => {
                        self.is_drained = true;
                        av::avcodec_send_packet(self.decoder, ptr::null());
                        continue;
                    }
                    AGAIN if !self.deadline.is_over() => continue,
                    _ => return Err(if self.deadline.is_over() { Silence::NoAnswer } else { Silence::BrokeOff }),
                }
                if (*self.packet).stream_index != self.video {
                    continue;
                }
                let at_ns = self.to_ns((*self.packet).pts);
                let is_wanted = is_wanted(at_ns);
                if !is_wanted && self.packet_is_disposable() {
                    return Ok(Step::Passed(at_ns));
                }
                let is_smooth = is_wanted && !self.is_made_small;
                (*self.decoder).skip_loop_filter = if is_smooth { av::AVDISCARD_DEFAULT } else { av::AVDISCARD_ALL };
                self.has_failed = false;
                if av::avcodec_send_packet(self.decoder, self.packet) < 0 {
                    return Ok(Step::Broken);
                }
            }
        }
    }

    /// The picture of the last [`Step::Decoded`].
    #[must_use]
    pub fn picture(&self) -> &Picture {
        &self.picture
    }

    /// Whether a device does the decoding.
    #[must_use]
    pub fn is_on_device(&self) -> bool {
        self.on_device.is_some()
    }

    /// Size of the pictures as the stream announces it, px.
    #[must_use]
    pub fn size(&self) -> Option<PictureSize> {
        // SAFETY: the decoder is open.
        let (width, height) = unsafe { ((*self.decoder).width, (*self.decoder).height) };
        let is_side = |side: &c_int| (1..=SIDE_PX_MAX).contains(side);
        let size = PictureSize { height: height.unsigned_abs(), width: width.unsigned_abs() };
        (is_side(&width) && is_side(&height)).then_some(size)
    }

    /// Frames per second as the stream announces them; `None` where it does not.
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        // SAFETY: input and stream are open.
        let (guessed, average) = unsafe {
            (av::av_guess_frame_rate(self.input, self.stream(), ptr::null_mut()), (*self.stream()).avg_frame_rate)
        };
        [guessed, average].into_iter().map(quotient).find(|rate| rate.is_finite() && *rate > 0.0)
    }

    /// Whether the stream announces one unchanging rate, so that presentation times number its pictures.
    #[must_use]
    pub fn is_steady(&self) -> bool {
        // SAFETY: the stream is open.
        let (lowest, average) = unsafe { ((*self.stream()).r_frame_rate, (*self.stream()).avg_frame_rate) };
        let (lowest, average) = (quotient(lowest), quotient(average));
        lowest.is_finite() && average > 0.0 && (lowest / average - 1.0).abs() < 1e-3
    }

    /// The codec, by the name people know.
    #[must_use]
    pub fn codec_kind(&self) -> Codec {
        match self.codec() {
            av::AV_CODEC_ID_H264 => Codec::H264,
            av::AV_CODEC_ID_HEVC => Codec::H265,
            av::AV_CODEC_ID_MJPEG => Codec::Mjpeg,
            av::AV_CODEC_ID_MPEG4 => Codec::Mpeg4,
            _ => Codec::Unknown,
        }
    }

    /// The codec, as FFmpeg numbers them.
    fn codec(&self) -> av::AVCodecID {
        // SAFETY: the decoder is open.
        unsafe { (*self.decoder).codec_id }
    }

    /// Receives one picture from the decoder, fetched from its device where it has one.
    fn receive(&mut self) -> c_int {
        let target = self.on_device.as_ref().unwrap_or(&self.picture);
        // SAFETY: the decoder is open and the frame is ours.
        let received = unsafe { av::avcodec_receive_frame(self.decoder, target.raw()) };
        match &mut self.on_device {
            Some(device) if received == 0 => hardware::fetch(device, &mut self.picture),
            _ => received,
        }
    }

    fn fetched(&self) -> Step {
        Step::Decoded(self.to_ns(self.picture.timestamp()))
    }

    fn packet_is_disposable(&self) -> bool {
        // SAFETY: the packet's data is valid for its size until it is released.
        let data = unsafe {
            let packet = &*self.packet;
            if packet.data.is_null() || packet.size <= 0 {
                return false;
            }
            std::slice::from_raw_parts(packet.data, packet.size as usize)
        };
        // SAFETY: the stream is open; its extra data is valid for its size.
        let extra = unsafe {
            let parameters = &*(*self.stream()).codecpar;
            if parameters.extradata.is_null() {
                &[][..]
            } else {
                std::slice::from_raw_parts(parameters.extradata, parameters.extradata_size.max(0) as usize)
            }
        };
        match self.codec() {
            av::AV_CODEC_ID_H264 => is_disposable(super::disposable::Family::H264, extra, data),
            av::AV_CODEC_ID_HEVC => is_disposable(super::disposable::Family::H265, extra, data),
            _ => false,
        }
    }

    fn to_ns(&self, ticks: i64) -> Option<i64> {
        // SAFETY: the stream is open.
        let base = unsafe { (*self.stream()).time_base };
        (ticks != i64::MIN && base.den > 0)
            .then(|| (i128::from(ticks) * i128::from(base.num) * 1_000_000_000 / i128::from(base.den)) as i64)
    }

    fn stream(&self) -> *mut av::AVStream {
        // SAFETY: `video` was given by FFmpeg for this input and never changes.
        unsafe { *(*self.input).streams.add(self.video as usize) }
    }

    fn check(&self, code: c_int) -> Result<(), Silence> {
        match code {
            0.. => Ok(()),
            _ if self.deadline.is_over() => Err(Silence::NoAnswer),
            UNAUTHORISED | FORBIDDEN => Err(Silence::WrongPassword),
            NOT_FOUND => Err(Silence::NoSuchPath),
            DECLINED | SERVER_ERROR => Err(Silence::Busy),
            code if code == -libc::ECONNREFUSED => Err(Silence::Refused),
            code if code == -libc::ENOENT => Err(Silence::NoSuchPath),
            code if code == -libc::ETIMEDOUT => Err(Silence::NoAnswer),
            _ => Err(Silence::BrokeOff),
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // Saying goodbye to a camera that is gone must not take longer than hearing from it.
        self.deadline.set(Some(GOODBYE));
        // SAFETY: each pointer is ours, and freeing null is allowed.
        unsafe {
            av::avcodec_free_context(&mut self.decoder);
            av::avformat_close_input(&mut self.input);
            av::av_packet_free(&mut self.packet);
        }
    }
}

/// Options as FFmpeg takes them; the caller frees them.
fn dictionary(options: &[(&str, &str)]) -> *mut av::AVDictionary {
    let mut dictionary = ptr::null_mut();
    for (key, value) in options {
        let (Ok(key), Ok(value)) = (CString::new(*key), CString::new(*value)) else { continue };
        // SAFETY: both texts are copied.
        unsafe { av::av_dict_set(&mut dictionary, key.as_ptr(), value.as_ptr(), 0) };
    }
    dictionary
}

/// Turns FFmpeg's log off: it would print addresses with their passwords.
fn quiet() {
    // SAFETY: sets one number.
    unsafe { av::av_log_set_level(av::AV_LOG_QUIET) };
}

fn quotient(rational: av::AVRational) -> f64 {
    f64::from(rational.num) / f64::from(rational.den)
}

/// FFmpeg's error code for four bytes (`FFERRTAG`, libavutil/error.h).
const fn tag(a: u8, b: u8, c: u8, d: u8) -> c_int {
    -((a as c_int) | (b as c_int) << 8 | (c as c_int) << 16 | (d as c_int) << 24)
}

const AGAIN: c_int = -libc::EAGAIN;
const END: c_int = tag(b'E', b'O', b'F', b' ');
const UNAUTHORISED: c_int = tag(0xF8, b'4', b'0', b'1');
const FORBIDDEN: c_int = tag(0xF8, b'4', b'0', b'3');
const NOT_FOUND: c_int = tag(0xF8, b'4', b'0', b'4');
const DECLINED: c_int = tag(0xF8, b'4', b'X', b'X');
const SERVER_ERROR: c_int = tag(0xF8, b'5', b'X', b'X');
/// Longest side of a picture, px.
const SIDE_PX_MAX: c_int = 16384;
/// Longest farewell.
const GOODBYE: Duration = Duration::from_millis(200);
