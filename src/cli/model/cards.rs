//! From a name or a path to a model that is ready: file, card, and the proof that they belong together.
//!
//! In: what a person wrote. Out: [`Model`], or exit 6 with what is wrong and how to mend it.
//! Invariants: a file is looked at as bytes before any runtime reads it (size, sha256, opset, weights elsewhere);
//! nothing is fetched.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::super::{Failure, MODEL, finding};
use super::graph::{self, Graph};
use super::template;
use crate::config::card::DetectorCard;
use crate::detect::DetectError;
use crate::detect::probe::Probe;

/// A model that is ready to be loaded.
pub struct Model {
    /// The file, absolute.
    pub file: PathBuf,
    /// What it wants.
    pub card: DetectorCard,
    /// Version of the standard operators it uses.
    pub opset: u64,
}

impl Model {
    /// Why it does not work, with the file named.
    #[must_use]
    pub fn failure(&self, error: DetectError) -> Failure {
        refusal(&self.file, self.opset, error)
    }
}

/// A failure of a model file, or of the runtime where that is at fault.
pub fn refusal(file: &Path, opset: u64, error: DetectError) -> Failure {
    match error {
        error @ DetectError::Runtime { .. } => Failure::from(error),
        error => Failure::new(
            MODEL,
            format!("model {} (opset {opset}): {error}; compare its card with models/README.md", file.display()),
        ),
    }
}

/// What a file is, without running it.
pub struct Inspected {
    /// Where it lies.
    pub path: PathBuf,
    /// Its file name.
    pub name: String,
    /// Its file name without extension.
    pub stem: String,
    /// Its SHA-256.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
    /// What it says of itself.
    pub graph: Graph,
}

/// Reads a file whole: its fingerprint, then what it says of itself. `trusted` tells a fingerprint that must hold
/// before its content is looked at.
///
/// # Errors
/// Exit 6: empty, too large, changed, no ONNX model, or weights in another file.
pub fn inspect(file: &Path, trusted: Option<(&DetectorCard, &Path)>) -> Result<Inspected, Failure> {
    let (sha256, content) = content_of(file)?;
    if let Some((card, origin)) = trusted {
        check(card, &sha256, file, origin)?;
    }
    let refused = |reason: String| Failure::new(MODEL, format!("model {}: {reason}", file.display()));
    let graph = graph::read(&content).map_err(|fault| {
        refused(format!("not an ONNX model ({fault}); is the file truncated, or of another format?"))
    })?;
    if let Some(tensor) = &graph.external {
        return Err(refused(format!(
            "tensor \"{tensor}\" lies in another file (external data); save the model as one file with all weights inside"
        )));
    }
    Ok(Inspected {
        path: file.to_path_buf(),
        name: file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        stem: file.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        sha256,
        bytes: content.len() as u64,
        graph,
    })
}

/// Finds a model by its name or its path and proves that file and card belong together.
///
/// # Errors
/// Exit 6, with what is missing and how to get it.
pub fn resolve(wanted: &str) -> Result<Model, Failure> {
    if let Some(card) = known_cards().into_iter().find(|card| card.name == wanted) {
        let missing = || {
            let folders: Vec<String> =
                finding::model_folders().iter().map(|folder| folder.display().to_string()).collect();
            Failure::new(
                MODEL,
                format!(
                    "model {wanted}: {} not found in {}; run `make setup`, or give --model a path",
                    card.file,
                    folders.join(", ")
                ),
            )
        };
        let file = file_of(&card).ok_or_else(missing)?;
        return ready(&file, card, Path::new("the card compiled in"));
    }
    let file = Path::new(wanted);
    if !file.is_file() {
        let names: Vec<String> = known_cards().into_iter().map(|card| card.name).collect();
        return Err(Failure::new(
            MODEL,
            format!("model {wanted}: no such file, and no such name; known names: {}", names.join(", ")),
        ));
    }
    let (sha256, content) = content_of(file)?;
    if let Some(card) = known_cards().into_iter().find(|card| card.sha256 == sha256) {
        return ready(file, card, Path::new("the card compiled in"));
    }
    let beside = card_beside(file);
    if beside.is_file() {
        return ready(file, read_card(&beside)?, &beside);
    }
    let is_namesake = |card: &DetectorCard| file.file_name().is_some_and(|name| name.to_string_lossy() == card.file);
    if let Some(card) = known_cards().into_iter().find(is_namesake) {
        let message = format!(
            "model {}: has {} bytes and sha256 {sha256}, but {} has {} bytes and sha256 {}; the file is truncated or changed: fetch it again",
            file.display(),
            content.len(),
            card.name,
            card.bytes,
            card.sha256
        );
        return Err(Failure::new(MODEL, message));
    }
    let (_, _, filled) = probed(file)?;
    let message = format!(
        "model {}: not a known one, and {} is not there; complete this card and save it as that file:\n\n{filled}",
        file.display(),
        beside.display()
    );
    Err(Failure::new(MODEL, message))
}

/// A file nobody knows, tried on a grey picture, and a card filled in with what that showed.
///
/// # Errors
/// Exit 6, when it is no detector we could read.
pub fn probed(file: &Path) -> Result<(Inspected, Probe, String), Failure> {
    let inspected = inspect(file, None)?;
    let probe = Probe::of(&finding::runtime()?, &absolute(file)?);
    let probe = probe.map_err(|error| refusal(file, inspected.graph.opset, error))?;
    let filled = template::filled(&inspected, &probe);
    Ok((inspected, probe, filled))
}

/// A model whose file is the one of its card.
///
/// # Errors
/// Exit 6, when it is not, or cannot be one.
pub fn ready(file: &Path, card: DetectorCard, origin: &Path) -> Result<Model, Failure> {
    let inspected = inspect(file, Some((&card, origin)))?;
    Ok(Model { file: absolute(file)?, card, opset: inspected.graph.opset })
}

fn check(card: &DetectorCard, sha256: &str, file: &Path, origin: &Path) -> Result<(), Failure> {
    if sha256 == card.sha256 {
        return Ok(());
    }
    let message = format!(
        "model {}: sha256 {sha256} is not the one of {} ({}); the file is truncated or changed: delete it and run `make setup`, or correct the card",
        file.display(),
        origin.display(),
        card.sha256
    );
    Err(Failure::new(MODEL, message))
}

/// The cards compiled in.
#[must_use]
pub fn known_cards() -> Vec<DetectorCard> {
    KNOWN.iter().map(|text| toml::from_str(text).expect("the cards in models/ are tested")).collect()
}

/// Reads a card and refuses one that no network can have.
///
/// # Errors
/// Exit 6, naming the field.
pub fn read_card(path: &Path) -> Result<DetectorCard, Failure> {
    let refused = |reason: String| Failure::new(MODEL, format!("card {}: {reason}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| refused(error.to_string()))?;
    let card: DetectorCard = toml::from_str(&text).map_err(|error| refused(error.to_string()))?;
    match card.fault() {
        Some(fault) => Err(refused(fault)),
        None => Ok(card),
    }
}

/// Where the file of a known card lies, if it does.
#[must_use]
pub fn file_of(card: &DetectorCard) -> Option<PathBuf> {
    finding::model_folders().into_iter().map(|folder| folder.join(&card.file)).find(|file| file.is_file())
}

/// Where the card of a file of one's own lies.
#[must_use]
pub fn card_beside(file: &Path) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_os_string();
    name.push(".card.toml");
    file.with_file_name(name)
}

/// SHA-256 of a file and its content, where it is of a size a detector has.
///
/// # Errors
/// Exit 6.
pub fn content_of(file: &Path) -> Result<(String, Vec<u8>), Failure> {
    let refused = |reason: String| Failure::new(MODEL, format!("model {}: {reason}", file.display()));
    let length = std::fs::metadata(file).map_err(|error| refused(error.to_string()))?.len();
    if length == 0 {
        return Err(refused("the file is empty; fetch it again".to_owned()));
    }
    if length > MODEL_BYTES_MAX {
        let most = MODEL_BYTES_MAX >> 20;
        return Err(refused(format!(
            "{length} bytes; a person detector for this box has at most {MODEL_BYTES_MAX} ({most} MiB): take a smaller one"
        )));
    }
    let bytes = std::fs::read(file).map_err(|error| refused(error.to_string()))?;
    Ok((Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect(), bytes))
}

fn absolute(file: &Path) -> Result<PathBuf, Failure> {
    file.canonicalize().map_err(|error| Failure::new(MODEL, format!("model {}: {error}", file.display())))
}

const KNOWN: [&str; 13] = [
    include_str!("../../../models/nanodet-g-8bit.card.toml"),
    include_str!("../../../models/nanodet-g.card.toml"),
    include_str!("../../../models/nanodet-g-int8.card.toml"),
    include_str!("../../../models/rtmdet-nano-person.card.toml"),
    include_str!("../../../models/yolox-nano.card.toml"),
    include_str!("../../../models/yolox-nano-dyn.card.toml"),
    include_str!("../../../models/picodet-s.card.toml"),
    include_str!("../../../models/rtmdet-nano-person-e2e.card.toml"),
    include_str!("../../../models/nanodet-plus-m.card.toml"),
    include_str!("../../../models/deimv2-femto.card.toml"),
    include_str!("../../../models/deimv2-atto.card.toml"),
    include_str!("../../../models/omz-0201-int8.card.toml"),
    include_str!("../../../models/omz-retail-0013.card.toml"),
];

/// Largest model file (DETECTORS §6).
const MODEL_BYTES_MAX: u64 = 64 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_card_can_be_read_and_no_two_share_a_name() {
        let cards = known_cards();
        assert_eq!(cards.iter().filter_map(DetectorCard::fault).collect::<Vec<_>>(), Vec::<String>::new());
        let mut names: Vec<String> = cards.into_iter().map(|card| card.name).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), KNOWN.len());
    }
}
