//! The table of an export: one figure of one object in one part of the period a row.
//!
//! In: what a row is about. Out: its fields, in the order of [`COLUMNS`]. Invariant: CSV and Parquet hold the same columns in
//! the same order, and the help names each (a test holds it).

use jiff::civil::Date;

use crate::publish::period::{Definition, Figure};
use crate::wire::read::Kind;

/// One object as a table names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    /// Organisation, store and box, each empty where unknown.
    pub node: [String; 3],
    /// Kind.
    pub kind: Kind,
    /// Id on the wire.
    pub id: String,
    /// Layer of a heatmap, else empty.
    pub layer: String,
    /// Name for people, empty where unknown.
    pub name: String,
}

/// The part of the period a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Local day of its beginning.
    pub day: Date,
    /// Its beginning by the clock on the shop's wall, as if that were UTC, s since 1970.
    pub start_local_s: i64,
    /// First second, s since 1970 UTC.
    pub start_s: i64,
    /// First second after.
    pub end_s: i64,
    /// Its length, opening hours only, s.
    pub dur_s: i64,
}

/// Where in its object a figure lies.
#[derive(Debug, Clone, Copy, Default)]
pub struct Spot<'a> {
    /// Index of a cell, and its middle, mm.
    pub cell: Option<(usize, [i64; 2])>,
    /// Two places of a way.
    pub ways: [&'a str; 2],
}

/// Windows and time behind a figure.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Ground {
    /// Share of the part in which somebody looked, 0 to 1.
    pub coverage: f64,
    /// Time observed, ms.
    pub cov_ms: u64,
    /// Time observed in windows that tell the figure, ms.
    pub told_ms: u64,
    /// Windows there are.
    pub windows: u64,
    /// Windows there would be if none were missing.
    pub expected: u64,
    /// Windows in which somebody looked and the figure is withheld.
    pub withheld: u64,
    /// Windows in which nobody looked.
    pub blind: u64,
}

/// A figure and what it stands on.
#[derive(Debug, Clone, Copy)]
pub struct Told {
    /// The figure.
    pub figure: Figure,
    /// In words: told, partly withheld, at least, or why there is no number.
    pub state: &'static str,
    /// What it stands on.
    pub ground: Ground,
}

/// One row.
pub struct Row<'a> {
    /// What it is about.
    pub subject: &'a Subject,
    /// When.
    pub part: &'a Part,
    /// Where in its object.
    pub spot: Spot<'a>,
    /// What figure.
    pub definition: &'static Definition,
    /// The figure.
    pub told: Told,
    /// The same in the period it is compared with.
    pub versus: Option<Told>,
}

/// What stands in a field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Field<'a> {
    /// Text.
    Text(&'a str),
    /// A whole number, or nothing.
    Whole(Option<i64>),
    /// A number, or nothing.
    Number(Option<f64>),
    /// A day.
    Day(Date),
    /// A moment, s since 1970 UTC.
    Utc(i64),
    /// A moment by the clock on the wall, s since 1970 there.
    Local(i64),
}

/// Names of the columns, each with what it holds.
pub const COLUMNS: [(&str, Field<'static>); 29] = [
    ("day", Field::Day(Date::ZERO)),
    ("start_local", Field::Local(0)),
    ("org", TEXT),
    ("store", TEXT),
    ("node", TEXT),
    ("kind", TEXT),
    ("id", TEXT),
    ("name", TEXT),
    ("layer", TEXT),
    ("cell", WHOLE),
    ("x_mm", WHOLE),
    ("y_mm", WHOLE),
    ("origin", TEXT),
    ("destination", TEXT),
    ("figure", TEXT),
    ("value", NUMBER),
    ("unit", TEXT),
    ("state", TEXT),
    ("coverage", NUMBER),
    ("cov_ms", WHOLE),
    ("told_ms", WHOLE),
    ("windows", WHOLE),
    ("windows_expected", WHOLE),
    ("windows_withheld", WHOLE),
    ("windows_blind", WHOLE),
    ("start_utc", Field::Utc(0)),
    ("end_utc", Field::Utc(0)),
    ("dur_s", WHOLE),
    ("formula", TEXT),
];

/// Columns behind those, where two periods are compared.
pub const COLUMNS_COMPARED: [(&str, Field<'static>); 8] = [
    ("compare_value", NUMBER),
    ("compare_state", TEXT),
    ("compare_coverage", NUMBER),
    ("compare_told_ms", WHOLE),
    ("difference", NUMBER),
    ("per_hour", NUMBER),
    ("compare_per_hour", NUMBER),
    ("comparable", TEXT),
];

const TEXT: Field<'static> = Field::Text("");
const WHOLE: Field<'static> = Field::Whole(None);
const NUMBER: Field<'static> = Field::Number(None);

impl Row<'_> {
    /// Its fields, in the order of the columns.
    #[must_use]
    pub fn fields(&self) -> [Field<'_>; COLUMNS.len()] {
        let Self { subject, part, spot, definition, told, .. } = self;
        let [org, store, node] = subject.node.each_ref().map(|level| Field::Text(level));
        let [x, y] = [0, 1].map(|axis| Field::Whole(spot.cell.map(|(_, middle)| middle[axis])));
        let ground = &told.ground;
        [
            Field::Day(part.day),
            Field::Local(part.start_local_s),
            org,
            store,
            node,
            Field::Text(subject.kind.name()),
            Field::Text(&subject.id),
            Field::Text(&subject.name),
            Field::Text(&subject.layer),
            Field::Whole(spot.cell.map(|(cell, _)| cell as i64)),
            x,
            y,
            Field::Text(spot.ways[0]),
            Field::Text(spot.ways[1]),
            Field::Text(definition.name),
            Field::Number(told.figure.value()),
            Field::Text(definition.unit),
            Field::Text(told.state),
            Field::Number(Some(ground.coverage)),
            whole(ground.cov_ms),
            whole(ground.told_ms),
            whole(ground.windows),
            whole(ground.expected),
            whole(ground.withheld),
            whole(ground.blind),
            Field::Utc(part.start_s),
            Field::Utc(part.end_s),
            Field::Whole(Some(part.dur_s)),
            Field::Text(definition.formula),
        ]
    }

    /// The fields of the columns behind them; `None` where nothing is compared.
    #[must_use]
    pub fn compared(&self) -> Option<[Field<'_>; COLUMNS_COMPARED.len()]> {
        let versus = self.versus?;
        let [here, there] = [self.told.figure.value(), versus.figure.value()];
        let rate = |told: &Told| {
            let hours = told.ground.told_ms as f64 / 3_600_000.0;
            told.figure.value().filter(|_| self.definition.adds && hours > 0.0).map(|value| value / hours)
        };
        Some([
            Field::Number(there),
            Field::Text(versus.state),
            Field::Number(Some(versus.ground.coverage)),
            whole(versus.ground.told_ms),
            Field::Number(here.zip(there).map(|(here, there)| here - there)),
            Field::Number(rate(&self.told)),
            Field::Number(rate(&versus)),
            Field::Text(comparable(self.definition, &self.told, &versus)),
        ])
    }
}

/// Whether two figures may be held against each other as they are.
#[must_use]
pub fn comparable(definition: &Definition, one: &Told, other: &Told) -> &'static str {
    let [here, there] = [one, other].map(|told| told.figure.value());
    match (here, there) {
        (None, _) | (_, None) => "no",
        _ if !definition.adds => "yes",
        _ if one.ground.told_ms.abs_diff(other.ground.told_ms) * 100
            <= one.ground.told_ms.max(other.ground.told_ms) =>
        {
            "yes"
        }
        _ => "per hour",
    }
}

fn whole<'a>(value: u64) -> Field<'a> {
    Field::Whole(i64::try_from(value).ok())
}
