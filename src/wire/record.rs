//! What crosses the pipe: records of 256 bytes, integers only, in a number both sides know beforehand.
//!
//! Layout, little-endian: configuration u64 · kind u8 · 0 u8 · object u16 · part u16 · parts u16 · window start i64 ·
//! window length u32 · 0 u32 · 56 words u32. Invariant I3: [`Inbox`] accepts nothing that the configuration does not
//! foresee (kind, object, number and order of parts, windows on the calendar's grid, each window once), and
//! [`ration::Ration`] nothing before it is due; the mouth ends an eye that sends anything else.

pub mod budget;
mod figures;
pub mod ration;

use super::attempts::{ATTEMPTS_WORDS, Attempts, KIND_ATTEMPTS};
use super::benched::{BENCH_WORDS, BenchRound, KIND_BENCH};
use super::counters::{CAMERA_WORDS, KIND_CAMERA, Tick, camera_report};
use super::ready::{KIND_READY, READY_WORDS, Ready};
use super::sounding::{KIND_SOUNDING, SOUNDING_WORDS, Sounding};
use crate::clock::{UtcMs, WindowSpan};
use crate::config::Settings;
use crate::gate::{Figures, Object, ReleasedWindow};
use crate::health::{CameraReport, EyeEvent, EyeEventCode};
use figures::Foreseen;

/// Size of every record on the pipe.
pub const RECORD_BYTES: usize = 256;
const HEADER_BYTES: usize = 32;
const WORDS: usize = (RECORD_BYTES - HEADER_BYTES) / 4;

/// One record as it crosses the pipe.
pub type Record = [u8; RECORD_BYTES];

/// What the eye says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// The model is loaded and the cameras are being opened.
    Ready(Ready),
    /// A released window.
    Window(ArrivedWindow),
    /// Counters of a camera.
    Camera(u16, Tick, CameraReport),
    /// Why it cannot go on: its last word.
    Event(EyeEvent),
    /// The recording is over and everything is said.
    Ended,
    /// What a benchmark round cost.
    Bench(BenchRound),
    /// What a camera is like.
    Sounding(u16, Sounding),
    /// What became of a twin's ways out.
    Attempts(Attempts),
}

/// A released window on the mouth's side of the pipe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArrivedWindow {
    /// What it is about.
    pub object: Object,
    /// The span of the calendar.
    pub span: WindowSpan,
    /// How long the camera really saw, ms.
    pub cov_ms: u32,
    /// The figures.
    pub figures: Figures,
}

/// Why the mouth does not believe a record.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Made under another configuration.
    #[error("configuration {found:016x} instead of {expected:016x}")]
    Configuration {
        /// What it says.
        found: u64,
        /// What the mouth holds.
        expected: u64,
    },
    /// Nothing of this kind exists in the configuration.
    #[error("kind {kind}, object {object} is not foreseen")]
    Unforeseen {
        /// Kind number.
        kind: u8,
        /// Object index.
        object: u16,
    },
    /// A part out of its order or number.
    #[error("part {part} of {parts} of kind {kind} is out of order")]
    OutOfOrder {
        /// Kind number.
        kind: u8,
        /// Part index.
        part: u16,
        /// Parts announced.
        parts: u16,
    },
    /// A window off the grid, too early, or for the second time.
    #[error("window {start_s} of kind {kind}, object {object} is off the calendar or repeated")]
    Calendar {
        /// Kind number.
        kind: u8,
        /// Object index.
        object: u16,
        /// Window start, s.
        start_s: i64,
    },
    /// A window that has not ended yet.
    #[error("window ends at {end_s}, which has not been yet")]
    Early {
        /// Its end, s.
        end_s: i64,
    },
    /// Other walls stand round the eye than its twin proved.
    #[error("the walls {standing} stand round it, proved were {proved}")]
    Walls {
        /// Names of those that stand.
        standing: String,
        /// Names of those that were proved.
        proved: String,
    },
    /// Nothing an eye with this errand has to say.
    #[error("a record of another errand")]
    Errand,
    /// The first word later or twice, or another before it.
    #[error("a record before the first word, or a second first word")]
    Order,
    /// Counters that are not the next.
    #[error("counters {found} of camera {camera} instead of {expected}")]
    Number {
        /// Index of the camera.
        camera: u16,
        /// Their number.
        found: u32,
        /// The number of the next.
        expected: u32,
    },
    /// Counters before they are due.
    #[error("counters {number} of camera {camera}, where {foreseen} are foreseen by now")]
    TooMany {
        /// Index of the camera.
        camera: u16,
        /// Their number.
        number: u32,
        /// How many there may be by now.
        foreseen: u32,
    },
    /// Counters that no camera can have.
    #[error("camera {camera} cannot have such counters")]
    Counters {
        /// Index of the camera.
        camera: u16,
    },
    /// A replay of another length than its media time has.
    #[error("{read} records where the recording has {foreseen}")]
    Budget {
        /// Records read.
        read: usize,
        /// Records foreseen.
        foreseen: usize,
    },
    /// A value no stage can produce.
    #[error("kind {kind} holds an impossible value")]
    Value {
        /// Kind number.
        kind: u8,
    },
}

/// Writes reports as records.
pub struct Outbox {
    configuration: u64,
}

impl Outbox {
    /// For an eye under these settings.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        Self { configuration: settings.fingerprint() }
    }

    /// A released window as its records.
    #[must_use]
    pub fn window(&self, window: &ReleasedWindow) -> Vec<Record> {
        let mut words = vec![window.cov_ms()];
        figures::write(window.figures(), &mut words);
        let (kind, object) = figures::kind_of(window.object());
        self.records(kind, object, Some(window.span()), &words)
    }

    /// Why the eye ends itself.
    #[must_use]
    pub fn event(&self, event: &EyeEvent) -> Vec<Record> {
        let numbers = event.numbers.map(i32::cast_unsigned);
        self.records(KIND_EVENT, event.camera, None, &[event.code as u32, numbers[0], numbers[1]])
    }

    /// The end of a recording.
    #[must_use]
    pub fn ended(&self) -> Vec<Record> {
        self.records(KIND_ENDED, 0, None, &[])
    }

    pub(super) fn records(&self, kind: u8, object: u16, span: Option<WindowSpan>, words: &[u32]) -> Vec<Record> {
        let parts = parts_of(words.len());
        let mut chunks = words.chunks(WORDS);
        (0..parts)
            .map(|part| {
                let mut record = [0u8; RECORD_BYTES];
                record[0..8].copy_from_slice(&self.configuration.to_le_bytes());
                record[8] = kind;
                record[10..12].copy_from_slice(&object.to_le_bytes());
                record[12..14].copy_from_slice(&part.to_le_bytes());
                record[14..16].copy_from_slice(&parts.to_le_bytes());
                record[16..24].copy_from_slice(&span.map_or(0, |span| span.start_s).to_le_bytes());
                record[24..28].copy_from_slice(&span.map_or(0, |span| span.dur_s).to_le_bytes());
                for (index, word) in chunks.next().unwrap_or_default().iter().enumerate() {
                    let at = HEADER_BYTES + 4 * index;
                    record[at..at + 4].copy_from_slice(&word.to_le_bytes());
                }
                record
            })
            .collect()
    }
}

/// Records of windows an hour that one configuration foresees.
#[must_use]
pub fn window_records_per_hour(settings: &Settings) -> usize {
    let records = |(object, words): (Object, usize)| {
        parts_of(1 + words) as usize * (3600 / figures::grid_of(object, settings.store.hour_phase_s).0 as usize)
    };
    Foreseen::by(settings).objects().map(records).sum()
}

/// Reads and judges records on the mouth's side.
pub struct Inbox {
    configuration: u64,
    foreseen: Foreseen,
    cameras: usize,
    hour_phase_s: u32,
    k: u32,
    begun_s: i64,
    open: Option<Open>,
    last_end_s: std::collections::BTreeMap<Object, i64>,
    /// The same, as earlier eyes left it.
    released_end_s: std::collections::BTreeMap<Object, i64>,
}

/// A window or report of which parts are still missing.
struct Open {
    key: (u8, u16, i64, u32),
    words: Vec<u32>,
    parts: u16,
    next: u16,
}

impl Inbox {
    /// For the eyes of these settings.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        Self {
            configuration: settings.fingerprint(),
            foreseen: Foreseen::by(settings),
            cameras: settings.cameras.len(),
            hour_phase_s: settings.store.hour_phase_s,
            k: settings.gate.k,
            begun_s: 0,
            open: None,
            last_end_s: std::collections::BTreeMap::new(),
            released_end_s: std::collections::BTreeMap::new(),
        }
    }

    /// Forgets a half-said window: another eye speaks from here on, which measures from `begun`. What was released stays
    /// released: what this eye says of the same hours, because the clock was set back, is passed over.
    pub fn begin_again(&mut self, begun: UtcMs) {
        self.open = None;
        self.released_end_s.append(&mut self.last_end_s);
        self.begun_s = begun.0.div_euclid(1000);
    }

    /// Judges one record; gives the report once its last part is in.
    ///
    /// # Errors
    /// [`RecordError`] when the record is not foreseen: the eye is not to be believed any more.
    pub fn accept(&mut self, record: &Record) -> Result<Option<Report>, RecordError> {
        let header = Header::read(record);
        if header.configuration != self.configuration {
            return Err(RecordError::Configuration { found: header.configuration, expected: self.configuration });
        }
        let count = self.words_of(&header)?;
        let is_window = figures::object_of(header.kind, header.object).is_some();
        let is_padded = record[9] == 0 && record[28..32] == [0; 4];
        if !is_padded || (!is_window && (header.span.start_s, header.span.dur_s) != (0, 0)) {
            return Err(RecordError::Value { kind: header.kind });
        }
        let key = (header.kind, header.object, header.span.start_s, header.span.dur_s);
        let fresh = || Open { key, words: Vec::with_capacity(count), parts: parts_of(count), next: 0 };
        let mut open = self.open.take().unwrap_or_else(fresh);
        if open.key != key || header.parts != open.parts || header.part != open.next {
            return Err(RecordError::OutOfOrder { kind: header.kind, part: header.part, parts: header.parts });
        }
        let take = (count - open.words.len()).min(WORDS);
        open.words.extend((0..take).map(|index| word(record, HEADER_BYTES + 4 * index)));
        if record[HEADER_BYTES + 4 * take..].iter().any(|byte| *byte != 0) {
            return Err(RecordError::Value { kind: header.kind });
        }
        open.next += 1;
        if open.next < open.parts {
            self.open = Some(open);
            return Ok(None);
        }
        self.report(&header, &open.words)
    }

    /// Number of words the configuration foresees for such a record.
    fn words_of(&self, header: &Header) -> Result<usize, RecordError> {
        let unforeseen = RecordError::Unforeseen { kind: header.kind, object: header.object };
        if let Some(object) = figures::object_of(header.kind, header.object) {
            return self.foreseen.words(object).map(|words| 1 + words).ok_or(unforeseen);
        }
        let object = usize::from(header.object);
        let words = match header.kind {
            KIND_CAMERA if object < self.cameras => CAMERA_WORDS,
            KIND_SOUNDING if object < self.cameras => SOUNDING_WORDS,
            KIND_EVENT if object < self.cameras.max(1) => 3,
            KIND_READY if object == 0 => READY_WORDS,
            KIND_ENDED if object == 0 => 0,
            KIND_BENCH if object == 0 => BENCH_WORDS,
            KIND_ATTEMPTS if object == 0 => ATTEMPTS_WORDS,
            _ => return Err(unforeseen),
        };
        Ok(words)
    }

    fn report(&mut self, header: &Header, words: &[u32]) -> Result<Option<Report>, RecordError> {
        let impossible = || RecordError::Value { kind: header.kind };
        let report = match header.kind {
            KIND_CAMERA => {
                let (tick, report) = camera_report(words).ok_or_else(impossible)?;
                Report::Camera(header.object, tick, report)
            }
            KIND_READY => Report::Ready(Ready::read(words).ok_or_else(impossible)?),
            KIND_EVENT => {
                let code = EyeEventCode::from_number(words[0]).ok_or_else(impossible)?;
                let numbers = [words[1].cast_signed(), words[2].cast_signed()];
                Report::Event(EyeEvent { code, camera: header.object, numbers })
            }
            KIND_ENDED => Report::Ended,
            KIND_BENCH => Report::Bench(BenchRound::read(words)),
            KIND_ATTEMPTS => Report::Attempts(Attempts::read(words).ok_or_else(impossible)?),
            KIND_SOUNDING => Report::Sounding(header.object, Sounding::read(words).ok_or_else(impossible)?),
            kind => {
                let object = figures::object_of(kind, header.object).ok_or_else(impossible)?;
                return Ok(self.window(object, header, words)?.map(Report::Window));
            }
        };
        Ok(Some(report))
    }

    /// A window, or nothing when an earlier eye has released its hour.
    fn window(&mut self, named: Object, header: &Header, words: &[u32]) -> Result<Option<ArrivedWindow>, RecordError> {
        let Header { kind, object, span, .. } = *header;
        let (dur_s, phase_s) = figures::grid_of(named, self.hour_phase_s);
        // Nobody has measured what was over before it began; the years keep sums in range.
        if !(0..YEARS_S).contains(&span.start_s) || span.end_s() <= self.begun_s {
            return Err(RecordError::Calendar { kind, object, start_s: span.start_s });
        }
        let on_grid = span.dur_s == dur_s && (span.start_s - i64::from(phase_s)).rem_euclid(i64::from(dur_s)) == 0;
        let is_new = self.last_end_s.get(&named).is_none_or(|end_s| span.start_s >= *end_s);
        if !on_grid || !is_new {
            return Err(RecordError::Calendar { kind, object, start_s: span.start_s });
        }
        if words[0] > dur_s * 1000 {
            return Err(RecordError::Value { kind });
        }
        self.last_end_s.insert(named, span.end_s());
        let figures = figures::read(named, &words[1..], self.k).ok_or(RecordError::Value { kind })?;
        let is_released = self.released_end_s.get(&named).is_some_and(|end_s| span.start_s < *end_s);
        Ok((!is_released).then_some(ArrivedWindow { object: named, span, cov_ms: words[0], figures }))
    }
}

struct Header {
    configuration: u64,
    kind: u8,
    object: u16,
    part: u16,
    parts: u16,
    span: WindowSpan,
}

impl Header {
    fn read(record: &Record) -> Self {
        let short = |at: usize| u16::from_le_bytes([record[at], record[at + 1]]);
        let long = |at: usize| u64::from(word(record, at)) | u64::from(word(record, at + 4)) << 32;
        Self {
            configuration: long(0),
            kind: record[8],
            object: short(10),
            part: short(12),
            parts: short(14),
            span: WindowSpan { start_s: long(16).cast_signed(), dur_s: word(record, 24) },
        }
    }
}

fn word(record: &Record, at: usize) -> u32 {
    u32::from_le_bytes([record[at], record[at + 1], record[at + 2], record[at + 3]])
}

/// The u64 that lies in the words at twice `index`.
pub(super) fn whole(words: &[u32], index: usize) -> u64 {
    u64::from(words[2 * index]) | u64::from(words[2 * index + 1]) << 32
}

pub(super) fn halves(value: u64) -> [u32; 2] {
    [value as u32, (value >> 32) as u32]
}

fn parts_of(words: usize) -> u16 {
    words.div_ceil(WORDS).max(1) as u16
}

/// End of the calendar, s since 1970: the year 2106.
const YEARS_S: i64 = 1 << 32;
const KIND_EVENT: u8 = 17;
const KIND_ENDED: u8 = 18;
