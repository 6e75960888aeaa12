//! Figures as words of a record and back, judged: how many words each object has, and what they may say.
//!
//! In: released [`Figures`] (eye), words and `k` (mouth). Out: words, or figures the gate could have released.
//! Invariants: the number of words follows from the settings alone; a word of 0 where a figure is withheld; what rests on
//! fewer than `k`, or contradicts itself, is not read.

use std::collections::BTreeSet;

use crate::config::declared::Metric;
use crate::config::{COUNT_WINDOW_S, PATH_WINDOW_S, Settings};
use crate::gate::{Figures, FlowFigures, Object, QueueFigures, TransitionFigures, ZoneFigures};
use crate::measure::dwell::DWELL_CLASSES;

/// How many words the windows of a configuration have, by kind and object; their coverage comes before.
pub struct Foreseen {
    lines: usize,
    zones: usize,
    queues: usize,
    /// Cells of each floor.
    cells: Vec<usize>,
    /// Nodes between which ways lead before each camera, elsewhere included; 1 where there is no place.
    nodes: Vec<usize>,
    /// Kinds that have a purpose, where the site declares any: the others do not come.
    metrics: Option<BTreeSet<Metric>>,
}

impl Foreseen {
    /// Under these settings.
    pub fn by(settings: &Settings) -> Self {
        Self {
            lines: settings.lines.len(),
            zones: settings.zones.len(),
            queues: settings.queues.len(),
            cells: settings.floors.iter().map(crate::config::Floor::cell_count).collect(),
            nodes: (0..settings.cameras.len()).map(|camera| settings.places(camera).len() + 1).collect(),
            metrics: settings.metrics.clone(),
        }
    }

    /// Words of a window of this object; `None` where there is no such object.
    pub fn words(&self, object: Object) -> Option<usize> {
        if self.metrics.as_ref().is_some_and(|metrics| !metrics.contains(&object.metric())) {
            return None;
        }
        let cells = |floor: u16| self.cells.get(usize::from(floor));
        match object {
            Object::Line(line) => (usize::from(line) < self.lines).then_some(LINE_WORDS),
            Object::Zone(zone) => (usize::from(zone) < self.zones).then_some(ZONE_WORDS),
            Object::Queue(queue) => (usize::from(queue) < self.queues).then_some(QUEUE_WORDS),
            Object::HeatVisits(floor) | Object::HeatDwell(floor) => cells(floor).copied(),
            Object::Flow(floor) => cells(floor).map(|cells| FLOW_WORDS * cells),
            Object::Transitions(camera) => {
                let nodes = self.nodes.get(usize::from(camera)).filter(|nodes| **nodes > 1)?;
                Some(TRANSITION_WORDS + nodes * nodes)
            }
        }
    }

    /// Every object with the words of its window.
    pub fn objects(&self) -> impl Iterator<Item = (Object, usize)> {
        let most =
            [self.lines, self.zones, self.queues, self.cells.len(), self.nodes.len()].into_iter().max().unwrap_or(0)
                as u16;
        let object = |kind, index| object_of(kind, index).and_then(|object| Some((object, self.words(object)?)));
        KINDS.flat_map(move |kind| (0..most).filter_map(move |index| object(kind, index)))
    }
}

/// Kind number and index of an object.
pub fn kind_of(object: Object) -> (u8, u16) {
    match object {
        Object::Line(index) => (1, index),
        Object::Zone(index) => (2, index),
        Object::HeatVisits(index) => (3, index),
        Object::HeatDwell(index) => (4, index),
        Object::Flow(index) => (5, index),
        Object::Transitions(index) => (6, index),
        Object::Queue(index) => (7, index),
    }
}

/// The object of a kind number and an index; `None` for what is no window.
pub fn object_of(kind: u8, index: u16) -> Option<Object> {
    Some(match kind {
        1 => Object::Line(index),
        2 => Object::Zone(index),
        3 => Object::HeatVisits(index),
        4 => Object::HeatDwell(index),
        5 => Object::Flow(index),
        6 => Object::Transitions(index),
        7 => Object::Queue(index),
        _ => return None,
    })
}

/// Length of an object's windows and how far they begin past multiples of it, s.
pub fn grid_of(object: Object, hour_phase_s: u32) -> (u32, u32) {
    match object {
        Object::Line(_) | Object::Zone(_) | Object::Queue(_) => (COUNT_WINDOW_S, 0),
        Object::HeatVisits(_) | Object::HeatDwell(_) | Object::Flow(_) | Object::Transitions(_) => {
            (PATH_WINDOW_S, hour_phase_s)
        }
    }
}

/// Appends the words of released figures.
pub fn write(figures: &Figures, words: &mut Vec<u32>) {
    match figures {
        Figures::Line { inward, outward, uncertain } => words.extend([*inward, *outward, *uncertain]),
        Figures::Zone(zone) => words.extend(zone.as_ref().map_or([0; ZONE_WORDS], zone_words)),
        Figures::Queue(queue) => words.extend(queue.as_ref().map_or([0; QUEUE_WORDS], queue_words)),
        Figures::Heat(cells) => words.extend(cells.iter().map(|cell| cell.map_or(0, |value| value + 1))),
        Figures::Flow(cells) => words.extend(cells.iter().flat_map(flow_words)),
        Figures::Transitions(TransitionFigures { pairs, dropped, cut }) => {
            words.extend([*dropped, *cut]);
            words.extend(pairs);
        }
    }
}

/// Reads the words of an object's window; `None` where the gate cannot have released that.
pub fn read(object: Object, words: &[u32], k: u32) -> Option<Figures> {
    match object {
        Object::Line(_) => Some(Figures::Line { inward: words[0], outward: words[1], uncertain: words[2] }),
        Object::Zone(_) => optional(words, |words| zone(words, k)).map(Figures::Zone),
        Object::Queue(_) => optional(words, |words| queue(words, k)).map(Figures::Queue),
        Object::HeatVisits(_) => {
            let cells: Vec<Option<u32>> = words.iter().map(|word| word.checked_sub(1)).collect();
            cells.iter().flatten().all(|visits| *visits >= k).then_some(Figures::Heat(cells))
        }
        Object::HeatDwell(_) => Some(Figures::Heat(words.iter().map(|word| word.checked_sub(1)).collect())),
        Object::Flow(_) => {
            let cells = words.chunks_exact(FLOW_WORDS).map(|words| optional(words, |words| flow(words, k)));
            cells.collect::<Option<_>>().map(Figures::Flow)
        }
        Object::Transitions(_) => {
            let (pairs, dropped, cut) = (words[TRANSITION_WORDS..].to_vec(), words[0], words[1]);
            // Nobody goes from elsewhere to elsewhere without a visit between.
            let is_possible = words.iter().all(|word| *word == 0 || *word >= k) && pairs.last() == Some(&0);
            is_possible.then_some(Figures::Transitions(TransitionFigures { pairs, dropped, cut }))
        }
    }
}

/// What `read` makes of words whose first is not 0, nothing where all of them are, `None` where that is impossible.
fn optional<T>(words: &[u32], read: impl FnOnce(&[u32]) -> Option<T>) -> Option<Option<T>> {
    match words {
        [0, rest @ ..] => rest.iter().all(|word| *word == 0).then_some(None),
        _ => read(words).map(Some),
    }
}

fn zone_words(zone: &ZoneFigures) -> [u32; ZONE_WORDS] {
    let mut words = [1; ZONE_WORDS];
    let head = [zone.entries, zone.exits, zone.visits, zone.stops, zone.dwell_ms, zone.occ_ms, zone.occ_max];
    words[1..8].copy_from_slice(&head);
    words[8..].copy_from_slice(&zone.hist);
    words
}

fn zone(words: &[u32], k: u32) -> Option<ZoneFigures> {
    let zone = ZoneFigures {
        entries: words[1],
        exits: words[2],
        visits: words[3],
        stops: words[4],
        dwell_ms: words[5],
        occ_ms: words[6],
        occ_max: words[7],
        hist: words[8..].try_into().ok()?,
    };
    (words[0] == 1 && zone.visits >= k).then_some(zone)
}

fn queue_words(queue: &QueueFigures) -> [u32; QUEUE_WORDS] {
    let mut words = [0; QUEUE_WORDS];
    words[..5].copy_from_slice(&[queue.joined, queue.served, queue.abandoned, queue.cut, queue.carried]);
    words[5..10].copy_from_slice(&[queue.wait_ms, queue.aband_wait_ms, queue.len_ms, queue.len_max, queue.over]);
    words[10..].copy_from_slice(&queue.wait_hist);
    words
}

fn queue(words: &[u32], k: u32) -> Option<QueueFigures> {
    let queue = QueueFigures {
        joined: words[0],
        served: words[1],
        abandoned: words[2],
        cut: words[3],
        carried: words[4],
        wait_ms: words[5],
        aband_wait_ms: words[6],
        len_ms: words[7],
        len_max: words[8],
        over: words[9],
        wait_hist: words[10..].try_into().ok()?,
    };
    let total = |numbers: &[u32]| numbers.iter().map(|number| u64::from(*number)).sum::<u64>();
    let is_consistent = total(&queue.wait_hist) == u64::from(queue.served)
        && u64::from(queue.over) <= total(&[queue.served, queue.abandoned])
        && (queue.served > 0 || queue.wait_ms == 0)
        && (queue.abandoned > 0 || queue.aband_wait_ms == 0)
        && queue.carried <= queue.len_max;
    (queue.joined >= k && is_consistent).then_some(queue)
}

fn flow_words(cell: &Option<FlowFigures>) -> [u32; FLOW_WORDS] {
    cell.map_or([0; FLOW_WORDS], |cell| [cell.passages, cell.sx_milli.cast_unsigned(), cell.sy_milli.cast_unsigned()])
}

/// Unit vectors of thousandths, each rounded, cannot add up to more than their number allows.
fn flow(words: &[u32], k: u32) -> Option<FlowFigures> {
    let (passages, sx_milli, sy_milli) = (words[0], words[1].cast_signed(), words[2].cast_signed());
    let is_possible = f64::from(sx_milli).hypot(f64::from(sy_milli)) <= 1001.0 * f64::from(passages);
    (passages >= k && is_possible).then_some(FlowFigures { passages, sx_milli, sy_milli })
}

/// Numbers of the kinds that are windows.
const KINDS: std::ops::RangeInclusive<u8> = 1..=7;
const LINE_WORDS: usize = 3;
/// Released flag, seven figures, the histogram.
const ZONE_WORDS: usize = 8 + DWELL_CLASSES;
/// Ten figures, of which a released queue has people who joined, and the histogram.
const QUEUE_WORDS: usize = 10 + DWELL_CLASSES;
/// Passages, of which a released cell has some, and the sums of their vectors.
const FLOW_WORDS: usize = 3;
/// All withheld together and the cut visits, before the pairs.
const TRANSITION_WORDS: usize = 2;
