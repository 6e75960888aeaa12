//! Landlock: which files can be read, and no more; which TCP ports can be connected to. For the mouth, where it writes.
//!
//! In: what this process reads. Out: whether the wall stands. Invariants: no file can be written, made, moved, removed or
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

/// Restricts the mouth: it writes to these folders and nowhere else, and opens no device but those of the site's USB
/// cameras, which only its eye opens. Whether the wall stands; without it the unit of the service does the same.
#[cfg(feature = "mouth")]
pub fn restrict_mouth(writable: &[PathBuf], readable: &[PathBuf], devices: &[PathBuf]) -> bool {
    try_restrict_mouth(writable, readable, devices).unwrap_or(false)
}

#[cfg(feature = "mouth")]
fn try_restrict_mouth(writable: &[PathBuf], readable: &[PathBuf], devices: &[PathBuf]) -> Result<bool, RulesetError> {
    let (read, write) = (AccessFs::ReadFile | AccessFs::ReadDir, AccessFs::from_write(NEWEST));
    let mut ruleset =
        Ruleset::default().set_compatibility(CompatLevel::BestEffort).handle_access(read | write)?.create()?;
    let roots = std::fs::read_dir("/").into_iter().flatten().flatten().map(|entry| entry.path());
    // What its eye reads may lie below /dev all the same.
    for root in roots.filter(|root| !root.ends_with("/dev")).chain(readable.iter().cloned()) {
        ruleset = allow(ruleset, &root, read)?;
    }
    for path in writable {
        ruleset = allow(ruleset, path, read | write)?;
    }
    let own = ["/dev/null", "/dev/urandom", "/dev/tty"].map(PathBuf::from);
    for device in own.iter().chain(devices) {
        ruleset = allow(ruleset, device, read | AccessFs::WriteFile | AccessFs::IoctlDev)?;
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
const SYSTEM: [&str; 18] = [
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
    "/proc/swaps",
    "/proc/sys/vm",
    "/sys/devices",
    "/sys/bus/pci",
    "/sys/kernel/mm",
    "/sys/fs/cgroup",
];
