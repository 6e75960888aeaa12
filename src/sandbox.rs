//! What the eye gives up before it sees a picture: five walls, raised while it has one thread and never let down.
//!
//! In: a [`Cage`], which says what the eye still needs. Out: the [`Walls`] that stand. Invariants: nothing is restricted
//! after a second thread exists, because threads started earlier keep their rights (measured); what is missing on this
//! kernel is not an error here, the outcome of thirteen escapes is ([`escapes`], tried by a throw-away twin at every start).
//!
//! | wall | what it takes |
//! |---|---|
//! | limits | no byte into any file, also an open one, no core |
//! | namespace | the network: nothing is there but a loopback of its own, and on it the relay that holds the cameras' connections ([`relay`]) |
//! | privileges | every capability of root, and gaining any: it stops none of the thirteen alone, but the two below stand on it for whoever is not root, and it keeps root from taking the limits back |
//! | landlock | every file but the model, the libraries, the recording and the USB camera; TCP ports but the cameras' |
//! | seccomp | every call into the kernel that reading pictures and calculating does not make |

#[cfg(feature = "mouth")]
pub mod control;
pub mod escapes;
mod limits;
mod network;
mod paths;
mod privileges;
pub mod relay;
mod syscalls;
#[cfg(feature = "mouth")]
pub mod twin;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use crate::config::CameraSource;
use crate::health::walls::Walls;
pub use limits::{FAULT_EXIT, end_quietly, forbid_core, keep_nothing_inherited};
#[cfg(feature = "mouth")]
pub use paths::restrict_mouth;
pub use privileges::end_with_parent;
#[cfg(feature = "mouth")]
pub use privileges::end_with_parent_of;

/// What an eye needs that is to be caged.
pub struct Cage {
    /// The walls to raise.
    pub walls: Walls,
    /// Files and folders it reads, beside the system's libraries.
    pub readable: Vec<PathBuf>,
    /// Device files it reads and controls.
    pub devices: Vec<PathBuf>,
    /// Where its reader of streams finds the network cameras, by door: inside its own network the relay stands there, without
    /// one the cameras themselves.
    pub doors: Vec<SocketAddr>,
}

/// Why no cage is built.
#[derive(Debug, thiserror::Error)]
pub enum CageError {
    /// A thread is there already, which would keep its rights.
    #[error("another thread exists already")]
    Threads,
    /// The machine's network was left and the new one is of no use.
    #[error("the empty network cannot be used")]
    Network,
    /// The relay could not be started.
    #[error("the relay does not start")]
    Relay,
}

/// Raises the walls round this process, which has one thread; camera connections come in at `control`, the standard
/// input. Where there is a relay, `control` is the relay's alone afterwards: here it ends when the relay does, and the relay
/// ends with the mouth. Gives the walls that stand.
///
/// # Errors
/// [`CageError`]; a wall that this kernel does not have is simply not among those that stand.
pub fn enter(cage: &Cage, control: std::os::fd::RawFd) -> Result<Walls, CageError> {
    if cage.walls == Walls::NONE {
        return Ok(Walls::NONE);
    }
    if thread_count() != Some(1) {
        return Err(CageError::Threads);
    }
    let wanted = |wall: Walls| cage.walls.has(wall);
    let mut standing = Walls::NONE;
    let mut stands = |wall: Walls, stands: bool| standing = if stands { standing.with(wall) } else { standing };
    limits::keep_out_of_swap();
    let mut ports: Vec<u16> = cage.doors.iter().map(SocketAddr::port).collect();
    if wanted(Walls::NAMESPACE) && network::leave().ok_or(CageError::Network)? {
        stands(Walls::NAMESPACE, true);
        let listeners = network::open_doors(&cage.doors).ok_or(CageError::Relay)?;
        if !listeners.is_empty() && !relay::start(control, listeners) {
            return Err(CageError::Relay);
        }
    }
    if wanted(Walls::PRIVILEGES) {
        stands(Walls::PRIVILEGES, privileges::drop_all());
    } else {
        privileges::gain_none();
    }
    if wanted(Walls::LIMITS) {
        stands(Walls::LIMITS, limits::set());
    }
    if wanted(Walls::LANDLOCK) {
        ports.sort_unstable();
        ports.dedup();
        stands(Walls::LANDLOCK, paths::restrict(&cage.readable, &cage.devices, &ports));
    }
    if wanted(Walls::SECCOMP) {
        let allowance = syscalls::Allowance { streams: !cage.doors.is_empty(), devices: !cage.devices.is_empty() };
        stands(Walls::SECCOMP, syscalls::restrict(&allowance));
    }
    Ok(standing)
}

/// Where an eye in a network of its own finds a camera: where the camera itself is; one that is known by name is given an
/// address of the loopback.
#[must_use]
pub fn door_of(camera: usize, source: &CameraSource) -> SocketAddr {
    let [high, low] = (camera as u16 + 1).to_be_bytes();
    let by_name = IpAddr::V4(Ipv4Addr::new(127, 1, high, low));
    SocketAddr::new(source.host().parse().unwrap_or(by_name), source.port())
}

/// Threads of this process, where the kernel says.
fn thread_count() -> Option<usize> {
    Some(std::fs::read_dir("/proc/self/task").ok()?.count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cage_is_built_round_threads_that_would_keep_their_rights() {
        // The test harness has threads of its own.
        let cage = Cage { walls: Walls::ALL, readable: Vec::new(), devices: Vec::new(), doors: Vec::new() };
        assert!(matches!(enter(&cage, 0), Err(CageError::Threads)));
    }
}
