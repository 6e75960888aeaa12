//! What to make of a stream: words for the person who sets up the camera.
//!
//! In: size, codec and rate of one stream or of several of one camera, and the detector's input. Out: sentences.

use crate::units::{Codec, PictureSize};

/// A stream as it is measured.
pub struct Stream {
    /// Size of its pictures.
    pub picture: PictureSize,
    /// How they are packed.
    pub codec: Codec,
    /// Pictures per second as they came.
    pub fps: Option<f64>,
    /// Pictures per second as the stream claims.
    pub fps_claimed: Option<f64>,
}

/// A stream as a camera offers it.
pub struct Offer {
    /// Size of its pictures.
    pub picture: PictureSize,
    /// Pictures per second at most; `None` when the camera does not say.
    pub fps: Option<f64>,
}

/// What to do about a stream that works.
#[must_use]
pub fn of_stream(stream: &Stream, gap_ms_max: u32, input: PictureSize) -> Vec<String> {
    let Stream { picture, codec, fps, fps_claimed } = stream;
    let rate = fps.map_or("an unknown rate".to_owned(), |fps| format!("{fps:.0}/s"));
    let mut advice = Vec::new();
    if is_wasteful(*picture, input) {
        advice.push(format!(
            "sends {}x{} at {rate}; the detector looks at {}x{}: set up a sub-stream of {}, which costs about {:.0} times less decoding",
            picture.width,
            picture.height,
            input.width,
            input.height,
            in_words(enough_for(*picture, input)),
            pixels(*picture) / pixels(enough_for(*picture, input))
        ));
    }
    if *codec == Codec::H265 {
        advice.push("sends H.265: it works; H.264 costs less to decode where the network has room for it".to_owned());
    }
    if let (Some(fps), Some(claimed)) = (fps, fps_claimed)
        && *fps < claimed * RATE_KEPT
    {
        advice.push(format!(
            "sends fewer pictures than asked: {fps:.1} of {claimed:.1} a second; is the network full, or the camera in the dark?"
        ));
    }
    let even_ms = fps.filter(|fps| *fps > 0.0).map_or(0.0, |fps| 1000.0 / fps);
    if f64::from(gap_ms_max) > GAP_MS.max(GAP_INTERVALS * even_ms) {
        advice.push(format!(
            "its longest gap was {gap_ms_max} ms: somebody who walks by in it is not seen; look at cable and Wi-Fi"
        ));
    }
    if fps.is_some_and(|fps| fps < FPS_MIN) {
        advice.push(format!("sends {rate}; people are followed well from {FPS_MIN:.0}/s on"));
    }
    advice
}

/// Which of the streams a camera offers is the one to use: the smallest that still fills the detector's input, or the
/// largest where none does. `input_of` is the input for pictures of a size.
#[must_use]
pub fn best_of(offers: &[Offer], input_of: &dyn Fn(PictureSize) -> PictureSize) -> Option<usize> {
    let weight = |offer: &Offer| pixels(offer.picture);
    let lightest = |&one: &usize, &other: &usize| cost(&offers[one]).total_cmp(&cost(&offers[other]));
    let filling = (0..offers.len()).filter(|at| fills(offers[*at].picture, input_of(offers[*at].picture)));
    let smallest = filling.min_by(|one, other| {
        weight(&offers[*one]).total_cmp(&weight(&offers[*other])).then_with(|| lightest(one, other))
    });
    smallest
        .or_else(|| (0..offers.len()).max_by(|one, other| weight(&offers[*one]).total_cmp(&weight(&offers[*other]))))
}

/// What is said of the one to use; `codec` is its name as the camera writes it.
#[must_use]
pub fn of_best(offers: &[Offer], best: usize, codec: &str, input: PictureSize) -> String {
    let PictureSize { height, width } = offers[best].picture;
    let dearest = offers.iter().map(cost).fold(0.0, f64::max);
    let times = dearest / cost(&offers[best]).max(1.0);
    let mut words = format!("use this one: {width}x{height} {codec}");
    if times >= 1.5 {
        words += &format!("; the main stream costs about {times:.0} times the decoding");
    }
    if !fills(offers[best].picture, input) {
        words += &format!("; it is smaller than the {}x{} the detector looks at", input.width, input.height);
    }
    words
}

/// Whether a picture need not be enlarged to fill the input: one of its sides is at least as long.
fn fills(picture: PictureSize, input: PictureSize) -> bool {
    picture.width >= input.width || picture.height >= input.height
}

fn is_wasteful(picture: PictureSize, input: PictureSize) -> bool {
    pixels(picture) > WASTE * pixels(input) && pixels(picture) > pixels(enough_for(picture, input))
}

/// A common size of the picture's own shape that still fills the input.
fn enough_for(picture: PictureSize, input: PictureSize) -> PictureSize {
    let shape = |size: PictureSize| f64::from(size.width) / f64::from(size.height.max(1));
    let alike = |size: &&PictureSize| (shape(**size) / shape(picture) - 1.0).abs() < SHAPE_ALIKE;
    let fit = COMMON_SIZES.iter().filter(alike).find(|size| fills(**size, input));
    fit.copied().unwrap_or(picture)
}

fn in_words(size: PictureSize) -> String {
    format!("{}x{}", size.width, size.height)
}

fn pixels(size: PictureSize) -> f64 {
    f64::from(size.width) * f64::from(size.height)
}

/// Pixels to decode a second.
fn cost(offer: &Offer) -> f64 {
    pixels(offer.picture) * offer.fps.unwrap_or(FPS_USUAL)
}

/// Sizes sub-streams have, smallest first.
const COMMON_SIZES: [PictureSize; 6] = [
    PictureSize { height: 360, width: 640 },
    PictureSize { height: 480, width: 640 },
    PictureSize { height: 576, width: 704 },
    PictureSize { height: 576, width: 768 },
    PictureSize { height: 600, width: 800 },
    PictureSize { height: 720, width: 1280 },
];
/// How far two shapes of about the same kind lie apart: 704x576 is shown as 4:3.
const SHAPE_ALIKE: f64 = 0.1;
/// So many times the input's pixels are decoded for nothing.
const WASTE: f64 = 4.0;
/// A rate below this share of the claimed one is a loss and no rounding.
const RATE_KEPT: f64 = 0.8;
/// A gap longer than this, ms, and longer than so many even intervals, is a hole.
const GAP_MS: f64 = 500.0;
const GAP_INTERVALS: f64 = 3.0;
/// Below this rate somebody who walks moves farther between two pictures than a box is wide.
const FPS_MIN: f64 = 5.0;
/// What a camera that does not say usually sends.
const FPS_USUAL: f64 = 25.0;

#[cfg(test)]
mod tests {
    use super::*;

    const INPUT: PictureSize = PictureSize { height: 288, width: 512 };

    fn offer(width: u32, height: u32) -> Offer {
        Offer { picture: PictureSize { height, width }, fps: Some(25.0) }
    }

    fn stream(width: u32, height: u32) -> Stream {
        let picture = PictureSize { height, width };
        Stream { picture, codec: Codec::H264, fps: Some(25.0), fps_claimed: Some(25.0) }
    }

    #[test]
    fn the_smallest_stream_that_fills_the_input_is_the_one_to_use() {
        let offers = [offer(1920, 1080), offer(640, 360), offer(320, 180)];
        assert_eq!(best_of(&offers, &|_| INPUT), Some(1));
        let words = of_best(&offers, 1, "H264", INPUT);
        assert_eq!(words, "use this one: 640x360 H264; the main stream costs about 9 times the decoding");
    }

    #[test]
    fn where_all_are_too_small_the_largest_is_the_one_and_it_is_said() {
        let offers = [offer(320, 180), offer(352, 200)];
        assert_eq!(best_of(&offers, &|_| INPUT), Some(1));
        assert!(of_best(&offers, 1, "H264", INPUT).contains("smaller than the 512x288"));
        assert_eq!(best_of(&[], &|_| INPUT), None);
    }

    #[test]
    fn a_main_stream_is_told_what_would_do() {
        let advice = of_stream(&stream(1920, 1080), 41, INPUT);
        assert_eq!(advice.len(), 1);
        assert!(
            advice[0]
                .starts_with("sends 1920x1080 at 25/s; the detector looks at 512x288: set up a sub-stream of 640x360")
        );
        assert_eq!(of_stream(&stream(640, 360), 41, INPUT), Vec::<String>::new());
    }

    #[test]
    fn losses_and_holes_are_told() {
        let lossy = Stream { fps: Some(12.0), codec: Codec::H265, ..stream(640, 360) };
        let advice = of_stream(&lossy, 900, INPUT).join("\n");
        for words in ["H.265", "12.0 of 25.0 a second", "900 ms"] {
            assert!(advice.contains(words), "{advice}");
        }
    }
}
