//! The alerts that are shipped: they ask for what the page tells, and wake somebody when and only when they should.
//!
//! In: deploy/prometheus, `/metrics` of a page. promtool comes with `make acceptance` (Debian's package `prometheus`).

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};

use crate::story::page::ask;
use crate::support::folder::{in_repository, read};

fn alerts() -> String {
    String::from_utf8(read(&in_repository("deploy/prometheus/alerts.yml"))).expect("UTF-8")
}

/// What the page tells Prometheus, without the head of the answer.
fn metrics() -> String {
    let (status, answer) = ask("/metrics");
    assert_eq!(status, 200, "{answer}");
    answer.split_once("\r\n\r\n").expect("a head and a body").1.to_owned()
}

/// Names of ours in a text.
fn names(text: &str) -> BTreeSet<&str> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    words.filter(|word| word.starts_with("kehai_")).collect()
}

/// Runs promtool on an input; gives what it says.
fn promtool(arguments: &[&str], input: &str) -> (bool, String) {
    let mut command = Command::new("promtool");
    command.args(arguments).current_dir(in_repository("deploy/prometheus"));
    let tool = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut tool = tool.expect("promtool is installed (make acceptance)");
    tool.stdin.take().expect("piped").write_all(input.as_bytes()).expect("it reads");
    let output = tool.wait_with_output().expect("it ends");
    let words = [output.stdout, output.stderr].map(|words| String::from_utf8_lossy(&words).into_owned()).concat();
    (output.status.success(), words)
}

#[test]
fn every_alert_asks_for_what_the_page_tells() {
    let (alerts, metrics) = (alerts(), metrics());
    let told: BTreeSet<&str> =
        metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    let asked = names(&alerts);
    assert!(asked.len() >= 9, "{asked:?}");
    let unknown: Vec<&&str> = asked.iter().filter(|name| !told.contains(**name)).collect();
    assert!(unknown.is_empty(), "{unknown:?} is not among {told:?}");
}

#[test]
fn every_alert_has_a_case_that_fires_and_one_that_does_not() {
    let cases = String::from_utf8(read(&in_repository("deploy/prometheus/alerts.test.yml"))).expect("UTF-8");
    let alerts = alerts();
    let named: Vec<&str> = alerts.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(named.len() >= 10, "{named:?}");
    for alert in named {
        assert!(cases.contains(&format!("alertname: {alert}, exp_alerts: []")), "{alert} never stays quiet");
        assert!(cases.contains(&format!("alertname: {alert}\n        exp_alerts:\n")), "{alert} never fires");
    }
}

#[test]
#[ignore = "asks promtool (make acceptance)"]
fn prometheus_reads_the_page_and_its_alerts_wake_up_when_they_should() {
    let metrics = metrics();
    let (is_well, words) = promtool(&["check", "metrics"], &metrics);
    assert!(is_well && words.trim().is_empty(), "{words}");
    let (is_well, words) = promtool(&["check", "metrics"], &metrics.replace("# HELP", "# help"));
    assert!(!is_well || !words.is_empty(), "the same tool sees what is wrong");
    for arguments in [["check", "rules", "alerts.yml"], ["test", "rules", "alerts.test.yml"]] {
        let (is_well, words) = promtool(&arguments, "");
        assert!(is_well, "{words}");
    }
}
