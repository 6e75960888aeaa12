//! `kehai report`: what can be proved of this very box, with what it needs for it.
//!
//! In: a site file. Out: a verdict, in words or JSON; exit 0 where it is clean. So far there is one part, `--memory`: that
//! nothing of a picture is left in any process of the shop ([`proof`]). What makes the pictures is public, since the tests
//! look at the same ones: [`camera`], [`h264_pcm`], [`noise`].

pub mod camera;
pub mod h264_pcm;
pub mod noise;
mod proof;
mod twin;
mod verdict;
mod view;

use std::path::PathBuf;

use super::output::{say, say_json};
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
    /// Site file of the shop; its cameras and its broker are left alone
    #[arg(long)]
    site: PathBuf,
    /// How many pictures are played, ten a second
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(10..=1000))]
    frames: u64,
    /// Size of the pictures, HEIGHTxWIDTH, sides in multiples of 16 up to 4096
    #[arg(long, default_value = "480x640", value_parser = picture)]
    picture: PictureSize,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Result<(), Failure> {
    if !args.memory {
        return Err(Failure::new(USAGE, "nothing to report on; --memory is the one part there is so far"));
    }
    if !rustix::process::geteuid().is_root() {
        return Err(Failure::new(CHECK_FAILED, NOT_ROOT));
    }
    let found = proof::prove(args, &prepare(&args.site, None)?)?;
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
