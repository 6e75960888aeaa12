//! The ladder as the compiler sees it: what a type can do, checked while this file compiles.
//!
//! Nothing runs here: a rung that becomes `Clone`, `Debug` or `Serialize`, or a stage that can no longer move to its
//! thread, is a compile error that names the type and the trait.

use std::fmt::{Debug, Display};

use kehai::capture::{Frame, FramePool};
use kehai::detect::letterbox::InputTensor;
use kehai::detect::motion::Grid;
use kehai::detect::motionless::Motionless;
use kehai::detect::scene::Scene;
use kehai::detect::{Detection, Detections, Detector};
use kehai::floor::{FloorMap, FloorStep, FloorSteps};
use kehai::gate::{Gate, ReleasedWindow};
use kehai::measure::crossing::LineWindow;
use kehai::measure::dwell::ZoneWindow;
use kehai::measure::flow::{FlowCell, FlowWindow};
use kehai::measure::heatmap::HeatWindow;
use kehai::measure::queue::QueueWindow;
use kehai::measure::transitions::TransitionWindow;
use kehai::measure::{Exact, Measures, Window};
use kehai::track::{Track, TrackId, Tracker, Tracks};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The types have none of the traits. Where one had, `Answer` would be implemented twice and the `_` ambiguous.
macro_rules! never {
    ($traits:tt: $($type:ty),+ $(,)?) => { $(never!(@each $type, $traits);)+ };
    (@each $type:ty, [$($trait:path),+]) => { $(const _: fn() = || {
        trait Answer<Impl> { fn given() {} }
        struct Yes;
        impl<T: ?Sized> Answer<()> for T {}
        impl<T: ?Sized + $trait> Answer<Yes> for T {}
        let _ = <$type as Answer<_>>::given;
    };)+ };
}

/// The types have all of the traits.
macro_rules! always {
    ($traits:tt: $($type:ty),+ $(,)?) => { $(always!(@each $type, $traits);)+ };
    (@each $type:ty, [$($trait:path),+]) => { $(const _: fn() = || {
        fn has<T: $trait>() {}
        has::<$type>();
    };)+ };
}

// Pixels: not copied, not printed, not serialised, not handed out as bytes.
never!([Clone, Debug, Display, Serialize, DeserializeOwned, AsRef<[u8]>, AsRef<[f32]>]: Frame, FramePool, InputTensor, Grid);
// One person's box or path: neither.
never!([Clone, Debug, Display, Serialize, DeserializeOwned]: Detections, Detection, Tracks, Track, FloorSteps, FloorStep);
// Its name travels with each step, and is neither printed nor serialised. Nor does it begin from a number.
never!([Debug, Display, Serialize, DeserializeOwned, Default, From<u64>]: TrackId);
// Exact counts: moved into the gate, once.
never!([Clone, Debug, Display, Serialize, DeserializeOwned]: Window, Exact, LineWindow, ZoneWindow, HeatWindow, FlowWindow, FlowCell, TransitionWindow, QueueWindow);
// What remembers people between frames is as silent as they are.
never!([Clone, Debug, Serialize]: Detector, Scene, Motionless, Tracker, Measures, Gate);
// Past the gate: printed and copied, but its bytes are made in `wire` alone, and nothing makes one but the gate.
never!([Serialize, DeserializeOwned, Default]: ReleasedWindow);
always!([Clone, Debug, PartialEq]: ReleasedWindow);

// A camera's thread hands frames to the detector's thread, that one its windows to the gate and the pipe.
always!([Send]: Frame, FramePool, InputTensor, Detector, Detections, Tracker, Tracks, FloorMap, FloorSteps);
always!([Send]: Measures, Window, Gate, ReleasedWindow);
