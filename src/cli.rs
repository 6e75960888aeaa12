//! The command line: what a person or a script asks of Kehai, and the exit code they get.
//!
//! Exit codes: 0 ok · 1 a check failed · 2 usage · 3 configuration · 4 camera or clip · 5 broker · 6 model or runtime ·
//! 7 not armed · 8 no cage for the eye · 130 interrupted. Results go to standard output, progress and errors to standard error; progress
//! only where a person looks. Two programs: `kehai`, which links nothing that could read a picture, and `kehai-detect`,
//! which it becomes for `kehai detect`, for `kehai report --memory` and, when a replay is over, for its score.

mod arming;
mod audit;
mod backup;
mod bench;
mod cage;
mod canvas;
mod command;
mod credentials;
mod detect;
mod doctor;
mod export;
mod finding;
mod interrupt;
mod model;
mod moment;
mod mot;
mod notice;
mod output;
mod people;
mod programs;
mod publishing;
mod purge;
mod records;
mod replay;
pub mod report;
mod rights;
mod run;
mod schema;
mod score;
mod selftest;
mod session;
mod setup;
mod state;
mod status;
mod track;
mod turning;
mod verify;
mod watch;
mod wipe;

pub use arming::armable;
use clap::{Parser, Subcommand};

/// Runs the command of this process.
#[must_use]
pub fn main() -> std::process::ExitCode {
    parsed()
        .and_then(|command| match command {
            Command::Run(args) => run::run(&args),
            Command::Replay(args) if args.truth.is_empty() => replay::run(&args),
            Command::Replay(args) => replay::run(&args).and_then(|()| Err(hand_over(DETECT))),
            Command::Report(args) if !args.plays_pictures() => selftest::run(&args),
            Command::Detect(_) | Command::Report(_) => Err(hand_over(DETECT)),
            Command::Track(args) => track::run(&args),
            Command::Score(args) => score::run(&args),
            Command::Bench(args) => bench::run(&args),
            Command::Model(args) => model::run(&args),
            Command::Doctor(args) => doctor::run(&args),
            Command::Audit(args) => audit::run(&args),
            Command::Verify(args) => verify::run(&args),
            Command::People(args) => people::run(&args),
            Command::Purge(args) => purge::run(&args),
            Command::Wipe(args) => wipe::run(&args),
            Command::Setup(args) => setup::run(&args),
            Command::Status(args) => status::run(&args),
            Command::Arm(args) => turning::arm(&args),
            Command::Pause(args) => turning::pause(&args),
            Command::Resume(args) => turning::resume(&args),
            Command::Lock(args) => turning::lock(&args),
            Command::Unlock(args) => turning::unlock(&args),
            Command::Schema(args) => schema::run(&args),
            Command::Ask(args) => command::run(&args),
            Command::Export(args) => export::run(&args),
            Command::Watch(args) => watch::run(&args),
            Command::Notice(args) => notice::run(&args),
            Command::Records(args) => records::run(&args),
            Command::Rights(args) => rights::run(&args),
            Command::Backup(args) => backup::backup(&args),
            Command::Restore(args) => backup::restore(&args),
        })
        .map_or_else(said, |()| std::process::ExitCode::SUCCESS)
}

/// Runs `kehai detect`, `kehai report`, and what follows `kehai replay --truth`, in the program that can read pictures.
#[must_use]
pub fn detect_main() -> std::process::ExitCode {
    crate::capture::use_opencv_readers();
    let refused = || {
        Failure::new(USAGE, format!("{DETECT} only serves `kehai detect`, `kehai report` and `kehai replay --truth`"))
    };
    let outcome = parsed().and_then(|command| match command {
        Command::Detect(args) => detect::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Replay(args) if !args.truth.is_empty() => score::replayed::run(&args),
        _ => Err(refused()),
    });
    outcome.map_or_else(said, |()| std::process::ExitCode::SUCCESS)
}

/// The command as it was typed; help is printed and ends the process.
fn parsed() -> Result<Command, Failure> {
    crate::detect::session::forbid_reports();
    match Cli::try_parse() {
        Ok(cli) => Ok(cli.command),
        Err(refused) if refused.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            refused.exit()
        }
        Err(refused) if refused.use_stderr() => {
            let text = refused.to_string();
            Err(Failure::new(USAGE, text.strip_prefix("error: ").unwrap_or(&text).trim_end()))
        }
        Err(help) => help.exit(),
    }
}

/// Becomes another program beside this one, with the same arguments; returns only when it cannot.
fn hand_over(name: &str) -> Failure {
    use std::os::unix::process::CommandExt;
    let become_it = |path| std::process::Command::new(path).args(std::env::args_os().skip(1)).exec().to_string();
    Failure::new(CHECK_FAILED, crate::pipeline::mouth::program(name).map_or_else(|missing| missing, become_it))
}

/// The program that reads pictures for evaluation.
const DETECT: &str = "kehai-detect";

fn said(failure: Failure) -> std::process::ExitCode {
    output::complain(&failure.message);
    std::process::ExitCode::from(failure.code)
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
    /// Evaluation only: hold tracks from a file against the truth, and name every crossing counted wrongly (opens files only)
    Score(score::Args),
    /// Measure what a clip costs: CPU per frame and stage, against decode and inference alone
    Bench(bench::Args),
    /// List, verify or add person detectors
    Model(model::Args),
    /// Check this box and a site file: runtime, model, broker, calibration
    Doctor(doctor::Args),
    /// Export, search or judge the chain of everything that was done
    Audit(audit::Args),
    /// Check payloads against the signature of the box they say they are of
    Verify(verify::Args),
    /// Add, list and revoke the people of this box, each with a role and a password
    People(people::Args),
    /// Delete every released window of a span of time, on the box and at its broker
    Purge(purge::Args),
    /// Destroy the store for ever: its keys, then its files; what is left is a signed receipt
    Wipe(wipe::Args),
    /// Say what is to be done before cameras may be watched, or print a site file to begin with
    Setup(setup::Args),
    /// Say where the switch stands, what is released and what waits
    Status(status::Args),
    /// Confirm a configuration and the sign that hangs at the door; two people do, or one who says openly to be alone
    Arm(turning::ArmArgs),
    /// Watch nothing from now on; asks nobody for anything
    Pause(turning::StopArgs),
    /// Watch again (an owner, on site)
    Resume(turning::StartArgs),
    /// Watch nothing until an owner unlocks it on site; asks nobody for anything
    Lock(turning::StopArgs),
    /// Undo a lock (an owner, on site)
    Unlock(turning::StartArgs),
    /// Print the JSON Schema of everything that is published, or where it goes (AsyncAPI)
    Schema(schema::Args),
    /// Make a key for an operator, and commands signed with it (prints them, sends nothing)
    #[command(name = "command")]
    Ask(command::Args),
    /// Write released figures of any period as a table or a picture, in the shop's own time
    Export(export::Args),
    /// Watch what nodes publish, live in a terminal
    Watch(watch::Args),
    /// Make the sign for the door, the policy behind its code and short texts, from the very configuration that runs
    Notice(notice::Args),
    /// Make the papers a shop must be able to show: record, retention, inventory, assessments, undertaking, recipients
    Records(records::Args),
    /// Answer somebody who exercises a right, signed; or print the desk's runbook and answers
    Rights(rights::Args),
    /// Write the site file and the keys into one file that a passphrase opens
    Backup(backup::BackupArgs),
    /// Make a box of a backup: the same keys, nobody known, not armed
    Restore(backup::RestoreArgs),
    /// Try on this very box what can be tried of what is promised, and keep the outcome, signed; or print all promises
    Report(report::Args),
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
        let code = if matches!(error, crate::publish::PublishError::Paper { .. }) { CONFIGURATION } else { BROKER };
        Self::new(code, error.to_string())
    }
}

impl From<crate::vault::VaultError> for Failure {
    fn from(error: crate::vault::VaultError) -> Self {
        use crate::vault::VaultError as Error;
        let code = match error {
            Error::Store { .. } | Error::Full { .. } | Error::Busy { .. } | Error::Past { .. } => CHECK_FAILED,
            _ => CONFIGURATION,
        };
        Self::new(code, error.to_string())
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
const SANDBOX: u8 = 8;
const INTERRUPTED: u8 = 130;
