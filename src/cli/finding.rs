//! Where things lie: the runtime library and the models, by a fixed order of places and never by download.
//!
//! Runtime: `ORT_DYLIB_PATH`, beside the executable, `../lib`, the folder `make setup` fills. Models: `KEHAI_MODELS`,
//! `../share/kehai/models`, the folder `make setup` fills.

use std::path::{Path, PathBuf};

use super::{Failure, MODEL};

/// The runtime library, absolute.
///
/// # Errors
/// Exit 6, naming every place looked at and the remedy.
pub fn runtime() -> Result<PathBuf, Failure> {
    if let Some(path) = std::env::var_os("ORT_DYLIB_PATH").map(PathBuf::from) {
        let missing = |error: std::io::Error| {
            Failure::new(
                MODEL,
                format!("ORT_DYLIB_PATH = {}: {error}; name the file libonnxruntime.so or unset it", path.display()),
            )
        };
        return path.canonicalize().map_err(missing);
    }
    let folders: Vec<PathBuf> = places(["", "../lib"])
        .into_iter()
        .chain(fetched().into_iter().map(|fetched| fetched.join("onnxruntime")))
        .collect();
    let found = folders.iter().find_map(|folder| library_in(folder));
    found.and_then(|path| path.canonicalize().ok()).ok_or_else(|| {
        let looked: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
        let message = format!(
            "runtime library libonnxruntime.so not found in {}; run `make setup`, or set ORT_DYLIB_PATH to the file",
            looked.join(", ")
        );
        Failure::new(MODEL, message)
    })
}

/// Folders that may hold models.
#[must_use]
pub fn model_folders() -> Vec<PathBuf> {
    let named = std::env::var_os("KEHAI_MODELS").map(PathBuf::from);
    let shared = places(["../share/kehai/models"]);
    named.into_iter().chain(shared).chain(fetched().into_iter().map(|fetched| fetched.join("models"))).collect()
}

fn library_in(folder: &Path) -> Option<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("libonnxruntime.so")));
    files.sort();
    files.pop()
}

/// Places relative to the folder of the executable.
fn places<const N: usize>(relative: [&str; N]) -> Vec<PathBuf> {
    let own = std::env::current_exe().ok().and_then(|own| own.parent().map(Path::to_path_buf));
    own.iter().flat_map(|folder| relative.map(|place| folder.join(place))).collect()
}

/// What `make setup` fetched: beside `target/`, and for test builds beside the sources.
fn fetched() -> Vec<PathBuf> {
    let mut folders = places(["../../fetched"]);
    if cfg!(debug_assertions) {
        folders.push(Path::new(env!("CARGO_MANIFEST_DIR")).join("fetched"));
    }
    folders
}
