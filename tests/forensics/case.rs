//! What is looked at, by which network, and what of it is then looked for.

use std::path::{Path, PathBuf};

use kehai::capture::{FramePool, Grab, replay};
use kehai::config::card::DetectorCard;
use kehai::config::site;
use kehai::detect::Detector;
use kehai::forensics::needles::Needles;
pub use kehai::forensics::sought::Sought;
use kehai::forensics::sought::{self, Pictures};
use kehai::health::StageCpu;
use kehai::pipeline::{EyeJob, Feed, Origin};
use kehai::units::PictureSize;
use kehai::wire::record::ration::Errand;

use crate::support::folder::{Folder, in_repository, network, read};
use crate::support::keyed::FPS;

/// A network with its card.
pub struct Network {
    /// The file.
    pub file: String,
    card: DetectorCard,
    input: Option<PictureSize>,
}

impl Network {
    /// The one that is used where nothing else is asked for.
    pub fn default_one() -> Self {
        Self::of(in_repository("fetched/models/nanodet_g_8bit.onnx"), "nanodet-g-8bit", None)
    }

    /// RTMDet-nano at 320x416, where it is at hand.
    pub fn rtmdet() -> Option<Self> {
        let file = network("rtmdet-nano-person/rtmdet_nano_person_dyn.onnx")?;
        Some(Self::of(file, "rtmdet-nano-person", Some(PictureSize { height: 320, width: 416 })))
    }

    fn of(file: String, card: &str, input: Option<PictureSize>) -> Self {
        let text = read(&in_repository(&format!("models/{card}.card.toml")));
        let card = toml::from_str(&String::from_utf8(text).expect("a card is text")).expect("a card");
        Self { file, card, input }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.card.name
    }

    /// How many people it finds in the last picture of a recording.
    pub fn people(&self, recording: &Recording) -> usize {
        let mut detector =
            Detector::load(&runtime(), Path::new(&self.file), &self.card, self.input).expect("the network loads");
        let placed = self.card.placement(recording.size, self.input);
        let (pool, mut found) = (FramePool::new(placed), 0);
        let mut source = replay::open(Path::new(&recording.path), Some(FPS), None).expect("it opens");
        source.will_be_drawn(&placed);
        while let Ok(Grab::Frame(arrival)) = source.grab(&|_| true) {
            if arrival.number + 1 == recording.count {
                let frame = source.retrieve(&pool).expect("a picture");
                let detections = detector.detect(frame, self.card.score.high, &StageCpu::default());
                found = detections.expect("the network runs").people.len();
            }
        }
        found
    }

    /// The site of one camera that uses it; `source` is what the camera's table says of its source.
    pub fn site(&self, source: &str) -> String {
        let size = |size: PictureSize| format!("size = {{ height = {}, width = {} }}", size.height, size.width);
        let (file, size) = (&self.file, self.input.map(size).unwrap_or_default());
        format!(
            "[detector]\nmodel = \"{file}\"\n{size}\n[[camera]]\nid = \"view\"\nlooks_per_s = {FPS}\n{source}\n\
             [[line]]\nid = \"door\"\ncamera = \"view\"\nends_px = [[10, 100], [300, 100]]\ninside_px = [150, 200]\n"
        )
    }

    /// The job of an eye that keeps nothing tidy.
    pub fn untidy_job(&self, origin: Origin, errand: Errand) -> EyeJob {
        let text = format!("{STORE}{}", self.site("fps = 20.0"));
        EyeJob {
            settings: site::parse(&text, "forensics").expect("a site").settings,
            card: self.card.clone(),
            model: self.file.clone().into(),
            runtime: runtime(),
            feeds: vec![Feed { camera: 0, origin, picture: None }],
            errand,
            walls: 0,
            proved: 0,
            twin: None,
            leaves_traces: true,
        }
    }

    /// Needles of two recordings. What both have, or a grey picture has, is none.
    pub fn needles(&self, recordings: [&Recording; 2], sought: Sought) -> [Needles; 2] {
        kehai::capture::use_opencv_readers();
        let [own, other] = recordings.map(Recording::pictures);
        let (runtime, model) = (runtime(), Path::new(&self.file));
        let network = sought::Network { runtime: &runtime, model, card: &self.card, input: self.input };
        let wanted = sought.in_two(&network, [&own, &other]);
        let wanted = wanted.unwrap_or_else(|error| panic!("{}: {error}", self.file));
        tell(&format!("{}: first layers {:?}", self.name(), wanted.first_layers));
        [wanted.own, wanted.other]
    }
}

/// Pictures in a file or a folder.
pub struct Recording {
    /// Where.
    pub path: String,
    /// Their size.
    pub size: PictureSize,
    /// How many.
    pub count: u64,
    /// Where they lie, for as long as they are needed.
    pub _folder: Folder,
}

impl Recording {
    fn pictures(&self) -> Pictures {
        Pictures { path: self.path.clone().into(), size: self.size, count: self.count, fps: FPS }
    }

    /// As an eye plays it.
    pub fn origin(&self) -> Origin {
        Origin::Recorded { path: self.path.clone().into(), fps: Some(FPS), every: 1, realtime: false }
    }
}

/// The runtime library.
pub fn runtime() -> PathBuf {
    in_repository("fetched/onnxruntime/libonnxruntime.so.1.31.1").into()
}

/// What a site file begins with.
pub const STORE: &str = "[store]\norg = \"test\"\nstore = \"forensics\"\nnode = \"box\"\ntimezone = \"UTC\"\n";
#[expect(clippy::print_stdout, reason = "which layers are looked for is part of the result")]
fn tell(words: &str) {
    println!("{words}");
}
