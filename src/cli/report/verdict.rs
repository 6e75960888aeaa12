//! What was found in the memory of a twin, and what follows from it.
//!
//! In: findings by process, and those of the controls. Out: words, JSON, and what is wrong. Invariant: a search that could
//! not have found anything is no proof and says so.

use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};

use super::twin::Part;
use crate::forensics::Residue;
use crate::units::PictureSize;

/// What was found.
pub struct Verdict {
    /// Pictures that were played.
    pub played: u64,
    /// Of these, the newest, that were looked for.
    pub sought: u64,
    /// Their size, px.
    pub size: PictureSize,
    /// Looks per second.
    pub looks_per_s: f64,
    /// Each process of the twin at rest.
    pub searched: Vec<Searched>,
    /// Windows of the newest pictures in the eye while it ran.
    pub running: u64,
    /// An eye that overwrites nothing.
    pub control: Residue,
    /// Names and kinds of the network's first layers that were looked for.
    pub first_layers: Vec<String>,
}

/// What was found in one process.
pub struct Searched {
    /// Which one.
    pub part: Part,
    /// Of the pictures that it was sent.
    pub own: Residue,
    /// Of those that nobody has seen.
    pub other: Residue,
}

impl Verdict {
    /// What is wrong, if anything is.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        let left: u64 = self.searched.iter().map(|process| process.own.windows()).sum();
        if left > 0 {
            return Some(format!("{left} windows of pictures are left in memory; nothing may be left at rest"));
        }
        self.void().map(|why| format!("nothing is proved: {why}"))
    }

    /// Why the search proves nothing.
    fn void(&self) -> Option<String> {
        let unread = self.searched.iter().map(|process| process.own.unread_bytes).sum::<u64>();
        let foreign = self.searched.iter().map(|process| process.other.windows()).sum::<u64>();
        let missing = [Part::Mouth, Part::Eye].into_iter().find(|part| {
            let scanned =
                self.searched.iter().filter(|process| process.part == *part).map(|process| process.own.scanned_bytes);
            scanned.sum::<u64>() < SCANNED_MIN
        });
        if let Some(part) = missing {
            Some(format!("the {part} had no memory to be searched"))
        } else if unread > 0 {
            Some(format!("{unread} bytes could not be read or were swapped out"))
        } else if self.running == 0 {
            Some("the running eye was not found to hold the pictures it was sent".to_owned())
        } else if self.control.windows() == 0 {
            Some("in an eye that overwrites nothing, nothing was found either".to_owned())
        } else if foreign > 0 {
            Some(format!("{foreign} windows were found of pictures that nobody has seen"))
        } else {
            None
        }
    }

    /// A clean verdict in a line.
    #[must_use]
    pub fn in_short(&self) -> String {
        let processes = self.searched.len();
        format!(
            "{} pictures were played to a twin; of the last {} nothing is left in the memory of its {processes} processes",
            self.played, self.sought
        )
    }

    /// As a person reads it.
    #[must_use]
    pub fn in_words(&self) -> String {
        let Self { played, sought, size, looks_per_s, .. } = self;
        let mut lines = vec![format!(
            "a twin of the shop was sent {played} pictures of {}x{} px, {looks_per_s} a second, and has come to rest; the last {sought} were looked for",
            size.width, size.height
        )];
        for Searched { part, own, .. } in &self.searched {
            let judged = if own.windows() == 0 { "clean" } else { "RESIDUE" };
            lines.push(format!("{:<8} {judged}: {own}", part.to_string()));
        }
        let foreign: u64 = self.searched.iter().map(|process| process.other.windows()).sum();
        lines.push(format!("control: while it ran, the eye held {} windows of the newest pictures", self.running));
        lines.push(format!("control: an eye that overwrites nothing has kept {}", self.control));
        lines.push(format!("control: of pictures that nobody has seen, {foreign} windows were found"));
        lines.push(format!("looked for: {}", FORMS));
        lines.push("not seen by this:".to_owned());
        lines.extend(UNSEEN.iter().map(|unseen| format!("  {unseen}")));
        lines.push(
            self.trouble()
                .unwrap_or_else(|| "clean: nothing of a picture is left in any process of the twin".to_owned()),
        );
        lines.join("\n")
    }
}

impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut fields = to.serialize_struct("Verdict", 12)?;
        fields.serialize_field("clean", &self.trouble().is_none())?;
        fields.serialize_field("trouble", &self.trouble())?;
        fields.serialize_field("pictures_played", &self.played)?;
        fields.serialize_field("pictures_sought", &self.sought)?;
        fields.serialize_field("picture", &self.size)?;
        fields.serialize_field("looks_per_s", &self.looks_per_s)?;
        fields.serialize_field("processes", &self.searched.iter().map(Process::of).collect::<Vec<_>>())?;
        fields.serialize_field("windows_in_running_eye", &self.running)?;
        fields.serialize_field("control", &Left::of(&self.control))?;
        fields.serialize_field("looked_for", FORMS)?;
        fields.serialize_field("first_layers", &self.first_layers)?;
        fields.serialize_field("not_seen", UNSEEN.as_slice())?;
        fields.end()
    }
}

#[derive(Serialize)]
struct Process {
    process: String,
    clean: bool,
    #[serde(flatten)]
    left: Left,
    /// Windows of pictures that nobody has seen.
    windows_of_another_key: u64,
}

#[derive(Serialize)]
struct Left {
    windows: u64,
    searched_bytes: u64,
    unread_bytes: u64,
    found: Vec<Piece>,
}

#[derive(Serialize)]
struct Piece {
    place: String,
    form: String,
    windows: u64,
    longest_bytes: u64,
}

impl Process {
    fn of(searched: &Searched) -> Self {
        let Searched { part, own, other } = searched;
        let (clean, left) = (own.windows() == 0, Left::of(own));
        Self { process: part.to_string(), clean, left, windows_of_another_key: other.windows() }
    }
}

impl Left {
    fn of(residue: &Residue) -> Self {
        let piece = |found: &crate::forensics::Finding| Piece {
            place: found.place.to_string(),
            form: found.form.to_string(),
            windows: found.windows,
            longest_bytes: found.longest_bytes,
        };
        Self {
            windows: residue.windows(),
            searched_bytes: residue.scanned_bytes,
            unread_bytes: residue.unread_bytes,
            found: residue.found.iter().map(piece).collect(),
        }
    }
}

/// No process of ours has less memory, bytes.
const SCANNED_MIN: u64 = 500_000;
const FORMS: &str = "packed bytes, decoded planes, BGR and RGB, the same resized and placed, the input tensor in floats and in the network's own layout and type, its first layers; of the last picture every layer";
/// What this proof cannot tell.
const UNSEEN: [&str; 6] = [
    "the real camera and what it keeps by itself",
    "memory of graphics cards and other accelerators",
    "what a running eye holds: the newest pictures, in the decoder and on their way through the network",
    "buffers of the kernel's sockets",
    "processes of a separate broker and of those who look at the page: no picture is sent there",
    "the service's own walls and limits: the twin runs as root, outside of its unit, on one camera",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forensics::Finding;
    use crate::forensics::memory::Place;
    use crate::forensics::needles::Form;

    fn residue(windows: u64) -> Residue {
        let finding = Finding { place: Place::Heap, form: Form::Tensor, windows, longest_bytes: 40, pictures: None };
        let found = if windows > 0 { vec![finding] } else { Vec::new() };
        Residue { found, scanned_bytes: 1_000_000, unread_bytes: 0 }
    }

    fn clean() -> Verdict {
        let part = |part| Searched { part, own: residue(0), other: residue(0) };
        Verdict {
            played: 60,
            sought: 60,
            size: PictureSize { height: 48, width: 64 },
            looks_per_s: 10.0,
            searched: [Part::Mouth, Part::Eye, Part::Relay].map(part).into(),
            running: 5,
            control: residue(9),
            first_layers: Vec::new(),
        }
    }

    #[test]
    fn one_window_in_one_process_is_residue() {
        for at in 0..3 {
            let mut verdict = clean();
            assert_eq!(verdict.trouble(), None);
            verdict.searched[at].own = residue(1);
            assert!(verdict.trouble().is_some_and(|trouble| trouble.starts_with("1 windows of pictures are left")));
            assert!(verdict.in_words().contains("RESIDUE: 1 windows"), "{}", verdict.in_words());
            let json = serde_json::to_value(&verdict).expect("it is JSON");
            assert_eq!((&json["clean"], &json["processes"][at]["windows"]), (&false.into(), &1.into()));
        }
    }

    #[test]
    fn a_search_that_could_not_find_anything_proves_nothing() {
        type Spoil = fn(&mut Verdict);
        let spoil: [(Spoil, &str); 6] = [
            (|verdict| verdict.running = 0, "the running eye"),
            (|verdict| verdict.control = residue(0), "overwrites nothing"),
            (|verdict| verdict.searched[1].other = residue(2), "2 windows were found of pictures that nobody"),
            (|verdict| verdict.searched[0].own.unread_bytes = 4096, "4096 bytes could not be read"),
            (|verdict| verdict.searched[0].own.scanned_bytes = 0, "the mouth had no memory"),
            (|verdict| drop(verdict.searched.remove(1)), "the eye had no memory"),
        ];
        for (spoil, why) in spoil {
            let mut verdict = clean();
            spoil(&mut verdict);
            let trouble = verdict.trouble().expect("it is void");
            assert!(trouble.starts_with("nothing is proved: ") && trouble.contains(why), "{trouble}");
        }
    }
}
