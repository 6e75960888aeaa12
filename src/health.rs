//! Counters that tell how the box fares, never what it saw: frames by fate, states, stage times, events as codes.
//!
//! In: every stage adds to the [`CameraHealth`] of its camera. Out: [`CameraReport`], [`EyeEvent`].
//! Invariant I5: `captured = detected + still + skipped + overwritten + failed` once all is drained
//! ([`Ledger::is_balanced`], asked by every replay). Invariant I10: no count of detections is in here.

pub mod load;

use std::sync::atomic::{
    AtomicI64, AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

use serde::{Deserialize, Serialize};

/// Frames of one camera by fate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// Frames that arrived from the camera.
    pub captured: u64,
    /// Frames that went through the detector.
    pub detected: u64,
    /// Frames in which nothing moved (the motion gate).
    pub still: u64,
    /// Frames grabbed but not wanted.
    pub skipped: u64,
    /// Frames that gave way to a newer one.
    pub overwritten: u64,
    /// Frames that could not be decoded or detected.
    pub failed: u64,
}

impl Ledger {
    /// Whether every captured frame has met exactly one fate.
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        self.captured == self.detected + self.still + self.skipped + self.overwritten + self.failed
    }
}

/// The fate of a captured frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Went through the detector.
    Detected,
    /// Nothing moved in it and nobody was there: unseen.
    Still,
    /// Grabbed but not wanted.
    Skipped,
    /// Gave way to a newer frame.
    Overwritten,
    /// Could not be decoded or detected.
    Failed,
}

/// Whether a camera is being seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u32)]
pub enum CameraState {
    /// Being opened for the first time.
    Opening = 0,
    /// Frames arrive.
    Seeing = 1,
    /// Lost; being reopened with back-off.
    Lost = 2,
    /// The recording has ended.
    Ended = 3,
}

impl CameraState {
    /// The state in one word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Seeing => "seeing",
            Self::Lost => "lost",
            Self::Ended => "ended",
        }
    }

    /// The state with this number.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        [Self::Opening, Self::Seeing, Self::Lost, Self::Ended].into_iter().find(|state| *state as u32 == number)
    }
}

/// Live counters of one camera, shared by the threads that touch it.
#[derive(Debug, Default)]
pub struct CameraHealth {
    captured: AtomicU64,
    detected: AtomicU64,
    still: AtomicU64,
    skipped: AtomicU64,
    overwritten: AtomicU64,
    failed: AtomicU64,
    state: AtomicU32,
    reconnects: AtomicU32,
    width: AtomicU32,
    height: AtomicU32,
    lag_ns: AtomicI64,
    ignored: AtomicU64,
    motionless: AtomicU32,
}

impl CameraHealth {
    /// Counts a frame that arrived.
    pub fn captured(&self) {
        self.captured.fetch_add(1, Relaxed);
    }

    /// Counts the fate of a frame.
    pub fn met(&self, fate: Fate) {
        let counter = match fate {
            Fate::Detected => &self.detected,
            Fate::Still => &self.still,
            Fate::Skipped => &self.skipped,
            Fate::Overwritten => &self.overwritten,
            Fate::Failed => &self.failed,
        };
        counter.fetch_add(1, Release);
    }

    /// Notes a change of state.
    pub fn became(&self, state: CameraState) {
        self.state.store(state as u32, Relaxed);
    }

    /// Counts a reopening after a loss.
    pub fn reconnected(&self) {
        self.reconnects.fetch_add(1, Relaxed);
    }

    /// Notes the size of the pictures, px.
    pub fn sized(&self, width: u32, height: u32) {
        self.width.store(width, Relaxed);
        self.height.store(height, Relaxed);
    }

    /// Notes how old the last frame was when its detections were there, ns.
    pub fn lagged(&self, lag_ns: i64) {
        self.lag_ns.store(lag_ns, Relaxed);
    }

    /// Counts a person who stands where nobody counts.
    pub fn ignored(&self) {
        self.ignored.fetch_add(1, Relaxed);
    }

    /// Notes how many things are listed as motionless.
    pub fn lists_motionless(&self, things: u32) {
        self.motionless.store(things, Relaxed);
    }

    /// The counters as they stand; a live eye tells some of them later (`pipeline/discretion.rs`).
    #[must_use]
    pub fn report(&self) -> CameraReport {
        let fates = Ledger {
            captured: 0,
            detected: self.detected.load(Acquire),
            still: self.still.load(Acquire),
            skipped: self.skipped.load(Acquire),
            overwritten: self.overwritten.load(Acquire),
            failed: self.failed.load(Acquire),
        };
        CameraReport {
            // Read last: what meets its fate meanwhile was captured before, so that no report has more fates than frames.
            ledger: Ledger { captured: self.captured.load(Relaxed), ..fates },
            state: CameraState::from_number(self.state.load(Relaxed)).unwrap_or(CameraState::Lost),
            reconnects: self.reconnects.load(Relaxed),
            width: self.width.load(Relaxed),
            height: self.height.load(Relaxed),
            lag_ms: u32::try_from(self.lag_ns.load(Relaxed) / 1_000_000).unwrap_or(0),
            ignored: self.ignored.load(Relaxed),
            motionless: self.motionless.load(Relaxed),
        }
    }
}

/// What the outside may know of one camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CameraReport {
    /// Frames by fate since the eye started.
    pub ledger: Ledger,
    /// Whether frames arrive.
    pub state: CameraState,
    /// Reopenings since the eye started.
    pub reconnects: u32,
    /// Picture width, px; 0 before the first frame.
    pub width: u32,
    /// Picture height, px; 0 before the first frame.
    pub height: u32,
    /// Age of the last detected frame when its detections were there, ms.
    pub lag_ms: u32,
    /// Boxes of people that were dropped because they stood where nobody counts.
    pub ignored: u64,
    /// Things taken for people that have not moved since the start and count as nobody.
    pub motionless: u32,
}

/// What the eye can say beside counters: a code and two numbers, no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EyeEvent {
    /// What happened.
    pub code: EyeEventCode,
    /// The camera it concerns, or 0.
    pub camera: u16,
    /// Numbers of the event: sizes, cell counts, codes of the system.
    pub numbers: [i32; 2],
}

impl EyeEvent {
    /// An event of the whole eye that has no numbers.
    #[must_use]
    pub fn of(code: EyeEventCode) -> Self {
        Self { code, camera: 0, numbers: [0, 0] }
    }
}

/// Every event of the eye. Codes of 100 and above end it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub enum EyeEventCode {
    /// The model is loaded and the cameras are being opened; first number: CPU spent so far, µs.
    Ready = 1,
    /// A camera stopped delivering.
    CameraLost = 2,
    /// A camera delivers (again).
    CameraSeen = 3,
    /// The detector failed on a frame.
    DetectorFailed = 4,
    /// A camera does not answer; numbers: attempts so far and why ([`Silence`]).
    CameraSilent = 5,
    /// A camera came back with another picture than its places were drawn on and is not watched; numbers: the new
    /// width and height, px.
    CameraChanged = 6,
    /// Something has not moved since the camera began to watch and counts as nobody; first number: how many such things.
    Motionless = 7,
    /// Something that counted as nobody has moved or gone; first number: how many are left.
    MotionlessGone = 8,
    /// The accelerator asked for is not in use, the CPU is; first number: why ([`NoAccelerator`]).
    AcceleratorMissing = 20,
    /// The hardware decoder a camera asks for is not to be had or cannot take its stream; the processor decodes.
    DecoderMissing = 21,
    /// The eye may not lock its memory (LimitMEMLOCK, CAP_IPC_LOCK) on a machine that swaps: a picture could reach its disk.
    MemoryUnlocked = 22,
    /// The job on standard input could not be read.
    JobRefused = 100,
    /// The runtime library could not be loaded.
    RuntimeRefused = 101,
    /// The model file could not be loaded.
    ModelRefused = 102,
    /// The model's outputs fit no known head, or not the one of its card.
    HeadRefused = 103,
    /// The recording could not be opened; numbers: why, where it is known ([`ClipTrouble`]), and its rate in thousandths
    /// of a picture per second.
    ClipRefused = 104,
    /// The recording holds no frame.
    ClipEmpty = 105,
    /// A camera's calibration or drawn places do not work on its picture.
    PlacesRefused = 106,
    /// A stage panicked.
    StageFailed = 107,
    /// The wall clock was set: windows would lie elsewhere on the calendar than what was measured in them.
    ClockStepped = 108,
}

impl EyeEventCode {
    /// The code with this number.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        use EyeEventCode as C;
        let all = [
            C::Ready,
            C::CameraLost,
            C::CameraSeen,
            C::DetectorFailed,
            C::CameraSilent,
            C::CameraChanged,
            C::Motionless,
            C::MotionlessGone,
            C::AcceleratorMissing,
            C::DecoderMissing,
            C::MemoryUnlocked,
            C::JobRefused,
            C::RuntimeRefused,
            C::ModelRefused,
            C::HeadRefused,
            C::ClipRefused,
            C::ClipEmpty,
            C::PlacesRefused,
            C::StageFailed,
            C::ClockStepped,
        ];
        all.into_iter().find(|code| *code as u32 == number)
    }

    /// Whether the eye ends itself after saying so.
    #[must_use]
    pub fn is_final(self) -> bool {
        self as u16 >= 100
    }
}

/// Why a camera shows nothing, as far as can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u32)]
pub enum Silence {
    /// It delivers.
    None = 0,
    /// The machine is there and nobody listens at the port.
    Refused = 1,
    /// Nothing answers in time.
    NoAnswer = 2,
    /// It wants another user or password.
    WrongPassword = 3,
    /// It has no such path.
    NoSuchPath = 4,
    /// It declines: too many viewers, or an inner error.
    Busy = 5,
    /// It answers and sends no picture that can be decoded.
    NoPicture = 6,
    /// Its pictures are packed in a way nobody here can unpack.
    UnknownCodec = 7,
    /// There is no such device on this machine.
    NoDevice = 8,
    /// It delivered and broke off.
    BrokeOff = 9,
    /// It could not be opened, nobody said why.
    Unopened = 10,
}

impl Silence {
    /// The reason with this number.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        use Silence as S;
        let told = [S::None, S::Refused, S::NoAnswer, S::WrongPassword, S::NoSuchPath, S::Busy];
        let rest = [S::NoPicture, S::UnknownCodec, S::NoDevice, S::BrokeOff, S::Unopened];
        told.into_iter().chain(rest).find(|reason| *reason as u32 == number)
    }
}

/// What is wrong with a recording that opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClipTrouble {
    /// Its rate is neither given nor in its header.
    RateUnknown = 1,
    /// It has fewer pictures a second than are to be looked at.
    TooSlow = 2,
}

impl ClipTrouble {
    /// The trouble with this number.
    #[must_use]
    pub fn from_number(number: i32) -> Option<Self> {
        [Self::RateUnknown, Self::TooSlow].into_iter().find(|trouble| *trouble as i32 == number)
    }
}

/// Why an accelerator is not in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoAccelerator {
    /// This build has no support for it.
    NotBuilt = 1,
    /// The runtime library has none.
    NotInRuntime = 2,
    /// It refused the network, or its device is not there.
    Refused = 3,
}

impl NoAccelerator {
    /// The reason with this number.
    #[must_use]
    pub fn from_number(number: i32) -> Option<Self> {
        [Self::NotBuilt, Self::NotInRuntime, Self::Refused].into_iter().find(|reason| *reason as i32 == number)
    }
}

/// CPU time by stage, ns, added up by the threads that spend it.
#[derive(Debug, Default)]
pub struct StageCpu {
    totals: [AtomicI64; STAGES.len()],
}

/// Stages of [`StageCpu`], in the order of the story.
pub const STAGES: [&str; 6] = ["capture", "motion", "letterbox", "inference", "decode", "measure"];

/// Index into [`STAGES`].
#[derive(Debug, Clone, Copy)]
pub enum Stage {
    /// Reading and decoding of the stream.
    Capture = 0,
    /// Whether anything moved.
    Motion = 1,
    /// Frame to input tensor.
    Letterbox = 2,
    /// The network.
    Inference = 3,
    /// Network outputs to boxes, without those who are nobody.
    Decode = 4,
    /// Track, floor, measure and gate.
    Measure = 5,
}

impl StageCpu {
    /// Runs `work` and books the CPU time of this thread on `stage`.
    pub fn booked<T>(&self, stage: Stage, work: impl FnOnce() -> T) -> T {
        let begun = crate::clock::thread_cpu_ns();
        let value = work();
        self.totals[stage as usize].fetch_add(crate::clock::thread_cpu_ns() - begun, Relaxed);
        value
    }

    /// Totals so far, ns, in the order of [`STAGES`].
    #[must_use]
    pub fn totals_ns(&self) -> [i64; STAGES.len()] {
        std::array::from_fn(|stage| self.totals[stage].load(Relaxed))
    }
}
