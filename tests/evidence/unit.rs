//! The service's unit: that it holds what its comments say, that systemd's own measure is satisfied, and that the product
//! works under such rights.
//!
//! In: deploy/kehai.service and its drop-ins. What systemd itself does with them is not tried here: the rights are put
//! together by hand, and the filter of system calls is held against the calls that were seen.

use std::collections::BTreeSet;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::hour::{live_site, scene};
use crate::live::shop::{Shop, signal};
use crate::support::broker::{await_greeting, free_port};
use crate::support::carver::files_in;
use crate::support::folder::{Folder, in_repository, names_in, read};
use crate::support::rtsp_camera::RtspCamera;
use crate::support::strace;

/// Settings of a unit as systemd reads them: section, key, value, in order.
fn settings(path: &str) -> Vec<(String, String, String)> {
    let text = String::from_utf8(read(path)).expect("a unit is UTF-8");
    let mut section = String::new();
    let mut found = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with(['#', ';'])) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name.to_owned();
            continue;
        }
        let (key, value) = line.split_once('=').unwrap_or_else(|| panic!("{path}: no setting: {line}"));
        assert!(key.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{path}: no key: {line}");
        assert!(!section.is_empty() && !value.ends_with('\\'), "{path}: {line}");
        found.push((section.clone(), key.to_owned(), value.to_owned()));
    }
    found
}

fn unit() -> String {
    in_repository("deploy/kehai.service")
}

/// Values of a key of the service, in order.
fn of_service(key: &str) -> Vec<String> {
    let settings = settings(&unit()).into_iter().filter(|(section, found, _)| section == "Service" && found == key);
    settings.map(|(_, _, value)| value).collect()
}

#[test]
fn the_unit_holds_every_wall_it_is_known_for() {
    for (key, value) in WALLS {
        assert_eq!(of_service(key), [value], "{key}");
    }
    let start = of_service("ExecStart");
    assert!(start[0].ends_with("kehai run --site /etc/kehai/site.toml"), "{start:?}");
    for key in ["User", "Group", "EnvironmentFile", "PassEnvironment", "ReadWritePaths", "ExecStartPre", "ProtectClock"]
    {
        assert_eq!(of_service(key), Vec::<String>::new(), "{key} has no place here");
    }
}

#[test]
fn the_self_test_by_timer_stands_behind_the_walls_of_the_service_and_under_its_account() {
    let of = |name: &str, but_for: &[&str]| -> Vec<(String, String, String)> {
        let settings = settings(&in_repository(&format!("deploy/{name}"))).into_iter();
        settings.filter(|(section, key, _)| section == "Service" && !but_for.contains(&key.as_str())).collect()
    };
    let own = [
        "Type",
        "ExecStart",
        "Restart",
        "RestartSec",
        "RestartPreventExitStatus",
        "OOMPolicy",
        "TimeoutStartSec",
        "Nice",
        "User",
    ];
    assert_eq!(of("kehai-report.service", &own), of("kehai.service", &own));
    let value = |name: &str, key: &str| {
        let found = settings(&in_repository(&format!("deploy/{name}"))).into_iter().find(|(_, known, _)| known == key);
        found.map(|(_, _, value)| value).unwrap_or_default()
    };
    // The account of a unit without a User= is called as the unit is.
    assert_eq!(value("kehai-report.service", "User"), "kehai");
    assert!(value("kehai-report.service", "ExecStart").ends_with("kehai report --site /etc/kehai/site.toml"));
    assert_eq!(
        (value("kehai-report.timer", "OnCalendar"), value("kehai-report.timer", "Persistent")),
        ("*-*-* 04,16:00".into(), "yes".into())
    );
}

#[test]
fn a_drop_in_opens_one_door_and_says_which() {
    let keys = |name: &str| -> BTreeSet<String> {
        let settings = settings(&in_repository(&format!("deploy/drop-ins/{name}")));
        settings.into_iter().map(|(section, key, _)| format!("{section}.{key}")).collect()
    };
    let set = |keys: &[&str]| keys.iter().map(|key| format!("Service.{key}")).collect::<BTreeSet<_>>();
    assert_eq!(names_in(&in_repository("deploy/drop-ins")), ["accelerator.conf", "network.conf", "usb-camera.conf"]);
    assert_eq!(keys("network.conf"), set(&["IPAddressAllow"]));
    assert_eq!(keys("usb-camera.conf"), set(&["PrivateDevices", "DeviceAllow", "SupplementaryGroups"]));
    let accelerator = set(&["MemoryDenyWriteExecute", "PrivateDevices", "DeviceAllow", "SupplementaryGroups"]);
    assert_eq!(keys("accelerator.conf"), accelerator);
}

/// systemd-analyze with these arguments; `None`, and said so, on a machine without it.
#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
fn systemd_analyze(arguments: &[&str]) -> Option<String> {
    let Ok(output) = Command::new("systemd-analyze").args(arguments).env("SYSTEMD_PAGER", "").output() else {
        println!("skipped: systemd-analyze is missing (scripts/setup --acceptance)");
        return None;
    };
    Some(format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)))
}

/// What systemd says of the unit with these drop-ins: its exposure, 0 (none) to 10.
fn exposure(drop_ins: &[&str]) -> Option<f64> {
    let folder = Folder::new();
    let unit = folder.write("kehai.service", read(&unit()));
    std::fs::create_dir(folder.path("kehai.service.d")).expect("the target folder can be written");
    for name in drop_ins {
        folder.write(&format!("kehai.service.d/{name}"), read(&in_repository(&format!("deploy/drop-ins/{name}"))));
    }
    let told = systemd_analyze(&["security", "--offline=true", "--no-pager", &unit])?;
    let overall = told.lines().find(|line| line.contains("Overall exposure level"));
    let level = overall.and_then(|line| line.split(": ").nth(1)?.split(' ').next()?.parse().ok());
    Some(level.unwrap_or_else(|| panic!("no level in:\n{told}")))
}

#[test]
#[ignore = "needs systemd-analyze"]
fn systemd_finds_the_service_exposed_by_two_of_ten_at_most_with_any_drop_in() {
    for drop_ins in [&[][..], &["network.conf"], &["network.conf", "usb-camera.conf"], &["accelerator.conf"]] {
        let Some(level) = exposure(drop_ins) else { return };
        tell(&format!("exposure {level} with {drop_ins:?}"));
        assert!(level <= EXPOSURE_MAX, "{level} with {drop_ins:?}");
    }
    let units = ["kehai.service", "kehai-report.service", "kehai-report.timer"];
    let units = units.map(|name| in_repository(&format!("deploy/{name}")));
    let Some(told) = systemd_analyze(&["verify", &units[0], &units[1], &units[2]]) else { return };
    let complaints: Vec<&str> = told.lines().filter(|line| !line.contains("is not executable")).collect();
    assert_eq!(complaints, Vec::<&str>::new(), "but for the program, which is not installed here");
}

/// What a filter of the unit allows, its sets opened.
fn allowed() -> Option<BTreeSet<String>> {
    let mut allowed = BTreeSet::new();
    for line in of_service("SystemCallFilter") {
        let (takes, names) = line.strip_prefix('~').map_or((false, line.as_str()), |names| (true, names));
        for call in names.split_whitespace().map(calls_of).collect::<Option<Vec<_>>>()?.concat() {
            if takes {
                allowed.remove(&call)
            } else {
                allowed.insert(call)
            };
        }
    }
    Some(allowed)
}

/// A call, or all of a set.
fn calls_of(name: &str) -> Option<Vec<String>> {
    if !name.starts_with('@') {
        return Some(vec![name.to_owned()]);
    }
    let told = systemd_analyze(&["syscall-filter", "--no-pager", name])?;
    let members =
        told.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#') && *line != name);
    Some(members.map(calls_of).collect::<Option<Vec<_>>>()?.concat())
}

#[test]
#[ignore = "needs root, strace and systemd-analyze"]
fn the_filter_of_the_unit_lets_through_what_mouth_eye_and_broker_do() {
    let (true, true, Some(allowed)) = (strace::is_there(), can_be_nobody(), allowed()) else { return };
    assert!(allowed.contains("openat") && !allowed.contains("ptrace") && !allowed.contains("mount"), "{allowed:?}");
    let (files, log, (port, held)) = (Folder::new(), Folder::new(), free_port());
    drop(held);
    let camera = RtspCamera::start(scene(), 20.0);
    // As nobody: root would do more, to give the broker an account.
    let mut command = as_nobody("strace", &log.path(""));
    command.args(strace::tracing(&log, None).get_args());
    // What a library of the decoder asks for where memory has several places, and does without when it is denied.
    command.args(["-e", "inject=set_mempolicy:error=EPERM", env!("CARGO_BIN_EXE_kehai")]);
    let shop = Shop::open_by(command, "filtered", &live_site(&files, &camera, &embedded(port)));
    shop.hear("camera view seen");
    camera.cut();
    shop.hear("camera view seen");
    let mouth = shop.mouth();
    signal(mouth, libc::SIGTERM);
    assert_eq!(shop.ended(), Some(0));
    let processes = strace::read(&log);
    let done = processes.iter().flat_map(|process| &process.calls).filter(|call| call.is_done());
    let called: BTreeSet<&str> = done.map(|call| call.name.as_str()).collect();
    assert!(called.contains("clone3") && called.contains("recvfrom"), "{called:?}");
    let denied: Vec<&&str> = called.iter().filter(|call| !allowed.contains(**call)).collect();
    tell(&format!("{} kinds of calls were made, {} are allowed", called.len(), allowed.len()));
    assert!(denied.is_empty(), "the unit's filter denies what was needed: {denied:?}");
}

/// A broker of the shop's own: it lives under the same rights.
fn embedded(port: u16) -> String {
    format!("[broker]\nembedded = true\nport = {port}\n")
}

/// A program as the unit runs it, but for what only systemd can do: as nobody, in a user namespace of its own, without a
/// capability and any way to one, before a file system it can only read, but for `state`; no code made at run time.
fn as_nobody(program: &str, state: &str) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-ec", READ_ONLY, program, state]);
    // SAFETY: between fork and exec only one plain system call is made.
    unsafe {
        command.pre_exec(|| {
            if libc::prctl(PR_SET_MDWE, 1, 0, 0, 0) == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
        });
    }
    command
}

/// Whether these rights can be had here, and are what they should be; says why not.
fn can_be_nobody() -> bool {
    let state = Folder::new();
    let mut probe = as_nobody("sh", &state.path(""));
    let probed = probe.args(["-c", PROBE]).stdin(Stdio::null()).output();
    let Some(probed) = probed.ok().filter(|probed| probed.status.success()) else {
        tell("skipped: these rights cannot be put together here (root, unshare, setpriv, Linux 6.3)");
        return false;
    };
    let facts = String::from_utf8_lossy(&probed.stdout).into_owned();
    assert_eq!(facts.trim(), FACTS, "the rights are those of the unit");
    true
}

#[test]
#[ignore = "needs root"]
fn a_shop_runs_as_nobody_without_capabilities_before_a_file_system_it_can_only_read() {
    if !can_be_nobody() {
        return;
    }
    let state = Folder::new();
    let (files, (port, held)) = (Folder::new(), free_port());
    drop(held);
    let camera = RtspCamera::start(scene(), 20.0);
    let command = as_nobody(env!("CARGO_BIN_EXE_kehai"), &state.path(""));
    let shop = Shop::open_by(command, "nobody", &live_site(&files, &camera, &embedded(port)));
    shop.hear("camera view seen");
    await_greeting(port);
    let first = shop.eye(None);
    let eye = std::fs::read_to_string(format!("/proc/{first}/status")).expect("the eye runs");
    for (key, value) in [("Uid:", "65534\t65534\t65534\t65534"), ("CapBnd:", NO_CAPABILITY), ("CapEff:", NO_CAPABILITY)]
    {
        let found = eye.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
        assert_eq!(found, Some(value), "{key}");
    }
    signal(first, libc::SIGKILL);
    shop.eye(Some(first));
    shop.hear("camera view seen");
    signal(shop.mouth(), libc::SIGTERM);
    assert_eq!(shop.ended(), Some(0));
    assert_eq!(files_in(Path::new(&state.path(""))), Vec::<PathBuf>::new());
}

#[expect(clippy::print_stdout, reason = "what was measured, or skipped, is said")]
fn tell(words: &str) {
    println!("{words}");
}

/// Settings that make the wall, each once, with this value.
const WALLS: [(&str, &str); 37] = [
    ("DynamicUser", "yes"),
    ("StateDirectory", "kehai"),
    ("StateDirectoryMode", "0700"),
    ("UMask", "0077"),
    ("LimitCORE", "0"),
    ("LimitMEMLOCK", "infinity"),
    ("MemorySwapMax", "0"),
    ("OOMPolicy", "continue"),
    ("IPAddressDeny", "any"),
    ("IPAddressAllow", "localhost"),
    ("RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX"),
    ("RestrictNamespaces", "user net"),
    ("PrivateUsers", "yes"),
    ("CapabilityBoundingSet", ""),
    ("AmbientCapabilities", ""),
    ("NoNewPrivileges", "yes"),
    ("RestrictSUIDSGID", "yes"),
    ("LockPersonality", "yes"),
    ("RestrictRealtime", "yes"),
    ("MemoryDenyWriteExecute", "yes"),
    ("ProtectSystem", "strict"),
    ("ProtectHome", "yes"),
    ("PrivateTmp", "yes"),
    ("PrivateDevices", "yes"),
    ("DevicePolicy", "closed"),
    ("PrivateMounts", "yes"),
    ("ProtectProc", "invisible"),
    ("ProcSubset", "pid"),
    ("ProtectKernelTunables", "yes"),
    ("ProtectKernelModules", "yes"),
    ("ProtectKernelLogs", "yes"),
    ("ProtectControlGroups", "yes"),
    ("ProtectHostname", "yes"),
    ("RemoveIPC", "yes"),
    ("KeyringMode", "private"),
    ("SystemCallArchitectures", "native"),
    ("NoExecPaths", "/"),
];
const EXPOSURE_MAX: f64 = 2.0;
/// `$0` is the program, `$1` the one folder it may write to; the rest are its arguments.
const READ_ONLY: &str = "mount --make-rprivate /\n\
    chown 65534:65534 \"$1\"; chmod 700 \"$1\"\n\
    mount --bind \"$1\" \"$1\"\n\
    mount -t tmpfs tmpfs /tmp\n\
    mount -t proc -o subset=pid,hidepid=invisible proc /proc\n\
    mount -o remount,bind,ro /\n\
    cd \"$1\"; shift\n\
    exec setpriv --reuid=65534 --regid=65534 --clear-groups -- unshare --user --map-current-user --keep-caps \
    setpriv --no-new-privs --ambient-caps=-all --inh-caps=-all --bounding-set=-all -- prlimit --core=0 -- \"$0\" \"$@\"";
/// Who it is, what it may, whether it can write beside its folder, and in it.
const PROBE: &str = "cap=$(sed -n 's/^CapBnd:\\t//p' /proc/self/status); nnp=$(sed -n 's/^NoNewPrivs:\\t//p' /proc/self/status)\n\
    tried() { if (: >\"$1/kehai-was-here\") 2>/dev/null; then rm \"$1/kehai-was-here\"; echo writable; else echo read-only; fi; }\n\
    echo $(id -u) $cap $nnp $(tried /usr) $(tried /var/tmp) $(tried .)";
const FACTS: &str = "65534 0000000000000000 1 read-only read-only writable";
const NO_CAPABILITY: &str = "0000000000000000";
/// No memory both written and executed, and none that becomes executable (linux/prctl.h).
const PR_SET_MDWE: libc::c_int = 65;
