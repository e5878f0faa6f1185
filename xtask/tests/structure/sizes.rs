//! Lengths of lines and of files.

use std::path::{Path, PathBuf};

/// Characters of a line.
const LINE: usize = 120;
/// Lines of a source file: a longer one has two subjects.
const FILE: usize = 300;

/// Longer files, each with the reason why it stays whole.
const LONG_FILES: [(&str, &str); 0] = [];

/// Long lines of Rust, WIT and Markdown.
pub fn long_lines(files: &[PathBuf], folder: &Path) -> Vec<String> {
    let mut faults = Vec::new();
    for file in files {
        let is_markdown = has_extension(file, &["md"]);
        if !is_markdown && !has_extension(file, &["rs", "wit"]) {
            continue;
        }
        let name = name(file, folder);
        for (number, length) in long_lines_of(&read(file), is_markdown) {
            faults.push(format!("{name}:{number} has {length} characters"));
        }
    }
    faults
}

/// Number and length. Rows of tables and blocks of code in Markdown cannot be wrapped.
fn long_lines_of(text: &str, is_markdown: bool) -> Vec<(usize, usize)> {
    let mut is_code = false;
    let mut long = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let trimmed = line.trim_start();
        let is_fence = is_markdown && trimmed.starts_with("```");
        is_code ^= is_fence;
        let is_exempt = is_markdown && (is_code || is_fence || trimmed.starts_with('|'));
        let length = line.chars().count();
        if length > LINE && !is_exempt {
            long.push((index + 1, length));
        }
    }
    long
}

/// Rust files in the `src` folders of `host` and `guest` that have too many lines.
pub fn long_files(files: &[PathBuf], folder: &Path) -> Vec<String> {
    let mut faults = Vec::new();
    for file in files {
        let name = name(file, folder);
        let is_source =
            (name.starts_with("host/") || name.starts_with("guest/")) && name.contains("/src/");
        if !is_source
            || !has_extension(file, &["rs"])
            || LONG_FILES.iter().any(|(long, _)| *long == name)
        {
            continue;
        }
        let lines = read(file).lines().count();
        if lines > FILE {
            faults.push(format!("{name} has {lines} lines"));
        }
    }
    faults
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn has_extension(file: &Path, extensions: &[&str]) -> bool {
    file.extension()
        .is_some_and(|extension| extensions.iter().any(|one| extension == *one))
}

fn name(file: &Path, folder: &Path) -> String {
    file.strip_prefix(folder)
        .unwrap_or(file)
        .display()
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_measured_in_characters() {
        let text = format!("{}\n{}", "ä".repeat(120), "a".repeat(121));
        assert_eq!(long_lines_of(&text, false), [(2, 121)]);
    }

    #[test]
    fn tables_and_code_in_markdown_are_not_measured() {
        let long = "x".repeat(130);
        let text = format!("| {long} |\n```\n{long}\n```\n{long}\n");
        assert_eq!(long_lines_of(&text, true), [(5, 130)]);
    }
}
