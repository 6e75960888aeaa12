//! `kehai-detect`: what `kehai detect` becomes, the only command that reads pictures itself. It opens files only, never
//! a camera or a broker.

fn main() -> std::process::ExitCode {
    kehai::capture::use_opencv_readers();
    kehai::cli::detect_main()
}
