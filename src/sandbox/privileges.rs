//! What root could do and this process cannot any more, and that it ends with its parent.

#[cfg(feature = "mouth")]
use std::os::unix::process::CommandExt;

use rustix::process::{Signal, set_parent_process_death_signal};
use rustix::thread::{
    CapabilitySet, CapabilitySets, remove_capability_from_bounding_set, set_capabilities, set_no_new_privs,
};

/// Gives up every capability and the ways to gain one.
pub(super) fn drop_all() -> bool {
    let is_bound = gain_none();
    for capability in CapabilitySet::all().iter() {
        // Without CAP_SETPCAP there is nothing to take: no program gains anything under no_new_privs.
        let _ = remove_capability_from_bounding_set(capability);
    }
    let none = CapabilitySets {
        effective: CapabilitySet::empty(),
        permitted: CapabilitySet::empty(),
        inheritable: CapabilitySet::empty(),
    };
    is_bound && set_capabilities(None, none).is_ok()
}

/// No program started from here gains a right by its file.
pub(super) fn gain_none() -> bool {
    set_no_new_privs(true).is_ok()
}

/// The kernel ends this process when its parent dies, however it dies. To be said again after a change of namespaces or
/// capabilities, which forgets it.
pub fn end_with_parent() {
    // It is a second way beside the closed standard input.
    let _ = set_parent_process_death_signal(Some(Signal::KILL));
}

/// What this command starts ends with the thread that starts it, however that ends.
#[cfg(feature = "mouth")]
pub fn end_with_parent_of(command: &mut std::process::Command) {
    let promise = || {
        end_with_parent();
        Ok(())
    };
    // SAFETY: between fork and exec one plain system call is made and nothing is allocated.
    unsafe { command.pre_exec(promise) };
}
