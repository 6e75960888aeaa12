//! A sheet on paper and on a screen: the same SVG, printed as text and lines, or shown as pixels.
//!
//! In: the SVG of a [`Sheet`]. Out: a PDF of one page, or a PNG. Invariant: letters stay text in the PDF, with the part of the
//! font they need, and nothing is read from the system.

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};
use svg2pdf::{ConversionOptions, PageOptions};

use super::NoticeError;
use super::fonts::{FAMILY, database};
use super::layout::Sheet;

/// A PDF of one page; a unit of the sheet is a point.
///
/// # Errors
/// [`NoticeError::Unmade`].
pub fn pdf(sheet: &Sheet, name: &str) -> Result<Vec<u8>, NoticeError> {
    svg2pdf::to_pdf(&tree(sheet, name)?, ConversionOptions::default(), PageOptions { dpi: 72.0 })
        .map_err(|error| NoticeError::Unmade { what: "PDF", reason: error.to_string() })
}

/// A PNG; a unit of the sheet is so many pixels.
///
/// # Errors
/// [`NoticeError::Unmade`].
pub fn png(sheet: &Sheet, name: &str, pixels: f64) -> Result<Vec<u8>, NoticeError> {
    let failed = |reason: String| NoticeError::Unmade { what: "PNG", reason };
    let [width, height] = [sheet.width, sheet.height].map(|side| (side * pixels).round() as u32);
    let mut map = Pixmap::new(width, height).ok_or_else(|| failed("no such size".into()))?;
    let scale = Transform::from_scale(pixels as f32, pixels as f32);
    resvg::render(&tree(sheet, name)?, scale, &mut map.as_mut());
    map.encode_png().map_err(|error| failed(error.to_string()))
}

fn tree(sheet: &Sheet, name: &str) -> Result<Tree, NoticeError> {
    let options = Options { font_family: FAMILY.to_owned(), fontdb: database(), ..Options::default() };
    Tree::from_str(&sheet.svg(name), &options)
        .map_err(|error| NoticeError::Unmade { what: "sign", reason: error.to_string() })
}
