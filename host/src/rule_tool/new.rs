//! `comatrix-gateway rule new NAME`: creates a crate that builds and passes its test.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::template;

/// Bytes of a rule's name: it is used for a mount, a file and a crate.
const MAX_NAME: usize = 64;

/// `new`.
#[derive(Debug, Args)]
pub(super) struct NewArgs {
    /// Name of the rule, its folder, its component and its mount
    #[arg(value_name = "NAME")]
    pub(super) name: String,

    /// Parent of the new folder NAME
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(super) dir: PathBuf,
}

/// Why no rule was created.
#[derive(Debug, thiserror::Error)]
pub(super) enum NewError {
    #[error(
        "\"{0}\" cannot be a rule's name: use 1 to {MAX_NAME} lower-case letters, digits and hyphens; start with a \
         letter and do not end with a hyphen, for example meadow-sensor"
    )]
    Name(String),
    #[error("{} exists already; choose another name, or another folder with --dir", .0.display())]
    Exists(PathBuf),
    #[error("cannot write {}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
}

/// Creates the folder and prints the next commands.
pub(super) fn new(args: &NewArgs, out: &mut impl Write) -> Result<(), NewError> {
    let name = args.name.as_str();
    if !is_name(name) {
        let shown = contract::escaping::escaped(name, MAX_NAME).to_string();
        return Err(NewError::Name(shown));
    }
    let folder = args.dir.join(name);
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| NewError::File { path, source }
    };
    fs::create_dir_all(&args.dir).map_err(failed(&args.dir))?;
    fs::create_dir(&folder).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => NewError::Exists(folder.clone()),
        _ => failed(&folder)(source),
    })?;
    for (path, text) in template::files(name) {
        let file = folder.join(path);
        if let Some(parent) = file.parent() {
            fs::create_dir_all(parent).map_err(failed(parent))?;
        }
        fs::write(&file, text).map_err(failed(&file))?;
    }
    let shown = folder.strip_prefix(".").unwrap_or(&folder).display();
    writeln!(out, "created the rule {name} in {shown}; next:\n")?;
    writeln!(out, "  cd {shown}")?;
    writeln!(
        out,
        "  cargo test                     # runs its case natively"
    )?;
    writeln!(out, "  comatrix-gateway rule build    # writes {name}.wasm")?;
    Ok(())
}

/// Whether a name is valid for a crate and as a path segment.
fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=MAX_NAME).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && !name.ends_with('-')
        && name.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_valid_for_a_crate_and_in_a_path() {
        for name in ["a", "meadow-sensor", "fn", "x1"] {
            assert!(is_name(name));
        }
        for name in [
            "",
            "-a",
            "a-",
            "1a",
            "A",
            "a b",
            "a/b",
            "..",
            "ä",
            &"a".repeat(65),
        ] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn an_existing_folder_is_not_changed() {
        let dir = std::env::temp_dir().join(format!("rule-new-{}", std::process::id()));
        let args = NewArgs {
            name: "meadow".to_owned(),
            dir: dir.clone(),
        };
        let mut out = Vec::new();
        new(&args, &mut out).unwrap();
        assert!(String::from_utf8(out).unwrap().contains("rule build"));
        fs::write(dir.join("meadow/src/lib.rs"), "mine").unwrap();
        let error = new(&args, &mut Vec::new()).unwrap_err();
        assert!(matches!(error, NewError::Exists(_)), "{error}");
        assert_eq!(fs::read(dir.join("meadow/src/lib.rs")).unwrap(), b"mine");
        fs::remove_dir_all(&dir).unwrap();
    }
}
