//! Time: capture time drives motion and dwell, UTC names windows, and the wall clock is read here only.
//!
//! In: the kernel's clocks, or a replay's start. Out: [`CaptureTime`], [`UtcMs`], [`WindowSpan`].
//! Invariant: nothing outside this file calls `SystemTime::now` or `Instant::now` (tests/tidy).

use serde::{Deserialize, Serialize};

/// When a frame was captured: ns since the zero of its [`Timeline`] (start of the eye, or of the clip).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CaptureTime(pub i64);

impl CaptureTime {
    /// Nanoseconds from `earlier` to here; negative when `earlier` is later.
    #[must_use]
    pub fn since_ns(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }

    /// Seconds from `earlier` to here.
    #[must_use]
    pub fn since_s(self, earlier: Self) -> f64 {
        self.since_ns(earlier) as f64 / 1e9
    }
}

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UtcMs(pub i64);

/// Ties capture time to UTC: where on the calendar the zero of the capture clock lies.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Timeline {
    zero: UtcMs,
}

impl Timeline {
    /// A timeline whose zero lies at `zero`.
    #[must_use]
    pub fn starting_at(zero: UtcMs) -> Self {
        Self { zero }
    }

    /// Capture time of a moment of UTC.
    #[must_use]
    pub fn capture_time_at(&self, utc_s: i64) -> CaptureTime {
        CaptureTime((utc_s * 1000 - self.zero.0) * NS_PER_MS)
    }

    /// UTC of a capture time.
    #[must_use]
    pub fn utc(&self, at: CaptureTime) -> UtcMs {
        UtcMs(self.zero.0 + at.0.div_euclid(NS_PER_MS))
    }
}

/// One window `[start, start + dur)` of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WindowSpan {
    /// Start, s since 1970 UTC.
    pub start_s: i64,
    /// Length, s.
    pub dur_s: u32,
}

impl WindowSpan {
    /// The window of `dur_s` that holds `utc`, when windows start `phase_s` past the multiples of `dur_s`.
    #[must_use]
    pub fn holding(utc: UtcMs, dur_s: u32, phase_s: u32) -> Self {
        let (dur, phase) = (i64::from(dur_s), i64::from(phase_s));
        let second = utc.0.div_euclid(1000);
        Self { start_s: (second - phase).div_euclid(dur) * dur + phase, dur_s }
    }

    /// First second after the window.
    #[must_use]
    pub fn end_s(self) -> i64 {
        self.start_s + i64::from(self.dur_s)
    }

    /// The window right after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self { start_s: self.end_s(), dur_s: self.dur_s }
    }
}

/// Reads the monotonic clock: ns since an arbitrary zero, never stepping back, the same in all processes.
#[must_use]
pub fn monotonic_ns() -> i64 {
    read_ns(libc::CLOCK_MONOTONIC)
}

/// As [`monotonic_ns`], but that it goes on while the box sleeps.
#[must_use]
pub fn boot_ns() -> i64 {
    read_ns(libc::CLOCK_BOOTTIME)
}

/// CPU time of the calling thread, ns.
#[must_use]
pub fn thread_cpu_ns() -> i64 {
    read_ns(libc::CLOCK_THREAD_CPUTIME_ID)
}

/// CPU time of this whole process, ns.
#[must_use]
pub fn process_cpu_ns() -> i64 {
    read_ns(libc::CLOCK_PROCESS_CPUTIME_ID)
}

/// Reads the wall clock.
#[must_use]
pub fn utc_now() -> UtcMs {
    UtcMs(read_ns(libc::CLOCK_REALTIME) / NS_PER_MS)
}

/// Whether the kernel says that the wall clock is disciplined by a time service.
#[must_use]
pub fn is_synchronised() -> bool {
    // SAFETY: an all-zero timex asks for the state and changes nothing.
    unsafe {
        let mut state: libc::timex = std::mem::zeroed();
        let code = libc::adjtimex(&raw mut state);
        code >= 0 && code != libc::TIME_ERROR && state.status & libc::STA_UNSYNC == 0
    }
}

fn read_ns(clock: libc::clockid_t) -> i64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a local timespec.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

const NS_PER_MS: i64 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_hour_holds_its_first_and_not_its_last_moment() {
        let span = WindowSpan::holding(UtcMs(1_767_607_200_000), 900, 0);
        assert_eq!(span.start_s, 1_767_607_200);
        assert_eq!(WindowSpan::holding(UtcMs(1_767_608_099_999), 900, 0), span);
        assert_eq!(WindowSpan::holding(UtcMs(1_767_608_100_000), 900, 0), span.next());
    }

    #[test]
    fn hours_follow_the_phase_of_a_zone_with_odd_quarters() {
        // Kathmandu is UTC+5:45: its full hours begin at quarter past by UTC.
        let span = WindowSpan::holding(UtcMs(1_767_607_200_000), 3600, 900);
        assert_eq!(span.start_s, 1_767_607_200 - 2700);
    }

    #[test]
    fn capture_time_and_utc_are_inverse_on_whole_seconds() {
        let timeline = Timeline::starting_at(UtcMs(1_767_607_200_123));
        let at = timeline.capture_time_at(1_767_607_300);
        assert_eq!(timeline.utc(at), UtcMs(1_767_607_300_000));
    }
}
