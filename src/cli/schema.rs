//! `kehai schema`: the JSON Schema of everything that is published.

use super::Failure;
use super::output::say_json;

/// Runs the command.
pub fn run() -> Result<(), Failure> {
    say_json(&crate::wire::schema::document());
    Ok(())
}
