//! What a picture is drawn on: light or dark paper, squares with a pattern each, words.
//!
//! In: drawing in whole pixels. Out: a PNG. Letters come with the library, so that a box needs no font. What would lie outside
//! is left out.

use std::convert::Infallible;

use embedded_graphics::mono_font::MonoTextStyle;
use embedded_graphics::mono_font::iso_8859_1::FONT_6X13;
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;
use embedded_graphics::text::{Baseline, Text};
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{Rgb, RgbImage};

/// Whether a picture stands on a light or on a dark page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// Dark words on light paper; for exports, too.
    Light,
    /// Light words on dark paper.
    Dark,
}

impl Theme {
    /// Colour of what lies behind.
    #[must_use]
    pub fn paper(self) -> [u8; 3] {
        match self {
            Self::Light => [250, 250, 248],
            Self::Dark => [23, 24, 26],
        }
    }

    /// Colour of words and arrows.
    #[must_use]
    pub fn ink(self) -> [u8; 3] {
        match self {
            Self::Light => [29, 31, 33],
            Self::Dark => [231, 231, 227],
        }
    }
}

/// How a square is filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fill {
    /// One colour.
    Plain([u8; 3]),
    /// Dots of the second colour on the first.
    Dotted([u8; 3], [u8; 3]),
    /// Oblique lines of the second colour on the first.
    Hatched([u8; 3], [u8; 3]),
    /// An edge and nothing within.
    Hollow([u8; 3]),
}

/// A picture in the making.
pub struct Sheet {
    picture: RgbImage,
    theme: Theme,
}

impl Sheet {
    /// Empty paper of this width and height, px.
    #[must_use]
    pub fn new([width, height]: [u32; 2], theme: Theme) -> Self {
        Self { picture: RgbImage::from_pixel(width.max(1), height.max(1), Rgb(theme.paper())), theme }
    }

    /// The picture as a PNG.
    #[must_use]
    pub fn png(&self) -> Vec<u8> {
        let mut png = Vec::new();
        let encoder = PngEncoder::new_with_quality(&mut png, CompressionType::Best, FilterType::NoFilter);
        self.picture.write_with_encoder(encoder).expect("writing to memory");
        png
    }

    /// Whether it stands on a light or a dark page.
    #[must_use]
    pub fn theme(&self) -> Theme {
        self.theme
    }

    /// Colours a pixel.
    pub fn dot(&mut self, [x, y]: [u32; 2], colour: [u8; 3]) {
        if let Some(pixel) = self.picture.get_pixel_mut_checked(x, y) {
            *pixel = Rgb(colour);
        }
    }

    /// Lays a colour over a pixel; `cover` is how much of the pixel it takes, 0 to 1.
    pub fn lay(&mut self, [x, y]: [u32; 2], colour: [u8; 3], cover: f64) {
        if let Some(pixel) = self.picture.get_pixel_mut_checked(x, y) {
            let mixed = |channel: usize| {
                let (below, above) = (f64::from(pixel.0[channel]), f64::from(colour[channel]));
                (below + (above - below) * cover).round() as u8
            };
            *pixel = Rgb(std::array::from_fn(mixed));
        }
    }

    /// Fills a square whose upper left corner is given, px.
    pub fn square(&mut self, [left, top]: [u32; 2], side: u32, fill: Fill) {
        for y in 0..side {
            for x in 0..side {
                let is_edge = x == 0 || y == 0 || x + 1 == side || y + 1 == side;
                let (along, from_middle) = (left + x + top + y, [x, y].map(|place| from_dot(place, side)));
                let colour = match fill {
                    Fill::Plain(colour) => colour,
                    Fill::Dotted(_, dot) if from_middle.iter().all(|away| *away <= side / 20) => dot,
                    Fill::Dotted(ground, _) => ground,
                    Fill::Hatched(_, line) if along % HATCH_PX < HATCH_PX / 3 => line,
                    Fill::Hatched(ground, _) => ground,
                    Fill::Hollow(edge) if is_edge => edge,
                    Fill::Hollow(_) => self.theme.paper(),
                };
                self.dot([left + x, top + y], colour);
            }
        }
    }

    /// Writes a line of words in ink whose upper left corner is given, px; gives its width.
    pub fn words(&mut self, text: &str, [left, top]: [u32; 2]) -> u32 {
        let [red, green, blue] = self.theme.ink();
        let style = MonoTextStyle::new(&FONT_6X13, Rgb888::new(red, green, blue));
        let place = Point::new(left.cast_signed(), top.cast_signed());
        let Ok(_) = Text::with_baseline(text, place, style, Baseline::Top).draw(self);
        width_of(text)
    }
}

/// Width of a line of words, px.
#[must_use]
pub fn width_of(text: &str) -> u32 {
    text.chars().count() as u32 * FONT_6X13.character_size.width
}

/// Distance of a place from the nearest dot of a dotted square, px: two by two in a large one, one in a small one.
fn from_dot(place: u32, side: u32) -> u32 {
    let step = if side >= DOTS_SIDE_PX_MIN { side / 2 } else { side };
    (place % step.max(1)).abs_diff(step / 2)
}

impl OriginDimensions for Sheet {
    fn size(&self) -> Size {
        Size::new(self.picture.width(), self.picture.height())
    }
}

impl DrawTarget for Sheet {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Rgb888>>>(&mut self, pixels: I) -> Result<(), Infallible> {
        for Pixel(Point { x, y }, colour) in pixels {
            if let Some((x, y)) = u32::try_from(x).ok().zip(u32::try_from(y).ok()) {
                self.dot([x, y], [colour.r(), colour.g(), colour.b()]);
            }
        }
        Ok(())
    }
}

/// From one oblique line to the next, px.
const HATCH_PX: u32 = 9;
/// A square of this side has four dots, a smaller one a single dot, px.
const DOTS_SIDE_PX_MIN: u32 = 14;
