//! A simulated shop: windows of any length of time, made from a seed, as the product's own composer writes them.
//!
//! In: a time zone, a number of zones, a span of days. Out: messages, and beside them a naive sum of what is in them, kept
//! by arithmetic that reads no payload. Some windows are withheld, in some nobody looks, some are missing.

use std::collections::BTreeMap;

use kehai::clock::WindowSpan;
use kehai::config::{Settings, site};
use kehai::gate::{Figures, FlowFigures, Object, QueueFigures, TransitionFigures, ZoneFigures};
use kehai::wire::Message;
use kehai::wire::compose::{Composer, Voice};
use kehai::wire::record::ArrivedWindow;

/// A naive sum: kind, id, figure.
pub type Truth = BTreeMap<(&'static str, String, String), i64>;

/// A shop that makes windows.
pub struct Shop {
    /// Its settings.
    pub settings: Settings,
    /// The site file they were read from.
    pub site: String,
    composer: Composer,
    seq: u64,
    random: Random,
    /// What was in all windows so far.
    pub truth: Truth,
}

/// A shop with two doors, `zones` zones, a queue and a floor of 24 m × 16 m.
pub fn shop(timezone: &str, zones: usize, seed: u64) -> Shop {
    let corners = "polygon_px = [[10, 10], [200, 10], [200, 150]]\n";
    let zones: String = (0..zones)
        .map(|zone| format!("[[zone]]\nid = \"zone-{zone:02}\"\nname = \"Shelf {zone}\"\n{corners}"))
        .collect();
    let site = format!(
        "[store]\norg = \"acme\"\nstore = \"s0042\"\nnode = \"edge-1\"\nname = \"Simulated shop\"\ntimezone = \"{timezone}\"\n\
         [[floor]]\nid = \"hall\"\nname = \"Hall\"\norigin_m = [-2.0, 0.0]\nsize_m = [24.0, 16.0]\n\
         [[camera]]\nid = \"view\"\nfloor = \"hall\"\ncalibration = [\n\
         {{ px = [0, 600], m = [-2.0, 0.0] }}, {{ px = [800, 600], m = [20.0, 0.0] }},\n\
         {{ px = [800, 0], m = [20.0, 15.0] }}, {{ px = [0, 0], m = [-2.0, 15.0] }},\n]\n\
         [[line]]\nid = \"door-a\"\nends_px = [[10, 10], [10, 90]]\ninside_px = [50, 50]\n\
         [[line]]\nid = \"door-b\"\nends_px = [[310, 10], [310, 90]]\ninside_px = [250, 50]\n\
         {zones}[[queue]]\nid = \"tills\"\nzone = \"zone-00\"\nserved_by = \"door-b\"\ntarget_s = 90\n"
    );
    let settings = site::parse(&site, "simulated").expect("the simulated shop is a good site").settings;
    let voice = Voice {
        topic_root: "kehai/v1".into(),
        boot: "51a7ed01".into(),
        synchronised: true,
        retain_windows: false,
        sign: None,
    };
    Shop {
        composer: Composer::new(&settings, voice),
        settings,
        site,
        seq: 0,
        random: Random(seed),
        truth: Truth::new(),
    }
}

impl Shop {
    /// The windows that begin in `[from_s, to_s)`, by quarters of an hour and by hours of `hour_phase_s`, oldest first.
    pub fn windows(&mut self, from_s: i64, to_s: i64) -> impl Iterator<Item = Message> {
        let phase_s = i64::from(self.settings.store.hour_phase_s);
        let starts = (from_s..to_s).step_by(900);
        let spans = starts.map(move |start_s| (start_s, (start_s - phase_s).rem_euclid(3600) == 0));
        spans.flat_map(move |(start_s, is_hour)| {
            let mut made = self.quarter(start_s);
            if is_hour {
                made.extend(self.hour(start_s));
            }
            made
        })
    }

    /// The same with the topic before each payload, as `mosquitto_sub -v` prints them.
    pub fn lines(&mut self, from_s: i64, to_s: i64) -> String {
        let line = |message: Message| format!("{} {}\n", message.topic, String::from_utf8(message.body).expect("JSON"));
        self.windows(from_s, to_s).map(line).collect()
    }

    fn quarter(&mut self, start_s: i64) -> Vec<Message> {
        let lines = (0..self.settings.lines.len()).map(|line| Object::Line(line as u16));
        let zones = (0..self.settings.zones.len()).map(|zone| Object::Zone(zone as u16));
        let queues = (0..self.settings.queues.len()).map(|queue| Object::Queue(queue as u16));
        let objects: Vec<Object> = lines.chain(zones).chain(queues).collect();
        objects.into_iter().filter_map(|object| self.window(object, WindowSpan { start_s, dur_s: 900 })).collect()
    }

    fn hour(&mut self, start_s: i64) -> Vec<Message> {
        let objects = [Object::HeatVisits(0), Object::HeatDwell(0), Object::Flow(0), Object::Transitions(0)];
        objects.into_iter().filter_map(|object| self.window(object, WindowSpan { start_s, dur_s: 3600 })).collect()
    }

    /// One window, unless it is one of those that are missing.
    fn window(&mut self, object: Object, span: WindowSpan) -> Option<Message> {
        let whole_ms = span.dur_s * 1000;
        let cov_ms = match self.random.below(200) {
            0 => return None,
            1 => 0,
            2..20 => whole_ms - 1 - self.random.below(whole_ms / 2),
            _ => whole_ms,
        };
        let figures = self.figures(object, cov_ms > 0);
        self.remember(object, &figures, cov_ms);
        self.seq += 1;
        Some(self.composer.window(self.seq, &ArrivedWindow { object, span, cov_ms, figures }).message)
    }

    fn figures(&mut self, object: Object, is_seen: bool) -> Figures {
        let is_told = is_seen && self.random.below(5) > 0;
        let random = &mut self.random;
        let places = self.settings.zones.len() + self.settings.lines.len() + 1;
        let cells = self.settings.floors[0].cell_count();
        match object {
            Object::Line(_) if !is_seen => Figures::Line { inward: 0, outward: 0, uncertain: 0 },
            Object::Line(_) => {
                let [inward, outward] = [random.below(80), random.below(80)];
                Figures::Line { inward, outward, uncertain: random.below(1 + inward + outward) }
            }
            Object::Zone(_) => Figures::Zone(is_told.then(|| random.zone())),
            Object::Queue(_) => Figures::Queue(is_told.then(|| random.queue())),
            Object::HeatVisits(_) => Figures::Heat(random.cells(cells, is_told, |random| 5 + random.below(60))),
            Object::HeatDwell(_) => Figures::Heat(random.cells(cells, is_told, |random| 5000 + random.below(900_000))),
            Object::Flow(_) => Figures::Flow(random.cells(cells, is_told, |random| {
                let passages = 5 + random.below(50);
                let most = passages * 1000;
                let mut side = || random.below(2 * most).cast_signed() - most.cast_signed();
                FlowFigures { passages, sx_milli: side() / 2, sy_milli: side() / 2 }
            })),
            Object::Transitions(_) => {
                let pair = |random: &mut Random| if is_told && random.below(9) == 0 { 5 + random.below(40) } else { 0 };
                let pairs = (0..places * places).map(|_| pair(random)).collect();
                let [dropped, cut] = [random.below(20), random.below(12)].map(|one| if one < 5 { 0 } else { one });
                Figures::Transitions(TransitionFigures { pairs, dropped, cut })
            }
        }
    }

    /// Kind and id on the wire.
    fn name(&self, object: Object) -> (&'static str, String) {
        let settings = &self.settings;
        match object {
            Object::Line(index) => ("line", settings.lines[usize::from(index)].id.clone()),
            Object::Zone(index) => ("zone", settings.zones[usize::from(index)].id.clone()),
            Object::Queue(index) => ("queue", settings.queues[usize::from(index)].id.clone()),
            Object::HeatVisits(_) => ("heat", "hall-visits".to_owned()),
            Object::HeatDwell(_) => ("heat", "hall-dwell".to_owned()),
            Object::Flow(_) => ("flow", "hall".to_owned()),
            Object::Transitions(_) => ("od", "view".to_owned()),
        }
    }

    fn remember(&mut self, object: Object, figures: &Figures, cov_ms: u32) {
        let (kind, id) = self.name(object);
        let truth = &mut self.truth;
        let mut plus = |figure: &str, value: i64| {
            *truth.entry((kind, id.clone(), figure.to_owned())).or_default() += value;
        };
        plus("windows", 1);
        plus("cov_ms", cov_ms.into());
        match figures {
            Figures::Line { inward, outward, uncertain } => {
                let told = [("in", inward), ("out", outward), ("uncertain", uncertain)];
                told.into_iter().for_each(|(figure, value)| plus(figure, i64::from(*value)));
            }
            Figures::Zone(Some(zone)) => {
                let told = [
                    ("entries", zone.entries),
                    ("exits", zone.exits),
                    ("visits", zone.visits),
                    ("stops", zone.stops),
                    ("dwell_ms", zone.dwell_ms),
                    ("occ_ms", zone.occ_ms),
                    ("stays_8_16s", zone.hist[4]),
                ];
                told.into_iter().for_each(|(figure, value)| plus(figure, value.into()));
            }
            Figures::Queue(Some(queue)) => {
                let told = [
                    ("joined", queue.joined),
                    ("served", queue.served),
                    ("abandoned", queue.abandoned),
                    ("wait_ms", queue.wait_ms),
                    ("len_ms", queue.len_ms),
                    ("waits_16_32s", queue.wait_hist[5]),
                ];
                told.into_iter().for_each(|(figure, value)| plus(figure, value.into()));
            }
            Figures::Heat(cells) => {
                let figure = if matches!(object, Object::HeatVisits(_)) { "visits" } else { "dwell_ms" };
                plus(figure, cells.iter().flatten().map(|value| i64::from(*value)).sum());
                plus(&format!("{figure} of cell 101"), cells[101].map_or(0, i64::from));
            }
            Figures::Flow(cells) => {
                plus("n", cells.iter().flatten().map(|cell| i64::from(cell.passages)).sum());
                plus("sx_milli", cells.iter().flatten().map(|cell| i64::from(cell.sx_milli)).sum());
                plus("sy_milli", cells.iter().flatten().map(|cell| i64::from(cell.sy_milli)).sum());
            }
            Figures::Transitions(ways) => {
                plus("n", ways.pairs.iter().map(|n| i64::from(*n)).sum());
                plus("dropped", ways.dropped.into());
                plus("cut", ways.cut.into());
            }
            Figures::Zone(None) | Figures::Queue(None) => plus("withheld", i64::from(cov_ms > 0)),
        }
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014).
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below this one.
    pub fn below(&mut self, most: u32) -> u32 {
        (self.next() % u64::from(most.max(1))) as u32
    }

    fn zone(&mut self) -> ZoneFigures {
        let visits = 5 + self.below(60);
        let entries = self.below(visits);
        let dwell_ms = self.below(3_000_000);
        ZoneFigures {
            entries,
            exits: self.below(visits),
            visits,
            stops: self.below(1 + entries),
            dwell_ms,
            occ_ms: dwell_ms - self.below(1 + dwell_ms / 10),
            occ_max: 1 + self.below(12),
            hist: std::array::from_fn(|_| self.below(9)),
        }
    }

    fn queue(&mut self) -> QueueFigures {
        let joined = 5 + self.below(40);
        let wait_hist = std::array::from_fn(|_| self.below(5));
        QueueFigures {
            joined,
            served: wait_hist.iter().sum(),
            abandoned: self.below(joined),
            cut: self.below(3),
            carried: self.below(6),
            wait_ms: self.below(2_000_000),
            wait_hist,
            aband_wait_ms: self.below(300_000),
            len_ms: self.below(2_500_000),
            len_max: 1 + self.below(9),
            over: self.below(8),
        }
    }

    /// Half of the cells released, the others not.
    fn cells<T>(&mut self, count: usize, is_told: bool, mut make: impl FnMut(&mut Self) -> T) -> Vec<Option<T>> {
        (0..count).map(|_| if is_told && self.below(2) == 0 { Some(make(self)) } else { None }).collect()
    }
}
