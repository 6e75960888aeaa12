//! What is looked at, by which network, and what of it is then looked for.

use std::path::{Path, PathBuf};

use kehai::config::card::DetectorCard;
use kehai::config::site;
use kehai::forensics::forms::{Darkroom, Depth};
use kehai::forensics::needles::{Form, Gathering, Needles};
use kehai::pipeline::{Errand, EyeJob, Feed, Origin};
use kehai::units::PictureSize;

use crate::support::folder::{in_repository, network, read};
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
            leaves_traces: true,
        }
    }

    /// Needles of a recording: of its last `whole` pictures all, of those before a little. What `others` have too is none.
    pub fn needles(&self, recording: &Recording, whole: u64, others: Option<&Needles>) -> Needles {
        let Recording { path, size, count } = recording;
        let mut gathering = Gathering::default();
        let mut darkroom = Darkroom::new([&runtime(), Path::new(&self.file)], &self.card, self.input, *size)
            .unwrap_or_else(|error| panic!("{}: {error}", self.file));
        let depth = |number| if number + whole >= *count { Depth::Whole(STRIDE) } else { Depth::Samples(SAMPLES_APART) };
        let made = darkroom.gather(Path::new(path), FPS, &depth, &mut gathering).expect("its pictures can be had");
        assert_eq!(made, *count, "pictures of {path}");
        for (number, file) in recording.files().iter().enumerate() {
            gathering.add(Form::Coded, number as u64, &read(file), STRIDE);
        }
        gathering.into_needles(others)
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
}

impl Recording {
    fn files(&self) -> Vec<String> {
        if !Path::new(&self.path).is_dir() {
            return vec![self.path.clone()];
        }
        let names = crate::support::folder::names_in(&self.path);
        names.iter().map(|name| format!("{}/{name}", self.path)).collect()
    }

    /// As an eye plays it.
    pub fn origin(&self) -> Origin {
        Origin::Recorded { path: self.path.clone().into(), fps: Some(FPS), every: 1, realtime: false }
    }
}

fn runtime() -> PathBuf {
    in_repository("fetched/onnxruntime/libonnxruntime.so.1.31.1").into()
}

/// What a site file begins with.
pub const STORE: &str = "[store]\norg = \"test\"\nstore = \"forensics\"\nnode = \"box\"\ntimezone = \"UTC\"\n";
/// A needle begins at every so manyth byte, so that each unbroken piece of 31 bytes holds one.
const STRIDE: usize = 16;
/// A piece of older pictures in so many bytes.
const SAMPLES_APART: usize = 2048;
