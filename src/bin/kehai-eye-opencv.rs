//! `kehai-eye-opencv`: the eye with OpenCV's readers, for USB cameras and folders of pictures.

fn main() {
    std::process::exit(kehai::pipeline::eye::run_with_opencv());
}
