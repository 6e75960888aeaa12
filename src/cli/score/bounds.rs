//! What a truth may say: how large a picture, how long a clip, how far away a point.
//!
//! In: a [`Geometry`] as it was written. Out: nothing, or what is out of range, with its key, its value and what to write.
//! Invariant: whatever passes can be drawn and counted in a moment, for no point lies further than a few pictures away.

use super::geometry::{Geometry, Line, Point, Zone};

/// Refuses what no clip is like.
///
/// # Errors
/// The first thing out of range.
pub fn check(geometry: &Geometry) -> Result<(), String> {
    let [width, height] = geometry.picture;
    if !(1.0..=SIDE_MAX).contains(&width) || !(1.0..=SIDE_MAX).contains(&height) {
        return Err(format!("width {width}, height {height}: write the size of the picture, 1 to {SIDE_MAX} px"));
    }
    if !(1..=FRAMES_MAX).contains(&geometry.frames) {
        let frames = geometry.frames;
        return Err(format!("frames {frames}: write how many frames the clip has, 1 to {FRAMES_MAX}"));
    }
    geometry.lines.iter().try_for_each(|line| check_line(line, geometry.picture))?;
    geometry.zones.iter().try_for_each(|zone| check_zone(zone, geometry.picture))?;
    let mut left_out = geometry.unannotated.iter().flatten();
    left_out.try_for_each(|corner| check_near("unannotated: polygons", *corner, geometry.picture))?;
    if geometry.lines.is_empty() && geometry.zones.is_empty() {
        return Err("neither lines nor zones; there is nothing to count".into());
    }
    Ok(())
}

fn check_line(line: &Line, picture: Point) -> Result<(), String> {
    for (key, end) in ["a", "b"].iter().zip(line.ends) {
        let place = if line.is_unnamed { "line".to_owned() } else { format!("line {}: {key}", line.name) };
        check_near(&place, end, picture)?;
    }
    if line.ends[0] == line.ends[1] {
        return Err(format!("line {}: its ends {:?} are one point; write two", line.name, line.ends));
    }
    Ok(())
}

fn check_zone(zone: &Zone, picture: Point) -> Result<(), String> {
    let place = format!("zone {}: polygon", zone.name);
    zone.polygon.iter().try_for_each(|corner| check_near(&place, *corner, picture))?;
    if zone.polygon.len() < 3 {
        return Err(format!("zone {}: {} corners; write 3 or more", zone.name, zone.polygon.len()));
    }
    if let Some([first, last]) = zone.stays.iter().filter_map(|stay| stay.span).find(|[first, last]| last < first) {
        return Err(format!("zone {}: a visit from frame {first} to {last}; write the earlier first", zone.name));
    }
    Ok(())
}

/// Refuses a point that lies further away than [`PICTURES_MAX`] pictures; `place` is the key it was written under.
fn check_near(place: &str, [x, y]: Point, picture: Point) -> Result<(), String> {
    let [x_max, y_max] = picture.map(|side| PICTURES_MAX * side);
    if x.abs() <= x_max && y.abs() <= y_max {
        return Ok(());
    }
    Err(format!(
        "{place} [{x}, {y}] is far outside the picture; write x from -{x_max} to {x_max}, y from -{y_max} to {y_max} px"
    ))
}

/// Longest side of a picture, px.
const SIDE_MAX: f64 = 16_384.0;
/// Most frames of a clip: two weeks at 8 frames a second.
const FRAMES_MAX: u32 = 10_000_000;
/// How many widths and heights of the picture from its corner a point may lie: lines and zones may reach past the border.
/// The library that draws squares ten times the length of a line in an i32, which holds to 4,600 px; from corner to
/// corner of this range the plan (`score/picture.rs`) has 4,464.
const PICTURES_MAX: f64 = 2.0;

#[cfg(test)]
mod tests {
    use super::super::geometry::parse;

    const LINES: &str = r#"{"width": 100, "height": 72, "frames": 9, "fps": 7,
        "unannotated": {"polygons": [[[0, 0], [1, 0], [1, 1]]]},
        "lines": [{"name": "gate", "a": [50, 0], "b": [50, 70], "events": []}],
        "zones": [{"name": "table", "polygon": [[2, 2], [9, 2], [9, 9]], "visit_list": []}]}"#;
    const CLIP: &str = r#"{"width": 100, "height": 72, "frames": 9, "fps": 7, "line": [50, 0, 50, 70],
        "direction": "in = left to right", "events": [{"frame": 4294967295, "dir": "in"}]}"#;

    fn told(text: &str, from: &str, to: &str) -> String {
        assert!(text.contains(from), "{from}");
        parse(&text.replace(from, to), [None; 2]).err().unwrap_or_default()
    }

    #[test]
    fn a_point_further_than_a_few_pictures_away_is_named_with_its_key_and_the_range() {
        for (from, to, naming) in [
            ("[50, 0]", "[1e7, 0]", "line gate: a [10000000, 0] is far outside the picture; write x from -200 to 200"),
            ("[50, 70]", "[50, -1e300]", "line gate: b [50, -1"),
            ("[9, 9]", "[9, 145]", "zone table: polygon [9, 145] is far outside the picture"),
            ("[1, 1]", "[-201, 1]", "unannotated: polygons [-201, 1] is far outside"),
        ] {
            assert!(told(LINES, from, to).contains(naming), "{to}: {}", told(LINES, from, to));
        }
        let line = told(CLIP, "[50, 0, 50, 70]", "[50, 0, 50, 1e9]");
        assert!(line.starts_with("line [50, 1000000000] is far outside") && line.ends_with("y from -144 to 144 px"));
        assert_eq!(told(LINES, "[9, 9]", "[200, -144]"), "", "just within");
    }

    #[test]
    fn a_number_of_frames_that_no_clip_has_is_named_with_the_range() {
        for frames in ["0", "4294967295"] {
            let told = told(LINES, "\"frames\": 9", &format!("\"frames\": {frames}"));
            assert_eq!(told, format!("frames {frames}: write how many frames the clip has, 1 to 10000000"));
        }
    }
}
