//! `kehai`: the command line and the mouth. See `cli.rs` for the commands, `lib.rs` for the architecture.

fn main() -> std::process::ExitCode {
    kehai::cli::main()
}
