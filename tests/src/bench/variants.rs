//! Components that differ in their digest and in nothing else: the default rule with a custom section at its end.

use std::fs;
use std::path::{Path, PathBuf};

use runtime::DEFAULT_RULE;

use super::Failure;

/// The default rule, marked with a number.
pub fn component(number: usize) -> Vec<u8> {
    let mark = format!("variant {number}");
    let name = b"mark";
    // Section 0 (custom), its length, its name's length, its name, its content.
    let mut section = vec![0, (1 + name.len() + mark.len()) as u8, name.len() as u8];
    section.extend(name);
    section.extend(mark.as_bytes());
    [DEFAULT_RULE, &section].concat()
}

/// The same as a file.
///
/// # Errors
/// It cannot be written.
pub fn file(folder: &Path, number: usize) -> Result<PathBuf, Failure> {
    let path = folder.join(format!("variant-{number}.wasm"));
    fs::write(&path, component(number))?;
    Ok(path)
}
