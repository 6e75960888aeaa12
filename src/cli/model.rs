//! `kehai model`: which person detectors are known, whether their files are whole and work, and how a new one comes in.

mod cards;
mod graph;
mod template;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde::Serialize;

pub(super) use cards::known_cards;
pub use cards::{Model, resolve};

use super::output::{say, say_json};
use super::{CHECK_FAILED, Failure, MODEL, USAGE, finding};
use crate::config::card::DetectorCard;
use crate::detect::Detector;
use crate::units::PictureSize;
use cards::{card_beside, content_of, file_of, probed, read_card, ready};

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
    /// Check models against their cards and on a grey picture: all known ones, or one
    Verify {
        /// A model file, or a known name [default: every known model whose file is there]
        model: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Bring in a model of your own: tries it on a grey picture, then ties it to its card (FILE.card.toml beside it)
    Add(Bring),
}

/// Arguments of `kehai model add`.
#[derive(clap::Args)]
struct Bring {
    /// The ONNX file
    file: PathBuf,
    /// Its card, filled in [default: none; a card to complete is printed]
    #[arg(long)]
    card: Option<PathBuf>,
    /// Write the card to complete to FILE.card.toml
    #[arg(long, conflicts_with = "card")]
    template: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Failure> {
    match &args.action {
        Action::List { json } => list(*json),
        Action::Verify { model: Some(model), json } => {
            let checked = Checked::of(&resolve(model)?)?;
            if *json {
                say_json(&[checked])
            } else {
                checked.print()
            }
            Ok(())
        }
        Action::Verify { model: None, json } => verify_all(*json),
        Action::Add(bring) => match &bring.card {
            Some(card) => add(bring, card),
            None => describe(bring),
        },
    }
}

#[derive(Serialize)]
struct Listed {
    name: String,
    licence: String,
    state: &'static str,
    file: Option<String>,
    sha256: String,
    head: String,
}

/// Prints the known models.
fn list(json: bool) -> Result<(), Failure> {
    let listed: Vec<Listed> = known_cards()
        .into_iter()
        .map(|card| {
            let file = file_of(&card);
            let state = match file.as_deref().map(content_of) {
                None => "not fetched",
                Some(Ok((sha256, _))) if sha256 == card.sha256 => "whole",
                Some(_) => "CHANGED OR UNREADABLE",
            };
            let file = file.map(|file| file.display().to_string());
            let head = card.head.to_string();
            Listed { name: card.name, licence: card.licence, state, file, sha256: card.sha256, head }
        })
        .collect();
    if json {
        say_json(&listed);
    } else {
        for model in &listed {
            let file = model.file.as_deref().unwrap_or("-");
            say(&format!("{:<22} {:<14} {:<12} {:<12} {file}", model.name, model.head, model.licence, model.state));
        }
    }
    if listed.iter().any(|model| model.state.starts_with("CHANGED")) {
        return Err(Failure::new(
            CHECK_FAILED,
            "a model file is not the one of its card; delete it and run `make setup`",
        ));
    }
    Ok(())
}

/// What a model showed when it was tried.
#[derive(Serialize)]
struct Checked {
    name: String,
    file: String,
    sha256: String,
    bytes: u64,
    opset: u64,
    head: String,
    /// Name of the picture input.
    input: String,
    /// Size of the grey picture.
    size: String,
    /// Cells at that size; 0 where the head has none.
    cells: usize,
    outputs: String,
}

impl Checked {
    /// Runs a grey picture of the shape of a 4:3 camera through a model.
    fn of(model: &Model) -> Result<Self, Failure> {
        let runtime = finding::runtime()?;
        let tried = Detector::load(&runtime, &model.file, &model.card, None).and_then(|mut detector| {
            detector.fit(PICTURE)?;
            Ok((detector.input_size().unwrap_or(PICTURE), detector.answers().unwrap_or_default()))
        });
        let (size, (outputs, cells)) = tried.map_err(|error| model.failure(error))?;
        let card = &model.card;
        Ok(Self {
            name: card.name.clone(),
            file: model.file.display().to_string(),
            sha256: card.sha256.clone(),
            bytes: card.bytes,
            opset: model.opset,
            head: card.head.to_string(),
            input: card.input.clone(),
            size: size.to_string(),
            cells,
            outputs,
        })
    }

    fn print(&self) {
        say(&format!("{:<10}{}", self.name, self.file));
        say(&format!("  sha256  {} ({} bytes), as on its card", self.sha256, self.bytes));
        say(&format!("  graph   opset {}, input {} at {}, all weights inside", self.opset, self.input, self.size));
        let cells = if self.cells > 0 { format!(", {} cells", self.cells) } else { String::new() };
        say(&format!("  head    {}{cells}: {}", self.head, self.outputs));
        say("  grey    every value finite, boxes and scores in the head's units");
    }
}

/// Tries every known model whose file is there.
fn verify_all(json: bool) -> Result<(), Failure> {
    let there = known_cards().into_iter().filter_map(|card| Some((file_of(&card)?, card)));
    let tried: Vec<Result<Checked, Failure>> =
        there.map(|(file, card)| Checked::of(&ready(&file, card, Path::new("the card compiled in"))?)).collect();
    if tried.is_empty() {
        return Err(Failure::new(CHECK_FAILED, "no model file is there; run `make setup`"));
    }
    let whole: Vec<&Checked> = tried.iter().flatten().collect();
    if json {
        say_json(&whole);
    } else {
        whole.iter().for_each(|checked| checked.print());
    }
    let faults: Vec<String> = tried.into_iter().filter_map(Result::err).map(|failure| failure.message).collect();
    if faults.is_empty() { Ok(()) } else { Err(Failure::new(MODEL, faults.join("\n  "))) }
}

/// Ties a file to a card after trying both.
fn add(bring: &Bring, card: &Path) -> Result<(), Failure> {
    let (file, target) = (&bring.file, card_beside(&bring.file));
    let parsed = read_card(card)?;
    is_nameable(&parsed, card)?;
    let checked = Checked::of(&ready(file, parsed, card)?)?;
    let is_there = target.canonicalize().ok();
    if is_there.is_some() && is_there != card.canonicalize().ok() {
        return Err(Failure::new(USAGE, format!("{} exists already; remove it first", target.display())));
    }
    if is_there.is_none() {
        std::fs::copy(card, &target).map_err(|error| Failure::new(MODEL, format!("{}: {error}", target.display())))?;
    }
    if bring.json {
        say_json(&checked);
    } else {
        checked.print();
        say(&format!("{} is known as \"{}\" wherever it is named by path", file.display(), checked.name));
    }
    Ok(())
}

/// A name that a known model has already would be taken for that one.
fn is_nameable(card: &DetectorCard, path: &Path) -> Result<(), Failure> {
    let taken = known_cards().into_iter().any(|known| known.name == card.name && known.sha256 != card.sha256);
    let message = || format!("card {}: name \"{}\" is that of a known model; write another", path.display(), card.name);
    if taken { Err(Failure::new(MODEL, message())) } else { Ok(()) }
}

/// What a file without a card turned out to be.
#[derive(Serialize)]
struct Described {
    file: String,
    sha256: String,
    bytes: u64,
    opset: u64,
    input: String,
    size: String,
    is_fixed: bool,
    outputs: Vec<String>,
    /// Heads that fit, likeliest first.
    heads: Vec<String>,
    template: String,
    template_file: Option<String>,
}

/// Tries a file without a card and offers one to complete.
fn describe(bring: &Bring) -> Result<(), Failure> {
    let (inspected, probe, filled) = probed(&bring.file)?;
    let target = card_beside(&bring.file);
    if bring.template {
        if target.exists() {
            return Err(Failure::new(USAGE, format!("{} exists already; remove it first", target.display())));
        }
        std::fs::write(&target, &filled)
            .map_err(|error| Failure::new(MODEL, format!("{}: {error}", target.display())))?;
    }
    let mut heads: Vec<String> = probe.readings.iter().map(|reading| reading.head.to_string()).collect();
    heads.dedup();
    let described = Described {
        file: inspected.path.display().to_string(),
        sha256: inspected.sha256,
        bytes: inspected.bytes,
        opset: inspected.graph.opset,
        input: probe.input.to_string(),
        size: probe.size.to_string(),
        is_fixed: probe.is_fixed,
        outputs: probe.outputs.iter().map(ToString::to_string).collect(),
        heads,
        template: filled,
        template_file: bring.template.then(|| target.display().to_string()),
    };
    if bring.json {
        say_json(&described);
    } else if bring.template {
        say(&format!(
            "{} written; replace every \"?\" in it, then: kehai model add {} --card {}",
            target.display(),
            described.file,
            target.display()
        ));
    } else {
        say(&described.template);
    }
    Ok(())
}

/// The picture models are tried for: that of a 4:3 camera, px.
const PICTURE: PictureSize = PictureSize { height: 576, width: 768 };
