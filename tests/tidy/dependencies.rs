//! What is linked: nothing that fetches, recognises a person or films, and into the eye nothing that talks.
//!
//! In: `cargo metadata` and `cargo tree` of this crate, offline. A row names a crate and why it must not be there.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Names of crates, parted by blanks, and the reason they are banned; a name that ends in `*` is a family.
type Banned = (&'static str, &'static str);

/// Banned everywhere, tests and build scripts included.
const BANNED: [Banned; 4] = [
    ("openssl openssl-sys native-tls boring boring-sys", "TLS is rustls alone"),
    (
        "reqwest ureq isahc curl curl-sys attohttpc surf minreq hf-hub self_update",
        "nothing is fetched when it is built or started",
    ),
    (
        "rustface rust-faces rust_faces face_id dlib-* insightface* arcface* retinaface* facenet* deepface* mediapipe* \
         reid* torchreid* osnet* deepsort* deep_sort* strongsort* age-gender* fairface* openpose*",
        "no face, no re-identification, no attribute of a person",
    ),
    (
        "ffmpeg* rsmpeg ac-ffmpeg video-rs gstreamer* openh264* x264* x265* rav1e svt-av1* vpx* minimp4 mp4 mp4e muxide \
         webm* mkv* y4m nokhwa* gifski",
        "no film is ever written",
    ),
];

/// Banned from the eye: it sees people, so it must not be able to draw, pack, log or send.
const BANNED_FROM_THE_EYE: [Banned; 5] = [
    (
        "image image-* png* apng* oxipng* gif webp* libwebp* jpeg* mozjpeg* turbojpeg* zune-* ravif avif* libheif* exr tiff* \
         qoi* bmp jxl* jpegxl* openjpeg* openjp2* ico plotters* resvg* embedded-graphics* elf",
        "the eye links no encoder of pictures",
    ),
    (
        "flate2 miniz_oxide zlib* libz-* zstd* brotli* lz4* bzip2* zip",
        "the eye links no compressor: records have a fixed size",
    ),
    (
        "rumqttc tokio tokio-* mio socket2 hyper hyper-* axum axum-* rustls rustls-* ring aws-lc-* quinn* tungstenite \
         async-std smol h2",
        "the eye links no client, no server and no async runtime",
    ),
    ("log tracing tracing-* env_logger slog", "a log line is an exit, and the eye has none"),
    (
        "clap clap_* rusqlite libsqlite3-sys indicatif toml schemars",
        "the eye has no command line, no store, no terminal and no site file",
    ),
];

/// Features by crate: all that may be on.
const FEATURES_ALLOWED: [(&str, &[&str], &str); 3] = [
    (
        "opencv",
        &["imgproc", "imgcodecs", "videoio", "clang-runtime"],
        "no module that detects faces or objects, runs networks or opens windows",
    ),
    (
        "ort",
        &["std", "ndarray", "load-dynamic", "preload-dylibs", "api-17"],
        "the runtime library is found on disk, never downloaded",
    ),
    ("image", &["png"], "one format is written: heat maps as PNG"),
];

/// Libraries the product was ordered with.
const ORDERED: [&str; 7] = ["opencv", "ndarray", "ort", "crossbeam-channel", "serde", "rumqttc", "image"];

/// Asks this very cargo about this very crate, offline, with the lock file as it is.
fn cargo(arguments: &[&str]) -> String {
    let mut command = Command::new(this_cargo());
    command.args(arguments).args(["--locked", "--offline"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = command.output().expect("cargo starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {arguments:?} failed (is Cargo.lock up to date?):\n{said}");
    String::from_utf8(output.stdout).expect("cargo writes UTF-8")
}

/// The cargo that runs this test.
fn this_cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// `cargo metadata` for the machine the tests run on.
pub fn metadata() -> Value {
    let version = Command::new(this_cargo()).arg("-vV").output().expect("cargo starts");
    let version = String::from_utf8(version.stdout).expect("cargo writes UTF-8");
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("cargo names its host");
    let text = cargo(&["metadata", "--format-version", "1", "--filter-platform", host]);
    serde_json::from_str(&text).expect("metadata is JSON")
}

/// Packages that are really resolved, as their metadata.
pub fn packages(metadata: &Value) -> Vec<&Value> {
    metadata["packages"].as_array().expect("metadata lists packages").iter().collect()
}

/// A text of a JSON object; empty when it is not there.
pub fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// Crates linked into `kehai-eye`, each with the features that are on in a build of it: normal dependencies without
/// the feature `mouth`, and without what only tests turn on.
fn eye_graph() -> Vec<(String, String)> {
    let arguments = ["tree", "--edges", "normal,no-proc-macro", "--no-default-features", "--prefix", "none"];
    let tree = cargo(&[&arguments[..], &["--format", "{p} {f}"]].concat());
    let crate_of = |line: &str| {
        let (name, _) = line.split_once(' ')?;
        Some((name.to_owned(), line.rsplit(' ').next()?.to_owned()))
    };
    tree.lines().filter_map(crate_of).collect()
}

fn matches(name: &str, pattern: &str) -> bool {
    pattern.strip_suffix('*').map_or(name == pattern, |family| name.starts_with(family))
}

fn faults(names: &[&str], banned: &[Banned]) -> Vec<String> {
    let hits = |(patterns, why): &Banned| {
        let hit = |name: &&&str| patterns.split_whitespace().any(|pattern| matches(name, pattern));
        names.iter().filter(hit).map(|name| format!("{name}: {why}")).collect::<Vec<_>>()
    };
    banned.iter().flat_map(hits).collect()
}

/// Enabled features by package name.
fn features(metadata: &Value) -> Vec<(&str, Vec<&str>)> {
    let nodes = metadata["resolve"]["nodes"].as_array().expect("metadata has a graph");
    let packages = packages(metadata);
    let name = |id: &str| {
        packages.iter().find(|package| text(package, "id") == id).map_or("", |package| text(package, "name"))
    };
    nodes
        .iter()
        .map(|node| {
            let on = node["features"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            (name(text(node, "id")), on)
        })
        .collect()
}

#[test]
fn nothing_is_linked_that_fetches_recognises_a_person_or_films() {
    let metadata = metadata();
    let names: Vec<&str> = packages(&metadata).into_iter().map(|package| text(package, "name")).collect();
    let faults = faults(&names, &BANNED);
    assert!(faults.is_empty(), "banned crates in Cargo.lock's graph:\n{}\n", faults.join("\n"));
}

#[test]
fn only_the_features_we_know_are_on() {
    let metadata = metadata();
    let features = features(&metadata);
    for (name, allowed, why) in FEATURES_ALLOWED {
        let (_, on) = features.iter().find(|(found, _)| *found == name).unwrap_or_else(|| panic!("{name} is gone"));
        let more: Vec<&&str> = on.iter().filter(|feature| !allowed.contains(feature)).collect();
        assert!(more.is_empty(), "{name} has {more:?} on; {why}");
    }
    let clients = features
        .iter()
        .filter(|(name, on)| name.starts_with("hyper") && on.iter().any(|feature| feature.contains("client")));
    assert_eq!(clients.count(), 0, "hyper may serve pages; as a client it would fetch");
}

#[test]
fn the_eye_links_nothing_that_draws_packs_logs_or_sends() {
    let graph = eye_graph();
    assert!(graph.iter().any(|(name, _)| name == "opencv"), "the graph of the eye holds its camera: {graph:?}");
    let names: Vec<&str> = graph.iter().map(|(name, _)| name.as_str()).collect();
    let faults = [faults(&names, &BANNED_FROM_THE_EYE), faults(&names, &BANNED)].concat();
    assert!(faults.is_empty(), "in the graph of kehai-eye (--no-default-features):\n{}\n", faults.join("\n"));
}

#[test]
fn the_eye_reads_the_very_numbers_the_mouth_has_written() {
    // Tests alone would not see it: one of their own libraries turns the feature on.
    let graph = eye_graph();
    let (_, features) = graph.iter().find(|(name, _)| name == "serde_json").expect("the job is JSON");
    assert!(features.split(',').any(|feature| feature == "float_roundtrip"), "{features}");
}

#[test]
fn the_libraries_that_were_ordered_are_used() {
    let metadata = metadata();
    let packages = packages(&metadata);
    let own = packages.iter().find(|package| text(package, "name") == "kehai").expect("this crate");
    let dependencies = own["dependencies"].as_array().expect("a list");
    let direct: Vec<&str> = dependencies.iter().filter(|to| to["kind"].is_null()).map(|to| text(to, "name")).collect();
    let missing: Vec<&str> = ORDERED.into_iter().filter(|name| !direct.contains(name)).collect();
    assert!(missing.is_empty(), "{missing:?} are not direct dependencies any more");
}

#[test]
fn the_build_script_only_binds_and_all_is_pinned() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let script = std::fs::read_to_string(root.join("build.rs")).expect("the build script is there");
    let reaching = ["Command", "std::net", "TcpStream", "UdpSocket", "http", "encode", "write_header", "muxer"];
    let found: Vec<&str> = reaching.into_iter().filter(|word| script.replace("encodes", "").contains(word)).collect();
    assert!(found.is_empty(), "the build script binds a decoder and does nothing else: {found:?}");
    assert!(root.join("Cargo.lock").exists(), "Cargo.lock is committed");
    let metadata = metadata();
    let packages = packages(&metadata);
    let own = packages.iter().find(|package| text(package, "name") == "kehai").expect("this crate");
    let targets = own["targets"].as_array().expect("a list");
    assert!(
        targets.iter().all(|target| {
            target["kind"] != serde_json::json!(["custom-build"]) || text(target, "src_path").ends_with("/build.rs")
        }),
        "no build script by another name"
    );
}

#[test]
fn a_ban_finds_its_crate_and_its_family() {
    assert_eq!(faults(&["serde", "ureq"], &BANNED).len(), 1);
    assert_eq!(faults(&["ffmpeg-sys-next"], &BANNED).len(), 1);
    assert_eq!(faults(&["image", "imagesize", "clap_derive", "ndarray"], &BANNED_FROM_THE_EYE).len(), 2);
}
