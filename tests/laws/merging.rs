//! The merge law: what windows add up to depends neither on their order, nor on how they are split, nor on how often each
//! arrives, wherever the calendar cuts.

use kehai::publish::period::{Added, Calendar, Context, ObjectFigures, Presence, Sums, definition};
use kehai::wire::Message;
use kehai::wire::read::Kind;
use proptest::prelude::*;

use crate::support::simulated::{Random, Shop, Truth, shop};

/// A figure of the sums under the names of the naive sum.
fn told(sums: &Sums, kind: Kind, id: &str, name: &str) -> i64 {
    let object = sums.find(kind, id).expect("the object has windows");
    let cells_of = |cell: Option<usize>| match &object.figures {
        ObjectFigures::Heat(heat) => {
            let cells = heat.cells.iter().enumerate().filter(|(index, _)| cell.is_none_or(|cell| cell == *index));
            cells.map(|(_, cell)| cell.sum).sum::<u64>().cast_signed()
        }
        _ => panic!("{kind:?} has no cells of that name"),
    };
    match (name, &object.figures) {
        ("windows", _) => object.tally.windows.cast_signed(),
        ("cov_ms", _) => object.tally.cov_ms.cast_signed(),
        ("withheld", _) => object.tally.withheld.cast_signed(),
        ("visits" | "dwell_ms", ObjectFigures::Heat(_)) => cells_of(None),
        (_, ObjectFigures::Heat(_)) => cells_of(Some(101)),
        ("n", ObjectFigures::Flow(flow)) => flow.cells.iter().map(|cell| cell.n).sum::<u64>().cast_signed(),
        ("sx_milli", ObjectFigures::Flow(flow)) => flow.cells.iter().map(|cell| cell.sx_milli).sum(),
        ("sy_milli", ObjectFigures::Flow(flow)) => flow.cells.iter().map(|cell| cell.sy_milli).sum(),
        ("n", ObjectFigures::Od(od)) => od.total().cast_signed(),
        _ => {
            let definition = definition(kind, name).expect("a figure of that name");
            let figure = definition.figure(object, &Context::default()).expect("of the object as a whole");
            figure.value().unwrap_or(0.0) as i64
        }
    }
}

fn must_be(sums: &Sums, truth: &Truth) {
    for ((kind, id, name), value) in truth {
        let kind = Kind::named(kind).expect("a kind");
        assert_eq!(told(sums, kind, id, name), *value, "{kind:?} {id} {name}");
    }
}

fn summed<'a>(messages: impl IntoIterator<Item = &'a Message>) -> Sums {
    let mut sums = Sums::default();
    for message in messages {
        sums.add_body(None, &message.body).expect("a window");
    }
    sums
}

/// Some hours of a shop, and its naive sum.
fn some_hours(seed: u64) -> (Vec<Message>, Shop) {
    let mut shop = shop("Asia/Kathmandu", 2, seed);
    let messages = shop.windows(START_S, START_S + 5 * 3600).collect();
    (messages, shop)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn order_and_repetition_change_nothing(seed in any::<u64>()) {
        let (mut messages, shop) = some_hours(seed);
        let mut random = Random(seed ^ 1);
        for _ in 0..messages.len() / 3 {
            messages.push(messages[random.below(messages.len() as u32) as usize].clone());
        }
        for place in (1..messages.len()).rev() {
            messages.swap(place, random.below(place as u32 + 1) as usize);
        }
        must_be(&summed(&messages), &shop.truth);
    }

    #[test]
    fn sums_of_parts_merge_into_the_sum_of_the_whole(seed in any::<u64>(), parts in 1usize..6) {
        let (messages, shop) = some_hours(seed);
        let mut random = Random(seed ^ 2);
        let mut split = vec![Vec::new(); parts];
        messages.iter().for_each(|message| split[random.below(parts as u32) as usize].push(message));
        let mut merged = Sums::default();
        for part in &split {
            merged.merge(&summed(part.iter().copied())).expect("the parts share no window");
        }
        must_be(&merged, &shop.truth);
        let whole = summed(&messages);
        prop_assert_eq!(merged.objects(), whole.objects());
        let shared = merged.merge(&summed(split[0].iter().copied())).map_err(|overlap| overlap.windows);
        prop_assert_eq!(shared.err().unwrap_or(0), split[0].len(), "what is there already is refused, and nothing changes");
        must_be(&merged, &shop.truth);
    }
}

#[test]
fn the_days_of_every_calendar_add_up_to_its_week() {
    for (zone, from, to) in [
        ("Europe/London", "2026-03-27", "2026-04-01"),
        ("Europe/London", "2026-10-23", "2026-10-28"),
        ("Asia/Kathmandu", "2026-10-23", "2026-10-26"),
        ("Australia/Lord_Howe", "2026-10-02", "2026-10-06"),
        ("Australia/Lord_Howe", "2026-04-03", "2026-04-07"),
    ] {
        let calendar = Calendar::of(zone).expect("a zone");
        let period = calendar.period(from, to, None).expect("some days");
        let mut shop = shop(zone, 1, 7);
        let messages: Vec<Message> = shop.windows(period.from_s(), period.to_s()).collect();
        let mut days = Sums::default();
        for (day, part) in calendar.days(&period) {
            let begins_here = |message: &&Message| {
                let start = serde_json::from_slice::<serde_json::Value>(&message.body).expect("JSON")["ws"].clone();
                part.holds(calendar.moment_s(start.as_str().expect("a time")).expect("a time"))
            };
            let one = summed(messages.iter().filter(begins_here));
            let expected = part.length_s() as u64 / 900;
            let door = one.find(Kind::Line, "door-a").expect("a door").tally;
            assert_eq!(door.expected(&part), expected, "{zone} {day}");
            assert!(door.windows <= expected && door.coverage(&part) <= 1.0, "{zone} {day}");
            days.merge(&one).expect("days share no window");
        }
        must_be(&days, &shop.truth);
        assert_eq!(days.windows(), messages.len(), "{zone}: every window lies in one day");
    }
}

#[test]
fn nobody_there_withheld_nobody_looking_and_no_record_are_four_things() {
    let body = |id: &str, kind: &str, cov_ms: u32, figures: &str| {
        format!(
            r#"{{"v":1,"k":"{kind}","id":"{id}","ws":"2026-11-20T01:00:00Z","dur":900,"cov_ms":{cov_ms},"privacy":{{"k":5}},"d":{figures}}}"#
        )
    };
    let mut sums = Sums::default();
    for text in [
        body("empty", "line", 900_000, r#"{"in":0,"out":0,"uncertain":0}"#),
        body("few", "zone", 900_000, "{}"),
        body("dead", "zone", 0, "{}"),
        body("dead", "line", 0, r#"{"in":0,"out":0,"uncertain":0}"#),
    ] {
        assert_eq!(sums.add_body(None, text.as_bytes()), Ok(Added::Counted));
    }
    assert_eq!(sums.presence(Kind::Line, "empty"), Presence::Told);
    assert_eq!(sums.presence(Kind::Zone, "few"), Presence::Withheld);
    assert_eq!(sums.presence(Kind::Zone, "dead"), Presence::Blind);
    assert_eq!(sums.presence(Kind::Line, "dead"), Presence::Blind);
    assert_eq!(sums.presence(Kind::Zone, "unknown"), Presence::NoRecord);
    let changed = body("empty", "line", 900_000, r#"{"in":1,"out":0,"uncertain":0}"#);
    assert_eq!(sums.add_body(None, changed.as_bytes()), Ok(Added::Conflict), "the first stays");
    assert_eq!(told(&sums, Kind::Line, "empty", "in"), 0);
}

/// 2026-11-20T00:15:00Z: a full hour in Kathmandu.
const START_S: i64 = 1_795_133_700;
