//! Sums to rows: every figure of every object, and of every cell and every way that is told.
//!
//! In: the sums of one part of the period. Out: rows in the order of objects and of the table of figures. A cell or a way
//! without a row was withheld in every window, or no camera looks there.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Failure, USAGE};
use super::sink::Sink;
use super::table::{Ground, Part, Row, Spot, Subject, Told};
use crate::publish::period::{
    Context, Definition, Figure, Key, Node, ObjectFigures, ObjectSums, Of, Period, Presence, Sums, Why, definitions,
};
use crate::wire::read::{CellGrid, Kind, WindowBody};

/// What is asked for.
#[derive(Debug, Default, Clone)]
pub struct Wanted {
    /// Kinds; all where empty.
    pub kinds: Vec<Kind>,
    /// Ids; all where empty.
    pub ids: Vec<String>,
    /// Lines that are doors of the store; all where empty.
    pub doors: Vec<String>,
}

impl Wanted {
    /// Whether rows of an object are asked for.
    #[must_use]
    pub fn has(&self, kind: Kind, id: &str) -> bool {
        (self.kinds.is_empty() || self.kinds.contains(&kind))
            && (self.ids.is_empty() || self.ids.iter().any(|one| one == id))
    }
}

/// Takes a window and its node.
pub type Visit<'a> = dyn FnMut(Option<&Node>, &WindowBody) -> Result<(), Failure> + 'a;

/// An object that is known to exist, whether or not it has windows.
pub type Object = (Option<Node>, Kind, String);

/// What rows are made with.
pub struct Rows<'a> {
    /// What is asked for.
    pub wanted: &'a Wanted,
    /// Names for people, by "line/door".
    pub names: &'a BTreeMap<String, String>,
    /// Objects that are known.
    pub objects: &'a BTreeSet<Object>,
    /// Where rows go.
    pub sink: Box<dyn Sink>,
    /// Rows so far.
    pub count: u64,
    /// Ids by kind that the period has or the site knows, where some are asked for by name.
    pub there: BTreeSet<(Kind, String)>,
}

/// One part of the period.
#[derive(Debug, Clone)]
pub struct Stretch {
    /// As it stands in the rows.
    pub part: Part,
    /// Its spans.
    pub period: Period,
}

/// A figure to be told: its place among those of its object, where it lies, what it is.
struct Item<'a> {
    order: usize,
    spot: Spot<'a>,
    definition: &'static Definition,
    told: Told,
}

impl Rows<'_> {
    /// Rows of one part of the period.
    ///
    /// # Errors
    /// Exit 2, when the file cannot be written.
    pub fn tell(&mut self, stretch: &Stretch, sums: &Sums) -> Result<(), Failure> {
        for (key, object) in sums.objects() {
            self.notice(key.kind, &key.id);
            if !self.wanted.has(key.kind, &key.id) {
                continue;
            }
            let subject = self.subject(key.node.as_ref(), key.kind, &key.id, &key.layer);
            for item in items(object, &self.context(key.node.as_ref(), sums), &stretch.period) {
                self.row(&subject, stretch, &item, None)?;
            }
        }
        Ok(())
    }

    /// Rows of objects without a window in this part: there is no record of them.
    ///
    /// # Errors
    /// Exit 2, when the file cannot be written.
    pub fn tell_missing(&mut self, stretch: &Stretch, sums: &Sums) -> Result<(), Failure> {
        let there: BTreeSet<(Option<&Node>, Kind, &str)> =
            sums.objects().into_keys().map(|key| (key.node.as_ref(), key.kind, key.id.as_str())).collect();
        for (node, kind, id) in self.objects {
            self.notice(*kind, id);
            if there.contains(&(node.as_ref(), *kind, id.as_str())) || !self.wanted.has(*kind, id) {
                continue;
            }
            let subject = self.subject(node.as_ref(), *kind, id, layer_of(*kind, id));
            let of_object = definitions(*kind).filter(|definition| definition.is_of_object());
            for (order, definition) in of_object.enumerate() {
                let told = Told::nothing(None);
                self.row(&subject, stretch, &Item { order, spot: Spot::default(), definition, told }, None)?;
            }
        }
        Ok(())
    }

    /// Rows of the period with the figures of another period beside each.
    ///
    /// # Errors
    /// Exit 2, when the file cannot be written.
    pub fn compare(&mut self, here: (&Stretch, &Sums), there: (&Stretch, &Sums)) -> Result<(), Failure> {
        let objects = [here, there].map(|(_, sums)| sums.objects());
        let keys: BTreeSet<&Key> = objects.iter().flat_map(|objects| objects.keys().copied()).collect();
        for (_, kind, id) in self.objects {
            self.notice(*kind, id);
        }
        for key in keys {
            self.notice(key.kind, &key.id);
            if !self.wanted.has(key.kind, &key.id) {
                continue;
            }
            let subject = self.subject(key.node.as_ref(), key.kind, &key.id, &key.layer);
            let [ours, theirs] = [(here, &objects[0]), (there, &objects[1])].map(|((stretch, sums), objects)| {
                let context = self.context(key.node.as_ref(), sums);
                let object = objects.get(key).copied();
                let known = object.map(|object| items(object, &context, &stretch.period)).unwrap_or_default();
                let known = known.into_iter().map(|item| ((item.order, item.spot.cell, item.spot.ways), item));
                (object, known.collect::<BTreeMap<_, _>>())
            });
            let places: BTreeSet<_> = ours.1.keys().chain(theirs.1.keys()).copied().collect();
            for place in places {
                let [one, other] = [&ours, &theirs]
                    .map(|(object, items)| items.get(&place).map_or(Told::nothing(*object), |item| item.told));
                let item = ours.1.get(&place).or(theirs.1.get(&place)).expect("the place is one of theirs");
                let item = Item { told: one, ..*item };
                self.row(&subject, here.0, &item, Some(other))?;
            }
        }
        Ok(())
    }

    fn notice(&mut self, kind: Kind, id: &str) {
        let is_named = !self.wanted.ids.is_empty() || !self.wanted.doors.is_empty() || !self.wanted.kinds.is_empty();
        if is_named && !self.there.contains(&(kind, id.to_owned())) {
            self.there.insert((kind, id.to_owned()));
        }
    }

    /// Refuses names that nothing bears: a typing error must not look like an empty shop.
    ///
    /// # Errors
    /// Exit 2, naming those there are.
    pub fn check_names(&self) -> Result<(), Failure> {
        let known = |kinds: &[Kind]| {
            let of_kinds = self.there.iter().filter(|(kind, _)| kinds.is_empty() || kinds.contains(kind));
            of_kinds.map(|(_, id)| id.as_str()).collect::<BTreeSet<&str>>()
        };
        let Wanted { kinds, ids, doors } = self.wanted;
        for (flag, names, kinds) in [("--id", ids, kinds.as_slice()), ("--doors", doors, &[Kind::Line])] {
            let known = known(kinds);
            if let Some(name) = names.iter().find(|name| !known.contains(name.as_str())) {
                let known: Vec<&str> = known.into_iter().take(NAMED_MAX).collect();
                let known = if known.is_empty() { "there is none".to_owned() } else { known.join(", ") };
                return Err(Failure::new(USAGE, format!("{flag} {name}: nothing is called so; there are: {known}")));
            }
        }
        if self.count == 0 {
            let message = "--kind: the shop has nothing of the kinds asked for, so that there is not a row to write";
            return Err(Failure::new(USAGE, message));
        }
        Ok(())
    }

    fn context(&self, node: Option<&Node>, sums: &Sums) -> Context {
        let doors = (!self.wanted.doors.is_empty()).then_some(self.wanted.doors.as_slice());
        Context { store_entries: sums.store_entries(node, doors) }
    }

    fn subject(&self, node: Option<&Node>, kind: Kind, id: &str, layer: &str) -> Subject {
        let name_of = |kind: &str, id: &str| self.names.get(&format!("{kind}/{id}")).cloned();
        let name = match kind {
            Kind::Line | Kind::Zone | Kind::Queue => name_of(kind.name(), id),
            Kind::Heat => name_of("floor", id.strip_suffix(layer).unwrap_or(id).trim_end_matches('-')),
            Kind::Flow => name_of("floor", id),
            Kind::Od => name_of("camera", id),
        };
        let node = node.cloned().unwrap_or_default();
        Subject {
            node: [node.org, node.store, node.node],
            kind,
            id: id.to_owned(),
            layer: layer.to_owned(),
            name: name.unwrap_or_default(),
        }
    }

    fn row(&mut self, subject: &Subject, stretch: &Stretch, item: &Item, versus: Option<Told>) -> Result<(), Failure> {
        let Item { spot, definition, told, .. } = *item;
        self.count += 1;
        self.sink.row(&Row { subject, part: &stretch.part, spot, definition, told, versus })
    }
}

/// Everything an object tells.
fn items<'a>(object: &'a ObjectSums, context: &Context, period: &Period) -> Vec<Item<'a>> {
    let presence = object.tally.presence();
    let ground = Ground::of(object, period);
    let kind = kind_of(&object.figures);
    let mut items = Vec::new();
    for (order, definition) in definitions(kind).enumerate() {
        let mut push = |spot: Spot<'a>, figure: Figure, ground: Ground| {
            let state = state_of(figure, if ground.withheld > 0 { Presence::PartlyWithheld } else { presence });
            items.push(Item { order, spot, definition, told: Told { figure, state, ground } });
        };
        match (definition.of, &object.figures) {
            (Of::Heat(layer, make), ObjectFigures::Heat(heat)) if layer == heat.layer => {
                for (index, cell) in heat.cells.iter().enumerate().filter(|(_, cell)| cell.released > 0) {
                    push(at(&heat.grid, index), make(cell), ground.of_cell(cell.released, cell.cov_ms));
                }
            }
            (Of::Flow(make), ObjectFigures::Flow(flow)) => {
                for (index, cell) in flow.cells.iter().enumerate().filter(|(_, cell)| cell.released > 0) {
                    push(at(&flow.grid, index), make(cell), ground.of_cell(cell.released, cell.cov_ms));
                }
            }
            (Of::Pair(make), ObjectFigures::Od(od)) => {
                let all = od.total();
                for ((origin, destination), pair) in od.pairs.iter().filter(|(_, pair)| pair.released > 0) {
                    let spot = Spot { cell: None, ways: [origin, destination] };
                    push(spot, make(pair, all), ground.of_cell(pair.released, ground.told_ms));
                }
            }
            _ => {
                if let Some(figure) = definition.figure(object, context) {
                    push(Spot::default(), figure, ground);
                }
            }
        }
    }
    items
}

impl Told {
    /// What is told of a cell or a way that the other period tells and this one does not.
    fn nothing(object: Option<&ObjectSums>) -> Self {
        let presence = object.map_or(Presence::NoRecord, |object| object.tally.presence());
        let why = Why::of(presence).unwrap_or(Why::Withheld);
        let cov_ms = object.map_or(0, |object| object.tally.cov_ms);
        Self { figure: Figure::None(why), state: why.words(), ground: Ground { cov_ms, ..Ground::default() } }
    }
}

impl Ground {
    fn of(object: &ObjectSums, period: &Period) -> Self {
        let tally = &object.tally;
        Self {
            coverage: tally.coverage(period),
            cov_ms: tally.cov_ms,
            told_ms: tally.told_cov_ms,
            windows: tally.windows,
            expected: tally.expected(period),
            withheld: tally.withheld,
            blind: tally.blind,
        }
    }

    /// Of one cell or way, told in some of the windows.
    fn of_cell(&self, released: u32, told_ms: u64) -> Self {
        let seen = self.windows - self.blind;
        Self { told_ms, withheld: seen.saturating_sub(u64::from(released)), ..*self }
    }
}

fn at<'a>(grid: &CellGrid, cell: usize) -> Spot<'a> {
    Spot { cell: Some((cell, grid.middle_mm(cell))), ways: [""; 2] }
}

fn state_of(figure: Figure, presence: Presence) -> &'static str {
    match figure {
        Figure::Is(_) => presence.words(),
        Figure::AtLeast(_) => "at least",
        Figure::None(why) => why.words(),
    }
}

fn kind_of(figures: &ObjectFigures) -> Kind {
    match figures {
        ObjectFigures::Line(_) => Kind::Line,
        ObjectFigures::Zone(_) => Kind::Zone,
        ObjectFigures::Queue(_) => Kind::Queue,
        ObjectFigures::Heat(_) => Kind::Heat,
        ObjectFigures::Flow(_) => Kind::Flow,
        ObjectFigures::Od(_) => Kind::Od,
    }
}

/// Names that are told where one is wrong.
const NAMED_MAX: usize = 40;

/// The layer an id of a heatmap ends with.
fn layer_of(kind: Kind, id: &str) -> &str {
    match (kind, id.rsplit_once('-')) {
        (Kind::Heat, Some((_, layer @ ("visits" | "dwell")))) => layer,
        _ => "",
    }
}
