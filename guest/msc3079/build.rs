//! Turns the tables of the proposal, `tables/*.csv`, into Rust.

use std::env;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

fn main() -> Result<(), String> {
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR for build scripts")?);
    let code =
        keys(&rows("keys-v1.csv", "key,name")?)? + &paths(&rows("paths-v1.csv", "code,path")?)?;
    let file = out.join("tables.rs");
    fs::write(&file, code).map_err(|error| format!("{}: {error}", file.display()))
}

/// The two columns of a table.
fn rows(name: &str, header: &str) -> Result<Vec<(String, String)>, String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tables")
        .join(name);
    println!("cargo::rerun-if-changed={}", file.display());
    let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let mut lines = text.lines();
    if lines.next() != Some(header) {
        return Err(format!(
            "{}: the first line is not {header}",
            file.display()
        ));
    }
    let row = |line: &str| {
        let (one, other) = line.split_once(',')?;
        Some((one.to_owned(), other.to_owned()))
    };
    let rows: Option<Vec<_>> = lines.map(row).collect();
    rows.ok_or_else(|| format!("{}: a row without a comma", file.display()))
}

/// `KEYS`: the names for 1, 2 and so on, and their order.
fn keys(rows: &[(String, String)]) -> Result<String, String> {
    for (index, (number, name)) in rows.iter().enumerate() {
        if number.parse() != Ok(index + 1) {
            return Err(format!(
                "key {number} of {name} is not the {}th in its table",
                index + 1
            ));
        }
    }
    let names: Vec<&str> = rows.iter().map(|(_, name)| name.as_str()).collect();
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_by_key(|index| names[*index]);
    Ok(format!(
        "/// The names of integer keys.\npub static KEYS: KeyTable = KeyTable::new(&{names:?}, &{order:?});\n"
    ))
}

/// `PATHS`: each code with the segments of its path, in the order of the codes' bytes.
fn paths(rows: &[(String, String)]) -> Result<String, String> {
    let mut rows = rows.to_vec();
    rows.sort();
    let mut code = format!(
        "/// Codes of paths, sorted, and what they stand for.\npub static PATHS: [(u8, &[Segment]); {}] = [\n",
        rows.len()
    );
    let wrong = |error: std::fmt::Error| error.to_string();
    for (letter, path) in &rows {
        let &[byte] = letter.as_bytes() else {
            return Err(format!("the code {letter} of {path} is not one character"));
        };
        let segments = path
            .strip_prefix('/')
            .ok_or_else(|| format!("{path} does not begin with /"))?;
        write!(code, "({byte}, &[").map_err(wrong)?;
        for segment in segments.split('/') {
            match segment
                .strip_prefix('{')
                .and_then(|name| name.strip_suffix('}'))
            {
                Some(name) => write!(code, "Segment::Parameter({name:?}), "),
                None => write!(code, "Segment::Literal({segment:?}), "),
            }
            .map_err(wrong)?;
        }
        code.push_str("]),\n");
    }
    code.push_str("];\n");
    Ok(code)
}
