//! `kehai report --memory` as somebody runs it who was given the box: clean, and with an eye that is not.
//!
//! Looked at as root alone, as all memory of others.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use serde_json::Value;

use super::case::runtime;
use crate::live::shop::{eye_of, is_alive, signal};
use crate::support::folder::{Folder, in_repository};
use crate::support::program::{GLANCE, NOBODY, Running, kehai, others_can_run, start_command};
use crate::support::site::BARE;

/// A short proof by these programs of a shop whose site file says nothing of interest.
fn proof(folder: &Folder, program: &str) -> Running {
    let site = folder.write("site.toml", BARE);
    let mut command = Command::new(program);
    command.args(["report", "--memory", "--site", &site, "--frames", "10", "--picture", "240x320", "--json"]);
    // Linked into another folder, programs find neither by themselves.
    command.env("ORT_DYLIB_PATH", runtime()).env("KEHAI_MODELS", in_repository("fetched/models"));
    command.env("TMPDIR", folder.path(""));
    start_command(command)
}

/// Links programs into a folder and gives the path of `kehai` there.
fn linked(folder: &Folder, programs: &[&str]) -> String {
    for program in programs {
        let name = program.rsplit('/').next().expect("a path");
        std::fs::hard_link(program, folder.path(name))
            .or_else(|_| std::fs::copy(program, folder.path(name)).map(drop))
            .expect("the programs are there");
    }
    folder.path("kehai")
}

fn windows(json: &Value) -> Vec<(&str, u64)> {
    let each = json["processes"].as_array().expect("a list").iter();
    each.map(|process| {
        let count = |key: &str| process[key].as_u64().expect("a number");
        assert_eq!(count("windows_of_another_key"), 0, "{process}");
        (process["process"].as_str().expect("a name"), count("windows"))
    })
    .collect()
}

#[test]
fn the_proof_of_memory_finds_nothing_in_a_twin_and_puts_everything_away() {
    let folder = Folder::new();
    let ended = proof(&folder, env!("CARGO_BIN_EXE_kehai")).ended();
    ended.must_be_well();
    let json: Value = serde_json::from_str(&ended.out).expect("it is JSON");
    assert_eq!(windows(&json), [("mouth", 0), ("eye", 0), ("relay", 0)], "{json}");
    assert_eq!((&json["clean"], &json["trouble"]), (&true.into(), &Value::Null));
    for seen in [&json["windows_in_running_eye"], &json["control"]["windows"]] {
        assert!(seen.as_u64() > Some(1000), "{json}");
    }
    assert!(json["pictures_sought"].as_u64() >= Some(10) && json["first_layers"].as_array().is_some(), "{json}");
    assert_eq!(folder.names(), ["site.toml"], "nothing is left in the temporary folder");
    assert_eq!(of_twins(&folder), Vec::<u32>::new());
}

#[test]
#[ignore = "a quarter of a minute"]
fn an_eye_that_keeps_what_it_frees_is_found_out() {
    let folder = Folder::new();
    let program = linked(&folder, &[env!("CARGO_BIN_EXE_kehai"), env!("CARGO_BIN_EXE_kehai-detect")]);
    let careless = format!("#!/bin/sh\nunset GLIBC_TUNABLES\nexec {} \"$@\"\n", env!("CARGO_BIN_EXE_kehai-eye"));
    let eye = folder.write("kehai-eye", careless);
    std::fs::set_permissions(eye, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
    let ended = proof(&folder, &program).ended();
    assert_eq!(ended.code, Some(1), "{}{}", ended.out, ended.err);
    assert!(ended.err.contains("are left in memory"), "{}", ended.err);
    let json: Value = serde_json::from_str(&ended.out).expect("it is JSON");
    assert!(windows(&json).iter().any(|(process, windows)| *process == "eye" && *windows > 0), "{json}");
    assert_eq!(json["clean"], false);
}

#[test]
fn a_proof_that_is_ended_leaves_no_twin_behind() {
    for (word, code) in [(libc::SIGINT, Some(130)), (libc::SIGTERM, Some(130)), (libc::SIGKILL, None)] {
        let folder = Folder::new();
        let proof = proof(&folder, env!("CARGO_BIN_EXE_kehai"));
        let eye = loop {
            match of_twins(&folder).first().and_then(|mouth| eye_of(*mouth)) {
                Some(eye) => break eye,
                None => std::thread::sleep(GLANCE),
            }
        };
        signal(proof.id() as i32, word);
        assert_eq!(proof.ended().code, code, "signal {word}");
        // Whom the kernel ends, it ends soon.
        let is_there = || !of_twins(&folder).is_empty() || is_alive(eye);
        let gone = std::iter::repeat_with(is_there).take(PATIENCE).find(|is_there| {
            std::thread::sleep(GLANCE);
            !is_there
        });
        assert!(gone.is_some(), "signal {word}: {:?}, eye {eye}", of_twins(&folder));
        if code.is_some() {
            assert_eq!(folder.names(), ["site.toml"], "signal {word}");
        }
    }
}

#[test]
fn whoever_is_not_root_is_told_why_that_is_needed() {
    if !others_can_run() {
        return;
    }
    let folder = Folder::in_tmp();
    let program = linked(&folder, &[env!("CARGO_BIN_EXE_kehai"), env!("CARGO_BIN_EXE_kehai-detect")]);
    let mut command = Command::new(program);
    command.args(["report", "--memory", "--site", "site.toml"]);
    if rustix::process::geteuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    let words = ["needs root, because the eye's memory is closed to everybody else"];
    start_command(command).ended().must_be_refused(1, &words);
}

#[test]
fn a_report_that_cannot_be_made_says_what_is_wrong() {
    kehai(&["report", "--memory"]).must_be_refused(2, &["--site"]);
    let odd = kehai(&["report", "--memory", "--site", "site.toml", "--picture", "100x100"]);
    odd.must_be_refused(2, &["100x100", "multiples of 16"]);
}

/// Process ids of the mouths of twins whose site file lies in this folder.
fn of_twins(folder: &Folder) -> Vec<u32> {
    let is_twin = |pid: &u32| {
        let line = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.contains(&folder.path("kehai-report-"))
    };
    let processes = std::fs::read_dir("/proc").expect("it is there").flatten();
    processes.filter_map(|process| process.file_name().to_str()?.parse().ok()).filter(is_twin).collect()
}

/// Looks until a process is gone that is ended already.
const PATIENCE: usize = 400;
