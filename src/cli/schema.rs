//! `kehai schema`: the JSON Schema of everything that is published, or the AsyncAPI document of where it goes.

use super::Failure;
use super::output::say_json;
use crate::wire::schema::{asyncapi, document};

/// Arguments of `kehai schema`.
#[derive(clap::Args)]
pub struct Args {
    /// Print the AsyncAPI 3 document instead: topics, directions, quality of service
    #[arg(long)]
    asyncapi: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Failure> {
    say_json(&if args.asyncapi { asyncapi() } else { document() });
    Ok(())
}
