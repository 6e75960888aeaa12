//! How busy the box was with other programs: a benchmark in real time is worth as much as the quiet it had.
//!
//! In: the kernel's count of busy time. Out: cores in use by others. Source: `proc(5)`, `/proc/stat`.

use crate::clock::monotonic_ns;

/// Busy time of all cores together, as it stands at one moment.
#[derive(Clone, Copy)]
pub struct Busy {
    cpu_s: f64,
    at_ns: i64,
}

impl Busy {
    /// Reads it; `None` where the kernel does not say.
    #[must_use]
    pub fn now() -> Option<Self> {
        let stat = std::fs::read_to_string("/proc/stat").ok()?;
        Some(Self { cpu_s: busy_s(&stat)?, at_ns: monotonic_ns() })
    }

    /// Cores in use since then by everybody but the one who used `own_cpu_s`.
    #[must_use]
    pub fn others_since(self, earlier: Self, own_cpu_s: f64) -> f64 {
        let seconds = ((self.at_ns - earlier.at_ns) as f64 / 1e9).max(f64::EPSILON);
        ((self.cpu_s - earlier.cpu_s - own_cpu_s) / seconds).max(0.0)
    }
}

/// Seconds all cores were busy since the box started: user, nice, system, interrupts, and what a hypervisor took away.
fn busy_s(stat: &str) -> Option<f64> {
    let mut ticks = stat.lines().next()?.strip_prefix("cpu ")?.split_ascii_whitespace();
    let ticks: Vec<f64> = std::iter::from_fn(|| ticks.next()?.parse().ok()).take(8).collect();
    let [user, nice, system, _idle, _waiting, hard, soft, stolen] = ticks.try_into().ok()?;
    Some((user + nice + system + hard + soft + stolen) / TICKS_PER_S)
}

/// `USER_HZ`: the same on every Linux there is, whatever its kernel's own rate.
const TICKS_PER_S: f64 = 100.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_is_not_busy_and_what_is_taken_away_is() {
        let stat = "cpu  1000 200 300 99999 5000 40 50 60 0 0\ncpu0 1 2 3 4 5 6 7 8 0 0\n";
        let read = busy_s(stat).expect("eight numbers");
        assert!((read - 16.5).abs() < 1e-9, "{read}");
        assert!(busy_s("intr 1 2 3").is_none());
    }

    #[test]
    fn ones_own_work_is_not_that_of_others() {
        let begun = Busy { cpu_s: 100.0, at_ns: 0 };
        let ended = Busy { cpu_s: 115.0, at_ns: 10_000_000_000 };
        assert!((ended.others_since(begun, 12.0) - 0.3).abs() < 1e-9);
        assert_eq!(ended.others_since(begun, 15.2), 0.0, "clocks of different grain");
    }
}
