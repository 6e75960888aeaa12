//! The memory of a process: its mappings, what each is for, and the pages that are there.
//!
//! In: a process id. Out: [`Mapping`]s and their bytes. Invariants: only pages that are there are read, so that looking
//! adds nothing to them, and of files only what the process wrote (an eye at work holds no recording open:
//! tests/live/returns.rs); a process that changes meanwhile gives what it has, never an error. Root may look at
//! anybody, an ordinary user at nobody who forbids it.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// What a mapping is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The heap that grows by `brk`.
    Heap,
    /// The stack of the thread of this name.
    Stack(String),
    /// Memory of no file: large pieces of heap, heaps of other threads.
    Anonymous,
    /// A file of this name, or a writable part of it.
    File(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Heap => write!(f, "heap"),
            Self::Stack(thread) => write!(f, "stack of thread {thread}"),
            Self::Anonymous => write!(f, "anonymous"),
            Self::File(name) => write!(f, "file {name}"),
        }
    }
}

/// One mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// First address.
    pub start: u64,
    /// First address behind it.
    pub end: u64,
    /// What it is for.
    pub place: Place,
    /// Whether what is written to it is written to its file, and others see it.
    pub is_shared: bool,
}

/// The memory of a process.
pub struct Memory {
    bytes: File,
    pages: File,
    /// Its mappings, in order.
    pub mappings: Vec<Mapping>,
}

/// What is known of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Page {
    /// It has never been touched, or was given back; or it is a file's own page, as it lies on the disk.
    Absent,
    /// It can be read.
    Present,
    /// It is on a disk.
    Swapped,
}

impl Memory {
    /// The memory of a process as it is now.
    ///
    /// # Errors
    /// Where there is no such process, or it may not be looked at.
    pub fn of(pid: u32) -> io::Result<Self> {
        let bytes = File::open(format!("/proc/{pid}/mem"))?;
        let pages = File::open(format!("/proc/{pid}/pagemap"))?;
        let text = std::fs::read_to_string(format!("/proc/{pid}/maps"))?;
        let stacks = stack_pointers(pid);
        let mappings = text.lines().filter_map(|line| mapping(line, &stacks)).collect();
        Ok(Self { bytes, pages, mappings })
    }

    /// What there is of the pages from `start` on, one after another.
    pub(super) fn pages(&self, mapping: &Mapping, start: u64, count: usize) -> Vec<Page> {
        let mut entries = vec![0u8; count * 8];
        if self.pages.read_exact_at(&mut entries, start / PAGE as u64 * 8).is_err() {
            // A kernel that does not say leaves it to the reading.
            return vec![Page::Present; count];
        }
        // Bits 63: present, 62: swapped, 61: of a file (Linux, Documentation/admin-guide/mm/pagemap.rst). Of a private
        // mapping the process has never written such a page.
        let page = |entry: &[u8; 8]| match u64::from_le_bytes(*entry) >> 61 {
            0 | 1 => Page::Absent,
            2 | 3 => Page::Swapped,
            5 | 7 if !mapping.is_shared => Page::Absent,
            _ => Page::Present,
        };
        entries.as_chunks().0.iter().map(page).collect()
    }

    /// Reads what lies at `start`; `false` where it cannot be read.
    pub(super) fn read(&self, start: u64, into: &mut [u8]) -> bool {
        self.bytes.read_exact_at(into, start).is_ok()
    }
}

/// Where the stack of each thread is just now, and the thread's name.
fn stack_pointers(pid: u32) -> BTreeMap<u64, String> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let pointer = |task: std::fs::DirEntry| {
        let name = std::fs::read_to_string(task.path().join("comm")).ok()?;
        // The last but one word, in a system call or not; a thread that runs has none.
        let call = std::fs::read_to_string(task.path().join("syscall")).ok()?;
        let word = call.split_whitespace().rev().nth(1)?;
        Some((u64::from_str_radix(word.strip_prefix("0x")?, 16).ok()?, name.trim().to_owned()))
    };
    tasks.filter_map(pointer).collect()
}

fn mapping(line: &str, stacks: &BTreeMap<u64, String>) -> Option<Mapping> {
    let mut words = line.split_ascii_whitespace();
    let (start, end) = words.next()?.split_once('-')?;
    let (start, end) = (u64::from_str_radix(start, 16).ok()?, u64::from_str_radix(end, 16).ok()?);
    let is_shared = words.next()?.ends_with('s');
    let name = words.nth(3).unwrap_or_default();
    let on_it = stacks.range(start..end).next();
    let place = match (name, on_it) {
        // Pages of the kernel's own that hold the time.
        ("[vvar]" | "[vsyscall]" | "[vvar_vclock]", _) => return None,
        ("[heap]", _) => Place::Heap,
        ("" | "[stack]", Some((_, thread))) => Place::Stack(thread.clone()),
        ("[stack]", None) => Place::Stack("main".to_owned()),
        ("", None) => Place::Anonymous,
        (name, _) if name.starts_with("[anon") => Place::Anonymous,
        (name, _) => Place::File(name.rsplit('/').next().unwrap_or(name).to_owned()),
    };
    Some(Mapping { start, end, place, is_shared })
}

/// Bytes of a page.
pub(super) const PAGE: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_is_told_by_its_name_and_by_whose_stack_it_is() {
        let stacks = BTreeMap::from([(0x2100, "detect".to_owned())]);
        let place = |line: &str| mapping(line, &stacks).map(|mapping| mapping.place);
        assert_eq!(place("1000-2000 rw-p 00000000 00:00 0    [heap]"), Some(Place::Heap));
        assert_eq!(place("2000-3000 rw-p 00000000 00:00 0 "), Some(Place::Stack("detect".to_owned())));
        assert_eq!(place("3000-4000 rw-p 00000000 00:00 0 "), Some(Place::Anonymous));
        assert_eq!(
            place("3000-4000 r--p 00000000 fe:00 9    /usr/lib/libx.so.1"),
            Some(Place::File("libx.so.1".into()))
        );
        assert_eq!(place("3000-4000 r--p 00000000 00:00 0    [vvar]"), None);
    }

    #[test]
    fn a_process_can_read_its_own_memory() {
        let word = 0x1122_3344_5566_7788_u64;
        let own = Memory::of(std::process::id()).expect("a process may look at itself");
        let mut read = [0u8; 8];
        assert!(own.read(std::ptr::from_ref(&word).addr() as u64, &mut read));
        assert_eq!(u64::from_le_bytes(read), word);
        assert!(own.mappings.iter().any(|mapping| mapping.place == Place::Heap));
    }
}
