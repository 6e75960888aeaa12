//! Nothing to leak with: what the eyes ask of the libraries of the system, by symbol, in every build that lies here.
//!
//! In: the dynamic symbol tables of `kehai-eye` and `kehai-eye-opencv`, debug and release, with the mouth's features and
//! without. Invariants: no symbol that encodes, packs, writes a picture or films is asked for; of FFmpeg nothing but what
//! build.rs names.

use std::path::{Path, PathBuf};

use elf::ElfStream;
use elf::endian::AnyEndian;
use serde_json::Value;

use crate::support::folder::in_repository;
use crate::support::program::kehai;

/// What a program asks of the libraries it loads: its undefined dynamic symbols.
fn asked_for(program: &Path) -> Vec<String> {
    let file = std::fs::File::open(program).unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    let mut elf = ElfStream::<AnyEndian, _>::open_stream(file).expect("a program is an ELF file");
    let (symbols, names) = elf.dynamic_symbol_table().expect("readable").expect("a program that loads libraries");
    let asked = symbols.iter().filter(|symbol| symbol.is_undefined());
    asked.map(|symbol| names.get(symbol.st_name as usize).expect("a name").to_owned()).collect()
}

/// Both eyes as this very test was built with, and every other build of them in the target folder.
fn eyes() -> Vec<PathBuf> {
    let built = [env!("CARGO_BIN_EXE_kehai-eye"), env!("CARGO_BIN_EXE_kehai-eye-opencv")].map(PathBuf::from);
    let profiles = built[0].parent().and_then(Path::parent).expect("target/PROFILE/kehai-eye");
    let folders = ["debug", "debug/deps", "release", "release/deps"].map(|folder| profiles.join(folder));
    let others = folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().flatten();
    let others = others.map(|entry| entry.path()).filter(|path| is_eye(path));
    built.into_iter().chain(others).collect()
}

/// `kehai-eye`, `kehai-eye-opencv`, or as they are before they are put into place; a harness of tests decodes nothing.
fn is_eye(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().replace('_', "-");
    let is_program = name.starts_with("kehai-eye") && path.extension().is_none() && path.is_file();
    is_program && asked_for(path).iter().any(|symbol| symbol == "avcodec_receive_frame")
}

/// Of these symbols, those that an eye has no use for unless it wants to leave a picture behind.
fn leaving(symbols: &[String]) -> Vec<&String> {
    // An eye that is built together with the mouth, as for these tests, carries its store along.
    let with_store = symbols.iter().any(|symbol| symbol.starts_with(STORE_SIGN));
    let of_store = |symbol: &str| with_store && symbol == OF_STORE;
    let leaves = |symbol: &&String| {
        let (plain, lower) = (symbol.split('@').next().unwrap_or_default(), symbol.to_ascii_lowercase());
        !HARMLESS.contains(&plain) && !of_store(plain) && LEAVING.iter().any(|part| lower.contains(part))
    };
    symbols.iter().filter(leaves).collect()
}

#[test]
fn no_eye_asks_for_a_symbol_that_encodes_writes_a_picture_or_films() {
    let eyes = eyes();
    for eye in &eyes {
        let asked = asked_for(eye);
        assert!(asked.iter().any(|symbol| symbol == "avcodec_receive_frame"), "{} decodes", eye.display());
        assert_eq!(leaving(&asked), Vec::<&String>::new(), "{} asks for them", eye.display());
    }
    assert!(eyes.len() >= 2);
}

#[test]
fn of_ffmpeg_an_eye_asks_for_what_the_build_script_names_and_nothing_else() {
    let script = String::from_utf8(crate::support::folder::read(&in_repository("build.rs"))).expect("source is UTF-8");
    let is_of_ffmpeg = |symbol: &&String| {
        ["av_", "avcodec_", "avformat_", "avio_", "sws_", "swr_", "avfilter_", "avdevice_"]
            .iter()
            .any(|family| symbol.starts_with(family))
    };
    for eye in eyes() {
        let asked = asked_for(&eye);
        let unnamed: Vec<&String> =
            asked.iter().filter(is_of_ffmpeg).filter(|symbol| !script.contains(&format!("\"{symbol}\""))).collect();
        assert_eq!(unnamed, Vec::<&String>::new(), "{}", eye.display());
    }
}

#[test]
fn a_program_that_writes_pictures_is_found_out() {
    // This very test draws pictures for others, by OpenCV.
    let own = std::env::current_exe().expect("a test knows itself");
    let asked = asked_for(&own);
    assert!(leaving(&asked).iter().any(|symbol| symbol.contains("imwrite")), "{asked:?}");
    for symbol in [
        "avcodec_send_frame",
        "avcodec_receive_packet",
        "avcodec_find_encoder_by_name",
        "av_write_trailer",
        "avformat_write_header",
        "avio_open2",
        "_ZN2cv11VideoWriterC1Ev",
        "_ZN2cv8imencodeE",
        "jpeg_start_compress",
        "png_write_image",
        "WebPEncodeRGB",
        "x264_encoder_open_164",
        "compress2",
        "deflate",
    ] {
        assert_eq!(leaving(&[symbol.to_owned()]).len(), 1, "{symbol}");
    }
    assert_eq!(leaving(&["writev".to_owned(), "avcodec_send_packet".to_owned()]).len(), 0);
}

#[test]
fn doctor_names_the_libraries_of_the_system_that_hold_encoders() {
    let ended = kehai(&["doctor", "--json"]);
    let told: Value = serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("{}{}", ended.out, ended.err));
    let finding = |what: &str| {
        let findings = told.as_array().expect("a list").iter();
        findings.clone().find(|finding| finding["what"] == what).unwrap_or_else(|| panic!("{what} is missing: {told}"))
    };
    let names = |what: &str| -> Vec<String> { serde_json::from_value(finding(what)["names"].clone()).expect("names") };
    let has = |names: &[String], library: &str| names.iter().any(|name| name.starts_with(library));
    let (plain, opencv) = (names("eye: encoders"), names("eye with OpenCV: encoders"));
    assert!(has(&plain, "libavcodec.so") && has(&plain, "libavformat.so"), "{plain:?}");
    assert!(!has(&plain, "libopencv") && !has(&plain, "libswscale"), "{plain:?}");
    for library in ["libopencv_imgcodecs.so", "libopencv_videoio.so", "libjpeg.so", "libpng16.so"] {
        assert!(has(&opencv, library), "{library}: {opencv:?}");
    }
    for what in ["swap", "core dumps"] {
        assert_eq!(finding(what)["ok"], true);
        assert!(finding(what)["detail"].as_str().is_some_and(|detail| !detail.starts_with("unknown")), "{told}");
    }
}

/// Parts of the names of functions that encode, pack, write or film; lower case.
const LEAVING: [&str; 17] = [
    "encod",
    "imwrite",
    "videowriter",
    "compress",
    "deflate",
    "write",
    "_mux",
    "muxer",
    "output_context",
    "avio_open",
    "send_frame",
    "receive_packet",
    "png_",
    "jpeg_",
    "tiff",
    "heif",
    "opj_",
];
/// Functions of the C library that write bytes to a descriptor that is open already: the pipe's.
const HARMLESS: [&str; 2] = ["write", "writev"];
/// What tells that the store's encryption is linked in.
const STORE_SIGN: &str = "EVP_CIPHER_CTX_new";
/// What the store asks for; eyes as they are shipped hold no store (tests/tidy/dependencies.rs).
const OF_STORE: &str = "pwrite64";
