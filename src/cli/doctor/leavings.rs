//! What this machine could leave of a process's memory on a disk: swap, and what happens to a process that crashes.
//!
//! In: `/proc/swaps`, `/proc/sys/kernel/core_pattern`. Out: a sentence each. Nothing here is a fault: the eye takes its
//! own measures, and this says what they are up against.

/// Whether memory may be written to a swap device, in words.
#[must_use]
pub fn swap() -> String {
    read("/proc/swaps").map_or_else(|| "unknown: /proc/swaps cannot be read".to_owned(), |text| swap_of(&text))
}

/// What the kernel does with the memory of a process that crashes, in words.
#[must_use]
pub fn cores() -> String {
    read("/proc/sys/kernel/core_pattern")
        .map_or_else(|| "unknown: /proc/sys/kernel/core_pattern cannot be read".to_owned(), |text| cores_of(&text))
}

fn read(path: &str) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

fn swap_of(swaps: &str) -> String {
    let devices: Vec<&str> = swaps.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
    if devices.is_empty() {
        return "none on this machine: memory never reaches a disk".to_owned();
    }
    format!(
        "{}: memory that is not locked may be written there; run the service with MemorySwapMax=0 (deploy/kehai.service)",
        devices.join(", ")
    )
}

fn cores_of(pattern: &str) -> String {
    match pattern.trim_end().strip_prefix('|') {
        // core(5): RLIMIT_CORE is not enforced for a pipe.
        Some(handler) => format!(
            "a crashed process is piped to {}, whatever its limit is; only one that has made itself undumpable is spared",
            handler.split_whitespace().next().unwrap_or_default()
        ),
        None if pattern.trim().is_empty() => "no core file is written".to_owned(),
        None => format!("no handler: core files named {}, where a process's limit allows one", pattern.trim_end()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swap_devices_are_named() {
        let heading = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";
        assert!(swap_of(heading).starts_with("none"));
        let told = swap_of(&format!("{heading}/dev/sda2 partition 999 0 -2\n/swapfile file 999 0 -3\n"));
        assert!(told.starts_with("/dev/sda2, /swapfile: "), "{told}");
    }

    #[test]
    fn a_handler_of_cores_is_named_without_its_arguments() {
        let told = cores_of("|/lib/systemd/systemd-coredump %P %u %g\n");
        assert!(told.contains("piped to /lib/systemd/systemd-coredump, whatever"), "{told}");
        assert!(cores_of("core\n").contains("named core,"));
        assert_eq!(cores_of("\n"), "no core file is written");
    }
}
