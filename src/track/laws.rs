//! What must hold of tracks whoever walks wherever, under every setting: the camera's place, the order of boxes, the length
//! of a second and what came before decide nothing.
//!
//! In: drawn walkers, seen at uneven times, trembling, weak, hidden and gone. A scene that breaks a law is printed with its
//! seed. Where a law holds but for rounding, the seed is fixed: two prices may lie as near to each other as that.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;

const LEVELS: ScoreLevels = ScoreLevels { low: 0.1, high: 0.6, birth: 0.7 };
const PICTURE: PictureSize = PictureSize { height: 720, width: 1280 };
/// A picture whose borders nobody knows.
const BOUNDLESS: PictureSize = PictureSize { height: 0, width: 0 };
/// A camera that looks along a hall: 14 m wide at the lower border, wider the farther; px to m.
const HALL: Rows = [[0.0165, 0.0, -10.6], [0.0, -0.025, 24.0], [0.0, 0.0018, 0.2]];

type Rows = [[f64; 3]; 3];

/// People and the moments at which they are looked at.
#[derive(Debug, Clone)]
struct World {
    walkers: Vec<Walker>,
    /// Time from one look to the next, ms.
    intervals_ms: Vec<i64>,
    /// Whether every detection is as sure as the next.
    is_sure: bool,
}

/// Somebody who walks straight on.
#[derive(Debug, Clone)]
struct Walker {
    foot_px: [f32; 2],
    height_px: f32,
    /// Heights a second.
    velocity: [f32; 2],
    from_s: f32,
    until_s: f32,
    hidden_s: [f32; 2],
}

/// One frame: when, and who is found.
#[derive(Clone)]
struct Look {
    at_ns: i64,
    found: Vec<(BoxPx, f32)>,
}

/// What a tracker says of a frame: track, counted id and box of everybody, then who has ended.
#[derive(Debug, PartialEq)]
struct Said {
    seen: Vec<(u64, u64, [u32; 4])>,
    ended: Vec<u64>,
}

fn world() -> impl Strategy<Value = World> {
    let interval = prop_oneof![12 => 30i64..350, 1 => 400i64..3000];
    let worlds = (prop::collection::vec(walker(), 1..9), prop::collection::vec(interval, 20..70), any::<bool>());
    worlds.prop_map(|(walkers, intervals_ms, is_sure)| World { walkers, intervals_ms, is_sure })
}

fn walker() -> impl Strategy<Value = Walker> {
    let place = (0.0f32..1280.0, 150.0f32..720.0, 60.0f32..160.0);
    let way = (-1.5f32..1.5, -0.5f32..0.5, 0.0f32..6.0, 0.5f32..12.0);
    (place, way, (0.0f32..10.0, 0.0f32..2.0)).prop_map(|((x, y, height_px), (right, down, from_s, lasts_s), hidden)| {
        let (velocity, hidden_s) = ([right, down], [hidden.0, hidden.0 + hidden.1]);
        Walker { foot_px: [x, y], height_px, velocity, from_s, until_s: from_s + lasts_s, hidden_s }
    })
}

impl World {
    fn looks(&self) -> Vec<Look> {
        let mut at_ns = 0;
        let look = |(index, interval_ms): (usize, &i64)| {
            // No sum of these is a round number of milliseconds.
            at_ns += interval_ms * 1_000_003;
            let at_s = at_ns as f32 / 1e9;
            let walkers = self.walkers.iter().enumerate().filter(|(_, walker)| walker.is_found(at_s));
            let found = walkers.map(|(who, walker)| {
                let moment = [index as u32, who as u32];
                let score = if self.is_sure { 0.9 } else { 1.0 - 0.95 * chance(moment, 0).powi(2) };
                (walker.place(at_s, moment), score)
            });
            Look { at_ns, found: found.collect() }
        };
        self.intervals_ms.iter().enumerate().map(look).collect()
    }
}

impl Walker {
    fn is_found(&self, at_s: f32) -> bool {
        (self.from_s..self.until_s).contains(&at_s) && !(self.hidden_s[0]..self.hidden_s[1]).contains(&at_s)
    }

    /// A box that trembles, on a grid of eighths so that moving it by whole pixels is exact; no zero is negative.
    fn place(&self, at_s: f32, moment: [u32; 2]) -> BoxPx {
        let away_s = at_s - self.from_s;
        let tremble = |which| 0.06 * self.height_px * (chance(moment, which) - 0.5);
        let walked = |axis: usize| self.foot_px[axis] + self.velocity[axis] * self.height_px * away_s;
        let (x, y) = (walked(0) + tremble(1), walked(1) + tremble(2));
        let (half, height) = (0.2 * self.height_px + tremble(3), self.height_px + tremble(4));
        let [x1, y1, x2, y2] = [x - half, y - height, x + half, y].map(|value| (value * 8.0).round() / 8.0 + 0.0);
        BoxPx { x1, y1, x2, y2 }
    }
}

impl Look {
    fn detections(&self, picture: PictureSize) -> Detections {
        let people = self.found.iter().map(|(place, score)| Detection { place: *place, score: *score }).collect();
        Detections { captured_at: CaptureTime(self.at_ns), picture, people }
    }

    fn map(&self, change: impl Fn(&BoxPx) -> BoxPx) -> Self {
        let found = self.found.iter().map(|(place, score)| (change(place), *score)).collect();
        Self { at_ns: self.at_ns, found }
    }
}

/// A number from 0 to 1 that follows from the moment and what it is for.
fn chance([look, who]: [u32; 2], which: u32) -> f32 {
    let mut mixed = look.wrapping_mul(0x9E37_79B1) ^ who.wrapping_mul(0x85EB_CA77) ^ which.wrapping_mul(0xC2B2_AE3D);
    for _ in 0..3 {
        mixed = (mixed ^ (mixed >> 15)).wrapping_mul(0x2C1B_3C6D) ^ (mixed >> 12);
    }
    (mixed >> 8) as f32 / (1 << 24) as f32
}

fn tracker(floor: Option<Rows>) -> Tracker {
    let mut tracker = Tracker::new(LEVELS, 1);
    if let Some(rows) = floor {
        tracker.stand_on(Homography::new(rows));
    }
    tracker
}

/// What a tracker says of these looks.
fn said(tracker: &mut Tracker, looks: &[Look], picture: PictureSize) -> Vec<Said> {
    looks.iter().map(|look| said_of(tracker.advance(look.detections(picture)).expect("time moves on"))).collect()
}

fn said_of(tracks: &Tracks) -> Said {
    let seen = tracks.seen.iter().map(|track| (track.id.0, track.counts_as.0, bits(&track.place)));
    Said { seen: seen.collect(), ended: tracks.ended.iter().map(|id| id.0).collect() }
}

fn bits(place: &BoxPx) -> [u32; 4] {
    [place.x1, place.y1, place.x2, place.y2].map(f32::to_bits)
}

/// The map of a camera whose picture shows at x, y what the other shows at `sign` · x + `right`, y + `down`.
fn moved([a, b, c]: [[f64; 3]; 3], sign: f64, right: f64, down: f64) -> Rows {
    [a, b, c].map(|row| [sign * row[0], row[1], row[0] * right + row[1] * down + row[2]])
}

/// What was said with every id called by another name; `None` where one name would mean two, or two names one.
fn renamed(said: &[Said], others: &[Said]) -> Option<std::collections::BTreeMap<u64, u64>> {
    let (mut there, mut back) = (std::collections::BTreeMap::new(), std::collections::BTreeMap::new());
    for (one, other) in said.iter().zip(others) {
        for (id, counts_as, place) in &one.seen {
            let twin = other.seen.iter().find(|twin| twin.2 == *place)?;
            for (name, twin) in [(*id, twin.0), (*counts_as, twin.1)] {
                if *there.entry(name).or_insert(twin) != twin || *back.entry(twin).or_insert(name) != name {
                    return None;
                }
            }
        }
        let mut ended: Vec<u64> = one.ended.iter().map(|id| there.get(id).copied()).collect::<Option<_>>()?;
        ended.sort_unstable();
        if one.seen.len() != other.seen.len() || ended != other.ended {
            return None;
        }
    }
    Some(there)
}

fn exact() -> ProptestConfig {
    ProptestConfig::with_cases(48)
}

fn but_for_rounding() -> ProptestConfig {
    ProptestConfig { rng_seed: RngSeed::Fixed(1), ..exact() }
}

proptest! {
    #![proptest_config(exact())]

    #[test]
    fn the_order_of_detections_decides_nothing(world in world(), seed in any::<u32>(), on_floor in any::<bool>()) {
        let floor = on_floor.then_some(HALL);
        let looks = world.looks();
        let mut shuffled = looks.clone();
        for (index, look) in shuffled.iter_mut().enumerate() {
            for from in (1..look.found.len()).rev() {
                let to = chance([index as u32 ^ seed, from as u32], 9) * (from + 1) as f32;
                look.found.swap(from, (to as usize).min(from));
            }
        }
        prop_assert_eq!(said(&mut tracker(floor), &looks, PICTURE), said(&mut tracker(floor), &shuffled, PICTURE));
    }

    #[test]
    fn the_same_looks_give_the_same_tracks(world in world(), on_floor in any::<bool>()) {
        let (floor, looks) = (on_floor.then_some(HALL), world.looks());
        prop_assert_eq!(said(&mut tracker(floor), &looks, PICTURE), said(&mut tracker(floor), &looks, PICTURE));
    }

    #[test]
    fn after_a_long_silence_only_the_ids_are_left(worlds in [world(), world()], on_floor in any::<bool>()) {
        let floor = on_floor.then_some(HALL);
        let [before, after] = worlds.map(|world| world.looks());
        let mut experienced = tracker(floor);
        let earlier = said(&mut experienced, &before, PICTURE);
        let given = experienced.next_id - 1;
        let silence_ns = before.last().map_or(0, |look| look.at_ns) + 60_000_000_000;
        let later: Vec<Look> = after.iter().map(|look| Look { at_ns: look.at_ns + silence_ns, ..look.clone() }).collect();
        let mut later = said(&mut experienced, &later, PICTURE);
        for id in later.iter_mut().flat_map(|said| said.seen.iter_mut().flat_map(|seen| [&mut seen.0, &mut seen.1])) {
            prop_assert!(*id > given, "an id is given twice");
            *id -= given;
        }
        let fresh = said(&mut tracker(floor), &after, PICTURE);
        let ended_then = std::mem::take(&mut later[0].ended);
        let ended: Vec<u64> = earlier.iter().flat_map(|said| said.ended.clone()).chain(ended_then).collect();
        let mut counted: Vec<u64> = earlier.iter().flat_map(|said| said.seen.iter().map(|seen| seen.1)).collect();
        counted.sort_unstable();
        counted.dedup();
        let mut once = ended.clone();
        once.sort_unstable();
        prop_assert_eq!(once, counted, "whoever counted has ended once");
        later.iter_mut().for_each(|said| said.ended.iter_mut().for_each(|id| *id -= given));
        prop_assert_eq!(later, fresh);
    }

    #[test]
    fn a_late_or_repeated_look_changes_nothing(world in world(), strays in prop::collection::vec(0usize..70, 1..20)) {
        let looks = world.looks();
        let mut disturbed = tracker(Some(HALL));
        let mut heard = Vec::new();
        for (index, look) in looks.iter().enumerate() {
            heard.push(said_of(disturbed.advance(look.detections(PICTURE)).expect("time moves on")));
            for stray in strays.iter().filter(|stray| **stray % looks.len() <= index) {
                let at_ns = looks[stray % looks.len()].at_ns;
                let late = Look { at_ns, ..looks[(stray + index) % looks.len()].clone() };
                prop_assert!(disturbed.advance(late.detections(PICTURE)).is_none());
            }
        }
        prop_assert_eq!(heard, said(&mut tracker(Some(HALL)), &looks, PICTURE));
    }

    #[test]
    fn a_slower_world_gives_the_same_tracks(world in world(), on_floor in any::<bool>()) {
        let floor = on_floor.then_some(HALL);
        let looks = world.looks();
        let usual = said(&mut tracker(floor), &looks, PICTURE);
        // Powers of four, so that every square root of them is exact as well.
        for (times, stretch) in [(4i64, 4.0), (16, 16.0)] {
            let mut slow = tracker(floor);
            slow.tuning = slow.tuning.stretched(stretch);
            let looks: Vec<Look> = looks.iter().map(|look| Look { at_ns: look.at_ns * times, ..look.clone() }).collect();
            prop_assert_eq!(&said(&mut slow, &looks, PICTURE), &usual, "{} times as slow", times);
        }
    }

    #[test]
    fn nobody_is_two_and_no_two_are_one(world in world(), on_floor in any::<bool>()) {
        let looks = world.looks();
        let mut over = std::collections::BTreeSet::new();
        for (said, look) in said(&mut tracker(on_floor.then_some(HALL)), &looks, PICTURE).iter().zip(&looks) {
            prop_assert!(said.seen.windows(2).all(|pair| pair[0].0 < pair[1].0), "ordered by id");
            let mut counted: Vec<u64> = said.seen.iter().map(|seen| seen.1).collect();
            counted.sort_unstable();
            prop_assert!(counted.windows(2).all(|pair| pair[0] < pair[1]), "two count as one");
            prop_assert!(said.ended.iter().all(|id| over.insert(*id)), "an id ends twice");
            prop_assert!(counted.iter().all(|id| !over.contains(id)), "who has ended is back");
            let mut found: Vec<[u32; 4]> = look.found.iter().map(|(place, _)| bits(place)).collect();
            for (_, _, place) in &said.seen {
                let own = found.iter().position(|found| found == place);
                prop_assert!(own.is_some(), "a box that was not found, or was given twice");
                found.swap_remove(own.unwrap_or(0));
            }
        }
    }
}

proptest! {
    #![proptest_config(but_for_rounding())]

    #[test]
    fn where_the_picture_begins_decides_nothing(
        world in world(),
        (right, down) in (-500i16..500, -500i16..500),
        on_floor in any::<bool>(),
    ) {
        let looks = world.looks();
        let usual = said(&mut tracker(on_floor.then_some(HALL)), &looks, BOUNDLESS);
        let (dx, dy) = (f32::from(right), f32::from(down));
        let shift = |place: &BoxPx, dx: f32, dy: f32| {
            BoxPx { x1: place.x1 + dx, y1: place.y1 + dy, x2: place.x2 + dx, y2: place.y2 + dy }
        };
        let elsewhere: Vec<Look> = looks.iter().map(|look| look.map(|place| shift(place, dx, dy))).collect();
        let floor = on_floor.then(|| moved(HALL, 1.0, -f64::from(right), -f64::from(down)));
        let mut there = said(&mut tracker(floor), &elsewhere, BOUNDLESS);
        for seen in there.iter_mut().flat_map(|said| &mut said.seen) {
            let [x1, y1, x2, y2] = seen.2.map(f32::from_bits);
            seen.2 = bits(&shift(&BoxPx { x1, y1, x2, y2 }, -dx, -dy));
        }
        prop_assert_eq!(there, usual);
    }

    #[test]
    fn a_mirror_shows_the_same_people(mut world in world(), on_floor in any::<bool>()) {
        // Of two who are as sure, the one further left is taken first.
        world.is_sure = false;
        let looks = world.looks();
        let width = PICTURE.width as f32;
        let mirror = |place: &BoxPx| BoxPx { x1: width - place.x2, x2: width - place.x1, ..*place };
        let mirrored: Vec<Look> = looks.iter().map(|look| look.map(mirror)).collect();
        let usual = said(&mut tracker(on_floor.then_some(HALL)), &looks, PICTURE);
        let floor = on_floor.then(|| moved(HALL, -1.0, f64::from(width), 0.0));
        let mut behind = said(&mut tracker(floor), &mirrored, PICTURE);
        for seen in behind.iter_mut().flat_map(|said| &mut said.seen) {
            let [x1, y1, x2, y2] = seen.2.map(f32::from_bits);
            seen.2 = bits(&mirror(&BoxPx { x1, y1, x2, y2 }));
        }
        prop_assert!(renamed(&usual, &behind).is_some(), "{usual:?}\n{behind:?}");
    }

    #[test]
    fn a_world_half_as_fast_gives_the_same_tracks(world in world(), on_floor in any::<bool>()) {
        let floor = on_floor.then_some(HALL);
        let looks = world.looks();
        let mut slow = tracker(floor);
        slow.tuning = slow.tuning.stretched(2.0);
        let twice: Vec<Look> = looks.iter().map(|look| Look { at_ns: look.at_ns * 2, ..look.clone() }).collect();
        prop_assert_eq!(said(&mut slow, &twice, PICTURE), said(&mut tracker(floor), &looks, PICTURE));
    }
}

proptest! {
    #![proptest_config(exact())]

    /// Where somebody is seen is the detector's word, so that a look left out can move nothing but the expectation. A walk
    /// of up to 1.3 m/s, looked at ten times a second or five.
    #[test]
    fn a_look_left_out_moves_nobody(
        (right, down) in (-0.7f32..0.7, -0.3f32..0.3),
        intervals_ms in prop::collection::vec(60i64..110, 60..90),
        on_floor in any::<bool>(),
    ) {
        let (height_px, velocity) = (100.0f32, [right, down]);
        let foot_px = [right, down].map(|velocity| 2000.0 - 500.0 * velocity);
        let walker = Walker { foot_px, height_px, velocity, from_s: 0.0, until_s: 1e3, hidden_s: [0.0; 2] };
        let mut at_ns = 0;
        let looks: Vec<Look> = intervals_ms.iter().map(|interval_ms| {
            at_ns += interval_ms * 1_000_003;
            Look { at_ns, found: vec![(walker.steady(at_ns as f32 / 1e9), 0.9)] }
        }).collect();
        // From above, so that who is steady on the picture is steady on the floor.
        let floor = on_floor.then_some([[0.02, 0.0, 0.0], [0.0, -0.02, 90.0], [0.0, 0.0, 1.0]]);
        let expected = |step: usize| -> Vec<(i64, Said, BoxPx)> {
            let mut tracker = tracker(floor);
            let expect = |look: &Look| {
                let said = said_of(tracker.advance(look.detections(BOUNDLESS)).expect("time moves on"));
                (look.at_ns, said, tracker.people[0].expected)
            };
            looks.iter().step_by(step).map(expect).collect()
        };
        let (every, other) = (expected(1), expected(2));
        let unconfirmed = Tuning::STANDARD.matching.hits_to_confirm as usize - 1;
        let settled_ns = looks[0].at_ns + SETTLED_NS;
        for ((at_ns, seen, one), (twin_ns, twin_seen, twin)) in every.iter().step_by(2).zip(&other).skip(unconfirmed) {
            prop_assert_eq!((at_ns, seen), (twin_ns, twin_seen));
            prop_assert_eq!(seen.seen[0].0, 1, "the id is kept");
            let (foot, twin) = (one.foot(), twin.foot());
            let apart_px = (foot.x_px - twin.x_px).hypot(foot.y_px - twin.y_px);
            prop_assert!(*at_ns < settled_ns || apart_px < APART_MAX * height_px, "{apart_px} px at {at_ns} ns");
        }
    }
}

impl Walker {
    /// The box without any trembling.
    fn steady(&self, at_s: f32) -> BoxPx {
        let [x, y] =
            [0, 1].map(|axis| self.foot_px[axis] + self.velocity[axis] * self.height_px * (at_s - self.from_s));
        BoxPx { x1: x - 0.2 * self.height_px, y1: y - self.height_px, x2: x + 0.2 * self.height_px, y2: y }
    }
}

/// After so long a steady walk is known, ns.
const SETTLED_NS: i64 = 3_000_000_000;
/// Farthest the expectations of a steady walk may lie apart, seen at every look or every other, body heights.
const APART_MAX: f32 = 0.1;

/// A day at a busy door: everybody stands in a place of their own, far from all others, most for one look, some for three.
struct Door {
    /// Who stands in which place, and for how many looks more.
    places: Vec<(u32, u32)>,
    visitors: u32,
}

impl Door {
    fn look(&mut self, index: i64) -> Detections {
        self.places.iter_mut().for_each(|(_, looks)| *looks = looks.saturating_sub(1));
        for _ in 0..NEWCOMERS {
            self.visitors += 1;
            let looks = if self.visitors.is_multiple_of(8) { 3 } else { 1 };
            let place = self.visitors as usize % self.places.len();
            self.places[place] = (self.visitors, looks);
        }
        let there = self.places.iter().enumerate().filter(|(_, (_, looks))| *looks > 0);
        let people = there.map(|(place, _)| Detection { place: Self::standing_in(place), score: 0.9 }).collect();
        Detections { captured_at: CaptureTime(index * 500_000_000), picture: BOUNDLESS, people }
    }

    fn standing_in(place: usize) -> BoxPx {
        let (left, top) = ((place % 64 * 1000) as f32, (place / 64 * 1000) as f32);
        BoxPx { x1: left, y1: top, x2: left + 40.0, y2: top + 100.0 }
    }

    fn who_is_at(&self, place: &BoxPx) -> u32 {
        self.places[(place.x1 / 1000.0) as usize + (place.y1 / 1000.0) as usize * 64].0
    }
}

/// People who come with every look.
const NEWCOMERS: usize = 16;

#[test]
fn a_million_ids_are_a_million_people_in_the_memory_of_a_few() {
    let looks = 1_010_000 / NEWCOMERS as i64;
    let mut door = Door { places: vec![(0, 0); 4096], visitors: 0 };
    let mut tracker = tracker(None);
    // Whose each id is; nobody is 0.
    let mut owners = vec![0u32; 1_100_000];
    let mut ended = 0;
    let mut follow = |from: i64, to: i64| {
        for index in from..to {
            let mut detections = None;
            allocation_counter::opt_out(|| detections = Some(door.look(index)));
            let tracks = tracker.advance(detections.expect("just made")).expect("time moves on");
            for track in &tracks.seen {
                let who = door.who_is_at(&track.place);
                for id in [track.id, track.counts_as] {
                    let owner = &mut owners[id.0 as usize];
                    assert!(*owner == 0 || *owner == who, "id {} was {owner} and is {who}", id.0);
                    *owner = who;
                }
            }
            ended += tracks.ended.len();
        }
    };
    follow(0, looks / 50);
    let asked = allocation_counter::measure(|| follow(looks / 50, looks));
    assert_eq!(asked.count_total, 0, "no list has grown");
    assert!(tracker.next_id > 1_000_000, "{} ids", tracker.next_id);
    let counted = owners.iter().filter(|owner| **owner != 0).count();
    let still_waited_for = counted - ended;
    assert!(counted > 120_000 && still_waited_for < 100, "{counted} counted, {still_waited_for} not over");
    assert!(tracker.people.len() < 200, "{} people", tracker.people.len());
}
