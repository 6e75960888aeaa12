//! Things that only one place may do: read pixels, run the network, tell the time, serialise, write, print.
//!
//! In: every word of `src/`. A row names the words, the places they may stand in and why nowhere else.

use super::sources::{Source, Word, sources};

/// Words that may stand in few places.
struct Monopoly {
    /// What it is about, for the message.
    matter: &'static str,
    /// Any of these, each a run of words; a single name is a crate or an item.
    words: &'static [&'static [&'static str]],
    /// Files, folders or stages it is left to.
    only_in: &'static [&'static str],
    /// Whether test code may do it anywhere.
    tests_may: bool,
}

const ROWS: [Monopoly; 13] = [
    Monopoly {
        matter: "OpenCV, which reads and resizes pictures, is named by capture alone (I1)",
        words: &[&["opencv"]],
        only_in: &["src/capture"],
        tests_may: false,
    },
    Monopoly {
        matter: "no picture and no film is ever encoded by OpenCV",
        words: &[&["VideoWriter"], &["imwrite"], &["imwrite_def"], &["imencode"], &["imencode_def"], &["imshow"]],
        only_in: &[],
        tests_may: true,
    },
    Monopoly {
        matter: "ONNX Runtime is named in one file",
        words: &[&["ort", "::"], &["ort_sys"]],
        only_in: &["src/detect/session.rs"],
        tests_may: false,
    },
    Monopoly {
        matter: "time comes from the clock",
        words: &[
            &["SystemTime", "::", "now"],
            &["Instant", "::", "now"],
            &["Timestamp", "::", "now"],
            &["Zoned", "::", "now"],
            &["clock_gettime"],
            &["gettimeofday"],
        ],
        only_in: &["src/clock.rs"],
        tests_may: false,
    },
    Monopoly {
        matter: "pictures of released figures are drawn by the mouth alone",
        words: &[&["image", "::"]],
        only_in: &["src/publish", "src/cli"],
        tests_may: false,
    },
    Monopoly {
        matter: "who is where and what an open window holds is seen by evaluation alone (I3, I10)",
        words: &[&["eyewitness"], &["open_lines"]],
        only_in: &[
            "src/measure.rs",
            "src/measure/camera.rs",
            "src/measure/counters.rs",
            "src/pipeline.rs",
            "src/pipeline/eyewitness.rs",
            "src/cli/score/replayed.rs",
        ],
        tests_may: false,
    },
    Monopoly {
        matter: "one part speaks to the broker",
        words: &[&["rumqttc"]],
        only_in: &["src/publish/mqtt"],
        tests_may: false,
    },
    Monopoly {
        matter: "what leaves is encrypted where it leaves: at the broker's connection and at the page's door",
        words: &[&["rustls", "::"], &["tokio_rustls"]],
        only_in: &["src/publish/mqtt", "src/publish/web/tls.rs", "src/publish/web/door.rs"],
        tests_may: false,
    },
    Monopoly {
        matter: "passwords and codes are judged in the store alone",
        words: &[&["argon2"]],
        only_in: &["src/vault/password.rs"],
        tests_may: false,
    },
    Monopoly {
        matter: "a rung below the gate is never serialised, and bytes are made in few places",
        words: &[&["serde"], &["serde_json"], &["Serialize"], &["Deserialize"], &["schemars"], &["JsonSchema"]],
        only_in: &[
            "src/units.rs",
            "src/clock.rs",
            "src/health.rs",
            "src/config",
            "src/switch", // its row in the store
            "src/switch.rs",
            "src/wire",
            "src/pipeline",    // the job handed to the eye
            "src/cli",         // results
            "src/publish/web", // health read back
        ],
        tests_may: false,
    },
    Monopoly {
        matter: "files are written by the vault and the exports of the command line alone",
        words: &[
            &["File", "::", "create"],
            &["File", "::", "create_new"],
            &["File", "::", "options"],
            &["OpenOptions"],
            &["fs", "::", "write"],
            &["fs", "::", "create_dir"],
            &["fs", "::", "create_dir_all"],
            &["fs", "::", "copy"],
            &["fs", "::", "rename"],
        ],
        only_in: &["src/vault", "src/cli", "src/sandbox"],
        tests_may: true,
    },
    Monopoly {
        matter: "a stage of the eye opens no socket and starts no process",
        words: &[
            &["TcpStream"],
            &["TcpListener"],
            &["UdpSocket"],
            &["UnixStream"],
            &["UnixListener"],
            &["UnixDatagram"],
            &["Command", "::", "new"],
        ],
        only_in: &["src/publish", "src/pipeline", "src/sandbox", "src/cli"],
        tests_may: true,
    },
    Monopoly {
        matter: "only the command line speaks to the terminal",
        words: &[
            &["println"],
            &["eprintln"],
            &["print", "!"],
            &["eprint", "!"],
            &["dbg"],
            &["stdout", "(", ")"],
            &["stderr", "(", ")"],
        ],
        only_in: &["src/cli"],
        tests_may: false,
    },
];

impl Monopoly {
    fn faults(&self, source: &Source) -> Vec<String> {
        if self.only_in.iter().any(|place| source.lies_in(place)) {
            return Vec::new();
        }
        let words = source.words();
        let found = (0..words.len()).filter(|at| !(self.tests_may && words[*at].test));
        let found = found.filter_map(|at| self.words.iter().find(|run| stands(&words, at, run)).map(|run| (at, run)));
        let fault = |(at, run): (usize, &&[&str])| {
            let places = if self.only_in.is_empty() { "nobody".into() } else { self.only_in.join(", ") };
            format!("{}:{} names {}; {} ({places})", source.path, words[at].line, run.concat(), self.matter)
        };
        found.map(fault).collect()
    }
}

/// Whether `run` stands at `at`; a crate does not stand behind somebody else's `::` or `.`.
fn stands(words: &[Word], at: usize, run: &[&str]) -> bool {
    let text = |at: usize| words.get(at).map_or("", |word| word.text.as_str());
    let is_crate = run.len() == 2 && run[1] == "::";
    let path_before = at > 1 && text(at - 2) != "use" && text(at - 2).starts_with(char::is_alphabetic);
    let inner = at > 0 && (text(at - 1) == "." || (text(at - 1) == "::" && path_before));
    let bare = at > 0 && matches!(text(at - 1), "use" | "crate") && text(at) == run[0];
    let whole = run.iter().enumerate().all(|(offset, word)| text(at + offset) == *word);
    if is_crate { !inner && (whole || bare) } else { whole }
}

#[test]
fn what_only_one_place_may_do_is_done_there() {
    let sources = sources("src");
    let faults: Vec<String> =
        ROWS.iter().flat_map(|row| sources.iter().flat_map(|source| row.faults(source))).collect();
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn a_monopoly_is_a_place_that_exists_and_uses_it() {
    let sources = sources("src");
    for place in ["src/capture", "src/detect/letterbox.rs", "src/detect/session.rs", "src/clock.rs", "src/wire"] {
        assert!(sources.iter().any(|source| source.lies_in(place)), "{place} is gone; the rules about it hold nothing");
    }
    for row in ["opencv", "ort", "clock_gettime", "serde"] {
        let named = sources.iter().any(|source| source.words().iter().any(|word| word.text == row));
        assert!(named, "nobody names {row} any more; the rule about it holds nothing");
    }
}

#[test]
fn a_monopoly_sees_through_imports_macros_and_names_alike() {
    let judged = |text: &str| {
        let source = Source { path: "src/gate.rs".into(), text: text.into() };
        ROWS.iter().map(|row| row.faults(&source).len()).sum::<usize>()
    };
    assert_eq!(judged("use opencv::core::Mat;"), 1);
    assert_eq!(judged("use image; use ::ort::Session;"), 2);
    assert_eq!(judged("fn f() { let at = std::time::Instant::now(); }"), 1);
    assert_eq!(judged(r#"fn f() { format!("{}", serde_json::json!(1)); }"#), 1);
    assert_eq!(judged("#[derive(Serialize)] struct A;"), 1);
    assert_eq!(judged("fn f() { self.image::<A>(); let image = crate::picture::image::draw; } // serde, opencv"), 0);
    assert_eq!(judged("#[cfg(test)] mod tests { fn f() { std::fs::write(a, b); } }"), 0);
    assert_eq!(judged("fn f() { std::fs::write(a, b); }"), 1);
}
