//! Noise that follows from a key: pictures that nobody else has.
//!
//! In: a key and the number of a picture. Out: a stream of grey levels, the same for the same two. Invariant: any sixteen
//! of them in a row are as good as unique. It hides nothing: whoever sees some of it can calculate the rest.

/// Numbers that follow from a key and the number of a picture (Marsaglia's xorshift).
pub struct Noise {
    state: u64,
    left: u32,
}

impl Noise {
    /// The stream of picture `number` of a key.
    #[must_use]
    pub fn new(key: u64, number: u64) -> Self {
        // The golden ratio spreads small keys over all bits.
        let state = key.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15)
            ^ number.wrapping_add(1).wrapping_mul(0xC2B2_AE3D_27D4_EB4F);
        let mut noise = Self { state, left: 0 };
        (0..8).for_each(|_| noise.step());
        noise
    }

    fn step(&mut self) {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.left = 8;
    }

    /// A value with up to 16 grey levels more or less, between black (16) and white (235) as television has them.
    pub fn over(&mut self, value: u8) -> u8 {
        if self.left == 0 {
            self.step();
        }
        self.left -= 1;
        let random = (self.state >> (8 * self.left)) as u8 & (2 * NOISE - 1);
        (value.clamp(BLACK + NOISE, WHITE - NOISE) + random) - NOISE
    }
}

/// Grey levels; a power of two.
const NOISE: u8 = 16;
const BLACK: u8 = 16;
const WHITE: u8 = 235;
