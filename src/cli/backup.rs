//! `kehai backup` and `kehai restore`: the site file and the keys in one file that a passphrase opens.
//!
//! In: a box, or a file and an empty folder. Out: a file for this user alone, or a box with the same keys that knows nobody, is
//! not armed, and can be armed no looser than it was. Invariant: both stand in the audit chain; what is not in the file (windows,
//! people, the chain) is said.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use zeroize::Zeroizing;

use super::audit::private;
use super::credentials::{Asker, password};
use super::output::{check_file, say, say_json};
use super::state::{state_folder, store_of, who};
use super::{CONFIGURATION, Failure, USAGE};
use crate::config::site;
use crate::switch::Act;
use crate::vault::{BackupError, Kept, Password, Vault};
use crate::wire::audit::Deed;

/// Arguments of `kehai backup`.
#[derive(clap::Args)]
pub struct BackupArgs {
    /// Site file
    #[arg(long)]
    site: PathBuf,
    /// File to write
    #[arg(long)]
    out: PathBuf,
    /// File with the passphrase, mode 0600; else it is asked for, or read from standard input
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    asker: Asker,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `kehai restore`.
#[derive(clap::Args)]
pub struct RestoreArgs {
    /// File that `kehai backup` wrote
    file: PathBuf,
    /// Where the site file is to lie; there must be none yet
    #[arg(long)]
    site: PathBuf,
    /// File with the passphrase, mode 0600; else it is asked for, or read from standard input
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Writes a backup.
///
/// # Errors
/// Exit 7 for whoever may not, exit 2 for a file that cannot be written or a passphrase that is too weak.
pub fn backup(args: &BackupArgs) -> Result<(), Failure> {
    check_file("--out", &args.out)?;
    let (site, vault) = store_of(&args.site)?;
    let by = args.asker.leave(&vault, Act::Backup, "backup")?;
    let passphrase = passphrase(args.passphrase_file.as_deref())?;
    Password::of("backup", &passphrase).map_err(|weak| Failure::new(USAGE, format!("passphrase: {weak}")))?;
    let failed = |path: &Path, error: std::io::Error| Failure::new(USAGE, format!("{}: {error}", path.display()));
    let text = std::fs::read_to_string(&args.site).map_err(|error| failed(&args.site, error))?;
    let sealed = Kept::of(&state_folder(&site.outlets)?, &vault, &text)?.sealed(&passphrase)?;
    // Who takes the keys out stands in the chain before they are out.
    vault.remember(&Deed::done("backup").by(&by).about("bytes", sealed.len()))?;
    let partial = args.out.with_added_extension("partial");
    let written = private(&partial).and_then(|mut file| file.write_all(&sealed).and_then(|()| file.sync_all()));
    let written = written.and_then(|()| std::fs::rename(&partial, &args.out));
    if written.is_err() {
        // Nothing half done stays behind.
        let _ = std::fs::remove_file(&partial);
    }
    written.map_err(|error| failed(&args.out, error))?;
    told(args.json, &args.out, BACKED_UP);
    Ok(())
}

/// Makes a box of a backup.
///
/// # Errors
/// Exit 3 for a file that does not open and a folder that is not empty, exit 2 for a site file that is there already.
pub fn restore(args: &RestoreArgs) -> Result<(), Failure> {
    check_file("--site", &args.site)?;
    if args.site.exists() {
        let message =
            format!("--site {}: is there already; name one that is not, nothing is overwritten", args.site.display());
        return Err(Failure::new(USAGE, message));
    }
    let failed = |path: &Path, error: std::io::Error| Failure::new(USAGE, format!("{}: {error}", path.display()));
    let sealed = std::fs::read(&args.file).map_err(|error| failed(&args.file, error))?;
    let kept = Kept::opened(&sealed, &passphrase(args.passphrase_file.as_deref())?)?;
    let shop = site::parse(&kept.site, &args.site.display().to_string())?;
    let folder = state_folder(&shop.outlets)?;
    kept.restore(&folder)?;
    let vault = Vault::open(&folder, shop.outlets.keeping, Duration::ZERO)?;
    kept.restore_switch(&vault, &who())?;
    let mut file = private(&args.site).map_err(|error| failed(&args.site, error))?;
    file.write_all(kept.site.as_bytes()).and_then(|()| file.sync_all()).map_err(|error| failed(&args.site, error))?;
    told(args.json, &args.site, RESTORED);
    Ok(())
}

fn passphrase(file: Option<&Path>) -> Result<Zeroizing<String>, Failure> {
    password("passphrase of the backup", ("--passphrase-file", file))
}

fn told(json: bool, file: &Path, words: &str) {
    if json {
        say_json(&serde_json::json!({ "file": file.display().to_string(), "told": words }));
    } else {
        say(&format!("{}: {words}", file.display()));
    }
}

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        match error {
            BackupError::Folder(error) => error.into(),
            BackupError::System(_) => Self::new(super::CHECK_FAILED, error.to_string()),
            _ => Self::new(CONFIGURATION, error.to_string()),
        }
    }
}

const BACKED_UP: &str = "site file, keys, how tight it was armed and whether it is locked; keep it and its passphrase apart from the box. Not in it: windows, people, the audit chain, and files the site file names (certificates, passwords)";
const RESTORED: &str = "restored with the keys of the box, locked if it was, and never to be armed looser than it was; it knows nobody and is not armed: `kehai people add`, then `kehai setup` says what is next";
