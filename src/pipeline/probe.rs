//! How each camera does: opened, listened to for some seconds without unpacking a picture, and let go.
//!
//! In: an [`EyeJob`] with live feeds. Out: one [`Sounding`] a camera, as soon as it is known; all are listened
//! to at once, as a shop does. Invariant: no picture is ever retrieved.

use crossbeam_channel::bounded;

use super::eye::Pipe;
use super::{EyeJob, Origin};
use crate::capture::{Grab, Source, open_live};
use crate::clock::monotonic_ns;
use crate::config::CameraSource;
use crate::health::Silence;
use crate::wire::record::Outbox;
use crate::wire::sounding::Sounding;

/// Sounds every camera of the job, `seconds` each, and reports them.
pub fn run(job: &EyeJob, seconds: u32, pipe: &mut Pipe) -> i32 {
    let (sender, soundings) = bounded(job.feeds.len().max(1));
    std::thread::scope(|scope| {
        for feed in &job.feeds {
            let Origin::Live(source) = &feed.origin else { continue };
            let (sender, camera) = (sender.clone(), feed.camera as u16);
            let body = move || sender.send((camera, sound(source, seconds)));
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

fn sound(source: &CameraSource, seconds: u32) -> Sounding {
    let begun_ns = monotonic_ns();
    match open_live(source, 0, None) {
        Ok(mut camera) => measure(camera.as_mut(), begun_ns, i64::from(seconds) * NS_PER_S),
        Err(error) => Sounding::silent(error.silence()),
    }
}

/// Counts what comes, from [`SETTLE_NS`] after the first picture on.
fn measure(camera: &mut dyn Source, begun_ns: i64, listen_ns: i64) -> Sounding {
    let size = camera.size();
    let mut sounding = Sounding {
        codec: camera.codec(),
        width: size.width,
        height: size.height,
        claimed_fps_milli: camera.fps_claimed().map_or(0, |fps| (fps * 1000.0).round() as u32),
        ..Sounding::silent(Silence::None)
    };
    let (mut seen_ns, mut counted_ns, mut last_ns) = (None, None, 0);
    loop {
        let grabbed = camera.grab(&|_| true);
        let now_ns = monotonic_ns();
        if matches!(grabbed, Ok(Grab::Broken(_))) && now_ns - begun_ns < listen_ns {
            continue;
        }
        let Ok(Grab::Frame(_)) = grabbed else {
            let silence = if seen_ns.is_some() { Silence::BrokeOff } else { Silence::NoPicture };
            return Sounding { silence, ..sounding };
        };
        if seen_ns.is_none() {
            sounding.first_ms = ms(now_ns - begun_ns);
        }
        if now_ns - *seen_ns.get_or_insert(now_ns) < SETTLE_NS {
            continue;
        }
        let since_ns = now_ns - *counted_ns.get_or_insert(now_ns);
        if sounding.frames > 0 {
            sounding.gap_ms_max = sounding.gap_ms_max.max(ms(now_ns - last_ns));
        }
        sounding.frames += 1;
        sounding.span_ms = ms(since_ns);
        last_ns = now_ns;
        if since_ns >= listen_ns {
            return sounding;
        }
    }
}

fn ms(ns: i64) -> u32 {
    u32::try_from(ns / 1_000_000).unwrap_or(0)
}

/// Pictures that came while the stream was opened are handed out at once and would pass for a high rate.
const SETTLE_NS: i64 = NS_PER_S;
const NS_PER_S: i64 = 1_000_000_000;
