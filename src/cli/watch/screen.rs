//! A board as lines of a terminal: tables of the newest windows, and a heatmap in its colours.
//!
//! In: a [`Board`], the size of the terminal, what colours it has. Out: lines no wider than it. Invariant: only
//! texts that the board has tamed are shown; colours never carry a meaning alone.

use super::board::{Board, Event, Shown, tame};
use crate::publish::period::{Calendar, HeatSums};
use crate::publish::picture::colours::amount;
use crate::wire::read::Kind;

/// What colours a terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colours {
    /// Each of 24 bits.
    All,
    /// Those of a palette of 256.
    Palette,
    /// None: shades of letters.
    None,
}

/// A terminal.
#[derive(Debug, Clone, Copy)]
pub struct Terminal {
    /// Letters of a line.
    pub columns: usize,
    /// Lines.
    pub rows: usize,
    /// Its colours.
    pub colours: Colours,
}

impl Colours {
    /// By what the environment says; `NO_COLOR` (no-color.org) turns them off.
    #[must_use]
    pub fn of(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let says = |name: &str, words: &[&str]| {
            variable(name).is_some_and(|value| words.iter().any(|word| value.contains(word)))
        };
        match () {
            () if variable("NO_COLOR").is_some_and(|value| !value.is_empty()) => Self::None,
            () if says("COLORTERM", &["truecolor", "24bit"]) => Self::All,
            () if says("TERM", &["256color"]) => Self::Palette,
            () => Self::None,
        }
    }

    /// Two letters for a cell of this share, or for one without a number.
    fn cell(self, share: Option<f64>) -> String {
        let Some(share) = share else { return "··".to_owned() };
        let [red, green, blue] = amount(share);
        match self {
            Self::All => format!("\u{1b}[48;2;{red};{green};{blue}m  \u{1b}[0m"),
            Self::Palette => {
                let step = |channel: u8| (u32::from(channel) * 5 + 127) / 255;
                format!("\u{1b}[48;5;{}m  \u{1b}[0m", 16 + 36 * step(red) + 6 * step(green) + step(blue))
            }
            Self::None => {
                let shade = SHADES[((share * SHADES.len() as f64) as usize).min(SHADES.len() - 1)];
                format!("{shade}{shade}")
            }
        }
    }
}

/// The lines of a board at this moment, s since 1970 UTC.
#[must_use]
pub fn lines(board: &Board, head: &str, now_s: i64, terminal: Terminal) -> Vec<String> {
    let mut lines = vec![clipped(&tame_line(head), terminal.columns)];
    let counts = format!("{} messages, {} not of ours, {} without room", board.messages, board.strange, board.crowded);
    lines.push(clipped(&counts, terminal.columns));
    let nodes: Vec<String> = board
        .nodes()
        .map(|(node, is_online)| format!("{node} {}", if is_online { "online" } else { "OFFLINE" }))
        .collect();
    if !nodes.is_empty() {
        lines.push(clipped(&nodes.join("   "), terminal.columns));
    }
    if let Some(Event { node, at_s, words }) = &board.event {
        let at = clock(board.calendar(node), *at_s, "%m-%d %H:%M %Z");
        lines.push(clipped(&format!("event {at} {node}: {words}"), terminal.columns));
    }
    for (kind, title) in [(Kind::Line, "lines"), (Kind::Zone, "zones"), (Kind::Queue, "queues")] {
        let rows: Vec<String> =
            board.of(kind).map(|(node, id, shown)| row(board, (node, kind, id), shown, now_s)).collect();
        if !rows.is_empty() {
            lines.push(String::new());
            lines.push(title.to_owned());
            lines.extend(rows.iter().flat_map(|row| wrapped(row, terminal.columns)));
        }
    }
    let room = terminal.rows.saturating_sub(1);
    let map = board.of(Kind::Heat).find_map(|(node, id, shown)| {
        let heat = shown.heat.as_ref()?;
        let left = room.saturating_sub(lines.len() + 2);
        let age = age(shown, board.calendar(node), now_s);
        (left >= MAP_ROWS_MIN).then(|| map(heat, &format!("{node} {id}, {age}"), left, terminal))
    });
    lines.extend(map.into_iter().flatten());
    if lines.len() > room {
        let more = lines.len() - room + 1;
        lines.truncate(room.saturating_sub(1));
        lines.push(format!("… {more} more lines: make the window larger, or ask for less with --filter"));
    }
    lines
}

/// One object: what it is, its figures, its window.
pub fn row(board: &Board, (node, kind, id): (&str, Kind, &str), shown: &Shown, now_s: i64) -> String {
    let figures: Vec<String> = shown.figures.iter().map(|(label, value)| format!("{label} {value}")).collect();
    let name = board.name(node, kind, id);
    let name = if name == id { String::new() } else { format!(" ({name})") };
    format!("  {node} {id}{name}: {}; {}", figures.join(", "), age(shown, board.calendar(node), now_s))
}

/// When a window was by the clock of the shop, or in UTC where that is not known, how much of it was seen, how long ago it ended.
fn age(shown: &Shown, calendar: Option<&Calendar>, now_s: i64) -> String {
    let clock = |at_s: i64, format: &str| clock(calendar, at_s, format);
    let seen = shown.tally.cov_ms as f64 / (shown.tally.span_s.max(1) as f64 * 10.0);
    let ago = match (now_s - shown.end_s).max(0) {
        seconds @ ..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds @ 7200..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} days", seconds / 86_400),
    };
    // A time of day alone says little of a day long past.
    let from = if now_s - shown.end_s < OLD_S { "%H:%M" } else { "%Y-%m-%d %H:%M" };
    format!("{}-{}, seen {seen:.0} %, {ago} ago", clock(shown.start_s, from), clock(shown.end_s, "%H:%M %Z"))
}

/// A moment by the clock of a shop, or in UTC.
fn clock(calendar: Option<&Calendar>, at_s: i64, format: &str) -> String {
    match calendar {
        Some(calendar) => calendar.local(at_s).strftime(format).to_string(),
        None => jiff::Timestamp::from_second(at_s)
            .unwrap_or_default()
            .to_zoned_datetime(jiff::tz::TimeZone::UTC)
            .strftime(format)
            .to_string(),
    }
}

/// A heatmap, away from the door up; cells are put together until it fits.
fn map(heat: &HeatSums, title: &str, rows: usize, terminal: Terminal) -> Vec<String> {
    let (wide, high) = (heat.grid.columns as usize, heat.grid.rows as usize);
    let step = wide.div_ceil((terminal.columns / 2).max(1)).max(high.div_ceil(rows.max(1))).max(1);
    let most = heat.cells.iter().map(|cell| cell.sum).max().unwrap_or(0).max(1);
    let value = |column: usize, row: usize| {
        let cells = (row * step..((row + 1) * step).min(high))
            .flat_map(|y| (column * step..((column + 1) * step).min(wide)).map(move |x| y * wide + x));
        cells.filter_map(|cell| heat.cells.get(cell)).filter(|cell| cell.released > 0).map(|cell| cell.sum).max()
    };
    let unit = if heat.layer == "dwell" { format!("{} person-s", most / 1000) } else { format!("{most} visits") };
    let mut lines =
        vec![String::new(), clipped(&format!("{title}; brightest {unit}; ·· withheld or not seen"), terminal.columns)];
    let row = |row: usize| -> String {
        let cells = (0..wide.div_ceil(step)).map(|column| value(column, row).map(|sum| sum as f64 / most as f64));
        cells.map(|share| terminal.colours.cell(share)).collect()
    };
    lines.extend((0..high.div_ceil(step)).rev().map(row));
    lines
}

/// A line without anything that could steer a terminal, however long.
fn tame_line(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    letters.chunks(32).map(|part| tame(&part.iter().collect::<String>())).collect()
}

/// A row over as many lines as it needs: in a narrow terminal its figures must not be what is cut off.
fn wrapped(row: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in row.trim_start().split(' ') {
        let line = lines.last_mut().expect("there is one");
        if line.is_empty() {
            *line = format!("  {word}");
        } else if width(line) + 1 + width(word) <= columns {
            line.extend([" ", word]);
        } else {
            lines.push(format!("      {word}"));
        }
    }
    lines.iter().map(|line| clipped(line, columns)).collect()
}

/// Columns a text takes; wide letters count twice.
fn width(text: &str) -> usize {
    text.chars().map(width_of).sum()
}

fn width_of(letter: char) -> usize {
    if (letter as u32) < 0x1100 { 1 } else { 2 }
}

/// The beginning of a line that fits.
fn clipped(line: &str, columns: usize) -> String {
    let mut room = columns;
    let fits = |letter: &char| {
        let width = width_of(*letter);
        let fits = width <= room;
        room = room.saturating_sub(width);
        fits
    };
    line.chars().take_while(fits).collect()
}

/// From little to much.
const SHADES: [char; 5] = ['.', ':', '+', '#', '@'];
/// From this age on a window is told with its day, s.
const OLD_S: i64 = 12 * 3600;
/// Lines below which a map says nothing.
const MAP_ROWS_MIN: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn board() -> Board {
        let mut board = Board::default();
        hear_all(&mut board);
        board
    }

    fn hear_all(board: &mut Board) {
        let head = r#""ws":"2026-11-20T01:00:00Z","dur":3600,"cov_ms":1800000,"privacy":{"k":5}"#;
        let cells = r#""plan":"hall","w":4,"h":3,"cell_mm":2000,"origin_mm":[-1000,500],"enc":"vz1","data":"eNpjZGdsYmRvaGBkariw5jMfABlBBJQ=","dropped_cells":8"#;
        for (topic, body) in [
            ("r/acme/s1/edge/about", r#"{"v":1,"k":"about","timezone":"Asia/Tokyo"}"#.to_owned()),
            ("r/acme/s1/edge/state", r#"{"v":1,"k":"state","state":"online","boot":"b"}"#.to_owned()),
            (
                "r/acme/s1/edge/win/line/door",
                format!(r#"{{"v":1,"k":"line","id":"door",{head},"d":{{"in":7,"out":2,"uncertain":0}}}}"#),
            ),
            ("r/acme/s1/edge/win/zone/till", format!(r#"{{"v":1,"k":"zone","id":"till",{head},"d":{{}}}}"#)),
            (
                "r/acme/s1/edge/win/heat/hall-visits",
                format!(r#"{{"v":1,"k":"heat","id":"hall-visits",{head},"d":{{"layer":"visits",{cells}}}}}"#),
            ),
        ] {
            board.hear(topic, body.as_bytes());
        }
    }

    fn shown(colours: Colours, columns: usize, rows: usize) -> Vec<String> {
        lines(&board(), "mqtt://127.0.0.1:1883", 1_795_140_000 + 3600, Terminal { columns, rows, colours })
    }

    #[test]
    fn a_screen_tells_figures_coverage_age_and_what_is_withheld() {
        let all = shown(Colours::None, 120, 40).join("\n");
        for words in [
            "acme/s1/edge online",
            "door: in 7, out 2",
            "till: visits withheld",
            "10:00-11:00 JST, seen 50 %",
            "60 min ago",
            "withheld or not seen",
        ] {
            assert!(all.contains(words), "{words} is missing in\n{all}");
        }
        assert!(!all.contains('\u{1b}'), "NO_COLOR is heeded");
    }

    #[test]
    fn times_are_the_shops_own_unless_another_zone_is_asked_for_or_none_is_known() {
        let head = |board: &Board| {
            lines(board, "", 1_795_140_000, Terminal { columns: 200, rows: 40, colours: Colours::None }).join("\n")
        };
        let mut asked = Board::in_time_of(Calendar::of("Asia/Kathmandu").ok());
        hear_all(&mut asked);
        assert!(head(&asked).contains("06:45-07:45 +0545"), "{}", head(&asked));
        let mut unknown = Board::default();
        let line = r#"{"v":1,"k":"line","id":"door","ws":"2026-11-20T01:00:00Z","dur":3600,"cov_ms":1,"privacy":{"k":5},"d":{"in":7,"out":2}}"#;
        unknown.hear("r/acme/s1/edge/win/line/door", line.as_bytes());
        assert!(head(&unknown).contains("01:00-02:00 UTC"), "{}", head(&unknown));
    }

    #[test]
    fn a_map_has_its_rows_with_the_door_below_and_colours_as_the_terminal_has() {
        let plain = shown(Colours::None, 120, 40);
        let map = &plain[plain.len() - 3..];
        assert!(map.iter().all(|row| row.chars().count() == 8), "{map:?}");
        assert!(shown(Colours::All, 120, 40).join("").contains("\u{1b}[48;2;"));
        assert!(shown(Colours::Palette, 120, 40).join("").contains("\u{1b}[48;5;"));
    }

    #[test]
    fn nothing_is_wider_or_longer_than_the_terminal() {
        for (columns, rows) in [(20, 8), (1, 1), (40, 5)] {
            let lines = shown(Colours::None, columns, rows);
            assert!(lines.len() <= rows.max(2), "{columns} x {rows}: {lines:?}");
            let told = lines.iter().filter(|line| !line.starts_with('…'));
            assert!(told.clone().all(|line| line.chars().count() <= columns.max(2)), "{columns} x {rows}: {lines:?}");
        }
    }

    #[test]
    fn a_narrow_terminal_shows_every_figure_on_lines_of_its_own() {
        let narrow = shown(Colours::None, 40, 40);
        let words = narrow.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
        for figure in ["door: in 7, out 2, uncertain of these 0;", "seen 50 %, 60 min ago", "visits withheld"] {
            assert!(words.contains(figure), "{figure} is missing in\n{}", narrow.join("\n"));
        }
        assert_eq!(wrapped("  door: 中中中 in 7", 14), ["  door: 中中中", "      in 7"], "wide letters count twice");
    }

    #[test]
    fn colours_follow_the_environment() {
        let of = |pairs: &'static [(&str, &str)]| {
            Colours::of(&move |name| pairs.iter().find(|(one, _)| *one == name).map(|(_, value)| (*value).to_owned()))
        };
        assert_eq!(of(&[("COLORTERM", "truecolor")]), Colours::All);
        assert_eq!(of(&[("TERM", "xterm-256color")]), Colours::Palette);
        assert_eq!(of(&[("COLORTERM", "truecolor"), ("NO_COLOR", "1")]), Colours::None);
        assert_eq!(of(&[("TERM", "vt100")]), Colours::None);
    }
}
