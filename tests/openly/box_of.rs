//! A box with a declared site and a store of its own.

use std::path::Path;
use std::time::Duration;

use kehai::config::Keeping;
use kehai::vault::Vault;

use crate::support::armed::declared;
use crate::support::folder::Folder;
use crate::support::site::BARE;

/// A shop that could be armed.
pub struct Box {
    pub folder: Folder,
    pub site: String,
    pub state: String,
}

impl Box {
    pub fn new() -> Self {
        Self::with(&[])
    }

    /// With each first text of its site file replaced by its second.
    pub fn with(changes: &[(&str, &str)]) -> Self {
        let folder = Folder::new();
        let state = folder.path("state");
        let text = declared(&format!("{BARE}url = \"rtsp://127.0.0.1:9/view\"\n{DOOR}[vault]\nfolder = \"{state}\"\n"));
        let text = changes.iter().fold(text, |text, (from, to)| {
            assert!(text.contains(from), "{from}");
            text.replacen(from, to, 1)
        });
        let site = folder.write("site.toml", &text);
        drop(Vault::open(Path::new(&state), Keeping::default(), Duration::ZERO).expect("a store"));
        Self { folder, site, state }
    }

    pub fn vault(&self) -> Vault {
        Vault::open_beside(Path::new(&self.state), Keeping::default()).expect("a store")
    }

    /// The audit chain, a line each.
    pub fn chain(&self) -> Vec<String> {
        let mut lines = Vec::new();
        self.vault().export_audit(&mut |line| lines.push(line.to_owned())).expect("it can be read");
        lines
    }
}

const DOOR: &str = "[[line]]\nid = \"door\"\nends_px = [[10, 50], [110, 50]]\ninside_px = [60, 90]\n";
