//! `kehai-detect`: what `kehai detect` becomes, the only command that reads pictures itself. It opens files only, never
//! a camera or a broker.

fn main() -> std::process::ExitCode {
    kehai::cli::detect_main()
}
