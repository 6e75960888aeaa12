//! Exact counts are gone once the gate has had them.
//! Refused: E0382 use of a moved value

extern crate kehai;

use kehai::gate::{Gate, ReleasedWindow};
use kehai::measure::Window;

pub fn release(gate: &mut Gate, window: Window) -> Vec<ReleasedWindow> {
    let released = gate.release(window);
    #[cfg(refused)]
    let _exact = window.exact;
    released
}
