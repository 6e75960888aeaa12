//! `kehai-eye`: the process that sees pictures, for network cameras and clips. Started by `kehai`, of no use alone (see
//! `pipeline/eye.rs`).

fn main() {
    std::process::exit(kehai::pipeline::eye::run());
}
