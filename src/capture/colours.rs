//! Colours of a decoded picture: from brightness and two colour differences to blue, green and red.
//!
//! In: planes of one size. Out: the same planes. Invariant: nothing is copied that outlives the call but one piece of
//! [`PIECE`] pixels on the stack.
//! Source: ITU-R BT.601-7 and BT.709-6, equations of the luma and colour-difference signals.

use super::ffmpeg::Picture;

/// How brightness and colour differences become blue, green and red.
#[derive(Clone, Copy)]
pub struct Colours {
    black: f32,
    brightness: f32,
    /// Of the red difference in red and green, of the blue difference in green and blue.
    red: f32,
    green: [f32; 2],
    blue: f32,
}

impl Colours {
    /// As a decoded picture says.
    #[must_use]
    pub fn of(picture: &Picture) -> Self {
        let [red, blue] = if picture.is_bt709() { [0.2126, 0.0722] } else { [0.299, 0.114] };
        let green = 1.0 - red - blue;
        let (black, span, colour_span) =
            if picture.is_full_range() { (0.0, 255.0, 255.0) } else { (16.0, 219.0, 224.0) };
        let scale = 255.0 / colour_span;
        Self {
            black,
            brightness: 255.0 / span,
            red: 2.0 * (1.0 - red) * scale,
            green: [2.0 * (1.0 - red) * red / green * scale, 2.0 * (1.0 - blue) * blue / green * scale],
            blue: 2.0 * (1.0 - blue) * scale,
        }
    }

    /// Brightness, blue and red differences to blue, green and red in place, in pieces of a length that the compiler turns
    /// into vectors.
    pub fn spread(&self, [first, second, third]: [&mut [u8]; 3]) {
        let whole = first.len() - first.len() % PIECE;
        for start in (0..whole).step_by(PIECE) {
            let place = start..start + PIECE;
            let mut piece = [[0u8; PIECE]; 3];
            self.piece([&first[place.clone()], &second[place.clone()], &third[place.clone()]], &mut piece);
            first[place.clone()].copy_from_slice(&piece[0]);
            second[place.clone()].copy_from_slice(&piece[1]);
            third[place].copy_from_slice(&piece[2]);
        }
        for index in whole..first.len() {
            [first[index], second[index], third[index]] = self.bgr(first[index], second[index], third[index]);
        }
    }

    #[inline]
    fn piece(&self, [y, u, v]: [&[u8]; 3], piece: &mut [[u8; PIECE]; 3]) {
        let (y, u, v) = (&y[..PIECE], &u[..PIECE], &v[..PIECE]);
        for index in 0..PIECE {
            [piece[0][index], piece[1][index], piece[2][index]] = self.bgr(y[index], u[index], v[index]);
        }
    }

    /// One point.
    #[inline]
    pub(super) fn bgr(&self, y: u8, u: u8, v: u8) -> [u8; 3] {
        let y = (f32::from(y) - self.black) * self.brightness + 0.5;
        let (u, v) = (f32::from(u) - 128.0, f32::from(v) - 128.0);
        // SAFETY: a finite number from 0 to 255 is an i32. (`as` would ask for NaN at every pixel.)
        let byte = |value: f32| unsafe { value.clamp(0.0, 255.0).to_int_unchecked::<i32>() as u8 };
        [byte(y + self.blue * u), byte(y - self.green[0] * v - self.green[1] * u), byte(y + self.red * v)]
    }
}

/// Pixels coloured at once.
const PIECE: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn colours(black: f32, span: f32, colour_span: f32) -> Colours {
        let scale = 255.0 / colour_span;
        Colours {
            black,
            brightness: 255.0 / span,
            red: 1.402 * scale,
            green: [0.714 * scale, 0.344 * scale],
            blue: 1.772 * scale,
        }
    }

    #[test]
    fn black_white_and_red_of_a_television_signal_are_those_of_a_screen() {
        let television = colours(16.0, 219.0, 224.0);
        assert_eq!(television.bgr(16, 128, 128), [0, 0, 0]);
        assert_eq!(television.bgr(235, 128, 128), [255, 255, 255]);
        // ITU-R BT.601: pure red is Y 81, Cb 90, Cr 240.
        let [blue, green, red] = television.bgr(81, 90, 240);
        assert!(blue <= 1 && green <= 1 && red >= 253, "{blue} {green} {red}");
    }

    #[test]
    fn full_range_values_are_taken_as_they_are() {
        assert_eq!(colours(0.0, 255.0, 255.0).bgr(77, 128, 128), [77, 77, 77]);
    }
}
