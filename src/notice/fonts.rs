//! The letters of signs: M PLUS 1p, in which Japanese and Latin letters are as clear as each other, and the width of a line in it.
//!
//! In: text. Out: widths, and what the two programs that set it need to find the same letters. Invariant: a width is that of the
//! shaped text, kerning included, as printing and showing set it.

use std::sync::{Arc, LazyLock};

use resvg::usvg::fontdb;

/// Thickness of letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// For reading.
    Regular,
    /// For finding.
    Bold,
}

impl Weight {
    /// As SVG and CSS number it.
    #[must_use]
    pub fn number(self) -> u32 {
        match self {
            Self::Regular => 500,
            Self::Bold => 700,
        }
    }

    fn face(self) -> &'static rustybuzz::Face<'static> {
        match self {
            Self::Regular => &MEDIUM,
            Self::Bold => &BOLD,
        }
    }
}

/// Width of a text set in one line at a size of 1.
#[must_use]
pub fn width(text: &str, weight: Weight) -> f64 {
    let face = weight.face();
    let mut buffer = rustybuzz::UnicodeBuffer::new();
    buffer.push_str(text);
    let shaped = rustybuzz::shape(face, &[], buffer);
    let units: i32 = shaped.glyph_positions().iter().map(|glyph| glyph.x_advance).sum();
    f64::from(units) / f64::from(face.units_per_em())
}

/// The first letter that the font does not have.
#[must_use]
pub fn lacking(text: &str) -> Option<char> {
    text.chars().find(|letter| [&*MEDIUM, &*BOLD].iter().any(|face| face.glyph_index(*letter).is_none()))
}

/// The fonts, for whoever sets an SVG.
#[must_use]
pub fn database() -> Arc<fontdb::Database> {
    Arc::clone(&DATABASE)
}

/// Name of the family.
pub const FAMILY: &str = "M PLUS 1p";

static MEDIUM: LazyLock<rustybuzz::Face<'static>> = LazyLock::new(|| face(MEDIUM_FILE));
static BOLD: LazyLock<rustybuzz::Face<'static>> = LazyLock::new(|| face(BOLD_FILE));
static DATABASE: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut database = fontdb::Database::new();
    for file in [MEDIUM_FILE, BOLD_FILE] {
        database.load_font_source(fontdb::Source::Binary(Arc::new(file)));
    }
    database.set_sans_serif_family(FAMILY);
    Arc::new(database)
});

fn face(file: &'static [u8]) -> rustybuzz::Face<'static> {
    rustybuzz::Face::from_slice(file, 0).expect("a font that was compiled in")
}

const MEDIUM_FILE: &[u8] = include_bytes!("../../vendor/fonts/MPLUS1p_500Medium.ttf");
const BOLD_FILE: &[u8] = include_bytes!("../../vendor/fonts/MPLUS1p_700Bold.ttf");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_weights_are_found_by_the_name_of_the_family() {
        let weights: Vec<u16> = DATABASE
            .faces()
            .filter(|face| face.families.iter().any(|(name, _)| name == FAMILY))
            .map(|face| face.weight.0)
            .collect();
        assert_eq!(weights, [500, 700]);
    }

    #[test]
    fn a_full_width_letter_is_about_as_wide_as_it_is_high_and_a_picture_letter_is_lacking() {
        assert!((0.85..=1.0).contains(&width("視", Weight::Regular)));
        assert!(width("iiii", Weight::Bold) < width("WWWW", Weight::Bold));
        assert_eq!(lacking("髙田・﨑田 Café №5"), None);
        assert_eq!(lacking("店\u{1f600}"), Some('\u{1f600}'));
    }
}
