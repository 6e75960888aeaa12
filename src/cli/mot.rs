//! MOT rows, as the benchmarks write them: `frame,id,left,top,width,height,…`, one box of one person a line.
//!
//! In: the text of a file. Out: [`Row`]s in the order of the file. Invariant: a row in hand has whole numbers where
//! they belong and a box that is not turned inside out, and no frame has more than [`ROWS_MAX`]; a refusal names the line,
//! what stands there and what to write.

use std::collections::BTreeMap;

/// One line of a file.
#[derive(Clone)]
pub struct Row {
    /// Line of the file, from 1.
    pub line: usize,
    /// Frame of the clip, from 1.
    pub frame: u32,
    /// Who; −1 where nobody was told apart.
    pub id: i64,
    /// Where, px.
    pub place: Place,
    /// What follows the box: score or mark, class, visibility…
    pub rest: Vec<f64>,
}

/// A box on the picture, px, as the benchmarks measure it.
#[derive(Clone, Copy, PartialEq)]
pub struct Place {
    /// Left border.
    pub left: f64,
    /// Upper border.
    pub top: f64,
    /// From left to right.
    pub width: f64,
    /// From top to bottom.
    pub height: f64,
}

impl Place {
    /// Middle of the lower border.
    #[must_use]
    pub fn foot(&self) -> [f64; 2] {
        [self.left + self.width / 2.0, self.top + self.height]
    }

    /// Middle of the box.
    #[must_use]
    pub fn centre(&self) -> [f64; 2] {
        [self.left + self.width / 2.0, self.top + self.height / 2.0]
    }

    /// Intersection over union, 0–1; 0 where there is no area.
    #[must_use]
    pub fn iou(&self, other: &Self) -> f64 {
        let [one, two] = [self, other].map(|place| [place.left + place.width, place.top + place.height]);
        let width = (one[0].min(two[0]) - self.left.max(other.left)).max(0.0);
        let height = (one[1].min(two[1]) - self.top.max(other.top)).max(0.0);
        let area = |place: &Self, end: [f64; 2]| (end[0] - place.left) * (end[1] - place.top);
        let (shared, areas) = (width * height, [area(self, one), area(other, two)]);
        let union = areas[0] + areas[1] - shared;
        if areas[0] > f64::EPSILON && areas[1] > f64::EPSILON && union > f64::EPSILON { shared / union } else { 0.0 }
    }
}

/// Reads rows that have at least the values `form` names, separated by commas.
///
/// # Errors
/// What is wrong with the first line that is no row.
pub fn rows(text: &str, form: &str) -> Result<Vec<Row>, String> {
    let wanted = form.split(',').count();
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let rows: Vec<Row> = lines.map(|(index, line)| row(index + 1, line, wanted, form)).collect::<Result<_, _>>()?;
    check_crowd(&rows)?;
    Ok(rows)
}

/// Refuses a frame with more than [`ROWS_MAX`] rows: each is held against each other one.
fn check_crowd(rows: &[Row]) -> Result<(), String> {
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    for row in rows {
        let count = counts.entry(row.frame).or_default();
        *count += 1;
        if *count > ROWS_MAX {
            let (line, frame) = (row.line, row.frame);
            return Err(format!(
                "line {line}: frame {frame} has more than {ROWS_MAX} rows; write {ROWS_MAX} a frame at most"
            ));
        }
    }
    Ok(())
}

fn row(number: usize, text: &str, wanted: usize, form: &str) -> Result<Row, String> {
    let refused = |what: String| format!("line {number}: \"{}\": {what}", shown(text));
    let values: Vec<f64> = text.split(',').map_while(|value| value.trim().parse().ok()).collect();
    if values.len() < wanted {
        let what = format!("{} of {wanted} values can be read; write {form}", values.len());
        return Err(refused(what));
    }
    if let Some(value) = values[..wanted].iter().find(|value| !value.is_finite()) {
        return Err(refused(format!("{value} is out of range; write {form} as plain numbers")));
    }
    let [frame, id, left, top, width, height] = [0, 1, 2, 3, 4, 5].map(|column| values[column]);
    if !(1.0..=FRAME_MAX).contains(&frame) || frame.fract() != 0.0 {
        return Err(refused(format!("frame {frame} is out of range; write a whole number from 1 to {FRAME_MAX}")));
    }
    if id.fract() != 0.0 || id.abs() > ID_MAX {
        return Err(refused(format!("id {id}: write a whole number")));
    }
    if width < 0.0 || height < 0.0 {
        return Err(refused(format!("a box of {width} x {height} px: write width and height from 0")));
    }
    let place = Place { left, top, width, height };
    Ok(Row { line: number, frame: frame as u32, id: id as i64, place, rest: values[6..].to_vec() })
}

/// As much of a line as fits into a message.
fn shown(text: &str) -> String {
    let mut start: String = text.trim().chars().take(SHOWN_MAX).collect();
    if text.trim().chars().count() > SHOWN_MAX {
        start.push('…');
    }
    start
}

/// Most rows of a frame, as many as a detector hands on (`detect/decode.rs`): a table of one frame then has a million cells.
const ROWS_MAX: usize = 1000;
/// Two weeks at 8 frames a second.
const FRAME_MAX: f64 = 1e7;
/// Largest number up to which every whole one is an f64.
const ID_MAX: f64 = 9_007_199_254_740_992.0;
const SHOWN_MAX: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &str = "frame,id,left,top,width,height";

    #[test]
    fn a_row_is_read_whatever_follows_its_box() {
        let read = rows("1, 7, 10,20,30.5,40,1,-1,x\r\n\n2.0,8,0,0,0,0\n", FORM).expect("rows");
        let seen: Vec<(usize, u32, i64, usize)> =
            read.iter().map(|row| (row.line, row.frame, row.id, row.rest.len())).collect();
        assert_eq!(seen, [(1, 1, 7, 2), (3, 2, 8, 0)]);
        assert_eq!(read[0].place.foot(), [25.25, 60.0]);
        assert_eq!(read[0].place.centre(), [25.25, 40.0]);
    }

    #[test]
    fn what_is_no_row_is_named_with_its_line_and_a_remedy() {
        for (text, naming) in [
            ("1,1,0,0,5,5\n1,2,0,0", "line 2: \"1,2,0,0\": 4 of 6 values can be read; write frame,id"),
            ("frame,id,left", "line 1: \"frame,id,left\": 0 of 6"),
            ("0,1,0,0,5,5", "frame 0 is out of range; write a whole number from 1"),
            ("1.5,1,0,0,5,5", "frame 1.5"),
            ("1,1.5,0,0,5,5", "id 1.5: write a whole number"),
            ("1,1,0,0,-5,5", "a box of -5 x 5 px"),
            ("1,1,nan,0,5,5", "NaN is out of range"),
            ("1,1,inf,0,5,5", "inf is out of range"),
        ] {
            let refused = rows(text, FORM).err().unwrap_or_default();
            assert!(refused.contains(naming), "{text}: {refused}");
        }
    }

    #[test]
    fn a_frame_with_more_people_than_a_picture_holds_is_named_with_the_bound() {
        let crowd = |people: usize| -> String {
            (0..people).map(|id| format!("7,{id},0,0,5,5\n")).chain(["8,1,0,0,5,5\n".to_owned()]).collect()
        };
        assert_eq!(rows(&crowd(ROWS_MAX), FORM).map(|rows| rows.len()), Ok(ROWS_MAX + 1));
        let refused = rows(&crowd(ROWS_MAX + 1), FORM).err().unwrap_or_default();
        assert_eq!(refused, "line 1001: frame 7 has more than 1000 rows; write 1000 a frame at most");
    }

    #[test]
    fn boxes_overlap_by_their_areas() {
        let place = |left, width| Place { left, top: 0.0, width, height: 10.0 };
        assert!((place(0.0, 10.0).iou(&place(5.0, 10.0)) - 1.0 / 3.0).abs() < 1e-12);
        assert_eq!(place(0.0, 10.0).iou(&place(10.0, 10.0)), 0.0);
        assert_eq!(place(0.0, 0.0).iou(&place(0.0, 0.0)), 0.0, "no area");
    }
}
