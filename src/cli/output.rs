//! Where words go: results to standard output or into a file, complaints and progress to standard error.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::{Failure, USAGE};

/// Prints a result.
pub fn say(text: &str) {
    // Whoever closed the other end wants no more.
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Prints a result as JSON.
pub fn say_json<T: Serialize>(value: &T) {
    say(&serde_json::to_string_pretty(value).unwrap_or_default());
}

/// Tells what is going on.
pub fn note(text: &str) {
    // Nobody is left to complain to.
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Prints an error, with what to do about it.
pub fn complain(text: &str) {
    note(&format!("kehai: {text}"));
}

/// A line of progress, where a person looks at standard error.
pub fn progress(what: &str) -> ProgressBar {
    progress_of(what, "{pos} frames, {per_sec}, {elapsed}")
}

/// The same of other things than frames; `counted` is a template of `indicatif`.
pub fn progress_of(what: &str, counted: &str) -> ProgressBar {
    let bar = if std::io::stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
    let style = ProgressStyle::with_template(&format!("{{spinner}} {{prefix}}: {counted}"));
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.set_prefix(what.to_owned());
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Whether files can be made in this folder.
pub fn is_writable_folder(folder: &Path) -> bool {
    let path = std::ffi::CString::new(folder.as_os_str().as_encoded_bytes()).unwrap_or_default();
    // SAFETY: access only reads the path.
    folder.is_dir() && unsafe { libc::access(path.as_ptr(), libc::W_OK) } == 0
}

/// Refuses a file that could not be written, before the work and not after it; `flag` is the option that names it.
///
/// # Errors
/// Exit 2, naming flag and file.
pub fn check_file(flag: &str, file: &Path) -> Result<(), Failure> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let problem = match file.file_name() {
        None => "is no file",
        Some(name) if name == "-" => "is not taken for standard output",
        Some(_) if file.is_dir() => "is a folder",
        // The finished file takes the place of what was there: a device, a pipe or /dev/stdout would be gone.
        Some(_) if file.symlink_metadata().is_ok_and(|there| !there.is_file()) => {
            "is no ordinary file (a link, a device or a pipe)"
        }
        Some(_) if !is_writable_folder(folder) => "its folder is not there or cannot be written",
        Some(_) => return Ok(()),
    };
    Err(Failure::new(USAGE, format!("{flag} {}: {problem}; name a file that can be written", file.display())))
}

/// Writes a file as a whole or not at all; `flag` is the option that names it.
///
/// # Errors
/// Exit 2, naming flag and file.
pub fn write_whole(flag: &str, file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(USAGE, format!("{flag} {}: {error}; name a file that can be written", file.display()))
    };
    let partial = file.with_added_extension("partial");
    let written = std::fs::write(&partial, bytes).and_then(|()| std::fs::rename(&partial, file));
    if written.is_err() {
        // Nothing half done stays behind; what was never made need not go.
        let _ = std::fs::remove_file(&partial);
    }
    written.map_err(failed)
}

/// Whether a person is at the keyboard.
pub fn is_attended() -> bool {
    std::io::stdin().is_terminal()
}
