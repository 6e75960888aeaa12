//! Colours of figures: one map for amounts, one for differences, both for eyes of every kind.
//!
//! In: a share of the scale. Out: a colour. Invariants: equal steps of a share look like equal steps (the
//! lightness of CIELAB grows evenly in both maps); who sees no red or no green tells the two sides of a difference apart.
//! Sources: viridis (van der Walt and Smith, 2015; CC0) for amounts; differences are computed in OKLab (Ottosson, 2020; the
//! formula is given to the public domain), from a pale grey to blue below and to orange above, equally fast.

/// Colour of an amount, a share between 0 and 1.
#[must_use]
pub fn amount(share: f64) -> [u8; 3] {
    let place = share.clamp(0.0, 1.0) * (VIRIDIS.len() - 1) as f64;
    let below = (place as usize).min(VIRIDIS.len() - 2);
    let part = place - below as f64;
    std::array::from_fn(|channel| {
        let (from, to) = (f64::from(VIRIDIS[below][channel]), f64::from(VIRIDIS[below + 1][channel]));
        (from + part * (to - from)).round() as u8
    })
}

/// Colour of a difference, a share between −1 (less: blue) and 1 (more: orange); 0 is pale.
#[must_use]
pub fn difference(share: f64) -> [u8; 3] {
    let far = share.abs().clamp(0.0, 1.0);
    let hue = if share < 0.0 { BLUE_DEGREES } else { ORANGE_DEGREES }.to_radians();
    let chroma = CHROMA_MAX * far;
    srgb(OkLab { lightness: PALE - (PALE - DEEP) * far, a: chroma * hue.cos(), b: chroma * hue.sin() })
}

/// A colour that is seen on another: dark on bright (ITU-R BT.601) and bright on dark.
#[must_use]
pub fn contrasting([red, green, blue]: [u8; 3]) -> [u8; 3] {
    let brightness = (299 * u32::from(red) + 587 * u32::from(green) + 114 * u32::from(blue)) / 1000;
    if brightness > 110 { [20, 20, 24] } else { [245, 245, 245] }
}

struct OkLab {
    lightness: f64,
    a: f64,
    b: f64,
}

/// What a screen shows for a colour of OKLab.
fn srgb(OkLab { lightness, a, b }: OkLab) -> [u8; 3] {
    let cone = |by_a: f64, by_b: f64| (lightness + by_a * a + by_b * b).powi(3);
    let [long, medium, short] = [
        cone(0.396_337_777_4, 0.215_803_757_3),
        cone(-0.105_561_345_8, -0.063_854_172_8),
        cone(-0.089_484_177_5, -1.291_485_548),
    ];
    let linear = [
        4.076_741_662_1 * long - 3.307_711_591_3 * medium + 0.230_969_929_2 * short,
        -1.268_438_004_6 * long + 2.609_757_401_1 * medium - 0.341_319_396_5 * short,
        -0.004_196_086_3 * long - 0.703_418_614_7 * medium + 1.707_614_701 * short,
    ];
    linear.map(|value| {
        let encoded = if value <= 0.003_130_8 { 12.92 * value } else { 1.055 * value.powf(1.0 / 2.4) - 0.055 };
        (encoded.clamp(0.0, 1.0) * 255.0).round() as u8
    })
}

/// Viridis at nine equal steps.
const VIRIDIS: [[u8; 3]; 9] = [
    [68, 1, 84],
    [71, 45, 123],
    [59, 82, 139],
    [44, 114, 142],
    [33, 145, 140],
    [40, 174, 128],
    [94, 201, 98],
    [173, 220, 48],
    [253, 231, 37],
];
/// Hues of OKLab that stay apart in every common deficiency of colour vision.
const BLUE_DEGREES: f64 = 255.0;
const ORANGE_DEGREES: f64 = 60.0;
/// Lightness of no difference, and of the largest.
const PALE: f64 = 0.96;
const DEEP: f64 = 0.50;
/// Strongest colour that a screen shows of both hues at that depth.
const CHROMA_MAX: f64 = 0.11;

#[cfg(test)]
mod tests {
    use super::*;

    fn linear(colour: [u8; 3]) -> [f64; 3] {
        colour.map(|channel| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        })
    }

    /// CIELAB under D65, from linear sRGB (IEC 61966-2-1).
    fn lab([red, green, blue]: [f64; 3]) -> [f64; 3] {
        let x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505;
        let y = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
        let z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089;
        let bent = |value: f64| if value > 0.008_856 { value.cbrt() } else { 7.787 * value + 16.0 / 116.0 };
        let [x, y, z] = [x, y, z].map(bent);
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    }

    fn apart(one: [f64; 3], two: [f64; 3]) -> f64 {
        one.iter().zip(two).map(|(one, two)| (one - two).powi(2)).sum::<f64>().sqrt()
    }

    /// What who lacks a kind of cones sees: Machado, Oliveira and Fernandes (2009), full severity, linear light.
    fn seen_without(kind: usize, colour: [u8; 3]) -> [f64; 3] {
        const MATRICES: [[[f64; 3]; 3]; 2] = [
            [
                [0.152_286, 1.052_583, -0.204_868],
                [0.114_503, 0.786_281, 0.099_216],
                [-0.003_882, -0.048_116, 1.051_998],
            ],
            [[0.367_322, 0.860_646, -0.227_968], [0.280_085, 0.672_501, 0.047_413], [-0.011_820, 0.042_940, 0.968_881]],
        ];
        let from = linear(colour);
        MATRICES[kind].map(|row| row.iter().zip(from).map(|(by, value)| by * value).sum::<f64>().clamp(0.0, 1.0))
    }

    /// How much brighter (CIELAB) each of sixteen equal steps of a map is than the one before.
    fn steps(colour: impl Fn(f64) -> [u8; 3]) -> Vec<f64> {
        let at = |step: u32| lab(linear(colour(f64::from(step) / 16.0)))[0];
        (0..16).map(|step| at(step + 1) - at(step)).collect()
    }

    #[test]
    fn equal_steps_of_a_share_look_like_equal_steps() {
        for steps in [steps(amount), steps(difference), steps(|share| difference(-share))] {
            let mean = steps.iter().sum::<f64>() / 16.0;
            assert!(steps.iter().all(|step| (0.6..1.5).contains(&(step / mean))), "{steps:?}");
        }
    }

    #[test]
    fn more_is_brighter_and_a_difference_is_darker_on_both_sides_alike() {
        let lightness = |colour: [u8; 3]| lab(linear(colour))[0];
        for step in 0..100u32 {
            let (here, there) = (f64::from(step) / 100.0, f64::from(step + 1) / 100.0);
            assert!(lightness(amount(there)) > lightness(amount(here)) - 0.3, "{step}");
            assert!((lightness(difference(there)) - lightness(difference(-there))).abs() < 4.0, "{step}");
        }
    }

    #[test]
    fn who_sees_no_red_or_no_green_tells_less_from_more() {
        for (kind, far) in [(0, 0.25), (0, 1.0), (1, 0.25), (1, 1.0)] {
            let [less, none, more] = [-far, 0.0, far].map(|share| lab(seen_without(kind, difference(share))));
            assert!(apart(less, more) > 40.0 * far, "{kind} {far}: {}", apart(less, more));
            assert!(apart(less, none) > 12.0 && apart(more, none) > 12.0, "{kind} {far}");
        }
    }

    #[test]
    fn no_colour_of_a_difference_is_beyond_the_screen() {
        let of = |share| difference(share);
        assert!([-1.0, 1.0].map(of).iter().flatten().all(|channel| (1..=254).contains(channel)), "{:?}", of(1.0));
    }
}
