//! Where words go: results to standard output, complaints and progress to standard error.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

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
    let bar = if std::io::stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
    let style = ProgressStyle::with_template("{spinner} {prefix}: {pos} frames, {per_sec}, {elapsed}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.set_prefix(what.to_owned());
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Whether a person is at the keyboard.
pub fn is_attended() -> bool {
    std::io::stdin().is_terminal()
}
