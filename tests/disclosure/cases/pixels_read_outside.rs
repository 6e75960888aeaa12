//! Pixels are read inside the crate alone, and there in two files (tests/tidy/monopolies.rs).
//! Refused: E0624 method is private

extern crate kehai;

use kehai::capture::Frame;

pub fn peek(frame: &Frame) -> u32 {
    #[cfg(refused)]
    let _pixels = frame.brightness();
    frame.placed().picture.width
}
