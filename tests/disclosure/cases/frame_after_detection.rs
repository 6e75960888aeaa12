//! A frame is gone once the detector has had it: nobody looks a second time.
//! Refused: E0382 use of a moved value

extern crate kehai;

use kehai::capture::Frame;
use kehai::detect::{DetectError, Detections, Detector};
use kehai::health::StageCpu;

pub fn look(detector: &mut Detector, frame: Frame, cpu: &StageCpu) -> Result<Detections, DetectError> {
    let detections = detector.detect(frame, 0.1, cpu);
    #[cfg(refused)]
    let _kept = frame.placed().picture;
    detections
}
