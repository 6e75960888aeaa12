//! Memory of the process: how much it is, and what starting leaves behind and nobody needs, given back before pictures come.
//!
//! Loading a session frees tens of megabytes of heap that stay with the process; the dynamic loader and the kernel's
//! read-ahead map code of more than a hundred libraries of which a few run. Both count as the eye's memory until
//! somebody says otherwise (measured at 1080p: 20 MB).

/// Returns freed heap and untouched code to the kernel; code that runs is mapped again from the page cache.
pub fn give_back() {
    // SAFETY: malloc_trim only returns unused pages of the heap.
    unsafe {
        libc::malloc_trim(0);
    }
    let Ok(maps) = std::fs::read_to_string("/proc/self/maps") else { return };
    for (start, end) in maps.lines().filter_map(code) {
        // SAFETY: the range is a private, executable, never written mapping of a file: its pages are those of the
        // file and come back from it when touched.
        unsafe {
            libc::madvise(start as *mut libc::c_void, end - start, libc::MADV_DONTNEED);
        }
    }
}

/// Resident memory of this process: the most it ever was, and what it is now, kB; 0 where the kernel does not say.
#[must_use]
pub fn resident_kb() -> [u32; 2] {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    ["VmHWM:", "VmRSS:"].map(|key| kb_of(&status, key).unwrap_or(0))
}

fn kb_of(status: &str, key: &str) -> Option<u32> {
    let value = status.lines().find_map(|line| line.strip_prefix(key))?;
    value.trim().strip_suffix(" kB")?.trim_end().parse().ok()
}

/// Start and end of a mapping that holds nothing but code from a file.
fn code(line: &str) -> Option<(usize, usize)> {
    let mut fields = line.split_ascii_whitespace();
    let (range, rights) = (fields.next()?, fields.next()?);
    let is_file = fields.nth(3).is_some_and(|path| path.starts_with('/'));
    let (start, end) = range.split_once('-')?;
    let range = (usize::from_str_radix(start, 16).ok()?, usize::from_str_radix(end, 16).ok()?);
    (rights == "r-xp" && is_file).then_some(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unwritten_code_of_files_is_given_back() {
        assert_eq!(code("1000-3000 r-xp 00001000 fe:00 42    /usr/lib/libx.so.1"), Some((0x1000, 0x3000)));
        assert_eq!(code("1000-3000 r--p 00001000 fe:00 42    /usr/lib/libx.so.1"), None);
        assert_eq!(code("1000-3000 rw-p 00000000 00:00 0     [heap]"), None);
        assert_eq!(code("1000-3000 r-xp 00000000 00:00 0     [vdso]"), None);
    }

    #[test]
    fn the_process_knows_how_large_it_is_and_ever_was() {
        assert_eq!(kb_of("Name:\tkehai-eye\nVmRSS:\t  139264 kB\n", "VmRSS:"), Some(139_264));
        let [peak, now] = resident_kb();
        assert!(peak >= now && now > 1000, "{peak} {now}");
    }

    #[test]
    fn the_process_finds_its_own_code_and_lives_on_without_it() {
        let maps = std::fs::read_to_string("/proc/self/maps").expect("a process knows its memory");
        let own = give_back as *const () as usize;
        assert!(maps.lines().filter_map(code).any(|(start, end)| (start..end).contains(&own)));
        give_back();
    }
}
