//! `kehai audit`: the chain of everything that was done, handed out, searched and judged.
//!
//! Whoever has only an export needs the box's public key; whoever has heads as they were published sees also that an older
//! chain is presented in place of the newest.

mod note;
mod search;
pub(super) mod verify;

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use super::credentials::Asker;
use super::output::{check_file, note};
use super::state::store_of;
use super::{Failure, USAGE};
use crate::switch::Act;
use crate::wire::audit::Deed;

/// Arguments of `kehai audit`.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Write the whole chain to a file: JSON lines, the last one signed
    Export(ExportArgs),
    /// Find lines in the store or in an export
    Search(search::Args),
    /// Note a breach, or a disclosure to an authority
    Note(note::Args),
    /// Judge the store or an export: nothing edited, deleted, cut off, moved, sealed anew or rolled back
    Verify(verify::Args),
}

#[derive(clap::Args)]
struct ExportArgs {
    /// Site file
    #[arg(long)]
    site: PathBuf,
    /// File to write
    #[arg(long)]
    out: PathBuf,
    #[command(flatten)]
    asker: Asker,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<(), Failure> {
    match &args.command {
        Command::Export(args) => export(args),
        Command::Search(args) => search::run(args),
        Command::Note(args) => note::run(args),
        Command::Verify(args) => verify::run(args),
    }
}

fn export(args: &ExportArgs) -> Result<(), Failure> {
    check_file("--out", &args.out)?;
    let (_, vault) = store_of(&args.site)?;
    // Who takes the chain out stands in it.
    let by = args.asker.leave(&vault, Act::SeeAudit, "audit-export")?;
    vault.remember(&Deed::done("audit-export").by(&by))?;
    let failed = |error: std::io::Error| {
        Failure::new(USAGE, format!("--out {}: {error}; name a file that can be written", args.out.display()))
    };
    let partial = args.out.with_added_extension("partial");
    let mut file = BufWriter::new(private(&partial).map_err(failed)?);
    let (mut lines, mut written) = (0u64, Ok(()));
    vault.export_audit(&mut |line| {
        if written.is_ok() {
            written = writeln!(file, "{line}");
            lines += 1;
        }
    })?;
    let written = written.and_then(|()| file.flush()).and_then(|()| file.get_ref().sync_all());
    let whole = written.and_then(|()| std::fs::rename(&partial, &args.out));
    if whole.is_err() {
        // Nothing half done stays behind.
        let _ = std::fs::remove_file(&partial);
    }
    whole.map_err(failed)?;
    note(&format!("kehai: {lines} lines in {}", args.out.display()));
    Ok(())
}

/// A new file for this user alone.
pub(super) fn private(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    File::options().write(true).create(true).truncate(true).mode(0o600).open(path)
}

/// Hands over the lines of a file one by one, without their line feeds; what is no UTF-8 or too long comes as something
/// that no line can be.
///
/// # Errors
/// Exit 2, naming the file.
pub(super) fn each_line(path: &Path, line: &mut dyn FnMut(&str)) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(USAGE, format!("{}: {error}; name a file that can be read", path.display()))
    };
    let mut file = BufReader::new(File::open(path).map_err(failed)?);
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        if file.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut bytes).map_err(failed)? == 0 {
            return Ok(());
        }
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
        }
        line(&String::from_utf8_lossy(&bytes));
    }
}

/// Longest line that is read in one piece: a payload has 128 KB at most.
const LINE_BYTES_MAX: u64 = 1 << 20;
