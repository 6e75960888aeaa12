//! What must not compile: one small file for each way down the ladder, and the error it must run into.
//!
//! Each file of `tests/disclosure/cases` compiles as it stands, so that nothing else is wrong with it; with
//! `--cfg refused` its one forbidden line comes in, and the compiler must refuse exactly that line for exactly the
//! reason the file names. The compiler is asked directly, against the library this test run has built: a crate of
//! cases of its own would rebuild OpenCV's bindings (4 minutes of processor time).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// An error of the compiler: its code and the line it points at.
#[derive(Debug, PartialEq, Eq)]
struct Refusal {
    code: String,
    line: u64,
}

fn must_be_refused(case: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/disclosure/cases").join(case).with_extension("rs");
    let text = fs::read_to_string(&path).expect("the case is there");
    let code = text.lines().find_map(|line| line.strip_prefix("//! Refused: ")).expect("the case names its error");
    let code = code.split(' ').next().unwrap_or_default().to_owned();
    let before = text.lines().position(|line| line.trim() == "#[cfg(refused)]").expect("the case marks its line");
    let json = json_of_this_run(&path);
    assert_eq!(compile(&path, &json, &[]), [], "{case} does not compile without its forbidden line");
    let refused = compile(&path, &json, &["--cfg", "refused"]);
    assert_eq!(refused, [Refusal { code, line: before as u64 + 2 }], "{case}");
}

/// Compiles without writing code; returns the errors.
fn compile(case: &Path, json: &Path, more: &[&str]) -> Vec<Refusal> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut command = Command::new(rustc);
    command.arg(case).args(more).args(["--edition", "2024", "--crate-type", "lib", "--emit", "metadata"]);
    command.args(["--error-format", "json", "--check-cfg", "cfg(refused)", "--out-dir", env!("CARGO_TARGET_TMPDIR")]);
    let kehai = built("kehai").remove(0);
    command.arg("--extern").arg(format!("kehai={}", kehai.display()));
    command.arg("--extern").arg(format!("serde_json={}", json.display()));
    command.arg("-L").arg(format!("dependency={}", folder().display()));
    let output = command.output().expect("rustc starts");
    let said = String::from_utf8_lossy(&output.stderr);
    let refusals: Vec<Refusal> = said.lines().filter_map(refusal).collect();
    assert_eq!(output.status.success(), refusals.is_empty(), "{said}");
    refusals
}

/// The very serde_json our library was built with, when several lie there: the case as it stands compiles with it.
fn json_of_this_run(case: &Path) -> PathBuf {
    let mut candidates = built("serde_json");
    let fits = candidates.iter().position(|json| candidates.len() == 1 || compile(case, json, &[]).is_empty());
    candidates.swap_remove(fits.unwrap_or(0))
}

/// What cargo has built of a crate next to this test, the newest first.
fn built(name: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(folder()).expect("the folder of this test").filter_map(Result::ok);
    let prefix = format!("lib{name}-");
    let ours = |name: &str| name.starts_with(&prefix) && name.ends_with(".rlib");
    let mut found: Vec<PathBuf> =
        files.filter(|file| ours(&file.file_name().to_string_lossy())).map(|file| file.path()).collect();
    found.sort_by_key(|path| std::cmp::Reverse(fs::metadata(path).and_then(|file| file.modified()).ok()));
    assert!(!found.is_empty(), "cargo built {name} before this test");
    found
}

/// Where cargo puts this test and the libraries it links.
fn folder() -> PathBuf {
    let own = std::env::current_exe().expect("a test knows its own path");
    own.parent().expect("a test lies in a folder").to_owned()
}

fn refusal(line: &str) -> Option<Refusal> {
    let message: Value = serde_json::from_str(line).ok()?;
    let code = message["code"]["code"].as_str().filter(|_| message["level"] == "error")?;
    let spans = message["spans"].as_array()?;
    let line = spans.iter().find(|span| span["is_primary"] == true)?["line_start"].as_u64()?;
    Some(Refusal { code: code.to_owned(), line })
}

#[test]
fn a_frame_is_gone_after_detection() {
    must_be_refused("frame_after_detection");
}

#[test]
fn a_frame_cannot_be_printed() {
    must_be_refused("frame_printed");
}

#[test]
fn pixels_cannot_be_read_outside_the_crate() {
    must_be_refused("pixels_read_outside");
}

#[test]
fn detections_cannot_be_copied() {
    must_be_refused("detections_copied");
}

#[test]
fn a_window_cannot_be_serialised() {
    must_be_refused("window_serialised");
}

#[test]
fn a_window_is_gone_after_the_gate() {
    must_be_refused("window_after_gate");
}

#[test]
fn only_the_gate_makes_a_released_window() {
    must_be_refused("released_without_gate");
}
