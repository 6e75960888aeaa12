//! Windows become releasable: exact counts in, figures that no longer point at a person out.
//!
//! In: [`Window`]s, consumed. Out: [`ReleasedWindow`]s, the only thing that may leave the eye (I3). Profile `threshold`, by
//! the table of the contract:
//!
//! | kind | released |
//! |---|---|
//! | line | exact |
//! | zone | exact from `k` different people on, else withheld whole |
//! | queue | exact from `k` different people who joined, else withheld whole |
//! | heat cell | exact from `k` distinct visits on, zero withheld too; complementary suppression against zones (`gate/suppress.rs`) |
//! | flow cell | where the heat of that hour is shown and `k` different people gave the cell a direction |
//! | transition | exact from `k` different people on, zero withheld too; complementary suppression against the sums of rows and columns (`gate/transitions.rs`) |
//!
//! Where fewer than the least crowd (`gate.crowd_min`) were on a floor, or went between the places of a camera, nothing of its
//! heat, flow and transitions is released: of a few people, a shop's own above all, even sums tell much. What has no purpose
//! (`Settings::metrics`) is not released at all.
//!
//! Not covered: what a queue tells of its zone. Both are released by their own people, and the zone less the queue are those
//! few who stayed there for less than it takes to join.
//! Invariant: only this file makes a [`ReleasedWindow`] (its fields are private).

pub mod suppress;
mod transitions;

use std::collections::BTreeSet;

use crate::clock::WindowSpan;
use crate::config::declared::Metric;
use crate::config::{Place, Settings};
use crate::measure::dwell::{DWELL_CLASSES, ZoneWindow};
use crate::measure::flow::{FlowCell, FlowWindow};
use crate::measure::heatmap::HeatWindow;
use crate::measure::queue::QueueWindow;
use crate::measure::transitions::TransitionWindow;
use crate::measure::{Exact, Window};
use suppress::ZoneLedger;
use transitions::Table;

/// Figures of one object in one span, past the gate. May be printed, copied and sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleasedWindow {
    object: Object,
    span: WindowSpan,
    cov_ms: u32,
    figures: Figures,
}

/// What a window is about: a kind and an index into the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Object {
    /// Line with this index.
    Line(u16),
    /// Zone with this index.
    Zone(u16),
    /// Queue with this index.
    Queue(u16),
    /// Visits layer of the floor with this index.
    HeatVisits(u16),
    /// Dwell layer of the floor with this index.
    HeatDwell(u16),
    /// Flow over the floor with this index.
    Flow(u16),
    /// Transitions before the camera with this index.
    Transitions(u16),
}

/// Released figures by kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Figures {
    /// Crossings.
    Line {
        /// Towards the inside.
        inward: u32,
        /// Towards the outside.
        outward: u32,
        /// Those among them that were slow.
        uncertain: u32,
    },
    /// A zone, or nothing when fewer than `k` visited it.
    Zone(Option<ZoneFigures>),
    /// A queue, or nothing when fewer than `k` joined it.
    Queue(Option<QueueFigures>),
    /// Cells of a layer; `None` where fewer than `k` stood.
    Heat(Vec<Option<u32>>),
    /// Cells of the flow; `None` where the heat is withheld or fewer than `k` went through with a direction.
    Flow(Vec<Option<FlowFigures>>),
    /// Transitions between places.
    Transitions(TransitionFigures),
}

/// Released figures of a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZoneFigures {
    /// Stays that began.
    pub entries: u32,
    /// Stays that ended.
    pub exits: u32,
    /// Distinct stays.
    pub visits: u32,
    /// Stays of ten seconds and more.
    pub stops: u32,
    /// Person-time inside, ms.
    pub dwell_ms: u32,
    /// Person-time inside as seen from frame to frame, ms.
    pub occ_ms: u32,
    /// Most people at once.
    pub occ_max: u32,
    /// Stays that ended, by length.
    pub hist: [u32; DWELL_CLASSES],
}

/// Released figures of a queue. joined + carried before = served + abandoned + cut + carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueFigures {
    /// People who joined.
    pub joined: u32,
    /// Waits that ended with service.
    pub served: u32,
    /// Waits that ended without.
    pub abandoned: u32,
    /// Waits whose end nobody saw.
    pub cut: u32,
    /// People waiting at the end.
    pub carried: u32,
    /// Waits of those served, ms.
    pub wait_ms: u32,
    /// The same by whole length.
    pub wait_hist: [u32; DWELL_CLASSES],
    /// Waits of those who gave up, ms.
    pub aband_wait_ms: u32,
    /// Person-time of those waiting, ms.
    pub len_ms: u32,
    /// Most people waiting at once.
    pub len_max: u32,
    /// Ended waits longer than the target.
    pub over: u32,
}

/// Released flow through a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlowFigures {
    /// Passages with a direction.
    pub passages: u32,
    /// Sum of their unit vectors along the door wall, thousandths.
    pub sx_milli: i32,
    /// The same away from the door.
    pub sy_milli: i32,
}

/// Released transitions of a camera.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransitionFigures {
    /// From each node to each, row by row; 0 where withheld.
    pub pairs: Vec<u32>,
    /// All withheld pairs together; 0 where that, or what follows from it, rests on fewer than `k` people.
    pub dropped: u32,
    /// Visits whose continuation nobody saw; 0 below `k`, and where fewer than `k` of them follow from it.
    pub cut: u32,
}

impl Object {
    /// The kind of its figures.
    #[must_use]
    pub fn metric(self) -> Metric {
        match self {
            Self::Line(_) => Metric::Line,
            Self::Zone(_) => Metric::Zone,
            Self::Queue(_) => Metric::Queue,
            Self::HeatVisits(_) | Self::HeatDwell(_) => Metric::Heat,
            Self::Flow(_) => Metric::Flow,
            Self::Transitions(_) => Metric::Od,
        }
    }
}

impl ReleasedWindow {
    /// What it is about.
    #[must_use]
    pub fn object(&self) -> Object {
        self.object
    }

    /// The span of the calendar.
    #[must_use]
    pub fn span(&self) -> WindowSpan {
        self.span
    }

    /// How long the camera really saw, ms.
    #[must_use]
    pub fn cov_ms(&self) -> u32 {
        self.cov_ms
    }

    /// The figures.
    #[must_use]
    pub fn figures(&self) -> &Figures {
        &self.figures
    }
}

/// The gate of one eye.
pub struct Gate {
    k: u32,
    crowd_min: u32,
    metrics: Option<BTreeSet<Metric>>,
    zones: ZoneLedger,
    /// Places of each camera.
    places: Vec<Vec<Place>>,
}

impl Gate {
    /// A gate as the settings demand it.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        let places = (0..settings.cameras.len()).map(|camera| settings.places(camera)).collect();
        let (k, crowd_min) = (settings.gate.k, settings.gate.crowd_min());
        Self { k, crowd_min, metrics: settings.metrics.clone(), zones: ZoneLedger::default(), places }
    }

    /// Takes a window and gives what of it may leave.
    pub fn release(&mut self, window: Window) -> Vec<ReleasedWindow> {
        let mut released = self.judge(window);
        if let Some(metrics) = &self.metrics {
            released.retain(|window| metrics.contains(&window.object.metric()));
        }
        released
    }

    fn judge(&mut self, window: Window) -> Vec<ReleasedWindow> {
        let Window { span, cov_ms, exact } = window;
        let released = |object, figures| ReleasedWindow { object, span, cov_ms, figures };
        match exact {
            Exact::Line(line, exact) => {
                let figures =
                    Figures::Line { inward: exact.inward, outward: exact.outward, uncertain: exact.uncertain };
                vec![released(Object::Line(line as u16), figures)]
            }
            Exact::Zone(zone, exact) => {
                let figures = self.zone(&exact);
                self.zones.note(zone, span, figures.is_none() && (exact.people > 0 || exact.dwell_ms > 0));
                vec![released(Object::Zone(zone as u16), Figures::Zone(figures))]
            }
            Exact::Queue(queue, exact) => {
                vec![released(Object::Queue(queue as u16), Figures::Queue(self.queue(&exact)))]
            }
            Exact::Heat(floor, exact) => {
                let shown = self.mask(&exact, span);
                let layer = |value: &dyn Fn(usize) -> u32| {
                    Figures::Heat(shown.iter().enumerate().map(|(cell, shown)| shown.then(|| value(cell))).collect())
                };
                let floor = floor as u16;
                vec![
                    released(Object::HeatVisits(floor), layer(&|cell| exact.visits[cell])),
                    released(Object::HeatDwell(floor), layer(&|cell| figure(exact.dwell_ms[cell]))),
                    released(Object::Flow(floor), self.flow(&exact.flow, &shown)),
                ]
            }
            Exact::Transitions(camera, exact) => {
                let figures = Figures::Transitions(self.transitions(camera, &exact, span));
                vec![released(Object::Transitions(camera as u16), figures)]
            }
        }
    }

    fn zone(&self, exact: &ZoneWindow) -> Option<ZoneFigures> {
        (exact.people >= self.k).then(|| ZoneFigures {
            entries: exact.entries,
            exits: exact.exits,
            visits: exact.visits,
            stops: exact.stops,
            dwell_ms: figure(exact.dwell_ms),
            occ_ms: figure(exact.occ_ms),
            occ_max: exact.occ_max,
            hist: exact.hist,
        })
    }

    fn queue(&self, exact: &QueueWindow) -> Option<QueueFigures> {
        (exact.people >= self.k).then(|| QueueFigures {
            joined: exact.joined,
            served: exact.served,
            abandoned: exact.abandoned,
            cut: exact.cut,
            carried: exact.carried,
            wait_ms: figure(exact.wait_ms),
            wait_hist: exact.wait_hist,
            aband_wait_ms: figure(exact.aband_wait_ms),
            len_ms: figure(exact.len_ms),
            len_max: exact.len_max,
            over: exact.over,
        })
    }

    /// Which cells are shown: one mask for both layers and the flow, so that none tells what another withholds.
    fn mask(&mut self, exact: &HeatWindow, span: WindowSpan) -> Vec<bool> {
        let is_crowd = exact.people >= self.crowd_min;
        let mut shown: Vec<bool> = exact.distinct.iter().map(|visits| is_crowd && *visits >= self.k).collect();
        suppress::complement(&mut shown, exact, self.k, &self.zones.withheld_in(span));
        self.zones.forget_before(span);
        shown
    }

    fn transitions(&self, camera: usize, exact: &TransitionWindow, span: WindowSpan) -> TransitionFigures {
        let withheld = self.zones.withheld_in(span);
        let is_withheld = |place: &Place| matches!(place, Place::Zone(zone) if withheld.contains(zone));
        let places = self.places[camera].iter().enumerate();
        let columns: Vec<usize> = places.filter(|(_, place)| is_withheld(place)).map(|(node, _)| node).collect();
        let mut pairs = vec![0; exact.nodes * exact.nodes];
        if exact.people_behind(exact.pairs().map(|(pair, _)| pair)) < self.crowd_min as usize {
            return TransitionFigures { pairs, dropped: 0, cut: 0 };
        }
        let table = Table::of(exact, self.k, &columns);
        table.shown().for_each(|((from, to), number)| pairs[from * exact.nodes + to] = number);
        TransitionFigures { pairs, dropped: table.dropped().unwrap_or(0), cut: table.cut().unwrap_or(0) }
    }

    /// Of the cells shown, those through which `k` people went: somebody may have visited a cell without going anywhere.
    fn flow(&self, exact: &FlowWindow, shown: &[bool]) -> Figures {
        let release = |(cell, shown): (&FlowCell, &bool)| {
            (*shown && cell.distinct >= self.k).then(|| FlowFigures {
                passages: cell.passages,
                sx_milli: signed(cell.sx_milli),
                sy_milli: signed(cell.sy_milli),
            })
        };
        Figures::Flow(exact.cells.iter().zip(shown).map(release).collect())
    }
}

/// A sum as it is sent; 2³²−2 ms are 1,193 person-hours, more than any cell or quarter hour can hold.
fn figure(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX).min(u32::MAX - 1)
}

/// A signed sum as it is sent; two million people an hour through one cell fit.
fn signed(value: i64) -> i32 {
    value.clamp(i64::from(-i32::MAX), i64::from(i32::MAX)) as i32
}
