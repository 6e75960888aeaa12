//! Places where nobody counts: whoever's foot point lies in one is not there.
//!
//! In: foot points of one camera, px. Out: whether they lie in a drawn [`crate::config::Ignore`]. Invariants: what is drawn
//! on the picture is asked on the picture, above the horizon too (a poster hangs on a wall); what is measured on the floor is
//! asked on the floor; a foot on the lower border of the picture lies in a polygon that reaches it.

use super::FloorMap;
use super::calibrate::CalibrationError;
use crate::config::{Drawn, Settings};
use crate::units::{FootPx, PictureSize};

/// The ignored places of one camera.
pub struct Ignored {
    map: FloorMap,
    places: Vec<Drawn>,
}

impl Ignored {
    /// The places of `camera` for pictures of `picture`.
    ///
    /// # Errors
    /// [`CalibrationError`] when its point pairs do not fix a floor.
    pub fn new(settings: &Settings, camera: usize, picture: PictureSize) -> Result<Self, CalibrationError> {
        let places = settings.ignores.iter().filter(|ignore| ignore.cameras.contains(&camera));
        let places = places.map(|ignore| ignore.polygon.clone()).collect();
        Ok(Self { map: FloorMap::new(&settings.cameras[camera], picture)?, places })
    }

    /// Whether somebody who stands there counts as nobody.
    #[must_use]
    pub fn holds(&self, foot: FootPx) -> bool {
        let within = |value: f32, side: u32| f64::from(value).clamp(BORDER_PX, f64::from(side) - BORDER_PX);
        let (width, height) = (self.map.picture.width, self.map.picture.height);
        let on_picture = [within(foot.x_px, width), within(foot.y_px, height)];
        self.places.iter().any(|place| match place {
            Drawn::OnPicture(corners) => encloses(corners, on_picture),
            Drawn::OnFloor(corners) => self.map.locate(foot).is_some_and(|at| encloses(corners, [at.x_m, at.y_m])),
        })
    }
}

/// Whether a polygon holds a point (even–odd rule).
fn encloses(corners: &[[f64; 2]], [x, y]: [f64; 2]) -> bool {
    let edges = corners.iter().zip(corners.iter().cycle().skip(1));
    let crossed = edges.filter(|([from_x, from_y], [to_x, to_y])| {
        (*from_y > y) != (*to_y > y) && x < from_x + (y - from_y) / (to_y - from_y) * (to_x - from_x)
    });
    crossed.count() % 2 == 1
}

/// How far inside the picture a foot on its border is asked for, px.
const BORDER_PX: f64 = 0.5;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::site;

    const PICTURE: PictureSize = PictureSize { height: 600, width: 800 };

    /// A camera above a floor of 20 m x 15 m, 40 px to the metre.
    fn ignored(place: &str) -> Ignored {
        let text = format!(
            "[store]\norg = \"t\"\nstore = \"t\"\nnode = \"t\"\ntimezone = \"UTC\"\n\
             [[floor]]\nid = \"hall\"\norigin_m = [0.0, 0.0]\nsize_m = [20.0, 15.0]\n\
             [[camera]]\nid = \"view\"\nfloor = \"hall\"\ncalibration = [\n\
             {{ px = [0, 600], m = [0.0, 0.0] }}, {{ px = [800, 600], m = [20.0, 0.0] }},\n\
             {{ px = [800, 0], m = [20.0, 15.0] }}, {{ px = [0, 0], m = [0.0, 15.0] }},\n]\n[[ignore]]\nid = \"till\"\n{place}"
        );
        let settings = site::parse(&text, "drawn").expect("the drawn site is whole").settings;
        Ignored::new(&settings, 0, PICTURE).expect("four marks make a floor")
    }

    fn foot(x_px: f32, y_px: f32) -> FootPx {
        FootPx { x_px, y_px }
    }

    #[test]
    fn a_place_holds_who_stands_in_it_whether_drawn_or_measured() {
        let drawn = ignored("polygon_px = [[400, 400], [800, 400], [800, 600], [400, 600]]");
        let measured = ignored("floor = \"hall\"\npolygon_m = [[10, 0], [20, 0], [20, 5], [10, 5]]");
        for place in [drawn, measured] {
            assert!(place.holds(foot(600.0, 500.0)));
            assert!(!place.holds(foot(300.0, 500.0)) && !place.holds(foot(600.0, 300.0)));
        }
    }

    #[test]
    fn who_is_cut_off_by_the_border_lies_in_a_place_that_reaches_it() {
        let drawn = ignored("polygon_px = [[400, 400], [800, 400], [800, 600], [400, 600]]");
        assert!(drawn.holds(foot(600.0, 600.0)) && drawn.holds(foot(800.0, 500.0)));
    }
}
