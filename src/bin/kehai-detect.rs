//! `kehai-detect`: what `kehai detect` becomes, and `kehai replay --truth` in the end: evaluation, which reads pictures
//! itself. It opens files only, never a camera or a broker.

fn main() -> std::process::ExitCode {
    kehai::cli::detect_main()
}
