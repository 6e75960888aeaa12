//! The cage of the eye as commands see it: proved before an eye starts, and shown wall by wall.
//!
//! In: the job of an eye. Out: the same with the walls that were proved. Invariant: no eye starts on a machine where its
//! twin found a way out, unless the site file says so in as many words.

use std::net::ToSocketAddrs;

use serde::Serialize;

use super::output::note;
use super::{CHECK_FAILED, Failure, SANDBOX};
use crate::health::walls::Walls;
use crate::pipeline::{EyeJob, Origin};
use crate::sandbox::escapes::Escape;
use crate::sandbox::twin::{Proof, prove};

/// Lets a twin try the cage of this job's eye; gives the job with the walls that stood.
///
/// # Errors
/// Exit 8 when a way out was open or nothing could be proved.
pub fn proved(job: EyeJob) -> Result<EyeJob, Failure> {
    let is_allowed = job.settings.dangerous_allow_unsandboxed;
    match tried_with_what_there_is(&job) {
        Ok((walls, proof)) if proof.holds() => Ok(behind(walls, proof.walls, job)),
        Ok((walls, proof)) if is_allowed => {
            note(&format!("kehai: DANGEROUS: the eye is not caged ({}), as the site file allows", summary(&proof)));
            Ok(behind(walls, proof.walls, job))
        }
        Ok((_, proof)) => Err(refused(&summary(&proof))),
        Err(reason) if is_allowed => {
            note(&format!("kehai: DANGEROUS: the cage of the eye is not proved ({reason}), as the site file allows"));
            Ok(behind(Walls::NONE, Walls::NONE, job))
        }
        Err(reason) => {
            let message = format!("the eye does not start, its cage could not be tried: {reason}");
            Err(Failure::new(SANDBOX, message))
        }
    }
}

/// Tries all walls; where an empty network can be entered and not be used, all but that one. Gives what was asked for, for
/// the eye must ask for the same.
///
/// # Errors
/// Why nothing was proved.
pub fn tried_with_what_there_is(job: &EyeJob) -> Result<(Walls, Proof), String> {
    let fewer = Walls::ALL.without(Walls::NAMESPACE);
    match tried(job, Walls::ALL) {
        Ok(proof) => Ok((Walls::ALL, proof)),
        Err(reason) => tried(job, fewer).map(|proof| (fewer, proof)).map_err(|_| reason),
    }
}

/// The job of an eye that asks for these walls and stands behind those that stood round its twin. Without a network of its own the eye calls its cameras itself; it cannot look up
/// names, so that is done here.
fn behind(asked: Walls, standing: Walls, mut job: EyeJob) -> EyeJob {
    (job.walls, job.proved) = (asked.bits(), standing.bits());
    if !standing.has(Walls::NAMESPACE) {
        for feed in &mut job.feeds {
            let Some(source) = feed.origin.network_camera() else { continue };
            let found = (source.host(), source.port()).to_socket_addrs().ok().and_then(|mut found| found.next());
            if let Some(address) = found {
                feed.origin = Origin::Live(source.at(address));
            }
        }
    }
    job
}

/// What became of a cage, in one line.
#[must_use]
pub fn summary(proof: &Proof) -> String {
    let (open, walls) = (proof.open(), proof.walls);
    if open.is_empty() {
        return format!("{0} of {0} ways out denied; walls: {walls}", Escape::EACH.len());
    }
    format!("{} of {} ways out are open: {}; walls: {walls}", open.len(), Escape::EACH.len(), open.join(", "))
}

fn refused(why: &str) -> Failure {
    let remedy = "needs Linux 5.13 or newer with Landlock and seccomp and, for cameras of the network, user namespaces (sysctl user.max_user_namespaces) or the IPAddressAllow= of deploy/kehai.service; dangerous_allow_unsandboxed = true at the top of the site file goes on without and says so in every message";
    Failure::new(SANDBOX, format!("the eye does not start, it is not caged on this machine: {why}; {remedy}"))
}

/// Lets a twin try these walls.
///
/// # Errors
/// Why nothing was proved.
pub fn tried(job: &EyeJob, walls: Walls) -> Result<Proof, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(prove(job, walls))
}

/// Which walls stop which way out: with one wall alone, and with all but that one.
#[derive(Serialize)]
pub struct Matrix {
    /// Names of the walls.
    walls: Vec<&'static str>,
    /// One row for each way out.
    ways: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    way: &'static str,
    /// Whether it is open without any wall: where it is not, the attempt proves nothing here.
    open_without_walls: bool,
    /// Whether it is denied behind all walls.
    denied: bool,
    /// For each wall, whether it denies this alone.
    denied_by_one: Vec<bool>,
    /// For each wall, whether this is still denied without it.
    denied_without: Vec<bool>,
}

/// Turns the walls off one by one, and on one by one.
///
/// # Errors
/// Exit 1 when a twin did not end as arranged.
pub fn matrix(job: &EyeJob) -> Result<Matrix, Failure> {
    let outcomes = |walls| tried(job, walls).map(|proof| proof.outcomes).map_err(|why| Failure::new(CHECK_FAILED, why));
    let (none, all) = (outcomes(Walls::NONE)?, outcomes(Walls::ALL)?);
    let alone = Walls::EACH.iter().map(|(wall, _)| outcomes(*wall)).collect::<Result<Vec<_>, _>>()?;
    let without =
        Walls::EACH.iter().map(|(wall, _)| outcomes(Walls::ALL.without(*wall))).collect::<Result<Vec<_>, _>>()?;
    let row = |(at, (_, way)): (usize, &(Escape, &'static str))| Row {
        way,
        open_without_walls: none[at] == 0,
        denied: all[at] != 0,
        denied_by_one: alone.iter().map(|outcomes| outcomes[at] != 0).collect(),
        denied_without: without.iter().map(|outcomes| outcomes[at] != 0).collect(),
    };
    let ways = Escape::EACH.iter().enumerate().map(row).collect();
    Ok(Matrix { walls: Walls::EACH.iter().map(|(_, name)| *name).collect(), ways })
}

impl Matrix {
    /// The matrix as a table.
    #[must_use]
    pub fn in_words(&self) -> String {
        let mut lines = vec![format!(
            "{:<22} {:<8} {:<8} {}",
            "way out",
            "no wall",
            "all",
            self.walls.iter().map(|wall| format!("{wall:<11}")).collect::<String>()
        )];
        for row in &self.ways {
            let cells = row.denied_by_one.iter().zip(&row.denied_without).map(|(alone, without)| {
                let cell = match (alone, without) {
                    (true, true) => "stops",
                    (true, false) => "STOPS",
                    (false, false) => "needed",
                    (false, true) => "-",
                };
                format!("{cell:<11}")
            });
            let denied = |denied: bool| if denied { "denied" } else { "open" };
            lines.push(
                format!(
                    "{:<22} {:<8} {:<8} {}",
                    row.way,
                    denied(!row.open_without_walls),
                    denied(row.denied),
                    cells.collect::<String>()
                )
                .trim_end()
                .to_owned(),
            );
        }
        lines.push("stops: this wall alone denies it; STOPS: and without it, it is open; needed: denied only together with others; privileges: landlock and seccomp stand on it, and it keeps root from taking the limits back".to_owned());
        lines.join("\n")
    }

    /// Ways out that are open behind all walls.
    #[must_use]
    pub fn open(&self) -> Vec<&'static str> {
        self.ways.iter().filter(|row| !row.denied).map(|row| row.way).collect()
    }
}
