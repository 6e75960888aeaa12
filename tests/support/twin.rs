//! This very test again, in a process of its own: to be killed, or to be put where the disk is small.
//!
//! A test asks [`part`] first: in the twin it is given what it is to do there, else it goes on and starts one.

use std::process::{Child, Command, Stdio};

use super::program::{Ended, start_command};

/// What this process is to do as a twin; `None` in the test itself.
pub fn part() -> Option<String> {
    std::env::var(PART).ok()
}

/// The command that runs the test `name` once more, as a twin with this part.
pub fn command(name: &str, part: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this test is a program"));
    command.args(["--exact", name, "--nocapture", "--include-ignored"]).env(PART, part);
    command
}

/// Starts it with its words piped.
pub fn start(mut command: Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    command.spawn().expect("a test can be started again")
}

const PART: &str = "KEHAI_TEST_TWIN";

/// Runs a twin after this mount, which only it and what it starts can see; `None` where nobody may mount a disk of their own.
pub fn behind_a_mount(twin: &Command, mount: &str) -> Option<Ended> {
    let mut command = Command::new("unshare");
    if !rustix::process::geteuid().is_root() {
        command.arg("--map-root-user");
    }
    let mount = format!("{mount} && exec \"$@\"");
    command.args(["--mount", "--propagation", "private", "sh", "-c", &mount, "sh"]);
    command.arg(twin.get_program()).args(twin.get_args());
    command.envs(twin.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let ended = start_command(command).ended();
    // Within a root of another's choice there is no mount of one's own either.
    let refusals = ["Operation not permitted", "unshare failed", "cannot change root filesystem propagation"];
    if refusals.iter().any(|words| ended.err.contains(words)) { None } else { Some(ended) }
}
