//! What each figure means: one table of names, units and formulas for export, page and documents alike.
//!
//! In: sums of an object. Out: [`Figure`]s, each a number or the reason why there is none. Definitions differ between
//! vendors, so the formula stands beside every figure. Invariant: a figure whose parts are withheld or absent is no number.

use super::objects::{
    FlowCellSums, FlowSums, HeatCellSums, HeatSums, LineSums, ObjectFigures, OdSums, PairSums, QueueSums, ZoneSums,
};
use super::table::DEFINITIONS;
use super::{ObjectSums, Presence, Tally};
use crate::wire::read::{HISTOGRAM_CLASSES, Kind};

/// One figure: what it is called, counted in, and how it is made.
#[derive(Debug, Clone, Copy)]
pub struct Definition {
    /// Kind of object that has it.
    pub kind: Kind,
    /// Name in exports, unique within its kind.
    pub name: &'static str,
    /// What it is counted in: people, crossings, visits, passages, ms, s, share (0 to 1), deg.
    pub unit: &'static str,
    /// Name for people, English.
    pub label: &'static str,
    /// Name for people, Japanese.
    pub label_ja: &'static str,
    /// How it is made, in the names of the contract.
    pub formula: &'static str,
    /// Whether its values over parts of a period add up to that of the whole.
    pub adds: bool,
    /// What it is made from.
    pub of: Of,
}

/// What a figure is made from.
#[derive(Debug, Clone, Copy)]
pub enum Of {
    /// A line.
    Line(fn(&LineSums) -> Figure),
    /// A zone, and its windows.
    Zone(fn(&ZoneSums, &Tally) -> Figure),
    /// A zone, and [`Context::store_entries`].
    ZoneInStore(fn(&ZoneSums, Option<u64>) -> Figure),
    /// A class of the stays in a zone.
    Stays(usize),
    /// A queue, and its windows.
    Queue(fn(&QueueSums, &Tally) -> Figure),
    /// A class of the waits in a queue.
    Waits(usize),
    /// The ways before a camera.
    Od(fn(&OdSums) -> Figure),
    /// A layer of a heatmap as a whole.
    HeatWhole(fn(&HeatSums) -> Figure),
    /// The flow over a floor as a whole.
    FlowWhole(fn(&FlowSums) -> Figure),
    /// One cell of a heatmap of this layer.
    Heat(&'static str, fn(&HeatCellSums) -> Figure),
    /// One cell of the flow.
    Flow(fn(&FlowCellSums) -> Figure),
    /// One pair of places, and all released ways.
    Pair(fn(&PairSums, u64) -> Figure),
}

/// What a figure needs from outside its object.
#[derive(Debug, Clone, Copy, Default)]
pub struct Context {
    /// Inward crossings of the store's doors in the same period.
    pub store_entries: Option<u64>,
}

/// A figure, or why there is none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Figure {
    /// The number.
    Is(f64),
    /// A number it is not below: it lies in the last class of a histogram, which is open.
    AtLeast(f64),
    /// No number.
    None(Why),
}

/// Why there is no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// No window in the period.
    NoRecord,
    /// Nobody looked.
    Blind,
    /// Its parts are withheld.
    Withheld,
    /// Nothing of the kind is measured: no outside line, no door.
    NotMeasured,
    /// Its denominator is zero: nobody came.
    NobodyCame,
}

impl Why {
    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::NoRecord => "no record",
            Self::Blind => "nobody looked",
            Self::Withheld => "withheld",
            Self::NotMeasured => "not measured",
            Self::NobodyCame => "nobody came",
        }
    }
}

impl Figure {
    /// The number, also where it is only a lower bound.
    #[must_use]
    pub fn value(self) -> Option<f64> {
        match self {
            Self::Is(value) | Self::AtLeast(value) => Some(value),
            Self::None(_) => None,
        }
    }

    /// Why there is no number.
    #[must_use]
    pub fn why(self) -> Option<Why> {
        if let Self::None(why) = self { Some(why) } else { None }
    }
}

impl Definition {
    /// Whether it is a figure of an object as a whole, not of a cell or a way.
    #[must_use]
    pub fn is_of_object(&self) -> bool {
        !matches!(self.of, Of::Heat(..) | Of::Flow(_) | Of::Pair(_))
    }

    /// The figure of an object; `None` where it is one of cells or pairs, or of another kind.
    #[must_use]
    pub fn figure(&self, sums: &ObjectSums, context: &Context) -> Option<Figure> {
        let figure = match (self.of, &sums.figures) {
            (Of::Line(make), ObjectFigures::Line(line)) => make(line),
            (Of::Zone(make), ObjectFigures::Zone(zone)) => make(zone, &sums.tally),
            (Of::ZoneInStore(make), ObjectFigures::Zone(zone)) => make(zone, context.store_entries),
            (Of::Stays(class), ObjectFigures::Zone(zone)) => Figure::Is(zone.hist[class] as f64),
            (Of::Queue(make), ObjectFigures::Queue(queue)) => make(queue, &sums.tally),
            (Of::Waits(class), ObjectFigures::Queue(queue)) => Figure::Is(queue.wait_hist[class] as f64),
            (Of::Od(make), ObjectFigures::Od(od)) => make(od),
            (Of::HeatWhole(make), ObjectFigures::Heat(heat)) => make(heat),
            (Of::FlowWhole(make), ObjectFigures::Flow(flow)) => make(flow),
            _ => return None,
        };
        Some(match (Why::of(sums.tally.presence()), &figure) {
            // Who was lost when a camera went blind is told by the window in which nobody looked, and must not be lost again.
            (Some(Why::Blind), Figure::Is(value)) if *value != 0.0 => figure,
            (Some(why), _) => Figure::None(why),
            (None, _) => figure,
        })
    }
}

impl Why {
    /// Why an object tells nothing, if so.
    #[must_use]
    pub fn of(presence: Presence) -> Option<Self> {
        match presence {
            Presence::NoRecord => Some(Self::NoRecord),
            Presence::Blind => Some(Self::Blind),
            Presence::Withheld => Some(Self::Withheld),
            Presence::PartlyWithheld | Presence::Told => None,
        }
    }
}

/// The definitions of a kind, in the order in which people read them.
pub fn definitions(kind: Kind) -> impl Iterator<Item = &'static Definition> {
    DEFINITIONS.iter().filter(move |definition| definition.kind == kind)
}

/// A definition by its kind and name.
#[must_use]
pub fn definition(kind: Kind, name: &str) -> Option<&'static Definition> {
    definitions(kind).find(|definition| definition.name == name)
}

/// The length below which a share of all lengths lies, s, by a histogram in classes of doubling length; inside a class they
/// count as evenly spread.
#[must_use]
pub fn quantile_s(hist: &[u64; HISTOGRAM_CLASSES], share: f64) -> Figure {
    let all: u64 = hist.iter().fold(0, |sum, class| sum.saturating_add(*class));
    if all == 0 {
        return Figure::None(Why::NobodyCame);
    }
    let rank = share * all as f64;
    let mut below = 0.0;
    for (class, count) in hist.iter().enumerate().filter(|(_, count)| **count > 0) {
        let count = *count as f64;
        if below + count >= rank {
            let (from, to) = class_s(class);
            return to.map_or(Figure::AtLeast(from), |to| Figure::Is(from + (to - from) * ((rank - below) / count)));
        }
        below += count;
    }
    Figure::AtLeast(class_s(HISTOGRAM_CLASSES - 1).0)
}

/// Edges of a class of stays or waits, s; the last one is open.
#[must_use]
pub fn class_s(class: usize) -> (f64, Option<f64>) {
    let edge = |class: usize| if class == 0 { 0.0 } else { f64::from(1u32 << (class - 1)) };
    (edge(class), (class + 1 < HISTOGRAM_CLASSES).then(|| edge(class + 1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::period::DEFINITIONS;

    #[test]
    fn a_quantile_lies_in_its_class_and_an_open_class_is_only_a_lower_bound() {
        let mut hist = [0; HISTOGRAM_CLASSES];
        assert_eq!(quantile_s(&hist, 0.5), Figure::None(Why::NobodyCame));
        hist[4] = 10; // 8 to 16 s
        assert_eq!(quantile_s(&hist, 0.5), Figure::Is(12.0));
        hist[10] = 10;
        assert_eq!(quantile_s(&hist, 0.5), Figure::Is(16.0));
        assert_eq!(quantile_s(&hist, 0.9), Figure::AtLeast(512.0));
        assert_eq!(class_s(9), (256.0, Some(512.0)));
    }

    #[test]
    fn no_two_figures_of_a_kind_have_one_name_and_each_says_how_it_is_made() {
        for kind in Kind::ALL {
            let mut names: Vec<&str> = definitions(kind).map(|definition| definition.name).collect();
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            assert!(names.len() == count && count > 0, "{kind:?}");
        }
        let is_whole =
            |one: &Definition| [one.label, one.label_ja, one.formula, one.unit].iter().all(|text| !text.is_empty());
        assert!(DEFINITIONS.iter().all(is_whole));
    }
}
