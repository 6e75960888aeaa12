//! Tracks become metres: where on the floor each person stands.
//!
//! In: [`Tracks`] of one camera, px. Out: [`FloorSteps`], in the store frame, m. Invariant: a point outside the
//! calibrated hull is `None`, never an extrapolation. A camera without calibration has its own picture as its
//! floor, in nominal metres (see [`NOMINAL_HEIGHT_M`]); lines and zones work there, heatmaps do not.

pub mod calibrate;
pub mod ignore;

use crate::clock::CaptureTime;
use crate::config::{Camera, Drawn, Settings};
use crate::track::{Track, TrackId, Tracks};
use crate::units::homography::Homography;
use crate::units::{Anchor, FloorPoint, FootPx, NOMINAL_HEIGHT_M, PictureSize};
use calibrate::{Calibration, CalibrationError};

/// Where the people of one camera stand in one frame.
pub struct FloorSteps {
    /// When the frame was captured.
    pub captured_at: CaptureTime,
    /// People seen on the floor.
    pub people: Vec<FloorStep>,
    /// Who will not come back.
    pub ended: Vec<TrackId>,
}

/// One person on the floor in one frame.
pub struct FloorStep {
    /// Who, within this eye.
    pub id: TrackId,
    /// Where.
    pub at: FloorPoint,
}

/// The way from one camera's picture to the floor and back.
pub struct FloorMap {
    plane: Plane,
    picture: PictureSize,
    anchor: Anchor,
}

enum Plane {
    Calibrated(Calibration),
    Picture { m_per_px: f64 },
}

impl FloorMap {
    /// The map of `camera` for pictures of `picture`.
    ///
    /// # Errors
    /// [`CalibrationError`] when its point pairs do not fix a floor.
    pub fn new(camera: &Camera, picture: PictureSize) -> Result<Self, CalibrationError> {
        let plane = if camera.calibration.is_empty() {
            Plane::Picture { m_per_px: NOMINAL_HEIGHT_M / f64::from(picture.height) }
        } else {
            Plane::Calibrated(Calibration::fit(&camera.calibration)?)
        };
        Ok(Self { plane, picture, anchor: camera.anchor })
    }

    /// The map from picture to floor of a calibrated camera that sees where people stand.
    #[must_use]
    pub fn homography(&self) -> Option<Homography> {
        match &self.plane {
            Plane::Calibrated(calibration) if self.anchor.is_foot() => Some(calibration.picture_to_floor()),
            _ => None,
        }
    }

    /// Projects a foot point to the floor; `None` on or above the horizon and outside the hull.
    #[must_use]
    pub fn locate(&self, foot: FootPx) -> Option<FloorPoint> {
        let (x, y) = (f64::from(foot.x_px), f64::from(foot.y_px));
        match &self.plane {
            Plane::Calibrated(calibration) => calibration.locate(x, y),
            Plane::Picture { m_per_px } => Some(FloorPoint { x_m: x * m_per_px, y_m: y * m_per_px }),
        }
    }

    /// Brings drawn points to the floor. Points on the picture may lie outside the hull: a line is drawn, not seen.
    #[must_use]
    pub fn place(&self, drawn: &Drawn) -> Vec<FloorPoint> {
        let points = drawn.points().iter();
        match (drawn, &self.plane) {
            (Drawn::OnFloor(_), _) => points.map(|[x_m, y_m]| FloorPoint { x_m: *x_m, y_m: *y_m }).collect(),
            (Drawn::OnPicture(_), Plane::Calibrated(calibration)) => {
                points.map(|[x, y]| calibration.project(*x, *y)).collect()
            }
            (Drawn::OnPicture(_), Plane::Picture { m_per_px }) => {
                points.map(|[x, y]| FloorPoint { x_m: x * m_per_px, y_m: y * m_per_px }).collect()
            }
        }
    }

    /// Whether a drawing lies on what the camera shows: with every point when drawn on the picture (below the horizon,
    /// where there is floor), with any part when measured on the floor, for a shop may be larger than the picture.
    #[must_use]
    pub fn shows(&self, drawn: &Drawn) -> bool {
        let in_picture = |[x, y]: [f64; 2]| self.picture.holds(x, y);
        match (drawn, &self.plane) {
            (Drawn::OnFloor(_), Plane::Calibrated(calibration)) => {
                let corners = self.place(drawn);
                let seen = |at| calibration.find(at).is_some_and(in_picture);
                along(&corners).any(seen) || calibration.middle().is_some_and(|middle| holds(&corners, middle))
            }
            (Drawn::OnPicture(points), Plane::Calibrated(calibration)) => {
                points.iter().all(|[x, y]| in_picture([*x, *y]) && calibration.is_floor(*x, *y))
            }
            _ => drawn.points().iter().copied().all(in_picture),
        }
    }

    /// Takes every track to the floor; people outside the hull are not there.
    #[must_use]
    pub fn steps(&self, tracks: &Tracks) -> FloorSteps {
        let stand =
            |track: &Track| self.locate(track.place.at(self.anchor)).map(|at| FloorStep { id: track.counts_as, at });
        let people = tracks.seen.iter().filter_map(stand).collect();
        FloorSteps { captured_at: tracks.captured_at, people, ended: tracks.ended.clone() }
    }
}

/// Whether a polygon holds a point of the floor (even–odd rule).
#[must_use]
pub fn holds(polygon: &[FloorPoint], point: FloorPoint) -> bool {
    let mut inside = false;
    let mut previous = polygon[polygon.len() - 1];
    for corner in polygon {
        let spans = (corner.y_m > point.y_m) != (previous.y_m > point.y_m);
        let share = (point.y_m - corner.y_m) / (previous.y_m - corner.y_m);
        if spans && point.x_m < corner.x_m + share * (previous.x_m - corner.x_m) {
            inside = !inside;
        }
        previous = *corner;
    }
    inside
}

/// Points spread along the edges of a polygon, corners included.
fn along(polygon: &[FloorPoint]) -> impl Iterator<Item = FloorPoint> {
    let edges = polygon.iter().zip(polygon.iter().cycle().skip(1));
    edges.flat_map(|(from, to)| {
        (0..EDGE_POINTS).map(move |point| {
            let share = f64::from(point) / f64::from(EDGE_POINTS);
            FloorPoint { x_m: from.x_m + share * (to.x_m - from.x_m), y_m: from.y_m + share * (to.y_m - from.y_m) }
        })
    })
}

/// Points looked at on each edge of a drawing: a tenth of a metre apart on a wall of ten metres.
const EDGE_POINTS: u32 = 100;

/// Names of lines, zones and ignored places that lie outside the picture of `camera`, as keys of the site file.
#[must_use]
pub fn places_outside(settings: &Settings, camera: usize, map: &FloorMap) -> Vec<String> {
    let lines = settings.lines.iter().filter(|line| line.camera == camera && !map.shows(&line.ends_and_inside));
    let zones = settings.zones.iter().filter(|zone| zone.camera == camera && !map.shows(&zone.polygon));
    let lines = lines.map(|line| format!("line.{} = {:?}", line.id, line.ends_and_inside.points()));
    // What is measured on a floor holds for every camera of it, whether or not one of them shows it.
    let is_outside = |ignore: &&crate::config::Ignore| {
        let is_drawn = matches!(ignore.polygon, Drawn::OnPicture(_)) && ignore.cameras.contains(&camera);
        is_drawn && !ignore.polygon.points().iter().all(|[x, y]| map.picture.holds(*x, *y))
    };
    let ignores = settings.ignores.iter().filter(is_outside);
    let ignores = ignores.map(|ignore| format!("ignore.{} = {:?}", ignore.id, ignore.polygon.points()));
    lines.chain(zones.map(|zone| format!("zone.{} = {:?}", zone.id, zone.polygon.points()))).chain(ignores).collect()
}

/// Which cells of a floor at least one camera sees (its middle lies inside a calibrated hull).
///
/// Follows from the settings alone, so that eye and mouth agree without a word.
#[must_use]
pub fn visible_cells(settings: &Settings, floor: usize) -> Vec<bool> {
    let grid = &settings.floors[floor];
    let cameras = settings.cameras.iter().filter(|camera| camera.floor == Some(floor));
    let calibrations: Vec<Calibration> =
        cameras.filter_map(|camera| Calibration::fit(&camera.calibration).ok()).collect();
    (0..grid.cell_count())
        .map(|cell| {
            let middle = cell_middle(grid, cell);
            calibrations.iter().any(|calibration| calibration.covers(middle))
        })
        .collect()
}

/// Reprojection error of a camera's calibration, root mean square, mm; `None` when it has none.
#[must_use]
pub fn residual_mm(camera: &Camera) -> Option<u32> {
    Calibration::fit(&camera.calibration).ok().map(|calibration| (calibration.residual_cm_rms * 10.0).round() as u32)
}

/// Drawn points on the floor, mm; `None` where the camera has no metres.
#[must_use]
pub fn on_floor_mm(camera: &Camera, drawn: &Drawn) -> Option<Vec<[i64; 2]>> {
    let picture = PictureSize { height: 1, width: 1 };
    let map = FloorMap::new(camera, picture).ok().filter(|map| matches!(map.plane, Plane::Calibrated(_)))?;
    Some(map.place(drawn).iter().map(|at| [at.x_m, at.y_m].map(|m| (m * 1000.0).round() as i64)).collect())
}

/// Middle of a cell; cells count from the origin along the door wall, then away from it.
#[must_use]
pub fn cell_middle(grid: &crate::config::Floor, cell: usize) -> FloorPoint {
    let (column, row) = (cell % grid.columns as usize, cell / grid.columns as usize);
    let cell_m = f64::from(grid.cell_mm) / 1000.0;
    FloorPoint {
        x_m: grid.origin_mm[0] as f64 / 1000.0 + (column as f64 + 0.5) * cell_m,
        y_m: grid.origin_mm[1] as f64 / 1000.0 + (row as f64 + 0.5) * cell_m,
    }
}
