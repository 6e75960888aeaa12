//! `kehai setup`: what is still to be done before a shop may watch, step by step, and a site file to begin with.
//!
//! In: a site file, or nothing. Out: steps, each done or not, with the command that does it. Invariant: nothing is changed, no
//! camera is opened.

use std::path::PathBuf;

use serde::Serialize;

use super::arming::{armable, missing};
use super::output::{say, say_json};
use super::state::state_folder;
use super::{Failure, NOT_ARMED, USAGE};
use crate::config::site;
use crate::switch::{Mode, Switch};
use crate::vault::{Vault, VaultError};

/// Arguments of `kehai setup`.
#[derive(clap::Args)]
pub struct Args {
    /// Site file to look at
    #[arg(long, required_unless_present = "sample")]
    site: Option<PathBuf>,
    /// Print a commented site file that says everything, to begin with
    #[arg(long)]
    sample: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// One thing to do.
#[derive(Serialize)]
struct Step {
    what: &'static str,
    done: bool,
    /// What is missing and how it is done, or how it stands.
    detail: String,
}

/// Runs the command.
///
/// # Errors
/// Exit 7 while something is to be done.
pub fn run(args: &Args) -> Result<(), Failure> {
    if args.sample {
        say(SAMPLE.trim_end());
        return Ok(());
    }
    let Some(path) = &args.site else { return Err(Failure::new(USAGE, "--site FILE is missing, or --sample")) };
    let steps = steps(path)?;
    if args.json {
        say_json(&steps);
    } else {
        for step in &steps {
            say(&format!("{} {}: {}", if step.done { "done " } else { "to do" }, step.what, step.detail));
        }
    }
    match steps.iter().filter(|step| !step.done).count() {
        0 => Ok(()),
        left => Err(Failure::new(
            NOT_ARMED,
            format!("{left} of {} steps are to be done before cameras may be watched", steps.len()),
        )),
    }
}

fn steps(path: &std::path::Path) -> Result<Vec<Step>, Failure> {
    let site = site::load(path)?;
    let shown = path.display();
    let step = |what, done, detail: String| Step { what, done, detail };
    let switch = switch_of(&site)?;
    let (missing, armable) = (missing(&site), armable(&site));
    let declared = match missing.as_slice() {
        [] => "the site file says all that has to be said".to_owned(),
        keys => format!("write {}", keys.join(", ")),
    };
    let is_known = switch.mode() != Mode::Unprovisioned;
    let people = match is_known {
        true => "somebody may arm (`kehai people list` names them)".to_owned(),
        false => format!("name an owner: kehai people add NAME --role owner --site {shown}"),
    };
    let armed = switch.may_start(&armable.declaration, &armable.bounds);
    let sign = match armed {
        Ok(()) => format!("its id is {}", armable.sign),
        Err(_) => format!(
            "make it with kehai notice --site {shown} --out DIR and hang it up before the first camera; its id is {}",
            armable.sign
        ),
    };
    let arming = match &armed {
        Ok(()) => format!("sign {} was acknowledged", armable.sign),
        Err(refusal) => format!("{refusal} (kehai arm --site {shown} --sign {} --as NAME)", armable.sign),
    };
    let going = match switch.mode() {
        Mode::Armed => "cameras are watched where `kehai run` runs".to_owned(),
        Mode::Unprovisioned | Mode::Setup => "not armed yet".to_owned(),
        Mode::Locked => format!("locked: kehai unlock --site {shown} --as NAME"),
        mode => format!("{mode}: kehai resume --site {shown} --as NAME"),
    };
    Ok(vec![
        step("say it openly", missing.is_empty(), declared),
        step("people", is_known, people),
        step("sign", armed.is_ok(), sign),
        step("arm", armed.is_ok(), arming),
        step("switch", switch.mode() == Mode::Armed, going),
    ])
}

fn switch_of(site: &site::Site) -> Result<Switch, Failure> {
    match Vault::open_beside(&state_folder(&site.outlets)?, site.outlets.keeping) {
        Ok(vault) => Ok(vault.switch()?),
        Err(VaultError::Nothing { .. }) => Ok(Switch::default()),
        Err(error) => Err(error.into()),
    }
}

const SAMPLE: &str = include_str!("../../deploy/demo.toml");
