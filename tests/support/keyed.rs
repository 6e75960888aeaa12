//! Pictures that nobody else has: people of the sample clip before a wall of noise that follows from a key.
//!
//! In: a key and a size. Out: pictures by number, the same for the same key, as brightness, as a film, as a folder, as a
//! lossless H.264 stream. Every sixteen bytes of them are as good as unique, and detectors find the people.

use kehai::cli::report::h264_pcm;
use kehai::cli::report::noise::Noise;
use kehai::units::PictureSize;
use opencv::core::{Mat, MatTraitConstManual, MatTraitManual, Size, Vector};
use opencv::imgproc::{COLOR_BGR2GRAY, INTER_LINEAR, cvt_color_def, resize};
use opencv::videoio::{
    CAP_FFMPEG, VideoCapture, VideoCaptureTrait, VideoWriter, VideoWriterTrait, VideoWriterTraitConst,
};

use super::folder::Folder;
use super::recording::sample;

/// A source of pictures.
pub struct Keyed {
    key: u64,
    width: usize,
    height: usize,
    /// Pictures of people, BGR, and their brightness.
    people: Vec<[Mat; 2]>,
}

impl Keyed {
    /// Pictures of this size, px.
    pub fn new(key: u64, size: PictureSize) -> Self {
        let (width, height) = (size.width as usize, size.height as usize);
        let clip = VideoCapture::from_file_with_params(sample(), CAP_FFMPEG, &Vector::new());
        let (mut clip, mut frame) = (clip.expect("the sample opens"), Mat::default());
        let mut people = Vec::new();
        // Another key has other people, so that two keys share no more than the place.
        for number in 0..(1 + key % 7) * PEOPLE * PEOPLE_APART {
            assert!(clip.read(&mut frame).expect("the sample can be read"));
            if number >= key % 7 * PEOPLE * PEOPLE_APART && number % PEOPLE_APART == 0 {
                let (mut sized, mut grey) = (Mat::default(), Mat::default());
                let size = Size::new(width as i32, height as i32);
                resize(&frame, &mut sized, size, 0.0, 0.0, INTER_LINEAR).expect("it can be resized");
                cvt_color_def(&sized, &mut grey, COLOR_BGR2GRAY).expect("it has colours");
                people.push([sized, grey]);
            }
        }
        Self { key, width, height, people }
    }

    /// Brightness of picture `number`, row by row.
    pub fn luma(&self, number: u64) -> Vec<u8> {
        let [_, grey] = &self.people[(number % PEOPLE) as usize];
        let mut noise = Noise::new(self.key, number);
        grey.data_bytes().expect("rows without gaps").iter().map(|byte| noise.over(*byte)).collect()
    }

    /// Picture `number` in colour.
    fn bgr(&self, number: u64) -> Mat {
        let mut picture = self.people[(number % PEOPLE) as usize][0].clone();
        let mut noise = Noise::new(self.key, number);
        picture.data_bytes_mut().expect("rows without gaps").iter_mut().for_each(|byte| *byte = noise.over(*byte));
        picture
    }

    /// Films the first `count` pictures; the codec loses some of them.
    pub fn film(&self, folder: &Folder, count: u64) -> String {
        let path = folder.path(&format!("{}.mp4", self.key));
        let (size, code) = (Size::new(self.width as i32, self.height as i32), i32::from_le_bytes(*b"avc1"));
        let mut film = VideoWriter::new(&path, code, FPS, size, true).expect("a film can be begun");
        assert!(film.is_opened().expect("it can be asked"), "OpenCV finds an encoder of H.264");
        (0..count).for_each(|number| film.write(&self.bgr(number)).expect("a picture can be added"));
        film.release().expect("it can be closed");
        path
    }

    /// Writes the first `count` pictures into a folder, without loss.
    pub fn folder(&self, folder: &Folder, count: u64) -> String {
        let path = folder.path(&format!("pictures-{}", self.key));
        std::fs::create_dir_all(&path).expect("the target folder can be written");
        let file = |number: u64| format!("{path}/{number:05}.png");
        // The last ones are new; those before them come round again, for a disk holds no five hundred of noise.
        for number in 0..count {
            match number.checked_sub(ROUND).filter(|_| number + ROUND < count) {
                Some(again) => std::fs::hard_link(file(again), file(number)).expect("the target folder can be written"),
                None => {
                    let written = opencv::imgcodecs::imwrite(file(number), &self.bgr(number), &Vector::new());
                    written.expect("a picture can be written");
                }
            }
        }
        path
    }

    /// The pictures of these numbers as a stream without loss, as a camera sends it.
    pub fn stream(&self, folder: &Folder, numbers: &[u64]) -> String {
        let picture = |number: &u64| h264_pcm::in_file(&self.luma(*number), self.width, self.height, *number as u16);
        let bytes: Vec<u8> = numbers.iter().flat_map(picture).collect();
        folder.write(&format!("{}.h264", self.key), bytes)
    }
}

/// Pictures a second.
pub const FPS: f64 = 20.0;
/// Different pictures of people, and how many frames of the sample lie between two of them.
const PEOPLE: u64 = 10;
const PEOPLE_APART: u64 = 10;
/// Different pictures of a folder at its beginning and at its end.
const ROUND: u64 = 30;
