//! `kehai-eye-opencv`: the eye with OpenCV's readers, for USB cameras and folders of pictures.

fn main() {
    kehai::capture::use_opencv_readers();
    std::process::exit(kehai::pipeline::eye::run());
}
