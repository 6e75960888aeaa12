//! `kehai model`: which person detectors are known, whether their files are whole, and how a new one comes in.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::output::{say, say_json};
use super::{CHECK_FAILED, Failure, MODEL, USAGE, finding};
use crate::config::card::DetectorCard;

/// Arguments of `kehai model`.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List the known models and where their files lie
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Check the files of all known models against their cards
    Verify {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Tie a model of your own to a card: writes FILE.card.toml beside it after checking both
    Add {
        /// The ONNX file
        file: PathBuf,
        /// Its card, filled in
        #[arg(long)]
        card: PathBuf,
    },
}

/// A model that is ready to be loaded.
pub struct Model {
    /// The file, absolute.
    pub file: PathBuf,
    /// What it wants.
    pub card: DetectorCard,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Failure> {
    match &args.action {
        Action::List { json } => list(*json).map(|_| ()),
        Action::Verify { json } => match list(*json)? {
            0 => Err(Failure::new(CHECK_FAILED, "no model file is there; run `make setup`")),
            _ => Ok(()),
        },
        Action::Add { file, card } => add(file, card),
    }
}

#[derive(Serialize)]
struct Listed {
    name: String,
    licence: String,
    state: &'static str,
    file: Option<String>,
    sha256: String,
}

/// Prints the known models; returns how many files are there and whole.
fn list(json: bool) -> Result<usize, Failure> {
    let listed: Vec<Listed> = known_cards()
        .into_iter()
        .map(|card| {
            let file = file_of(&card);
            let state = match file.as_deref().map(fingerprint) {
                None => "not fetched",
                Some(Ok(sha256)) if sha256 == card.sha256 => "whole",
                Some(_) => "CHANGED OR UNREADABLE",
            };
            let file = file.map(|file| file.display().to_string());
            Listed { name: card.name, licence: card.licence, state, file, sha256: card.sha256 }
        })
        .collect();
    if json {
        say_json(&listed);
    } else {
        for model in &listed {
            let file = model.file.as_deref().unwrap_or("-");
            say(&format!("{:<20} {:<12} {:<12} {file}", model.name, model.licence, model.state));
        }
    }
    if listed.iter().any(|model| model.state.starts_with("CHANGED")) {
        return Err(Failure::new(
            CHECK_FAILED,
            "a model file is not the one of its card; delete it and run `make setup`",
        ));
    }
    Ok(listed.iter().filter(|model| model.state == "whole").count())
}

fn add(file: &Path, card: &Path) -> Result<(), Failure> {
    let target = card_beside(file);
    let parsed = read_card(card)?;
    check(&parsed, file, card)?;
    if target.exists() && target != card {
        return Err(Failure::new(USAGE, format!("{} exists already; remove it first", target.display())));
    }
    std::fs::copy(card, &target).map_err(|error| Failure::new(MODEL, format!("{}: {error}", target.display())))?;
    say(&format!("{} is known as \"{}\" wherever it is named by path", file.display(), parsed.name));
    Ok(())
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
        check(&card, &file, Path::new("the card compiled in"))?;
        return Ok(Model { file: absolute(&file)?, card });
    }
    let file = Path::new(wanted);
    if !file.is_file() {
        let names: Vec<String> = known_cards().into_iter().map(|card| card.name).collect();
        return Err(Failure::new(
            MODEL,
            format!("model {wanted}: no such file, and no such name; known names: {}", names.join(", ")),
        ));
    }
    let card = card_for(file)?;
    Ok(Model { file: absolute(file)?, card })
}

/// The card of a file: a known one with the same fingerprint, or the one beside it.
fn card_for(file: &Path) -> Result<DetectorCard, Failure> {
    let sha256 = fingerprint(file)?;
    if let Some(card) = known_cards().into_iter().find(|card| card.sha256 == sha256) {
        return Ok(card);
    }
    let beside = card_beside(file);
    if beside.is_file() {
        let card = read_card(&beside)?;
        check(&card, file, &beside)?;
        return Ok(card);
    }
    let bytes = std::fs::metadata(file).map(|data| data.len()).unwrap_or(0);
    let namesake =
        known_cards().into_iter().find(|card| file.file_name().is_some_and(|name| name.to_string_lossy() == card.file));
    if let Some(card) = namesake {
        let message = format!(
            "model {}: has {bytes} bytes and sha256 {sha256}, but {} has {} bytes and sha256 {}; the file is truncated or changed: fetch it again",
            file.display(),
            card.name,
            card.bytes,
            card.sha256
        );
        return Err(Failure::new(MODEL, message));
    }
    let template = include_str!("../../models/template.card.toml");
    let filled = template.replace("{sha256}", &sha256).replace("{bytes}", &bytes.to_string());
    let filled = filled.replace("{file}", &file.file_name().unwrap_or_default().to_string_lossy());
    let message = format!(
        "model {}: not a known one, and {} is not there; complete this card and save it as that file:\n\n{filled}",
        file.display(),
        beside.display()
    );
    Err(Failure::new(MODEL, message))
}

fn check(card: &DetectorCard, file: &Path, origin: &Path) -> Result<(), Failure> {
    let sha256 = fingerprint(file)?;
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

fn read_card(path: &Path) -> Result<DetectorCard, Failure> {
    let refused = |reason: String| Failure::new(MODEL, format!("card {}: {reason}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| refused(error.to_string()))?;
    let card: DetectorCard = toml::from_str(&text).map_err(|error| refused(error.to_string()))?;
    match card.fault() {
        Some(fault) => Err(refused(fault)),
        None => Ok(card),
    }
}

fn file_of(card: &DetectorCard) -> Option<PathBuf> {
    finding::model_folders().into_iter().map(|folder| folder.join(&card.file)).find(|file| file.is_file())
}

fn card_beside(file: &Path) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_os_string();
    name.push(".card.toml");
    file.with_file_name(name)
}

fn fingerprint(file: &Path) -> Result<String, Failure> {
    let refused = |reason: String| Failure::new(MODEL, format!("model {}: {reason}", file.display()));
    let length = std::fs::metadata(file).map_err(|error| refused(error.to_string()))?.len();
    if length == 0 {
        return Err(refused("the file is empty; fetch it again".to_owned()));
    }
    if length > MODEL_BYTES_MAX {
        return Err(refused(format!("{length} bytes; a person detector for this box has at most {MODEL_BYTES_MAX}")));
    }
    let bytes = std::fs::read(file).map_err(|error| refused(error.to_string()))?;
    Ok(Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect())
}

fn absolute(file: &Path) -> Result<PathBuf, Failure> {
    file.canonicalize().map_err(|error| Failure::new(MODEL, format!("model {}: {error}", file.display())))
}

const KNOWN: [&str; 12] = [
    include_str!("../../models/nanodet-g.card.toml"),
    include_str!("../../models/nanodet-g-int8.card.toml"),
    include_str!("../../models/rtmdet-nano-person.card.toml"),
    include_str!("../../models/yolox-nano.card.toml"),
    include_str!("../../models/yolox-nano-dyn.card.toml"),
    include_str!("../../models/picodet-s.card.toml"),
    include_str!("../../models/rtmdet-nano-person-e2e.card.toml"),
    include_str!("../../models/nanodet-plus-m.card.toml"),
    include_str!("../../models/deimv2-femto.card.toml"),
    include_str!("../../models/deimv2-atto.card.toml"),
    include_str!("../../models/omz-0201-int8.card.toml"),
    include_str!("../../models/omz-retail-0013.card.toml"),
];

/// Largest model file (DETECTORS §6).
const MODEL_BYTES_MAX: u64 = 64 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_card_can_be_read_and_no_two_share_a_name() {
        let mut names: Vec<String> = known_cards().into_iter().map(|card| card.name).collect();
        assert_eq!(names.len(), KNOWN.len());
        names.sort();
        names.dedup();
        assert_eq!(names.len(), KNOWN.len());
    }
}
