//! The command line: what a person or a script asks of Kehai, and the exit code they get.
//!
//! Exit codes: 0 ok · 1 a check failed · 2 usage · 3 configuration · 4 camera or clip · 5 broker · 6 model or runtime ·
//! 7 not armed · 130 interrupted. Results go to standard output, progress and errors to standard error; progress
//! only where a person looks.

mod bench;
mod detect;
mod doctor;
mod finding;
mod model;
mod output;
mod publishing;
mod replay;
mod run;
mod schema;
mod session;
mod track;

use clap::{Parser, Subcommand};

/// Runs the command of this process.
#[must_use]
pub fn main() -> std::process::ExitCode {
    crate::detect::session::forbid_reports();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(refused) if refused.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            refused.exit()
        }
        Err(refused) if refused.use_stderr() => {
            let text = refused.to_string();
            output::complain(text.strip_prefix("error: ").unwrap_or(&text).trim_end());
            return std::process::ExitCode::from(USAGE);
        }
        Err(help) => help.exit(),
    };
    let outcome = match cli.command {
        Command::Run(args) => run::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Detect(args) => detect::run(&args),
        Command::Track(args) => track::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Model(args) => model::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Schema => schema::run(),
    };
    match outcome {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(failure) => {
            output::complain(&failure.message);
            std::process::ExitCode::from(failure.code)
        }
    }
}

/// Anonymous in-store movement: camera frames in, aggregates of many people out, no picture ever stored.
#[derive(Parser)]
#[command(name = "kehai", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Watch the cameras of a site and publish what the gate releases
    Run(run::Args),
    /// Send a recording through the very same eye and gate, and write what would have been published
    Replay(replay::Args),
    /// Evaluation only: write the boxes a model finds in a clip, ungated, to a file (opens files only, never a camera or a broker)
    Detect(detect::Args),
    /// Evaluation only: follow detections from a file and write tracks, ungated, to a file (opens files only)
    Track(track::Args),
    /// Measure what a clip costs: CPU per frame and stage, against decode and inference alone
    Bench(bench::Args),
    /// List, verify or add person detectors
    Model(model::Args),
    /// Check this box and a site file: runtime, model, broker, calibration
    Doctor(doctor::Args),
    /// Print the JSON Schema of everything that is published
    Schema,
}

/// A failure with its documented exit code.
#[derive(Debug)]
struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    fn new(code: u8, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

impl From<crate::config::site::SiteError> for Failure {
    fn from(error: crate::config::site::SiteError) -> Self {
        Self::new(CONFIGURATION, error.to_string())
    }
}

impl From<crate::publish::PublishError> for Failure {
    fn from(error: crate::publish::PublishError) -> Self {
        Self::new(BROKER, error.to_string())
    }
}

impl From<crate::detect::DetectError> for Failure {
    fn from(error: crate::detect::DetectError) -> Self {
        let remedy = match error {
            crate::detect::DetectError::Runtime { .. } => {
                "; name the file libonnxruntime.so in ORT_DYLIB_PATH, or unset it and run `make setup`"
            }
            _ => "",
        };
        Self::new(MODEL, format!("{error}{remedy}"))
    }
}

const CHECK_FAILED: u8 = 1;
const USAGE: u8 = 2;
const CONFIGURATION: u8 = 3;
const CAMERA: u8 = 4;
const BROKER: u8 = 5;
const MODEL: u8 = 6;
const NOT_ARMED: u8 = 7;
const INTERRUPTED: u8 = 130;
