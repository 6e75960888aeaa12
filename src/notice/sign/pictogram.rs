//! The pictogram of a camera with a way below it, drawn by us.

use crate::notice::layout::Area;

/// A camera above a dotted way, in a square: `ink` on whatever is below, the way in `way`.
#[must_use]
pub fn pictogram(area: Area, ink: &str, ground: &str, way: &str) -> String {
    let scale = area.width / 100.0;
    let dots: String = [(20.0, 90.0), (36.0, 84.0), (52.0, 86.0), (68.0, 80.0)]
        .iter()
        .map(|(x, y)| format!(r#"<circle cx="{x}" cy="{y}" r="4" fill="{way}"/>"#))
        .collect();
    format!(
        r#"<g transform="translate({:.2} {:.2}) scale({scale:.4})"><rect width="100" height="100" rx="14" fill="{ground}"/><path d="M15 66V26" stroke="{ink}" stroke-width="7" stroke-linecap="round" fill="none"/><path d="M15 55H31L41 46" stroke="{ink}" stroke-width="6" stroke-linecap="round" stroke-linejoin="round" fill="none"/><g transform="rotate(20 50 34)"><rect x="24" y="19" width="50" height="28" rx="6" fill="{ink}"/><path d="M77 23h7a3 3 0 0 1 3 3v14a3 3 0 0 1 -3 3h-7z" fill="{ink}"/><circle cx="62" cy="33" r="7" fill="{ground}"/><circle cx="62" cy="33" r="3" fill="{ink}"/></g>{dots}<path d="M79 84l10 -8l-12 -5z" fill="{way}"/></g>"#,
        area.x, area.y
    )
}
