//! A picture to draw figures on: text, lines, areas and marks that differ in shape as well as in colour.
//!
//! In: drawing. Out: a PNG. The colours are those of Okabe and Ito (2002), which colour-blind people tell apart. Letters
//! come with the library, so that a box needs no font. What would lie outside is left out.

use std::convert::Infallible;

use embedded_graphics::mono_font::{MonoFont, MonoTextStyle};
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{Circle, Line, PrimitiveStyle, Rectangle, Triangle};
use embedded_graphics::text::{Alignment, Baseline, Text, TextStyleBuilder};
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{Rgb, RgbImage, RgbaImage};

/// A picture to draw on, white at first.
pub struct Canvas(RgbImage);

impl OriginDimensions for Canvas {
    fn size(&self) -> Size {
        Size::new(self.0.width(), self.0.height())
    }
}

impl DrawTarget for Canvas {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Rgb888>>>(&mut self, pixels: I) -> Result<(), Infallible> {
        for Pixel(Point { x, y }, color) in pixels {
            let place = u32::try_from(x).ok().zip(u32::try_from(y).ok());
            if let Some(pixel) = place.and_then(|(x, y)| self.0.get_pixel_mut_checked(x, y)) {
                *pixel = Rgb([color.r(), color.g(), color.b()]);
            }
        }
        Ok(())
    }
}

impl Canvas {
    /// A white picture of this width and height, px.
    #[must_use]
    pub fn new([width, height]: [i32; 2]) -> Self {
        Self(RgbImage::from_pixel(width.max(1).cast_unsigned(), height.max(1).cast_unsigned(), Rgb([255; 3])))
    }

    /// The picture as a PNG.
    #[must_use]
    pub fn png(&self) -> Vec<u8> {
        let mut png = Vec::new();
        let encoder = PngEncoder::new_with_quality(&mut png, CompressionType::Best, FilterType::NoFilter);
        self.0.write_with_encoder(encoder).expect("writing to memory");
        png
    }

    /// Lays a picture on it with its upper left corner there; where that is see-through the ground shows.
    pub fn paste(&mut self, picture: &RgbaImage, [left, top]: [i32; 2]) {
        for (x, y, pixel) in picture.enumerate_pixels() {
            let place = u32::try_from(left).ok().zip(u32::try_from(top).ok());
            let ground = place.and_then(|(left, top)| self.0.get_pixel_mut_checked(left + x, top + y));
            let [red, green, blue, cover] = pixel.0;
            if let Some(ground) = ground {
                for (under, over) in ground.0.iter_mut().zip([red, green, blue]) {
                    let (one, other) =
                        (u32::from(over) * u32::from(cover), u32::from(*under) * (255 - u32::from(cover)));
                    *under = ((one + other) / 255) as u8;
                }
            }
        }
    }

    /// Writes a line of text whose upper edge is at `y`.
    pub fn text(&mut self, text: &str, [x, y]: [i32; 2], font: &MonoFont<'_>, alignment: Alignment) {
        let style = TextStyleBuilder::new().alignment(alignment).baseline(Baseline::Top).build();
        let Ok(_) = Text::with_text_style(text, Point::new(x, y), MonoTextStyle::new(font, INK), style).draw(self);
    }

    /// Fills a rectangle.
    pub fn fill(&mut self, [x, y]: [i32; 2], [width, height]: [i32; 2], color: Rgb888) {
        let size = Size::new(width.max(0).cast_unsigned(), height.max(0).cast_unsigned());
        let area = Rectangle::new(Point::new(x, y), size);
        let Ok(()) = area.into_styled(PrimitiveStyle::with_fill(color)).draw(self);
    }

    /// Draws a line.
    pub fn line(&mut self, [x1, y1]: [i32; 2], [x2, y2]: [i32; 2], color: Rgb888, width: u32) {
        let line = Line::new(Point::new(x1, y1), Point::new(x2, y2));
        let Ok(()) = line.into_styled(PrimitiveStyle::with_stroke(color, width)).draw(self);
    }

    /// Draws the outline of a polygon.
    pub fn outline(&mut self, corners: &[[i32; 2]], color: Rgb888, width: u32) {
        let next = corners.iter().cycle().skip(1);
        corners.iter().zip(next).for_each(|(from, to)| self.line(*from, *to, color, width));
    }

    /// Draws a disc.
    pub fn disc(&mut self, [x, y]: [i32; 2], radius: i32, color: Rgb888) {
        let disc = Circle::with_center(Point::new(x, y), (2 * radius).cast_unsigned() - 1);
        let Ok(()) = disc.into_styled(PrimitiveStyle::with_fill(color)).draw(self);
    }

    /// Draws a cross.
    pub fn cross(&mut self, [x, y]: [i32; 2], radius: i32, color: Rgb888) {
        let arm = radius - 1;
        self.line([x - arm, y - arm], [x + arm, y + arm], color, 4);
        self.line([x - arm, y + arm], [x + arm, y - arm], color, 4);
    }

    /// Draws a square with an edge of ink.
    pub fn square(&mut self, [x, y]: [i32; 2], radius: i32, color: Rgb888) {
        self.fill([x - radius, y - radius], [2 * radius + 1; 2], INK);
        self.fill([x - radius + 2, y - radius + 2], [2 * radius - 3; 2], color);
    }

    /// Draws a diamond with an edge of ink.
    pub fn diamond(&mut self, [x, y]: [i32; 2], radius: i32, color: Rgb888) {
        for (radius, color) in [(radius + 2, INK), (radius - 1, color)] {
            self.triangle([[x - radius, y], [x + radius, y], [x, y - radius]], color);
            self.triangle([[x - radius, y], [x + radius, y], [x, y + radius]], color);
        }
    }

    /// Fills a triangle.
    pub fn triangle(&mut self, corners: [[i32; 2]; 3], color: Rgb888) {
        let [one, two, three] = corners.map(|[x, y]| Point::new(x, y));
        let Ok(()) = Triangle::new(one, two, three).into_styled(PrimitiveStyle::with_fill(color)).draw(self);
    }

    /// How many pixels of a colour lie from one corner up to the other.
    #[cfg(test)]
    pub fn count(&self, [left, top]: [i32; 2], [right, bottom]: [i32; 2], color: Rgb888) -> usize {
        let wanted = Rgb([color.r(), color.g(), color.b()]);
        let is_there = |x: i32, y: i32| self.0.get_pixel_checked(x as u32, y as u32) == Some(&wanted);
        (left..right).map(|x| (top..bottom).filter(|y| is_there(x, *y)).count()).sum()
    }
}

/// A step of an axis that gives about five of them: 1, 2 or 5 times a power of ten.
#[must_use]
pub fn tick(top: f64) -> f64 {
    let power = 10f64.powf((top / 5.0).log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
    steps.into_iter().find(|step| top / step <= 6.0).unwrap_or(10.0 * power)
}

/// As few decimals as tell the ticks apart.
#[must_use]
pub fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Letters and axes.
pub const INK: Rgb888 = Rgb888::new(40, 40, 44);
/// What lies behind.
pub const GRID: Rgb888 = Rgb888::new(222, 222, 226);
/// What went wrong.
pub const VERMILION: Rgb888 = Rgb888::new(213, 94, 0);
/// Blue, sky blue, orange, bluish green, yellow, reddish purple.
pub const PALETTE: [Rgb888; 6] = [
    Rgb888::new(0, 114, 178),
    Rgb888::new(86, 180, 233),
    Rgb888::new(230, 159, 0),
    Rgb888::new(0, 158, 115),
    Rgb888::new(240, 228, 66),
    Rgb888::new(204, 121, 167),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_has_a_handful_of_round_steps() {
        for (top, step) in [(2.16, 0.5), (4.3, 1.0), (8.6, 2.0), (34.6, 10.0), (1.08, 0.2)] {
            assert!((tick(top) - step).abs() < 1e-9, "{top}: {}", tick(top));
        }
        assert_eq!([0.5, 1.0, 10.0, 0.0].map(number), ["0.5", "1", "10", "0"]);
    }

    #[test]
    fn what_lies_outside_is_left_out() {
        let mut canvas = Canvas::new([20, 20]);
        canvas.square([0, 0], 5, VERMILION);
        canvas.line([-50, 10], [50, 10], INK, 1);
        assert_eq!(canvas.count([0, 0], [20, 20], VERMILION), 16, "a quarter of it, less its edge");
        assert_eq!(canvas.count([0, 10], [20, 11], INK), 20);
    }
}
