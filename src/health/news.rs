//! What changed about a camera, from two reports of its counters: what a person is told, and what makes health due at once.
//!
//! In: the [`CameraReport`]s of one eye as they come. Out: [`CameraNews`], in the order in which it happened. Invariant: a
//! camera that was lost and is back between two reports is told as both.

use super::{CameraReport, CameraState, Silence};

/// Something that people wait for or have to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CameraNews {
    /// It stopped delivering.
    Lost,
    /// It shows nothing, and why.
    Silent(Silence),
    /// It came back with another picture than its places were drawn on and is not watched; the new width and height, px.
    Changed([u32; 2]),
    /// It delivers (again); width and height of its pictures, px.
    Seen([u32; 2]),
    /// The hardware decoder it asks for is not in use.
    DecoderMissing,
    /// Something has not moved since the camera began to watch and counts as nobody; how many such things there are.
    Motionless(u32),
    /// Something that counted as nobody has moved or gone; how many are left.
    MotionlessGone(u32),
}

/// The newest report of each camera of one eye.
pub struct LastHeard {
    reports: Vec<CameraReport>,
}

impl LastHeard {
    /// Nothing heard yet of so many cameras.
    #[must_use]
    pub fn new(cameras: usize) -> Self {
        Self { reports: vec![CameraReport::unseen(); cameras] }
    }

    /// Forgets what another eye has said.
    pub fn begin_again(&mut self) {
        self.reports.fill(CameraReport::unseen());
    }

    /// Takes a report; tells what is new in it.
    pub fn hear(&mut self, camera: usize, report: &CameraReport) -> Vec<CameraNews> {
        let Some(last) = self.reports.get_mut(camera) else { return Vec::new() };
        let before = std::mem::replace(last, *report);
        let was_lost = report.reconnects > before.reconnects;
        let mut news = Vec::new();
        if was_lost {
            news.push(CameraNews::Lost);
        }
        if report.state == CameraState::Seeing {
            let is_seen_anew = was_lost || before.state != CameraState::Seeing;
            if is_seen_anew {
                news.push(CameraNews::Seen([report.width, report.height]));
            }
            if report.lacks_decoder && (is_seen_anew || !before.lacks_decoder) {
                news.push(CameraNews::DecoderMissing);
            }
        } else if report.silence != Silence::None && (was_lost || is_silent_anew(&before, report)) {
            news.push(match report.silence {
                Silence::OtherPicture => CameraNews::Changed(report.offered),
                why => CameraNews::Silent(why),
            });
        }
        if report.motionless > before.motionless {
            news.push(CameraNews::Motionless(report.motionless));
        } else if report.motionless < before.motionless {
            news.push(CameraNews::MotionlessGone(report.motionless));
        }
        news
    }
}

/// Whether a camera that is not seen is to be spoken of again.
fn is_silent_anew(before: &CameraReport, now: &CameraReport) -> bool {
    let is_other = |report: &CameraReport| report.silence == Silence::OtherPicture;
    let round = |report: &CameraReport| report.attempts / ATTEMPTS_PER_NEWS;
    before.silence == Silence::None || is_other(before) != is_other(now) || round(before) != round(now)
}

/// A camera that does not answer is spoken of at the first attempt and then about once a minute.
pub const ATTEMPTS_PER_NEWS: u32 = 60;

#[cfg(test)]
mod tests {
    use super::*;

    fn seeing(reconnects: u32) -> CameraReport {
        let [width, height] = SIZE;
        CameraReport { state: CameraState::Seeing, reconnects, width, height, ..CameraReport::unseen() }
    }

    fn silent(silence: Silence, attempts: u32) -> CameraReport {
        CameraReport { silence, attempts, offered: [160, 240], ..CameraReport::unseen() }
    }

    fn told(reports: &[CameraReport]) -> Vec<Vec<CameraNews>> {
        let mut last = LastHeard::new(1);
        reports.iter().map(|report| last.hear(0, report)).collect()
    }

    #[test]
    fn a_camera_is_seen_once_and_lost_once_for_each_time_it_goes() {
        let lost = CameraReport { state: CameraState::Lost, ..seeing(1) };
        let reports = [seeing(0), seeing(0), lost, lost, seeing(1), seeing(2)];
        let (seen, gone) = (CameraNews::Seen(SIZE), CameraNews::Lost);
        let expected = [vec![seen], vec![], vec![gone], vec![], vec![seen], vec![gone, seen]];
        assert_eq!(told(&reports), expected);
    }

    #[test]
    fn a_silent_camera_is_spoken_of_at_first_and_every_sixty_attempts() {
        let attempts = [0, 1, 59, 60, 119, 120];
        let reports = attempts.map(|attempt| silent(Silence::Refused, attempt));
        let spoken: Vec<bool> = told(&reports).iter().map(|news| !news.is_empty()).collect();
        assert_eq!(spoken, [true, false, false, true, false, true]);
    }

    #[test]
    fn a_camera_with_another_picture_is_told_from_one_that_says_nothing() {
        let reports = [silent(Silence::NoAnswer, 1), silent(Silence::OtherPicture, 2), silent(Silence::NoAnswer, 3)];
        let (mute, other) = (CameraNews::Silent(Silence::NoAnswer), CameraNews::Changed([160, 240]));
        assert_eq!(told(&reports), [vec![mute], vec![other], vec![mute]]);
    }

    #[test]
    fn a_missing_decoder_is_told_with_every_time_the_camera_is_seen() {
        let lacking = |reconnects| CameraReport { lacks_decoder: true, ..seeing(reconnects) };
        let told = told(&[lacking(0), lacking(0), lacking(1)]);
        let count = |news: &Vec<CameraNews>| news.iter().filter(|news| **news == CameraNews::DecoderMissing).count();
        assert_eq!(told.iter().map(count).collect::<Vec<usize>>(), [1, 0, 1]);
    }

    #[test]
    fn things_that_do_not_move_are_told_when_their_number_changes() {
        let things = |motionless| CameraReport { motionless, ..CameraReport::unseen() };
        let expected = [vec![CameraNews::Motionless(2)], vec![], vec![CameraNews::MotionlessGone(1)]];
        assert_eq!(told(&[things(2), things(2), things(1)]), expected);
    }

    #[test]
    fn of_another_eye_everything_is_news() {
        let mut last = LastHeard::new(1);
        last.hear(0, &seeing(0));
        last.begin_again();
        assert_eq!(last.hear(0, &seeing(0)), [CameraNews::Seen(SIZE)]);
    }

    const SIZE: [u32; 2] = [320, 240];
}
