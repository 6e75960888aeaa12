//! What is looked at, by which network, and what of it is then looked for.

use std::path::{Path, PathBuf};

use kehai::capture::{FramePool, Grab, replay};
use kehai::config::card::DetectorCard;
use kehai::config::site;
use kehai::detect::Detector;
use kehai::forensics::forms::{Darkroom, Depth};
use kehai::forensics::needles::{Form, Gathering, Needles};
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
        let [mut own, mut other] = recordings.map(|recording| self.needles_of(recording, sought));
        if sought.deep > 0 {
            let (mut grey, mut darkroom) = (Gathering::default(), self.darkroom(recordings[0].size));
            darkroom.gather_grey(STRIDE, &mut grey).expect("the network runs");
            let mut grey = grey.into_needles();
            Needles::part(&mut own, &mut grey);
            Needles::part(&mut other, &mut grey);
        }
        Needles::part(&mut own, &mut other);
        [own, other]
    }

    fn darkroom(&self, size: PictureSize) -> Darkroom {
        kehai::capture::use_opencv_readers();
        let darkroom = Darkroom::new([&runtime(), Path::new(&self.file)], &self.card, self.input, size)
            .unwrap_or_else(|error| panic!("{}: {error}", self.file));
        tell(&format!("{}: first layers {:?}", self.name(), darkroom.layers()));
        darkroom
    }

    fn needles_of(&self, recording: &Recording, sought: Sought) -> Needles {
        let Recording { path, size, count, .. } = recording;
        let mut gathering = Gathering::default();
        let mut darkroom = self.darkroom(*size);
        let depth = |number| match *count - number {
            left if left <= sought.deep => Depth::Deep(STRIDE),
            left if left <= sought.whole => Depth::Whole(STRIDE),
            left if left <= LATE || number < EARLY || number % EVERY == 0 => Depth::Samples(SAMPLES_APART),
            _ => Depth::Unsought,
        };
        let made = darkroom.gather(Path::new(path), FPS, &depth, &mut gathering).expect("its pictures can be had");
        assert_eq!(made, *count, "pictures of {path}");
        let files = recording.files().iter().map(|file| read(file)).collect::<Vec<_>>();
        let packed = files.iter().flat_map(|file| pictures_of_stream(file)).collect::<Vec<_>>();
        for (number, bytes) in packed.iter().enumerate() {
            // Of pictures before the last ones a piece here and there.
            let is_late = (packed.len() - number) as u64 <= sought.whole;
            let (first, rest) = bytes.split_at(if is_late { CODED.min(bytes.len()) } else { 0 });
            let (middle, last) = rest.split_at(rest.len() - first.len().min(rest.len()));
            [first, last].iter().for_each(|piece| gathering.add(Form::Coded, number as u64, piece, STRIDE));
            let apart = SAMPLES_APART.max(middle.len() / CODED_SAMPLES);
            gathering.add_samples(Form::Coded, number as u64, middle, apart);
        }
        gathering.into_needles()
    }
}

/// How much is looked for: a little of every picture, and of the last ones more.
#[derive(Clone, Copy)]
pub struct Sought {
    /// Pictures that are looked for whole.
    pub whole: u64,
    /// Pictures of these of which all layers of the network are looked for.
    pub deep: u64,
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

/// The pictures of a stream that each begin with a parameter set of their own, as a keyed camera sends them; any other file
/// in one piece.
fn pictures_of_stream(file: &[u8]) -> Vec<&[u8]> {
    if !file.starts_with(PARAMETER_SET) {
        return vec![file];
    }
    let windows = file.windows(PARAMETER_SET.len()).enumerate();
    let starts: Vec<usize> = windows.filter(|(_, bytes)| *bytes == PARAMETER_SET).map(|(at, _)| at).collect();
    let ends = starts[1..].iter().copied().chain([file.len()]);
    starts.iter().zip(ends).map(|(start, end)| &file[*start..end]).collect()
}

fn runtime() -> PathBuf {
    in_repository("fetched/onnxruntime/libonnxruntime.so.1.31.1").into()
}

/// What a site file begins with.
pub const STORE: &str = "[store]\norg = \"test\"\nstore = \"forensics\"\nnode = \"box\"\ntimezone = \"UTC\"\n";
/// A needle begins at every so manyth byte, so that each unbroken piece of 31 bytes holds one.
const STRIDE: usize = 16;
/// A start code and the header of a sequence parameter set (ITU-T H.264, 7.4.1, B.1).
const PARAMETER_SET: &[u8] = b"\0\0\0\x01\x67";
/// So much of the beginning and of the end of a file is looked for whole, bytes.
const CODED: usize = 1 << 20;
/// A piece of older pictures in so many bytes.
const SAMPLES_APART: usize = 2048;
/// Pieces at the most of what lies between the beginning and the end of a file.
const CODED_SAMPLES: usize = 20_000;
/// Pictures at the end and at the beginning of which each is looked for, and each so manyth in between.
const LATE: u64 = 100;
const EARLY: u64 = 30;
const EVERY: u64 = 4;

#[expect(clippy::print_stdout, reason = "which layers are looked for is part of the result")]
fn tell(words: &str) {
    println!("{words}");
}
