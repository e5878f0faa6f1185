//! Questions to a Rust compiler.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder with the libraries of the compiler `rustc`.
pub(crate) fn sysroot(rustc: &Path) -> Option<PathBuf> {
    printed_by(rustc, &["--print", "sysroot"]).map(|text| PathBuf::from(text.trim_end()))
}

/// The target of the active compiler's own programs.
pub(crate) fn host_triple() -> Option<String> {
    let version = printed_by(Path::new("rustc"), &["-vV"])?;
    version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .map(str::to_owned)
}

/// The output of a program that succeeds.
pub(crate) fn printed_by(program: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
