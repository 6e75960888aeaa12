//! Site files: the demo's with changes, and one of a drawn room.

use super::folder::in_repository;

/// A site with one camera and nothing drawn; more goes behind it.
pub const BARE: &str = r#"
[store]
org = "test"
store = "drawn"
node = "box"
timezone = "Asia/Tokyo"

[[camera]]
id = "cam"
fps = 20.0
"#;

/// The path of the demo's site file.
pub fn demo_path() -> String {
    in_repository("deploy/demo.toml")
}

/// The demo's site file with each first text replaced by its second.
pub fn demo_with(changes: &[(&str, &str)]) -> String {
    let demo = std::fs::read_to_string(demo_path()).expect("the demo's site file is there");
    changes.iter().fold(demo, |text, (from, to)| {
        assert!(text.contains(from), "deploy/demo.toml no longer holds {from}");
        text.replacen(from, to, 1)
    })
}

/// The demo's site file, its windows going to a broker that is there already.
pub fn demo_at_broker(port: u16) -> String {
    let (embedded, url) = ("embedded = true ", format!("url = \"mqtt://127.0.0.1:{port}\""));
    demo_with(&[(embedded, &format!("{url} #")), ("port = 18830", ""), ("[page]\nport = 18080", "")])
}
