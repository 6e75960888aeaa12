//! Only the gate makes a released window.
//! Refused: E0451 fields are private

extern crate kehai;

use kehai::gate::{Figures, Object, ReleasedWindow};

pub fn forge(honest: ReleasedWindow, figures: Figures) -> (ReleasedWindow, Figures) {
    #[cfg(refused)]
    let honest = ReleasedWindow { object: Object::Line(0), span: honest.span(), cov_ms: 0, figures: figures.clone() };
    let _kind: Object = honest.object();
    (honest, figures)
}
