//! Landlock: which files can be read, and no more; which TCP ports can be connected to.
//!
//! In: what this eye reads. Out: whether the wall stands. Invariants: no file can be written, made, moved, removed or
//! executed, but a USB camera's device written to; sockets of other programs without a file and signals to them are out of
//! reach where the kernel knows how.
//! Source: Linux, Documentation/userspace-api/landlock.rst.

use std::path::PathBuf;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, NetPort, PathBeneath, PathFd, Ruleset,
    RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};

/// Restricts this thread, and all it starts, to these.
pub(super) fn restrict(readable: &[PathBuf], devices: &[PathBuf], ports: &[u16]) -> bool {
    try_restrict(readable, devices, ports).unwrap_or(false)
}

fn try_restrict(readable: &[PathBuf], devices: &[PathBuf], ports: &[u16]) -> Result<bool, RulesetError> {
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?;
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    for path in SYSTEM.iter().map(PathBuf::from).chain(readable.iter().cloned()) {
        ruleset = allow(ruleset, &path, read)?;
    }
    for device in devices {
        ruleset = allow(ruleset, device, read | AccessFs::WriteFile | AccessFs::IoctlDev)?;
    }
    for port in ports {
        ruleset = ruleset.add_rule(NetPort::new(*port, AccessNet::ConnectTcp))?;
    }
    Ok(ruleset.restrict_self()?.ruleset != RulesetStatus::NotEnforced)
}

/// Allows what is there; what is not needs no rule.
fn allow(ruleset: RulesetCreated, path: &PathBuf, access: BitFlags<AccessFs>) -> Result<RulesetCreated, RulesetError> {
    let Ok(opened) = PathFd::new(path) else { return Ok(ruleset) };
    let access = if path.is_dir() { access } else { access & AccessFs::from_file(NEWEST) };
    ruleset.add_rule(PathBeneath::new(opened, access))
}

/// The newest rights that are known here; older kernels have fewer of them.
const NEWEST: ABI = ABI::V6;
/// What libraries of the system read: themselves, the processor's and the memory's figures, and their own process.
const SYSTEM: [&str; 17] = [
    "/usr/lib",
    "/usr/lib64",
    "/usr/share/zoneinfo",
    "/lib",
    "/lib64",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/dev/null",
    "/dev/urandom",
    "/proc/self",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/sys/vm",
    "/sys/devices",
    "/sys/bus/pci",
    "/sys/kernel/mm",
    "/sys/fs/cgroup",
];
