//! Builds rules: a crate under `guest/` becomes a WebAssembly component in one file.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{self, Path, PathBuf};
use std::process::{self, ExitStatus};

use crate::toolchain::{self, TARGET, Toolchain, ToolchainError};

/// Bytes of stack of a rule. Rust's default of 1 MiB would be mapped anew for every call; the deepest
/// nesting that the default rule accepts (32 levels) needs about 9 KiB.
pub const STACK_BYTES: u32 = 16 * 1024;

/// Bytes of memory that a rule starts with: stack, constants, and heap for ordinary requests, so that these
/// need no `memory.grow`. A multiple of 64 KiB, WebAssembly's page.
pub const MEMORY_BYTES: u32 = 64 * 1024;

/// A rule that this workspace builds.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Its file is `<name>.wasm`.
    pub name: &'static str,
    /// The package that it is made from.
    pub package: &'static str,
}

/// Every rule of this workspace.
pub const RULES: &[Rule] = &[Rule {
    name: "comatrix",
    package: "comatrix-rule",
}];

/// Why a rule was not built.
#[derive(Debug, thiserror::Error)]
pub enum GuestError {
    /// The name is not in [`RULES`].
    #[error("there is no rule {0:?} to build; the rules are listed in xtask/src/guest.rs")]
    UnknownRule(String),
    /// No toolchain for rules.
    #[error(transparent)]
    Toolchain(#[from] ToolchainError),
    /// Cargo could not be started.
    #[error("cannot start cargo ({program:?}) to build the rule {rule}: {source}")]
    Start {
        /// The rule's name.
        rule: &'static str,
        /// What was to be started.
        program: OsString,
        /// The system's reason.
        source: io::Error,
    },
    /// Cargo ran and failed; it has said why.
    #[error("building the rule {rule} ended with {status}; the compiler's messages stand above")]
    Cargo {
        /// The rule's name.
        rule: &'static str,
        /// How cargo ended.
        status: ExitStatus,
    },
    /// The compiled module cannot become a component.
    #[error(
        "{module} is no module of the contract in wit/ ({reason}); its crate must call the `export!` macro of the SDK"
    )]
    Component {
        /// The compiled module.
        module: PathBuf,
        /// What the encoder says.
        reason: String,
    },
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

/// Builds the rule `rule` of the workspace at `workspace` into `<out>/<rule>.wasm`, and returns that path. The
/// toolchain is the one that [`toolchain::find`] chooses.
///
/// Compiles in a target folder of its own, `target/guest-build`: an outer cargo, whose build script calls this,
/// holds the lock of the usual one. Quick when nothing has changed; the file keeps its time then.
pub fn build(rule: &str, workspace: &Path, out: &Path) -> Result<PathBuf, GuestError> {
    build_with(
        &toolchain::find(toolchain::forced()?)?,
        rule,
        workspace,
        out,
    )
}

/// As [`build`], with this toolchain.
pub fn build_with(
    toolchain: &Toolchain,
    rule: &str,
    workspace: &Path,
    out: &Path,
) -> Result<PathBuf, GuestError> {
    let rule = RULES
        .iter()
        .find(|known| known.name == rule)
        .ok_or_else(|| GuestError::UnknownRule(rule.to_owned()))?;
    let workspace = path::absolute(workspace).map_err(|source| GuestError::File {
        path: workspace.to_owned(),
        source,
    })?;
    let module = compile(toolchain, rule, &workspace)?;
    let component = componentise(&module)?;
    let file = out.join(format!("{}.wasm", rule.name));
    write_if_changed(&file, &component)?;
    Ok(file)
}

/// What a build script has to watch: every file and folder that a rule is made from.
pub fn sources(workspace: &Path) -> Vec<PathBuf> {
    ["guest", "wit", "Cargo.toml", "Cargo.lock"]
        .iter()
        .map(|name| workspace.join(name))
        .collect()
}

fn compile(toolchain: &Toolchain, rule: &Rule, workspace: &Path) -> Result<PathBuf, GuestError> {
    let target_folder = workspace.join("target/guest-build").join(toolchain.name());
    let mut cargo = toolchain.cargo_build();
    let link_arguments = [
        format!("-zstack-size={STACK_BYTES}"),
        format!("--initial-memory={MEMORY_BYTES}"),
    ];
    // Separated by 0x1f, as cargo defines this variable.
    let mut flags: Vec<String> = link_arguments
        .iter()
        .map(|argument| format!("-Clink-arg={argument}"))
        .collect();
    // Messages of panics name the file they come from: the same bytes on every machine, and nobody's home folder.
    flags.extend(dependency_sources().map(|folder| format!("--remap-path-prefix={folder}=deps")));
    cargo
        .current_dir(workspace)
        .args([
            "--locked",
            "--profile",
            "guest",
            "--package",
            rule.package,
            "--lib",
        ])
        .arg("--target-dir")
        .arg(&target_folder)
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
    let status = cargo.status().map_err(|source| GuestError::Start {
        rule: rule.name,
        program: cargo.get_program().to_owned(),
        source,
    })?;
    if !status.success() {
        return Err(GuestError::Cargo {
            rule: rule.name,
            status,
        });
    }
    let file_name = format!("{}.wasm", rule.package.replace('-', "_"));
    Ok(target_folder.join(TARGET).join("guest").join(file_name))
}

/// Where cargo unpacks the sources of dependencies.
fn dependency_sources() -> Option<String> {
    let home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")))?;
    home.join("registry/src")
        .into_os_string()
        .into_string()
        .ok()
}

/// Wraps the module into a component, by the WIT that its bindings have left in it. There is no adapter: a rule
/// that imports WASI is refused here.
fn componentise(module: &Path) -> Result<Vec<u8>, GuestError> {
    let bytes = fs::read(module).map_err(|source| GuestError::File {
        path: module.to_owned(),
        source,
    })?;
    wit_component::ComponentEncoder::default()
        .validate(true)
        .module(&bytes)
        .and_then(|encoder| encoder.encode())
        .map_err(|error| GuestError::Component {
            module: module.to_owned(),
            reason: format!("{error:#}"),
        })
}

/// Replaces `file` in one step, so that nobody ever reads half a component.
fn write_if_changed(file: &Path, bytes: &[u8]) -> Result<(), GuestError> {
    if fs::read(file).is_ok_and(|present| present == bytes) {
        return Ok(());
    }
    let failed = |source| GuestError::File {
        path: file.to_owned(),
        source,
    };
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    // The process id keeps two builds at the same time apart.
    let unfinished = file.with_extension(format!("{}.part", process::id()));
    fs::write(&unfinished, bytes).map_err(failed)?;
    fs::rename(&unfinished, file).map_err(failed)
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("xtask-{name}-{}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn an_unchanged_component_keeps_its_time_and_a_changed_one_is_replaced() {
        let folder = folder("write");
        let file = folder.join("below/rule.wasm");
        write_if_changed(&file, b"one").unwrap();
        let long_ago = SystemTime::UNIX_EPOCH;
        fs::File::options()
            .write(true)
            .open(&file)
            .unwrap()
            .set_modified(long_ago)
            .unwrap();
        write_if_changed(&file, b"one").unwrap();
        assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), long_ago);
        write_if_changed(&file, b"two").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"two");
        assert_eq!(
            fs::read_dir(folder.join("below")).unwrap().count(),
            1,
            "nothing unfinished is left"
        );
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_module_without_the_contract_is_refused_with_its_name() {
        let folder = folder("componentise");
        let module = folder.join("stray.wasm");
        fs::write(&module, b"\0asm\x01\0\0").unwrap();
        let error = componentise(&module).unwrap_err().to_string();
        assert!(
            error.contains("stray.wasm") && error.contains("export!"),
            "{error}"
        );
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_rule_that_does_not_exist_is_refused_before_anything_is_built() {
        let error = build_with(
            &Toolchain::Rustup,
            "nothing",
            Path::new("."),
            Path::new("."),
        );
        assert!(matches!(error, Err(GuestError::UnknownRule(name)) if name == "nothing"));
    }
}
