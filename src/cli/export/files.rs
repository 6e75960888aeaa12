//! Files of payload lines, as `kehai replay` writes them and `mosquitto_sub` prints them.
//!
//! In: files with one payload a line, its topic before it or not. Out: windows in the order of their start, whatever order they
//! stand in. Invariant: memory holds a place for each window and never a whole file; a line that is none of ours is counted
//! and named, and does not end the export.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::super::{Failure, USAGE};
use super::rows::Visit;
use crate::publish::period::{Node, Period};
use crate::wire::read::{Head, Kind, ReadError, WindowBody};

/// Files of lines, and where each window stands in them.
pub struct Lines {
    files: Vec<Pages>,
    places: Vec<Place>,
    nodes: BTreeMap<String, Option<Node>>,
    /// Time zones that nodes named in "about" messages.
    pub zones: BTreeSet<String>,
    /// Names for people from "meta" messages, by "line/door".
    pub names: BTreeMap<String, String>,
    /// Objects with a window in them.
    pub objects: BTreeSet<(Option<Node>, Kind, String)>,
    /// Lines that are no payload of ours.
    pub malformed: Malformed,
    /// Payloads of other kinds: state, health and such.
    pub others: u64,
    /// Whether windows stand with a topic and without one.
    pub with_topic: [bool; 2],
}

/// Lines that cannot be read: how many, and the first.
#[derive(Default)]
pub struct Malformed {
    /// How many.
    pub lines: u64,
    /// Words about the first.
    pub first: Option<String>,
}

#[derive(Clone, Copy)]
struct Place {
    start_s: i64,
    file: u32,
    line: u32,
    offset: u64,
    length: u32,
}

/// A file, and the stretch of it that was read last.
struct Pages {
    path: PathBuf,
    file: File,
    offset: u64,
    page: Vec<u8>,
}

impl Lines {
    /// Reads the heads of all windows; `read` hears how many bytes.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn open(paths: &[PathBuf], read: &mut dyn FnMut(u64)) -> Result<Self, Failure> {
        let mut lines = Self {
            files: Vec::new(),
            places: Vec::new(),
            nodes: BTreeMap::new(),
            zones: BTreeSet::new(),
            names: BTreeMap::new(),
            objects: BTreeSet::new(),
            malformed: Malformed::default(),
            others: 0,
            with_topic: [false; 2],
        };
        for path in paths {
            lines.scan(path, read).map_err(|error| refused(path, &error.to_string()))?;
        }
        lines.places.sort_unstable_by_key(|place| (place.start_s, place.file, place.offset));
        Ok(lines)
    }

    /// First start and last start of all windows, s since 1970 UTC.
    #[must_use]
    pub fn reach(&self) -> Option<[i64; 2]> {
        Some([self.places.first()?.start_s, self.places.last()?.start_s])
    }

    /// Shows every window that begins in a period, oldest first.
    ///
    /// # Errors
    /// A file that changed meanwhile, or what `visit` says.
    pub fn each(&mut self, period: &Period, visit: &mut Visit) -> Result<(), Failure> {
        let Self { files, places, nodes, malformed, .. } = self;
        for place in places.iter().filter(|place| period.holds(place.start_s)) {
            let pages = &mut files[place.file as usize];
            let path = pages.path.clone();
            let line = pages.line(*place).map_err(|error| refused(&path, &error.to_string()))?;
            let (topic, body) = parted(line);
            match WindowBody::read(body) {
                Ok(window) => visit(topic.and_then(|topic| nodes.get(topic)?.as_ref()), &window)?,
                Err(error) => malformed.hear(&path, place.line, &error),
            }
        }
        Ok(())
    }

    fn scan(&mut self, path: &Path, read: &mut dyn FnMut(u64)) -> std::io::Result<()> {
        let file = File::open(path)?;
        if !file.metadata()?.is_file() {
            return Err(std::io::Error::other("this is no file that can be read twice; save what is piped first"));
        }
        let number = self.files.len() as u32;
        let mut reader = BufReader::with_capacity(1 << 20, File::open(path)?);
        let (mut text, mut offset, mut line) = (Vec::new(), 0u64, 0u32);
        loop {
            text.clear();
            let length = std::io::Read::take(&mut reader, LINE_BYTES_MAX).read_until(b'\n', &mut text)?;
            if length == 0 {
                break;
            }
            line = line.saturating_add(1);
            self.hear(path, &text, Place { start_s: 0, file: number, line, offset, length: length as u32 });
            offset += length as u64;
            read(length as u64);
        }
        self.files.push(Pages { path: path.to_owned(), file, offset: 0, page: Vec::new() });
        Ok(())
    }

    /// Takes a line: a window finds its place, an introduction is remembered, the rest is counted.
    fn hear(&mut self, path: &Path, line: &[u8], place: Place) {
        if line.trim_ascii().is_empty() {
            return;
        }
        let (topic, body) = parted(line);
        match Head::read(body) {
            Ok(head) => {
                self.with_topic[usize::from(topic.is_none())] = true;
                if topic.is_some_and(|topic| !self.nodes.contains_key(topic)) {
                    let topic = topic.unwrap_or_default();
                    self.nodes.insert(topic.to_owned(), Node::of_window(topic));
                }
                let node = topic.and_then(|topic| self.nodes[topic].clone());
                let object = (node, head.kind, head.id.into_owned());
                if !self.objects.contains(&object) {
                    self.objects.insert(object);
                }
                self.places.push(Place { start_s: head.start_s, ..place });
            }
            Err(ReadError::NoWindow(kind)) => {
                self.others += 1;
                self.introduce(&kind, body);
            }
            Err(error) => self.malformed.hear(path, place.line, &error),
        }
    }

    fn introduce(&mut self, kind: &str, body: &[u8]) {
        let Ok(value) = serde_json::from_slice::<serde_json::Value>(body) else { return };
        match kind {
            "about" => self.zones.extend(value["timezone"].as_str().map(str::to_owned)),
            "meta" => {
                let of = value["of"].as_str().unwrap_or_default().trim_end_matches('s');
                let items = value["items"].as_array().into_iter().flatten();
                let names = items.filter_map(|item| Some((item["id"].as_str()?, item["name"].as_str()?)));
                self.names.extend(names.map(|(id, name)| (format!("{of}/{id}"), name.to_owned())));
            }
            _ => {}
        }
    }
}

impl Malformed {
    fn hear(&mut self, path: &Path, line: u32, error: &ReadError) {
        self.lines += 1;
        self.first.get_or_insert_with(|| format!("{}, line {line}: {error}", path.display()));
    }
}

impl Pages {
    fn line(&mut self, place: Place) -> std::io::Result<&[u8]> {
        let length = place.length as usize;
        let is_here = place.offset >= self.offset
            && place.offset + u64::from(place.length) <= self.offset + self.page.len() as u64;
        if !is_here {
            // Lines mostly stand in order: those behind are read with it.
            self.page.resize(length.max(PAGE_BYTES), 0);
            let mut filled = 0;
            while filled < length {
                match self.file.read_at(&mut self.page[filled..], place.offset + filled as u64)? {
                    0 => return Err(std::io::Error::other("the file became shorter while it was read")),
                    more => filled += more,
                }
            }
            self.page.truncate(filled);
            self.offset = place.offset;
        }
        let from = (place.offset - self.offset) as usize;
        Ok(&self.page[from..from + length])
    }
}

/// Topic and payload of a line; a payload is an object of JSON.
fn parted(line: &[u8]) -> (Option<&str>, &[u8]) {
    let line = line.trim_ascii();
    match line.iter().position(|byte| *byte == b'{') {
        Some(from @ 1..) => (std::str::from_utf8(&line[..from]).ok().map(str::trim_end), &line[from..]),
        _ => (None, line),
    }
}

fn refused(path: &Path, reason: &str) -> Failure {
    Failure::new(USAGE, format!("--windows {}: {reason}", path.display()))
}

/// Longest line that is read; payloads have 128 KB at the most.
const LINE_BYTES_MAX: u64 = 1 << 20;
/// Bytes of a file that are read at once.
const PAGE_BYTES: usize = 1 << 20;
