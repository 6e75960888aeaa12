//! `kehai arm | pause | resume | lock | unlock`: the switch, by hand.
//!
//! In: a site file, and for what starts anything a credential. Out: where the switch then stands. Invariants: stopping asks
//! nobody for anything, works without room on the disk, without the store's keys and under a site file with a fault too, and is over
//! when the process that sees pictures is gone; starting asks
//! for a person with the right to it, and for the sign of this very configuration.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde::Serialize;

use super::arming::{armable, must_be_declared, remember_refused};
use super::credentials::prove;
use super::output::{note, say, say_json};
use super::state::{folder_of_any, state_folder, store_of, who};
use super::{CHECK_FAILED, Failure, NOT_ARMED};
use crate::clock::monotonic_ns;
use crate::config::Keeping;
use crate::config::site::Site;
use crate::switch::{From, Mode, Switch, Turn};
use crate::vault::{self, TurnError, Vault, VaultError, holder};

/// Arguments of `kehai pause` and `kehai lock`.
#[derive(clap::Args)]
pub struct StopArgs {
    /// Site file: read for where the store lies, whatever else is wrong with it
    #[arg(long, required_unless_present = "state")]
    site: Option<PathBuf>,
    /// Folder of the store, in place of the site file
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `kehai resume` and `kehai unlock`.
#[derive(clap::Args)]
pub struct StartArgs {
    /// Site file
    #[arg(long)]
    site: PathBuf,
    /// Who you are
    #[arg(long = "as", value_name = "NAME")]
    name: String,
    /// File with your password, mode 0600; left out: it is asked for
    #[arg(long)]
    password_file: Option<PathBuf>,
    /// Your one-time code, where you have one
    #[arg(long)]
    code: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `kehai arm`.
#[derive(clap::Args)]
pub struct ArmArgs {
    #[command(flatten)]
    start: StartArgs,
    /// Id of the sign that hangs at the door, as `kehai notice` made it from this very site file
    #[arg(long, value_name = "ID")]
    sign: String,
}

#[derive(Serialize)]
struct Told {
    mode: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sign: Option<String>,
    /// Whether the process that sees pictures is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    is_blind: Option<bool>,
}

impl Told {
    fn of(switch: &Switch) -> Self {
        let sign = switch.arming().map(|arming| arming.sign.clone());
        Self { mode: switch.mode().name(), sign, is_blind: None }
    }
}

/// Runs `kehai arm`.
pub fn arm(args: &ArmArgs) -> Result<(), Failure> {
    let start = &args.start;
    let refused = |failure: &Failure| remember_refused(&start.site, "arm", failure);
    let (site, vault) = store_of(&start.site).inspect_err(refused)?;
    must_be_declared(&site).inspect_err(refused)?;
    let by = prove(&vault, &start.name, start.password_file.as_deref(), start.code.as_deref())?;
    let armable = armable(&site);
    let right = armable.sign.clone();
    let turn = Turn::Arm { by, site: crate::switch::Site { sign: args.sign.clone(), ..armable } };
    let declaration = site.settings.declaration.clone().unwrap_or_default();
    let before = vault.switch()?;
    let switch = turned(&vault, &turn, &start.name, Some(&right))?;
    if !switch.is_armed(&declaration) {
        let other = "another person, an installer if you are an owner or an owner if you are an installer";
        let words = format!("confirmed; {other}, has to confirm the same sign within a day");
        tell(start.json, Told::of(&switch), &words);
        return Ok(());
    }
    forget_what_has_no_purpose(&site, &vault, &start.name)?;
    let is_other = holder(&state_folder(&site.outlets)?).is_some() && !before.is_armed(&declaration);
    let words = match switch.mode() {
        Mode::Armed if is_other => format!(
            "armed under sign {right}: restart `kehai run`, which runs the configuration before and watches nothing"
        ),
        Mode::Armed => format!("armed under sign {right}: `kehai run` watches"),
        mode => format!("armed under sign {right}, and still {mode}: `kehai resume` goes on"),
    };
    tell(start.json, Told::of(&switch), &words);
    Ok(())
}

/// Runs `kehai pause`.
pub fn pause(args: &StopArgs) -> Result<(), Failure> {
    stop(args, &Turn::Pause(From::Here))
}

/// Runs `kehai lock`.
pub fn lock(args: &StopArgs) -> Result<(), Failure> {
    stop(args, &Turn::Lock)
}

/// Runs `kehai resume`.
pub fn resume(args: &StartArgs) -> Result<(), Failure> {
    begin(args, |by| Turn::Resume { by, from: From::Here }, "resumed: cameras are watched where `kehai run` runs")
}

/// Runs `kehai unlock`.
pub fn unlock(args: &StartArgs) -> Result<(), Failure> {
    begin(args, |by| Turn::Unlock { by, from: From::Here }, "unlocked; `kehai resume` goes on")
}

fn begin(
    args: &StartArgs,
    turn: impl FnOnce(Option<crate::switch::Person>) -> Turn,
    words: &str,
) -> Result<(), Failure> {
    let (_, vault) = store_of(&args.site)?;
    let by = prove(&vault, &args.name, args.password_file.as_deref(), args.code.as_deref())?;
    let switch = turned(&vault, &turn(Some(by)), &args.name, None)?;
    tell(args.json, Told::of(&switch), words);
    Ok(())
}

/// Stops: at once by the stop file, then in the store, and by signal where neither can be written. A site file with a fault does not
/// keep anybody from it.
fn stop(args: &StopArgs, turn: &Turn) -> Result<(), Failure> {
    let folder = match (&args.state, &args.site) {
        (Some(folder), _) => folder.clone(),
        (None, site) => folder_of_any(site.as_deref().unwrap_or(Path::new("")))?,
    };
    let mouth = holder(&folder);
    let held = vault::stop(&folder, turn, &who());
    let written = written(&folder, turn);
    if let (Err(_), Err(failure), Some(process)) = (&held, &written, mouth) {
        note(&format!("kehai: {}; the running `kehai run` is told by signal", failure.message));
        let pid = i32::try_from(process).ok().and_then(Pid::from_raw);
        // One that is gone watches nothing.
        let _ = pid.map(|pid| kill_process(pid, Signal::USR1));
    }
    let is_blind = mouth.is_none_or(wait_until_blind);
    if !is_blind {
        let remedy = "end it: systemctl stop kehai, or kill -9 of its process";
        return Err(Failure::new(CHECK_FAILED, format!("`kehai run` still has an eye after {PATIENCE:?}; {remedy}")));
    }
    let (told, words) = match (written, held) {
        (Ok(switch), _) => (Told::of(&switch), stopped(switch.mode()).to_owned()),
        (Err(failure), Ok(())) => {
            let mode = if *turn == Turn::Lock { Mode::Locked } else { Mode::PausedHere };
            let late = format!("it holds over a restart, and the store is told once it can be: {}", failure.message);
            (Told { mode: mode.name(), sign: None, is_blind: None }, format!("{}; {late}", stopped(mode)))
        }
        (Err(failure), Err(_)) => return Err(failure),
    };
    tell(args.json, Told { is_blind: Some(is_blind), ..told }, &words);
    Ok(())
}

/// Where a stop leaves the switch, in words.
fn stopped(mode: Mode) -> &'static str {
    match mode {
        Mode::PausedHere => "paused: no camera is watched; `kehai resume` goes on",
        Mode::Locked => "locked: no camera is watched; `kehai unlock` undoes it, on site",
        _ => "no camera is watched",
    }
}

fn written(folder: &Path, turn: &Turn) -> Result<Switch, Failure> {
    let vault = match Vault::open_beside(folder, Keeping::default()) {
        // A box that never ran can be locked all the same.
        Err(VaultError::Nothing { .. }) => Vault::open(folder, Keeping::default(), Duration::ZERO)?,
        vault => vault?,
    };
    turned(&vault, turn, &who(), None)
}

fn turned(vault: &Vault, turn: &Turn, who: &str, right_sign: Option<&str>) -> Result<Switch, Failure> {
    vault.turn(turn, who, right_sign).map_err(|error| match error {
        TurnError::Refused(refusal) => Failure::new(NOT_ARMED, refusal.to_string()),
        TurnError::Store(error) => error.into(),
    })
}

/// What a kind without a purpose has left in the store goes: it was for a purpose that is no more.
fn forget_what_has_no_purpose(site: &Site, vault: &Vault, who: &str) -> Result<(), Failure> {
    let Some(metrics) = &site.settings.metrics else { return Ok(()) };
    let kinds: Vec<&str> = metrics.iter().map(|metric| metric.name()).collect();
    let gone = vault.purge_other_kinds(&kinds, who)?;
    if gone.windows > 0 {
        note(&format!("kehai: {} windows of kinds that have no purpose any more are gone", gone.windows));
    }
    Ok(())
}

/// Waits until a mouth has no process that sees pictures.
fn wait_until_blind(mouth: u32) -> bool {
    let begun_ns = monotonic_ns();
    while has_eye(mouth) {
        if monotonic_ns() - begun_ns > PATIENCE.as_nanos() as i64 {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}

fn has_eye(mouth: u32) -> bool {
    let threads = std::fs::read_dir(format!("/proc/{mouth}/task")).into_iter().flatten().flatten();
    let children = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    let children: Vec<String> = children.collect();
    let mut children = children.iter().flat_map(|children| children.split_whitespace());
    children.any(|child| {
        let is_dead = std::fs::read_to_string(format!("/proc/{child}/stat"))
            .is_ok_and(|stat| stat.rsplit_once(") ").is_some_and(|(_, state)| state.starts_with('Z')));
        let name = std::fs::read_to_string(format!("/proc/{child}/comm")).unwrap_or_default();
        !is_dead && name.starts_with("kehai-eye")
    })
}

fn tell(json: bool, told: Told, words: &str) {
    if json { say_json(&told) } else { say(words) }
}

/// A stop has to be over within a second; a machine that swaps gets two.
const PATIENCE: Duration = Duration::from_secs(2);
