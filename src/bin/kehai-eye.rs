//! `kehai-eye`: the process that sees pictures. Started by `kehai`, of no use alone (see `pipeline/eye.rs`).

fn main() {
    std::process::exit(kehai::pipeline::eye::run());
}

/// Counts one processor, so that OpenCV 4.6 gives every decoder one thread: it asks this function, and nothing else
/// it offers has a say. FFmpeg's threads decode whole frames in parallel, each holding one back: with eight
/// processors a camera of 5 frames a second would be seen 1.4 s late, and every picture held is memory.
///
/// # Safety
/// As the C library's own, which answers everything else.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sysconf(name: libc::c_int) -> libc::c_long {
    unsafe extern "C" {
        fn __sysconf(name: libc::c_int) -> libc::c_long;
    }
    match name {
        libc::_SC_NPROCESSORS_ONLN => 1,
        // SAFETY: the same call under the C library's other name for it.
        _ => unsafe { __sysconf(name) },
    }
}
