//! Hygiene of the eye's memory beyond the heap: what calls that have returned leave on the stack of their thread.
//!
//! In: nothing. Out: a stack whose free part holds zeros, [`STACK_BYTES`] deep. Freed heap is the dynamic linker's matter
//! (`pipeline/mouth.rs`, `HEAP_HYGIENE`), the runtime's arena the detect worker's (`pipeline/worker.rs`).

/// Overwrites what calls that have returned left on the stack of this thread: rows of a picture that a resize worked on, a
/// decoder's blocks, numbers that found no register.
#[inline(never)]
pub fn scrub_stack() {
    let mut below = [0u8; STACK_BYTES];
    // Somebody might look: so it is really written.
    std::hint::black_box(&mut below);
}

/// Deeper than any stage goes, by the forensic test; written in a few µs.
const STACK_BYTES: usize = 64 << 10;
