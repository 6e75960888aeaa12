//! Sums over any period: what released windows add up to, whatever their order and however often each arrives.
//!
//! In: bodies of released windows. Out: [`Sums`] of every object, each with the time observed and the windows seen and
//! withheld, so that nobody there, withheld, nobody looking and no record stay four different things ([`Presence`]).
//! Invariants: a window counts once, by its key (node, kind, id, start, length); the order of windows is irrelevant; sums of
//! disjoint windows merge; nothing is estimated, what is withheld adds nothing and is counted.

mod calendar;
mod definitions;
mod objects;
mod table;

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use crate::wire::read::{BodyFigures, CellGrid, Kind, ReadError, WindowBody};
pub use calendar::{Calendar, Period, PeriodError, Span};
pub use definitions::{Context, Definition, Figure, Of, Why, class_s, definition, definitions, quantile_s};
use objects::Weight;
pub use objects::{
    FlowCellSums, FlowSums, HeatCellSums, HeatSums, LineSums, ObjectFigures, OdSums, PairSums, QueueSums, ZoneSums,
};
pub use table::DEFINITIONS;

/// Where a window comes from: the first levels of its topic.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// Organisation.
    pub org: String,
    /// Store.
    pub store: String,
    /// Box.
    pub node: String,
}

impl Node {
    /// The node a topic names, and what follows it; `None` when the topic has no four levels below its root.
    ///
    /// The root may have any number of levels: `win/KIND/ID` is counted from the end.
    #[must_use]
    pub fn of_window(topic: &str) -> Option<Self> {
        let levels: Vec<&str> = topic.split('/').collect();
        let [.., org, store, node, "win", _, _] = levels[..] else { return None };
        Some(Self { org: org.to_owned(), store: store.to_owned(), node: node.to_owned() })
    }
}

/// One object. A floor that was measured by other cells before is another one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Where it is, as far as known.
    pub node: Option<Node>,
    /// Kind.
    pub kind: Kind,
    /// Id on the wire.
    pub id: String,
    /// Layer of a heatmap, "visits" or "dwell"; empty for other kinds.
    pub layer: String,
    /// Its cells, of heat and flow.
    pub grid: Option<CellGrid<'static>>,
}

/// Sums of every object.
#[derive(Debug, Clone, Default)]
pub struct Sums {
    objects: Vec<(Key, ObjectSums)>,
    /// Objects by the text of their key: a look-up allocates nothing.
    places: HashMap<String, usize>,
    /// Windows that were added: object, start, length; and what they said.
    added: HashMap<(usize, i64, u32), u64>,
    text: String,
}

/// Sums of one object.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectSums {
    /// Windows and time.
    pub tally: Tally,
    /// The figures.
    pub figures: ObjectFigures,
}

/// Windows of an object by what became of them, and the time they cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Windows seen.
    pub windows: u64,
    /// Those in which somebody looked and every figure is withheld.
    pub withheld: u64,
    /// Those in which nobody looked: no time was observed.
    pub blind: u64,
    /// Time observed, ms.
    pub cov_ms: u64,
    /// Time observed in windows that tell a figure, ms: what means over time are taken over.
    pub told_cov_ms: u64,
    /// Time all windows cover, s.
    pub span_s: u64,
    /// Length of the longest window, s.
    pub dur_s: u32,
    /// Start of the first window, s since 1970 UTC.
    pub first_s: i64,
    /// End of the last window, s since 1970 UTC.
    pub end_s: i64,
    /// Smallest and largest k of the windows: fewest distinct visits behind a figure.
    pub k: [u32; 2],
}

/// What is known of an object in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// There is no window at all.
    NoRecord,
    /// There are windows, and nobody looked in any of them.
    Blind,
    /// Somebody looked, and every figure is withheld.
    Withheld,
    /// Some windows tell their figures, others withhold them: sums are what is told, no less was there.
    PartlyWithheld,
    /// Every window in which somebody looked tells its figures.
    Told,
}

impl Presence {
    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::NoRecord => "no record",
            Self::Blind => "nobody looked",
            Self::Withheld => "withheld",
            Self::PartlyWithheld => "partly withheld",
            Self::Told => "told",
        }
    }
}

/// What became of a window that was to be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// It counts.
    Counted,
    /// It was there already.
    Duplicate,
    /// One with the same key and other figures was there already; the first stays.
    Conflict,
    /// There are [`OBJECTS_MAX`] objects and this is one more, or it disagrees with its own kind; it does not count.
    Refused,
}

/// Why sums cannot be merged: windows that are in both would count twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{windows} windows are in both sums and would count twice; add their bodies to one sum instead")]
pub struct Overlap {
    /// How many.
    pub windows: usize,
}

impl Sums {
    /// Adds the body of a window.
    ///
    /// # Errors
    /// [`ReadError`], where it is no window.
    pub fn add_body(&mut self, node: Option<&Node>, body: &[u8]) -> Result<Added, ReadError> {
        Ok(self.add(node, &WindowBody::read(body)?))
    }

    /// Adds a window.
    pub fn add(&mut self, node: Option<&Node>, window: &WindowBody) -> Added {
        let Some(place) = self.place(node, window) else { return Added::Refused };
        match self.added.entry((place, window.start_s, window.dur_s)) {
            Entry::Occupied(there) if *there.get() == window.print => return Added::Duplicate,
            Entry::Occupied(_) => return Added::Conflict,
            Entry::Vacant(free) => free.insert(window.print),
        };
        self.objects[place].1.add(window);
        Added::Counted
    }

    /// Adds other sums of other windows.
    ///
    /// # Errors
    /// [`Overlap`], where windows are in both; nothing is changed then.
    pub fn merge(&mut self, other: &Self) -> Result<(), Overlap> {
        let texts: HashMap<usize, &String> = other.places.iter().map(|(text, place)| (*place, text)).collect();
        let is_here = |(place, start_s, dur_s): &(usize, i64, u32)| {
            let here = self.places.get(texts[place]);
            here.is_some_and(|here| self.added.contains_key(&(*here, *start_s, *dur_s)))
        };
        let windows = other.added.keys().filter(|window| is_here(window)).count();
        if windows > 0 {
            return Err(Overlap { windows });
        }
        let mut here = Vec::with_capacity(other.objects.len());
        for (place, (key, sums)) in other.objects.iter().enumerate() {
            match self.places.get(texts[&place]) {
                Some(known) => {
                    self.objects[*known].1.merge(sums);
                    here.push(*known);
                }
                None => {
                    self.places.insert(texts[&place].clone(), self.objects.len());
                    here.push(self.objects.len());
                    self.objects.push((key.clone(), sums.clone()));
                }
            }
        }
        let windows = other.added.iter();
        self.added.extend(windows.map(|((place, start_s, dur_s), print)| ((here[*place], *start_s, *dur_s), *print)));
        Ok(())
    }

    /// Every object, in the order of its key.
    #[must_use]
    pub fn objects(&self) -> BTreeMap<&Key, &ObjectSums> {
        self.objects.iter().map(|(key, sums)| (key, sums)).collect()
    }

    /// The sums of an object of this kind and id; of several (other nodes, other cells) the one with the latest window.
    #[must_use]
    pub fn find(&self, kind: Kind, id: &str) -> Option<&ObjectSums> {
        let alike = self.objects.iter().filter(|(key, _)| key.kind == kind && key.id == id);
        alike
            .max_by(|(one, sums), (other, more)| (sums.tally.end_s, one).cmp(&(more.tally.end_s, other)))
            .map(|(_, sums)| sums)
    }

    /// What is known of an object of this kind and id.
    #[must_use]
    pub fn presence(&self, kind: Kind, id: &str) -> Presence {
        self.find(kind, id).map_or(Presence::NoRecord, |sums| sums.tally.presence())
    }

    /// Windows that count.
    #[must_use]
    pub fn windows(&self) -> usize {
        self.added.len()
    }

    /// Inward crossings of a node's doors: all its lines, or those named; `None` where none has a window in which somebody
    /// looked.
    #[must_use]
    pub fn store_entries(&self, node: Option<&Node>, doors: Option<&[String]>) -> Option<u64> {
        let is_door = |key: &Key| key.node.as_ref() == node && doors.is_none_or(|doors| doors.contains(&key.id));
        let doors = self.objects.iter().filter(|(key, sums)| is_door(key) && sums.tally.told_cov_ms > 0);
        let entries = doors.filter_map(|(_, sums)| match &sums.figures {
            ObjectFigures::Line(line) => Some(line.inward),
            _ => None,
        });
        entries.fold(None, |sum: Option<u64>, more| Some(sum.unwrap_or(0).saturating_add(more)))
    }

    /// Where the object of a window is kept; `None` when there is no room.
    fn place(&mut self, node: Option<&Node>, window: &WindowBody) -> Option<usize> {
        let grid = grid_of(&window.figures);
        spell(&mut self.text, node, window, grid);
        if let Some(place) = self.places.get(&self.text) {
            return Some(*place);
        }
        if self.objects.len() >= OBJECTS_MAX {
            return None;
        }
        let key = Key {
            node: node.cloned(),
            kind: window.kind,
            id: window.id.clone().into_owned(),
            layer: layer_of(&window.figures).to_owned(),
            grid: grid.map(|grid| grid.clone().into_owned()),
        };
        self.objects.push((
            key,
            ObjectSums { tally: Tally::of_nothing(window), figures: ObjectFigures::empty_for(&window.figures) },
        ));
        self.places.insert(self.text.clone(), self.objects.len() - 1);
        Some(self.objects.len() - 1)
    }
}

impl ObjectSums {
    fn add(&mut self, window: &WindowBody) {
        let weight = Weight { end_s: window.end_s(), cov_ms: window.cov_ms };
        let is_told = self.figures.add(&window.figures, weight);
        self.tally.add(window, is_told);
    }

    fn merge(&mut self, more: &Self) {
        self.figures.merge(&more.figures);
        self.tally.merge(&more.tally);
    }
}

impl Tally {
    fn of_nothing(window: &WindowBody) -> Self {
        Self {
            windows: 0,
            withheld: 0,
            blind: 0,
            cov_ms: 0,
            told_cov_ms: 0,
            span_s: 0,
            dur_s: 0,
            first_s: window.start_s,
            end_s: window.end_s(),
            k: [window.k; 2],
        }
    }

    fn add(&mut self, window: &WindowBody, is_told: bool) {
        let is_blind = window.cov_ms == 0;
        self.merge(&Self {
            windows: 1,
            withheld: u64::from(!is_told && !is_blind),
            blind: u64::from(is_blind),
            cov_ms: window.cov_ms,
            told_cov_ms: if is_told { window.cov_ms } else { 0 },
            span_s: u64::from(window.dur_s),
            dur_s: window.dur_s,
            first_s: window.start_s,
            end_s: window.end_s(),
            k: [window.k; 2],
        });
    }

    fn merge(&mut self, more: &Self) {
        for (sum, more) in [
            (&mut self.windows, more.windows),
            (&mut self.withheld, more.withheld),
            (&mut self.blind, more.blind),
            (&mut self.cov_ms, more.cov_ms),
            (&mut self.told_cov_ms, more.told_cov_ms),
            (&mut self.span_s, more.span_s),
        ] {
            *sum = sum.saturating_add(more);
        }
        self.dur_s = self.dur_s.max(more.dur_s);
        self.first_s = self.first_s.min(more.first_s);
        self.end_s = self.end_s.max(more.end_s);
        self.k = [self.k[0].min(more.k[0]), self.k[1].max(more.k[1])];
    }

    /// What is known.
    #[must_use]
    pub fn presence(&self) -> Presence {
        match self {
            Self { windows: 0, .. } => Presence::NoRecord,
            Self { windows, blind, .. } if windows == blind => Presence::Blind,
            Self { windows, blind, withheld, .. } if windows - blind == *withheld => Presence::Withheld,
            Self { withheld: 0, .. } => Presence::Told,
            _ => Presence::PartlyWithheld,
        }
    }

    /// Windows that begin in a period when none is missing.
    #[must_use]
    pub fn expected(&self, period: &Period) -> u64 {
        period.starts(self.dur_s, self.first_s)
    }

    /// Share of a period in which somebody looked, 0 to 1.
    #[must_use]
    pub fn coverage(&self, period: &Period) -> f64 {
        let whole_ms = self.expected(period) as f64 * f64::from(self.dur_s) * 1000.0;
        if whole_ms > 0.0 { (self.cov_ms as f64 / whole_ms).min(1.0) } else { 0.0 }
    }
}

/// The cells a window is told by.
fn grid_of<'a>(figures: &'a BodyFigures) -> Option<&'a CellGrid<'a>> {
    match figures {
        BodyFigures::Heat(heat) => Some(&heat.grid),
        BodyFigures::Flow(flow) => Some(&flow.grid),
        _ => None,
    }
}

/// Spells the key of a window's object. Ids hold no control characters (`config/check.rs`); others cannot imitate one here,
/// because each part stands behind its length.
fn spell(text: &mut String, node: Option<&Node>, window: &WindowBody, grid: Option<&CellGrid>) {
    text.clear();
    let parts = node.map_or([""; 3], |node| [&node.org, &node.store, &node.node]);
    // Writing to a text cannot fail.
    let _ = write!(text, "{}{}", window.kind.name(), if node.is_some() { "@" } else { "" });
    for part in parts.into_iter().chain([&*window.id]) {
        let _ = write!(text, "|{}:{part}", part.len());
    }
    if let Some(CellGrid { plan, columns, rows, cell_mm, origin_mm: [x, y] }) = grid {
        let _ = write!(text, "|{}:{plan}|{columns}|{rows}|{cell_mm}|{x}|{y}", plan.len());
    }
    let _ = write!(text, "|{}", layer_of(&window.figures));
}

/// The layer of a heatmap, nothing of another kind.
fn layer_of<'a>(figures: &'a BodyFigures) -> &'a str {
    if let BodyFigures::Heat(heat) = figures { &heat.layer } else { "" }
}

/// Objects that are told apart: a chain of a hundred shops with a hundred objects each.
pub const OBJECTS_MAX: usize = 10_000;
