//! How each camera does: opened, listened to for some seconds without unpacking a picture, and let go.
//!
//! In: an [`EyeJob`] with live feeds. Out: one [`Sounding`] a camera, as soon as it is known. Cameras are opened one
//! after the other, because the reasons FFmpeg prints belong to the whole process, and listened to all at once, as a
//! shop does. Invariant: no picture is ever retrieved.

use std::sync::{Mutex, PoisonError};

use crossbeam_channel::bounded;

use super::eye::Pipe;
use super::{EyeJob, Origin};
use crate::capture::{CaptureError, Grab, Source, open_live, overheard};
use crate::clock::monotonic_ns;
use crate::config::CameraSource;
use crate::health::Silence;
use crate::wire::record::Outbox;
use crate::wire::sounding::Sounding;

/// Sounds every camera of the job, `seconds` each, and reports them.
pub fn run(job: &EyeJob, seconds: u32, pipe: &mut Pipe) -> i32 {
    let opening = Mutex::new(());
    let (sender, soundings) = bounded(job.feeds.len().max(1));
    std::thread::scope(|scope| {
        for feed in &job.feeds {
            let Origin::Live(source) = &feed.origin else { continue };
            let (sender, opening, camera) = (sender.clone(), &opening, feed.camera as u16);
            let body = move || sender.send((camera, sound(source, seconds, opening)));
            let thread = std::thread::Builder::new().name("capture".to_owned());
            thread.spawn_scoped(scope, body).expect("a thread can be started");
        }
        drop(sender);
        for (camera, sounding) in &soundings {
            pipe.say(|outbox| outbox.sounding(camera, &sounding));
        }
    });
    pipe.say(Outbox::ended);
    0
}

fn sound(source: &CameraSource, seconds: u32, opening: &Mutex<()>) -> Sounding {
    let (begun_ns, opened, overheard) = {
        // A lock holds nothing that a thread that failed could have left half done.
        let _alone = opening.lock().unwrap_or_else(PoisonError::into_inner);
        let begun_ns = monotonic_ns();
        let (opened, overheard) = overheard::listen(|| open_live(source, 0));
        (begun_ns, opened, overheard)
    };
    match opened {
        Ok(mut camera) => measure(camera.as_mut(), begun_ns, i64::from(seconds) * NS_PER_S),
        Err(CaptureError::NoDevice) => Sounding::silent(Silence::NoDevice),
        Err(CaptureError::Empty) => Sounding::silent(overheard.unwrap_or(Silence::NoPicture)),
        Err(_) => Sounding::silent(overheard.unwrap_or(Silence::Unopened)),
    }
}

/// Counts what comes, from the first picture on.
fn measure(camera: &mut dyn Source, begun_ns: i64, listen_ns: i64) -> Sounding {
    let size = camera.size();
    let mut sounding = Sounding {
        codec: camera.codec(),
        width: size.width,
        height: size.height,
        claimed_fps_milli: camera.fps_claimed().map_or(0, |fps| (fps * 1000.0).round() as u32),
        ..Sounding::silent(Silence::None)
    };
    let (mut first_ns, mut last_ns) = (None, begun_ns);
    loop {
        let grabbed = camera.grab();
        let now_ns = monotonic_ns();
        let Ok(Grab::Frame(_)) = grabbed else {
            let broke_off = if sounding.frames > 0 { Silence::BrokeOff } else { Silence::NoPicture };
            return Sounding { silence: broke_off, ..sounding };
        };
        let first_ns = *first_ns.get_or_insert(now_ns);
        if sounding.frames == 0 {
            sounding.first_ms = ms(now_ns - begun_ns);
        } else {
            sounding.gap_ms_max = sounding.gap_ms_max.max(ms(now_ns - last_ns));
        }
        sounding.frames += 1;
        sounding.span_ms = ms(now_ns - first_ns);
        last_ns = now_ns;
        if now_ns - first_ns >= listen_ns {
            return sounding;
        }
    }
}

fn ms(ns: i64) -> u32 {
    u32::try_from(ns / 1_000_000).unwrap_or(0)
}

const NS_PER_S: i64 = 1_000_000_000;
