//! `kehai export`: released windows of any period as a table or a picture, in the shop's own time.
//!
//! In: this box's store, or files of payload lines. Out: one file, whole or not at all. Invariants: a window counts once;
//! it belongs to the part of the period in which it begins, and those that reach beyond are counted and said.

mod files;
mod picture;
mod rows;
mod sink;
mod source;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::Serialize;

use super::credentials::Asker;
use super::interrupt::Interrupt;
use super::output::{check_file, note, progress_of, say, say_json, write_whole};
use super::{Failure, USAGE};
use crate::config::hours::Hours;
use crate::config::{Settings, site};
use crate::floor::visible_cells;
use crate::publish::period::{Added, Calendar, Period, PeriodError, Span, Sums};
use crate::wire::read::Kind;
use picture::Frame;
use rows::{Rows, Stretch, Wanted};
use sink::{CsvSink, ParquetSink, Sink};
use source::{Leftovers, Source};
use table::Part;

/// Arguments of `kehai export`.
#[derive(clap::Args)]
#[command(after_long_help = COLUMNS_HELP)]
pub struct Args {
    /// Beginning: a local date (2026-11-01), a local time (2026-11-01T09:00) or one with its offset
    #[arg(long)]
    from: String,
    /// First moment after: with dates the day after the last
    #[arg(long)]
    to: String,
    /// What is written
    #[arg(long, value_enum)]
    format: Format,
    /// The file
    #[arg(long)]
    out: PathBuf,
    /// Site file: its store is read where no --windows is given; else it lends names and time zone
    #[arg(long)]
    site: Option<PathBuf>,
    /// Files of payload lines: windows.jsonl of a replay, or what mosquitto_sub printed, with -v or without
    #[arg(long, num_args = 1.., value_name = "FILE")]
    windows: Vec<PathBuf>,
    /// Length of the parts that are summed: every window for itself, local hours, local days, or the period
    #[arg(long, value_enum, default_value = "day")]
    by: By,
    /// IANA time zone of the shop [default: the site file's, or that of an "about" message among the lines]
    #[arg(long, value_name = "TZ")]
    zone: Option<String>,
    /// Only these hours of each day, by the clock on the wall, for example 10:00-21:00
    #[arg(long)]
    hours: Option<String>,
    /// Only these kinds: line, zone, queue, heat, flow, od
    #[arg(long, value_delimiter = ',')]
    kind: Vec<String>,
    /// Only these objects
    #[arg(long, value_delimiter = ',')]
    id: Vec<String>,
    /// Lines that are doors of the store, for exposure [default: every line]
    #[arg(long, value_delimiter = ',', value_name = "ID")]
    doors: Vec<String>,
    /// Beginning of a period to compare with; both are summed whole
    #[arg(long, requires = "compare_to", value_name = "T")]
    compare_from: Option<String>,
    /// First moment after that period
    #[arg(long, requires = "compare_from", value_name = "T")]
    compare_to: Option<String>,
    #[command(flatten)]
    asker: Asker,
    /// Print a summary as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A table as text
    Csv,
    /// A table for DuckDB, pandas and such
    Parquet,
    /// A map: the heat or flow of one floor, or the difference of two periods
    Png,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum By {
    Window,
    Hour,
    Day,
    Total,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Failure> {
    check_file("--out", &args.out)?;
    let wanted = wanted(args)?;
    let hours = args.hours.as_deref().map(Hours::read).transpose().map_err(PeriodError::from)?;
    let site = args.site.as_deref().map(site::load).transpose()?;
    let bar = progress_of("reading", "{bytes} read, {elapsed}");
    let mut source = Source::open(site.as_ref(), &args.windows, &args.asker, &mut |bytes| bar.inc(bytes))?;
    bar.finish_and_clear();
    let bar = progress_of("export", "{pos} windows, {per_sec}, {elapsed}");
    let calendar = calendar(args, &source)?;
    let period = calendar.period(&args.from, &args.to, hours)?;
    let compared = args.compare_from.as_deref().zip(args.compare_to.as_deref());
    let compared = compared.map(|(from, to)| calendar.period(from, to, hours)).transpose()?;
    // From here on a file is begun, and nothing half written may stay.
    let interrupt = Interrupt::listen("interrupted; nothing was written")?;
    let (names, objects) = (std::mem::take(&mut source.names), std::mem::take(&mut source.objects));
    let sink: Box<dyn Sink> = match args.format {
        Format::Csv => Box::new(CsvSink::begin(&args.out, compared.is_some())?),
        Format::Parquet => Box::new(ParquetSink::begin(&args.out, compared.is_some())?),
        Format::Png => {
            let seen = site.as_ref().map(|site| seen_cells(&site.settings)).unwrap_or_default();
            let periods = [Some(&period), compared.as_ref()].map(|period| Some(in_words(&calendar, period?)));
            let frame = Frame { wanted: &wanted, names: &names, seen: &seen, periods };
            return draw(args, &frame, (&mut source, &calendar, &bar, &interrupt), [Some(&period), compared.as_ref()]);
        }
    };
    let rows = Rows { wanted: &wanted, names: &names, objects: &objects, sink, count: 0, there: BTreeSet::new() };
    let mut export = Export { source, calendar, rows, heard: Heard::default(), bar, interrupt };
    match compared {
        Some(other) => export.compare(&period, &other)?,
        None if args.by == By::Window => export.each_window(&period)?,
        None => export.by_parts(&period, args.by)?,
    }
    export.bar.finish_and_clear();
    export.end(args, &period)
}

fn wanted(args: &Args) -> Result<Wanted, Failure> {
    let kinds = args.kind.iter().map(|name| {
        Kind::named(name).ok_or_else(|| {
            Failure::new(
                USAGE,
                format!("--kind {name}: write line, zone, queue, heat, flow or od, with commas between"),
            )
        })
    });
    Ok(Wanted { kinds: kinds.collect::<Result<_, _>>()?, ids: args.id.clone(), doors: args.doors.clone() })
}

fn calendar(args: &Args, source: &Source) -> Result<Calendar, Failure> {
    let zone = args.zone.as_ref().or(source.zone.as_ref());
    let zone = zone.ok_or_else(|| {
        let message =
            "no one time zone is known; give --zone, for example --zone Asia/Tokyo, or the --site of the shop";
        Failure::new(USAGE, message)
    })?;
    Ok(Calendar::of(zone)?)
}

/// What became of the windows.
#[derive(Default)]
struct Heard {
    windows: u64,
    duplicates: u64,
    conflicts: u64,
    refused: u64,
    straddling: u64,
}

impl Heard {
    fn hear(&mut self, added: Added, is_straddling: bool) {
        match added {
            Added::Counted => self.windows += 1,
            Added::Duplicate => self.duplicates += 1,
            Added::Conflict => self.conflicts += 1,
            Added::Refused => self.refused += 1,
        }
        self.straddling += u64::from(is_straddling && added == Added::Counted);
    }
}

struct Export<'a> {
    source: Source,
    calendar: Calendar,
    rows: Rows<'a>,
    heard: Heard,
    bar: indicatif::ProgressBar,
    interrupt: Interrupt,
}

impl Export<'_> {
    /// Sums over hours, days or the period, each told when it is over.
    fn by_parts(&mut self, period: &Period, by: By) -> Result<(), Failure> {
        let Self { source, calendar, rows, heard, bar, interrupt } = self;
        let mut stretches = stretches(calendar, period, by).into_iter();
        let Some(mut stretch) = stretches.next() else { return Ok(()) };
        let mut sums = Sums::default();
        source.each(period, &mut |node, window| {
            bar.inc(1);
            interrupt.check()?;
            while window.start_s >= stretch.period.to_s() {
                rows.tell(&stretch, &sums)?;
                rows.tell_missing(&stretch, &sums)?;
                (stretch, sums) = (stretches.next().expect("the parts cover the period"), Sums::default());
            }
            heard.hear(sums.add(node, window), stretch.period.straddles(window.start_s, window.dur_s));
            Ok(())
        })?;
        loop {
            rows.tell(&stretch, &sums)?;
            rows.tell_missing(&stretch, &sums)?;
            match stretches.next() {
                Some(next) => (stretch, sums) = (next, Sums::default()),
                None => return Ok(()),
            }
        }
    }

    /// Every window for itself.
    fn each_window(&mut self, period: &Period) -> Result<(), Failure> {
        let Self { source, calendar, rows, heard, bar, interrupt } = self;
        // Windows of one start come together: what is there twice is there twice in a row.
        let (mut there, mut start_s) = (Sums::default(), i64::MIN);
        source.each(period, &mut |node, window| {
            bar.inc(1);
            interrupt.check()?;
            if window.start_s != start_s {
                (there, start_s) = (Sums::default(), window.start_s);
            }
            let added = there.add(node, window);
            heard.hear(added, period.straddles(window.start_s, window.dur_s));
            if added != Added::Counted {
                return Ok(());
            }
            let mut sums = Sums::default();
            sums.add(node, window);
            let span = Span { from_s: window.start_s, to_s: window.end_s() };
            rows.tell(&stretch(calendar, Period::of(vec![span])), &sums)
        })
    }

    /// The period beside another one.
    fn compare(&mut self, period: &Period, other: &Period) -> Result<(), Failure> {
        let Self { source, calendar, rows, heard, bar, interrupt } = self;
        let sums = summed((source, calendar, bar, interrupt), heard, period)?;
        let more = summed((source, calendar, bar, interrupt), heard, other)?;
        rows.compare((&stretch(calendar, period.clone()), &sums), (&stretch(calendar, other.clone()), &more))
    }

    /// Puts the file in its place and says what is in it.
    fn end(self, args: &Args, period: &Period) -> Result<(), Failure> {
        let Self { source, calendar, rows, heard, .. } = self;
        let leftovers = source.leftovers();
        if heard.windows == 0 {
            let malformed = leftovers.first.map(|first| format!("; {first}")).unwrap_or_default();
            let Failure { code, message } = nothing(&source, &calendar, period);
            return Err(Failure::new(code, message + &malformed));
        }
        rows.check_names()?;
        let summary = Summary::of(args, &calendar, period, (&heard, &leftovers, rows.count));
        rows.sink.end()?;
        summary.warn(&leftovers, heard.refused);
        if args.json {
            say_json(&summary)
        } else {
            summary.print()
        }
        Ok(())
    }
}

/// Where windows come from, whose time it is, what shows how far it is, and who may end it.
type Reading<'a> = (&'a mut Source, &'a Calendar, &'a indicatif::ProgressBar, &'a Interrupt);

/// The sums of a whole period.
fn summed((source, calendar, bar, interrupt): Reading, heard: &mut Heard, period: &Period) -> Result<Sums, Failure> {
    let mut sums = Sums::default();
    source.each(period, &mut |node, window| {
        bar.inc(1);
        interrupt.check()?;
        heard.hear(sums.add(node, window), period.straddles(window.start_s, window.dur_s));
        Ok(())
    })?;
    if sums.windows() == 0 { Err(nothing(source, calendar, period)) } else { Ok(sums) }
}

/// Draws a map of a period, or of the difference of two, into its file.
fn draw(args: &Args, frame: &Frame, reading: Reading, periods: [Option<&Period>; 2]) -> Result<(), Failure> {
    let (source, calendar, bar, interrupt) = reading;
    let mut heard = Heard::default();
    let mut all = Vec::new();
    for period in periods.into_iter().flatten() {
        all.push((stretch(calendar, period.clone()), summed((source, calendar, bar, interrupt), &mut heard, period)?));
    }
    bar.finish_and_clear();
    let mut all = all.iter().map(|(stretch, sums)| (stretch, sums));
    let here = all.next().expect("there is a period");
    let png = frame.draw(here, all.next())?;
    write_whole("--out", &args.out, &png)?;
    let leftovers = source.leftovers();
    let summary = Summary::of(args, calendar, &here.0.period, (&heard, &leftovers, 0));
    summary.warn(&leftovers, heard.refused);
    if args.json {
        say_json(&summary)
    } else {
        say(&format!("{} windows  {}", summary.windows, summary.out))
    }
    Ok(())
}

/// Which cells of each floor a camera sees.
fn seen_cells(settings: &Settings) -> BTreeMap<String, Vec<bool>> {
    let floors = settings.floors.iter().enumerate();
    floors.map(|(index, floor)| (floor.id.clone(), visible_cells(settings, index))).collect()
}

/// A period in the shop's time.
fn in_words(calendar: &Calendar, period: &Period) -> String {
    let [from, to] =
        [period.from_s(), period.to_s()].map(|at_s| calendar.local(at_s).strftime("%Y-%m-%d %H:%M").to_string());
    let hours = if period.spans().len() > 1 { ", opening hours" } else { "" };
    format!("{from} to {to} {}{hours}", calendar.zone())
}

/// No window lies in a period.
fn nothing(source: &Source, calendar: &Calendar, period: &Period) -> Failure {
    let [from, to] =
        [period.from_s(), period.to_s()].map(|at_s| calendar.local(at_s).strftime("%Y-%m-%d %H:%M").to_string());
    Failure::new(USAGE, format!("no window begins from {from} to {to}; {}", source.reach(calendar)))
}

/// The parts of a period, in order.
fn stretches(calendar: &Calendar, period: &Period, by: By) -> Vec<Stretch> {
    if by == By::Total {
        return vec![stretch(calendar, period.clone())];
    }
    let days = calendar.days(period).into_iter().map(|(_, day)| day);
    if by == By::Day {
        return days.map(|day| stretch(calendar, day)).collect();
    }
    let mut hours = Vec::new();
    for span in period.spans() {
        let mut from_s = span.from_s;
        while from_s < span.to_s {
            let hour_s = calendar.hour_of(from_s);
            // Clocks change in quarters of an hour at the finest.
            let mut to_s = from_s + QUARTER_S - from_s.rem_euclid(QUARTER_S);
            while to_s < span.to_s && calendar.hour_of(to_s) == hour_s {
                to_s += QUARTER_S;
            }
            let hour = Span { from_s, to_s: to_s.min(span.to_s) };
            hours.push(stretch(calendar, Period::of(vec![hour])));
            from_s = to_s;
        }
    }
    hours
}

fn stretch(calendar: &Calendar, period: Period) -> Stretch {
    let start = calendar.local(period.from_s());
    let part = Part {
        day: start.date(),
        start_local_s: period.from_s() + i64::from(start.offset().seconds()),
        start_s: period.from_s(),
        end_s: period.to_s(),
        dur_s: period.length_s(),
    };
    Stretch { part, period }
}

/// What an export came to.
#[derive(Serialize)]
struct Summary {
    out: String,
    zone: String,
    from: String,
    to: String,
    /// Rows of the table.
    rows: u64,
    /// Windows that count.
    windows: u64,
    /// Windows that were there more than once.
    duplicates: u64,
    /// Windows that were there twice with different figures; the first counts.
    conflicts: u64,
    /// Windows that begin in a part of the period and reach beyond it; they count where they begin.
    straddling: u64,
    /// Lines that are no payload.
    malformed_lines: u64,
    /// Payloads of other kinds.
    other_messages: u64,
}

impl Summary {
    fn of(args: &Args, calendar: &Calendar, period: &Period, counts: (&Heard, &Leftovers, u64)) -> Self {
        let (heard, leftovers, rows) = counts;
        let [from, to] = [period.from_s(), period.to_s()]
            .map(|at_s| calendar.local(at_s).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string());
        Self {
            out: args.out.display().to_string(),
            zone: calendar.zone().to_owned(),
            from,
            to,
            rows,
            windows: heard.windows,
            duplicates: heard.duplicates,
            conflicts: heard.conflicts,
            straddling: heard.straddling,
            malformed_lines: leftovers.malformed,
            other_messages: leftovers.others,
        }
    }

    fn warn(&self, leftovers: &Leftovers, refused: u64) {
        if let Some(first) = &leftovers.first {
            note(&format!(
                "kehai: {} line(s) could not be read and do not count; the first: {first}",
                self.malformed_lines
            ));
        }
        if self.conflicts > 0 {
            note(&format!(
                "kehai: {} window(s) were there twice with different figures; the first counts",
                self.conflicts
            ));
        }
        if refused > 0 {
            note(&format!("kehai: {refused} window(s) are of more objects than one export holds; export them by --id"));
        }
        if leftovers.is_mixed {
            note(
                "kehai: some lines have a topic and others none: the same window with and without one counts twice; give --site",
            );
        }
        if self.straddling > 0 {
            note(&format!(
                "kehai: {} window(s) reach beyond the part of the period in which they begin, and count there",
                self.straddling
            ));
        }
    }

    fn print(&self) {
        say(&format!(
            "{} rows of {} windows, {} to {} ({})  {}",
            self.rows, self.windows, self.from, self.to, self.zone, self.out
        ));
    }
}

impl From<PeriodError> for Failure {
    fn from(error: PeriodError) -> Self {
        Self::new(USAGE, error.to_string())
    }
}

const QUARTER_S: i64 = 900;

const COLUMNS_HELP: &str = "\
Columns of CSV and Parquet, one figure of one object in one part of the period a row:
  day, start_local    local day and wall-clock beginning of the part
  org, store, node    where, as far as the topics or the site file say
  kind, id, name      the object: line, zone, queue, heat, flow or od; name for people
  layer               visits or dwell, of heat
  cell, x_mm, y_mm    a cell of heat or flow: index, and its middle on the floor
  origin, destination the two places of a way (od)
  figure, value, unit the figure; value is empty where there is no number
  state               told; partly withheld (value is what is told, no less was there); at least (the
                      value lies in the open last class); withheld; nobody looked; no record;
                      nobody came (nothing to divide by); not measured
  coverage            share of the part in which somebody looked, 0 to 1; cov_ms is that time
  told_ms             time observed in windows that tell the figure: rates are over this
  windows, windows_expected, windows_withheld, windows_blind
                      windows there are, those there would be, those that withhold the figure, those
                      in which nobody looked
  start_utc, end_utc, dur_s
                      the part in UTC; its length, opening hours only
  formula             how the figure is made from the windows
A cell or a way without a row was withheld in every window, or no camera looks there.
With --compare-from and --compare-to the period is summed whole and these columns follow:
  compare_value, compare_state, compare_coverage, compare_told_ms
                      the same of the other period
  difference          value - compare_value
  per_hour, compare_per_hour
                      of figures that add up: per observed hour, where coverages differ
  comparable          yes; per hour (observed times differ by more than 1 %: compare the rates); no";
