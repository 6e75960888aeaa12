//! The check of the keys that may send commands.

use base64::Engine;

use super::{Check, quoted};
use crate::config::CommandKey;
use crate::config::site::RawCommands;

impl Check {
    pub(super) fn commands(&mut self, raw: RawCommands) -> Vec<CommandKey> {
        if raw.keys.len() > KEYS_MAX {
            self.refuse("commands.keys", raw.keys.len(), format!("name at most {KEYS_MAX} keys"));
        }
        for (name, key) in &raw.keys {
            self.id("commands.keys", name);
            let bytes = key.strip_prefix("ed25519:").map(|key| base64::engine::general_purpose::STANDARD.decode(key));
            if !matches!(bytes, Some(Ok(bytes)) if bytes.len() == 32) {
                self.refuse(
                    format!("commands.keys.{name}"),
                    quoted(key),
                    "write the key that `kehai command key` prints",
                );
            }
        }
        raw.keys.into_iter().map(|(name, key)| CommandKey { name, key }).collect()
    }
}

/// People who may ask a box something.
const KEYS_MAX: usize = 16;
