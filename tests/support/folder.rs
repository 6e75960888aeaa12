//! Places for files: folders that vanish with their test, and what `make setup` or a colleague has laid ready.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A folder of one test; gone when dropped.
pub struct Folder(PathBuf);

impl Folder {
    /// A new, empty folder.
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("folder-{}-{number}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&path).expect("the target folder can be written");
        Self(path)
    }

    /// A new, empty folder where every user of this machine can look.
    pub fn in_tmp() -> Self {
        use std::os::unix::fs::PermissionsExt;
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("kehai-test-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).expect("the temporary folder can be written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
        Self(path)
    }

    /// A folder that later test runs find again, so that nothing piles up where a `static` is never dropped.
    pub fn kept(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&path).expect("the target folder can be written");
        Self(path)
    }

    /// The path of something in it, whether it is there or not.
    pub fn path(&self, name: &str) -> String {
        text(&self.0.join(name))
    }

    /// Writes a file into it and gives its path.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        std::fs::write(self.0.join(name), content).expect("the target folder can be written");
        self.path(name)
    }

    /// Names of all that lies in it, in order.
    pub fn names(&self) -> Vec<String> {
        names_in(&self.path(""))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed lies in the target folder and goes with it.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Names of all that lies in a folder, in order.
pub fn names_in(folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("the folder is there").flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// The content of a file that a test needs.
pub fn read(path: &str) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A file of the repository, or one that `make setup` fetched.
pub fn in_repository(name: &str) -> String {
    text(&Path::new(env!("CARGO_MANIFEST_DIR")).join(name))
}

/// Truth that is not shipped; `None`, and said so, on a machine without it.
pub fn truth(name: &str) -> Option<String> {
    beside("KEHAI_DATA", "data", name)
}

/// A network that is not shipped; `None`, and said so, on a machine without it.
pub fn network(name: &str) -> Option<String> {
    beside("KEHAI_MODELS_EVAL", "models", name)
}

#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
fn beside(variable: &str, sibling: &str, name: &str) -> Option<String> {
    let named = std::env::var_os(variable).map(PathBuf::from);
    let folder = named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared").join(sibling));
    let file = folder.join(name);
    if !file.exists() {
        println!("skipped: no {variable} ({name})");
        return None;
    }
    Some(text(&file))
}

fn text(path: &Path) -> String {
    path.to_str().expect("paths of tests are UTF-8").to_owned()
}
