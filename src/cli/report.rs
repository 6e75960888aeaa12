//! `kehai report`: what can be proved of this very box, with what it needs for it.
//!
//! In: a site file. Out: a verdict, in words or JSON; exit 0 where it holds. Two parts: what any user of the box can try
//! (`cli/selftest.rs`), and with `--memory` that nothing of a picture is left in any process of the shop ([`proof`]), for which
//! root is needed and a program that reads pictures. What makes the pictures is public, since the tests look at the same ones:
//! [`camera`], [`h264_pcm`], [`noise`].

pub mod camera;
pub mod h264_pcm;
pub mod noise;
mod proof;
mod twin;
mod verdict;
mod view;

use std::path::PathBuf;

use super::output::{note, say, say_json};
use super::selftest::remember_memory;
use super::session::prepare;
use super::{CHECK_FAILED, Failure, USAGE};
use crate::units::PictureSize;

/// Arguments of `kehai report`.
#[derive(clap::Args)]
pub struct Args {
    /// Play pictures that nobody else has to a twin of the shop (same programs, model, cage and settings), let it rest, and
    /// search the memory of all its processes for them. Needs root
    #[arg(long)]
    memory: bool,
    /// Print every promise with what keeps it; with --site the self-tests among it are run
    #[arg(long, conflicts_with_all = ["memory", "out"])]
    pub(super) promises: bool,
    /// Site file of the shop; its cameras are left alone
    #[arg(long, required_unless_present = "promises")]
    pub(super) site: Option<PathBuf>,
    /// Folder for selftest.json and selftest.html, the page behind the code of the sign
    #[arg(long, conflicts_with = "memory")]
    pub(super) out: Option<PathBuf>,
    /// How many pictures are played, ten a second
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(10..=1000))]
    frames: u64,
    /// Size of the pictures, HEIGHTxWIDTH, sides in multiples of 16 up to 4096
    #[arg(long, default_value = "480x640", value_parser = picture)]
    picture: PictureSize,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

impl Args {
    /// Whether it takes a program that reads pictures.
    pub(super) fn plays_pictures(&self) -> bool {
        self.memory
    }
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let Some(path) = args.site.as_ref().filter(|_| args.memory) else {
        return Err(Failure::new(USAGE, "this program only searches memory: --memory --site FILE"));
    };
    if !rustix::process::geteuid().is_root() {
        return Err(Failure::new(CHECK_FAILED, NOT_ROOT));
    }
    let found = proof::prove(args, &prepare(path, None)?)?;
    let outcome = found.trouble().map_or_else(|| Ok(found.in_short()), Err);
    if let Err(failure) = remember_memory(path, outcome) {
        note(&format!("kehai: the sign will not rest on this: {}", failure.message));
    }
    if args.json {
        say_json(&found);
    } else {
        say(&found.in_words());
    }
    found.trouble().map_or(Ok(()), |trouble| Err(Failure::new(CHECK_FAILED, trouble)))
}

fn picture(text: &str) -> Result<PictureSize, String> {
    let size: PictureSize = text.parse()?;
    let is_side = |px: u32| px.is_multiple_of(16) && (16..=SIDE_PX_MAX).contains(&px);
    let is_size = is_side(size.height) && is_side(size.width);
    if is_size { Ok(size) } else { Err(format!("write two multiples of 16 up to {SIDE_PX_MAX}, as 480x640")) }
}

const SIDE_PX_MAX: u32 = 4096;
const NOT_ROOT: &str =
    "report --memory needs root, because the eye's memory is closed to everybody else; run it with sudo";
