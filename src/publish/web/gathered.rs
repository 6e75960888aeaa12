//! Released windows of a period, summed up and in order of time: what a page of figures is made of.
//!
//! In: bodies out of the [`Vault`]. Out: [`Gathered`] sums and the bars of a chart. Invariants: a window counts once; a bar
//! tells nobody there, withheld, nobody looking and no record apart as the sums do; memory holds the bodies of one day at a time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::super::period::{Added, Calendar, Period, Span, Sums};
use crate::clock::monotonic_ns;
use crate::vault::{Vault, VaultError};
use crate::wire::read::{BodyFigures, Kind, WindowBody, WindowView};

/// What the windows of a period say.
#[derive(Debug, Default)]
pub struct Gathered {
    /// Sums of every object.
    pub sums: Sums,
    /// Where a bar of the chart begins and ends.
    pub bars: Vec<Span>,
    /// Whether a bar is a quarter of an hour; a day otherwise.
    pub is_by_quarter: bool,
    /// Lines and zones, each with its bars.
    pub series: BTreeMap<(Kind, String), Vec<Bar>>,
}

/// One bar.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bar {
    /// Into the shop, or into the zone.
    pub inward: u64,
    /// Out of it.
    pub outward: u64,
    /// Time observed, ms.
    pub cov_ms: u64,
    /// Windows that tell their figures.
    pub told: u32,
    /// Windows in which somebody looked and everything is withheld.
    pub withheld: u32,
    /// Windows in which nobody looked.
    pub blind: u32,
}

/// Sums of periods that were asked for lately.
#[derive(Default)]
pub struct Shelf(Mutex<Vec<Kept>>);

struct Kept {
    period: Period,
    version: [u64; 2],
    at_ns: i64,
    gathered: Arc<Gathered>,
}

impl Shelf {
    /// The windows of a period summed up, now or lately; one at a time, so that many questions take no more memory than one.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn gathered(&self, vault: &Vault, calendar: &Calendar, period: &Period) -> Result<Arc<Gathered>, VaultError> {
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (version, now_ns) = (vault.version(), monotonic_ns());
        shelf.retain(|kept| kept.version == version && now_ns - kept.at_ns < FRESH_NS);
        if let Some(kept) = shelf.iter().find(|kept| same(&kept.period, period)) {
            return Ok(Arc::clone(&kept.gathered));
        }
        let gathered = Arc::new(Gathered::of(period, calendar, |span| vault.windows(span.from_s, span.to_s))?);
        if shelf.len() >= KEPT_MAX {
            shelf.remove(0);
        }
        shelf.push(Kept { period: period.clone(), version, at_ns: now_ns, gathered: Arc::clone(&gathered) });
        Ok(gathered)
    }
}

/// Whether two periods hold the same windows: a period that ends now grows by the second and by no window.
fn same(one: &Period, other: &Period) -> bool {
    let quarters = |period: &Period| -> Vec<[i64; 2]> {
        let quarter = |at_s: i64| at_s.div_euclid(QUARTER_S);
        period.spans().iter().map(|span| [span.from_s, span.to_s].map(quarter)).collect()
    };
    quarters(one) == quarters(other)
}

impl Gathered {
    /// The newest window of everything, and nothing else.
    #[must_use]
    pub fn newest(vault: &Vault) -> Self {
        let mut gathered = Self::default();
        for message in vault.newest() {
            // What is no window has no figures.
            let _ = gathered.sums.add_body(None, &message.body);
        }
        gathered
    }

    /// Sums up what `bodies` gives of every part of a period.
    ///
    /// # Errors
    /// Those of `bodies`.
    pub fn of<E>(
        period: &Period,
        calendar: &Calendar,
        bodies: impl Fn(Span) -> Result<Vec<Vec<u8>>, E>,
    ) -> Result<Self, E> {
        let days = calendar.days(period);
        let is_by_quarter = days.len() <= QUARTERS_DAYS_MAX;
        let bars = if is_by_quarter {
            let quarters = |span: &Span| {
                let end_s = span.to_s;
                (span.from_s..end_s)
                    .step_by(QUARTER_S as usize)
                    .map(move |from_s| Span { from_s, to_s: (from_s + QUARTER_S).min(end_s) })
            };
            period.spans().iter().flat_map(quarters).collect()
        } else {
            days.iter().map(|(_, day)| Span { from_s: day.from_s(), to_s: day.to_s() }).collect()
        };
        let mut gathered = Self { bars, is_by_quarter, ..Self::default() };
        for span in days.iter().flat_map(|(_, day)| day.spans()) {
            bodies(*span)?.iter().for_each(|body| gathered.add(body));
        }
        Ok(gathered)
    }

    fn add(&mut self, body: &[u8]) {
        let Ok(window) = WindowBody::read(body) else { return };
        if self.sums.add(None, &window) != Added::Counted {
            return;
        }
        let more = match &window.figures {
            BodyFigures::Line(line) => Some([line.inward, line.outward]),
            BodyFigures::Zone(zone) => zone.as_ref().map(|zone| [zone.entries, zone.exits]),
            _ => return,
        };
        let after = self.bars.partition_point(|bar| bar.from_s <= window.start_s);
        let Some(place) = after.checked_sub(1).filter(|place| window.start_s < self.bars[*place].to_s) else { return };
        let length = self.bars.len();
        let series = self.series.entry((window.kind, window.id.clone().into_owned()));
        let bar = &mut series.or_insert_with(|| vec![Bar::default(); length])[place];
        bar.cov_ms += window.cov_ms;
        match more {
            _ if window.cov_ms == 0 => bar.blind += 1,
            None => bar.withheld += 1,
            Some([inward, outward]) => {
                bar.told += 1;
                bar.inward += u64::from(inward);
                bar.outward += u64::from(outward);
            }
        }
    }
}

/// The local day of the newest window of a line or a zone, as far as it has come; `None` before there is one.
#[must_use]
pub fn newest_day(vault: &Vault, calendar: &Calendar) -> Option<Period> {
    let start_s = |body: &[u8]| {
        let window = WindowView::read(body).filter(|window| ["line", "zone"].contains(&window.kind.as_str()))?;
        calendar.moment_s(&window.start).ok()
    };
    let newest = vault.newest().iter().filter_map(|message| start_s(&message.body)).max()?;
    let day = calendar.day_of(newest);
    let period = calendar.period(&day.to_string(), &day.tomorrow().ok()?.to_string(), None).ok()?;
    Some(period)
}

/// Up to here bars are quarters of an hour, days.
const QUARTERS_DAYS_MAX: usize = 1;
const QUARTER_S: i64 = 900;
/// Periods kept: a page with a comparison asks for three at once.
const KEPT_MAX: usize = 6;
/// What is older is summed up again, whatever the store says.
const FRESH_NS: i64 = 60_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::WindowSpan;
    use crate::wire::Message;
    use crate::wire::compose::Record;

    fn line(start: &str, cov_ms: u64, inward: u32) -> Vec<u8> {
        format!(
            r#"{{"v":1,"k":"line","id":"door","ws":"{start}","dur":900,"rev":0,"boot":"b","seq":1,"cfg":"c","clk":"sync","cov_ms":{cov_ms},"privacy":{{"profile":"threshold","k":5}},"d":{{"in":{inward},"out":1,"uncertain":0}}}}"#
        )
        .into_bytes()
    }

    fn gathered(from: &str, to: &str, bodies: &[Vec<u8>]) -> Gathered {
        let calendar = Calendar::of("Asia/Kathmandu").expect("a zone");
        let period = calendar.period(from, to, None).expect("a period");
        let begins = |body: &Vec<u8>, span: Span| {
            let start_s = WindowBody::read(body).expect("a window").start_s;
            (span.from_s..span.to_s).contains(&start_s)
        };
        let within = |span| Ok::<_, ()>(bodies.iter().filter(|body| begins(body, span)).cloned().collect());
        Gathered::of(&period, &calendar, within).expect("bodies")
    }

    #[test]
    fn a_day_has_its_quarters_and_a_gap_is_no_zero() {
        // Midnight in Kathmandu is 18:15 in UTC.
        let windows = [
            line("2026-11-01T18:15:00Z", 900_000, 7),
            line("2026-11-01T18:30:00Z", 900_000, 0),
            line("2026-11-01T18:45:00Z", 0, 0),
            line("2026-11-01T18:15:00Z", 900_000, 7),
        ];
        let day = gathered("2026-11-02", "2026-11-03", &windows);
        let bars = &day.series[&(Kind::Line, "door".to_owned())];
        assert_eq!((bars.len(), day.is_by_quarter), (96, true));
        assert_eq!([bars[0].inward, bars[1].inward], [7, 0], "twice the same window is one");
        assert_eq!(bars[1], Bar { told: 1, outward: 1, cov_ms: 900_000, ..Bar::default() });
        assert_eq!(bars[2], Bar { blind: 1, ..Bar::default() });
        assert_eq!(bars[3], Bar::default(), "no record");
    }

    #[test]
    fn what_is_purged_is_not_in_the_next_answer() {
        let calendar = Calendar::of("UTC").expect("a zone");
        let day = calendar.period("2026-11-01", "2026-11-02", None).expect("a day");
        let (vault, shelf) = (Vault::throw_away().expect("memory"), Shelf::default());
        let windows = || shelf.gathered(&vault, &calendar, &day).expect("the store is read").sums.windows();
        for hour in 10..12 {
            let body = line(&format!("2026-11-01T{hour}:00:00Z"), 900_000, 7);
            let message = Message { topic: "win/line/door".into(), body, retain: true, at_least_once: true };
            let span = WindowSpan { start_s: day.from_s() + hour * 3600, dur_s: 900 };
            vault.release(|_| Record { message, kind: "line", id: "door".into(), span }).expect("room");
        }
        assert_eq!((windows(), windows()), (2, 2));
        vault.purge(day.from_s() + 10 * 3600, day.from_s() + 11 * 3600, "a test").expect("purged");
        assert_eq!(windows(), 1, "and not shown for a minute more");
    }

    #[test]
    fn several_days_have_a_bar_each_that_begins_at_midnight_of_the_shop() {
        let windows = [line("2026-11-01T18:00:00Z", 900_000, 1), line("2026-11-01T18:15:00Z", 900_000, 2)];
        let days = gathered("2026-11-01", "2026-11-04", &windows);
        let bars = &days.series[&(Kind::Line, "door".to_owned())];
        assert_eq!(bars.iter().map(|bar| bar.inward).collect::<Vec<_>>(), [1, 2, 0]);
    }
}
