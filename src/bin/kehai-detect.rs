//! `kehai-detect`: what `kehai detect` and `kehai report` become, and `kehai replay --truth` in the end: evaluation and
//! proof, which read pictures themselves. It opens files only, never a camera or a broker.

fn main() -> std::process::ExitCode {
    kehai::cli::detect_main()
}
