//! Pages of the program's code that only the start has used.

use std::fs;
use std::os::unix::fs::MetadataExt;

/// Unmaps the program's code, after the start. Each page that runs again is mapped again, from the system's cache, in
/// some microseconds.
///
/// The system maps sixteen pages of a file at a time, and the start runs a bit of everything: the 5 MB of code of the
/// build for routers would all stay in its memory, and an idle gateway needs a fifth of them.
pub fn release() {
    let Ok(program) = fs::metadata("/proc/self/exe") else {
        return;
    };
    let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    for (start, end) in maps.lines().filter_map(|line| code(line, program.ino())) {
        unmap(start, end - start);
    }
}

/// Where a line of proc_pid_maps(5) has code of the file with this inode. What is writable, or was once, is none: its
/// pages are not those of the file.
fn code(line: &str, inode: u64) -> Option<(usize, usize)> {
    let mut fields = line.split_ascii_whitespace();
    let (range, permissions) = (fields.next()?, fields.next()?);
    let of_file = fields.nth(2)?.parse::<u64>().ok()?;
    let (start, end) = range.split_once('-')?;
    let number = |digits| usize::from_str_radix(digits, 16).ok();
    (permissions == "r-xp" && of_file == inode).then_some((number(start)?, number(end)?))
}

#[allow(unsafe_code)]
fn unmap(start: usize, length: usize) {
    // SAFETY: the range is one mapping of the program's file, executable and never written to. With MADV_DONTNEED a
    // page of such a mapping has the same bytes at its next use, those of the file (madvise(2)).
    unsafe {
        libc::madvise(
            std::ptr::with_exposed_provenance_mut(start),
            length,
            libc::MADV_DONTNEED,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_of_the_program_is_unmapped() {
        let line = "00400000-00906000 r-xp 00200000 fe:00 4711   /usr/bin/comatrix-gateway";
        assert_eq!(code(line, 4711), Some((0x40_0000, 0x90_6000)));
        for other in [
            "00400000-00906000 r--p 00200000 fe:00 4711   /usr/bin/comatrix-gateway",
            "00400000-00906000 rwxp 00200000 fe:00 4711   /usr/bin/comatrix-gateway",
            "00400000-00906000 r-xp 00200000 fe:00 4712   /usr/lib/libc.so.6",
            "7f0000000000-7f0000001000 r-xp 00000000 00:00 0",
            "00400000 r-xp 00200000 fe:00 4711",
            "",
        ] {
            assert_eq!(code(other, 4711), None, "{other}");
        }
    }

    #[test]
    fn a_program_goes_on_after_its_code_was_unmapped() {
        let program = fs::metadata("/proc/self/exe").unwrap();
        let resident = || {
            let mut is_code = false;
            let mut kibibytes = 0;
            for line in fs::read_to_string("/proc/self/smaps").unwrap().lines() {
                match line.strip_prefix("Rss:") {
                    Some(rss) if is_code => {
                        kibibytes += rss.trim_end_matches("kB").trim().parse::<usize>().unwrap();
                    }
                    // The line that begins a mapping.
                    None if line.contains('-') => {
                        is_code = code(line, program.ino()).is_some();
                    }
                    _ => {}
                }
            }
            kibibytes
        };
        let before = resident();
        release();
        let after = resident();
        assert!(after < before, "{after} KiB, and {before} KiB before");
    }
}
