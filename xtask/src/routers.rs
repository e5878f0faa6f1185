//! The gateway for routers: without a compiler, static, one file per target. zig has the C library and the C compiler
//! of each.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::build_all;
use crate::dist::DistError;
use crate::run::{announce, cargo, run};
use crate::setup::Setup;
use crate::tool::Tool;
use crate::tools::{QEMU_AARCH64, QEMU_ARM, QEMU_X86_64};
use xtask::toolchain::{DEBIAN_CARGO, DEBIAN_RUSTC};

/// A kind of router.
pub struct Router {
    /// Rust's name for it.
    pub target: &'static str,
    /// Runs its programs on a machine of another kind.
    pub emulator: &'static Tool,
}

/// Every supported target. riscv64 and MIPS are not: for the one `libc` lacks constants, and the other has no atomic
/// operations of 64 bits, so that its rules would run without a time limit.
pub const ROUTERS: [Router; 3] = [
    Router {
        target: "x86_64-unknown-linux-musl",
        emulator: &QEMU_X86_64,
    },
    Router {
        target: "aarch64-unknown-linux-musl",
        emulator: &QEMU_AARCH64,
    },
    Router {
        target: "armv7-unknown-linux-musleabihf",
        emulator: &QEMU_ARM,
    },
];

/// Leaves out tables for unwinding: an eighth of the file. A gateway for routers aborts when it panics, and has no
/// symbols for a backtrace. The compiler has no option for it: its own library comes with them.
const LINKER_SCRIPT: &str = "xtask/no-unwind-tables.ld";

impl Router {
    /// Its file in `folder`.
    pub fn file(&self, folder: &Path) -> PathBuf {
        folder.join(format!(
            "comatrix-gateway-{}-{}",
            env!("CARGO_PKG_VERSION"),
            self.target
        ))
    }

    fn build(
        &self,
        workspace: &Path,
        folder: &Path,
        setup: &mut Setup,
    ) -> Result<PathBuf, DistError> {
        announce(&format!(
            "building the gateway for {} (many minutes the first time)",
            self.target
        ));
        let tools = folder.join("tools/zig/bin");
        let mut build = cargo(workspace);
        let own = build.get_program().to_owned();
        build = command_like(&build, &tools.join("cargo-zigbuild"));
        let path = env::var_os("PATH").unwrap_or_default();
        let path = env::join_paths([tools].into_iter().chain(env::split_paths(&path)));
        build
            .env("PATH", path.unwrap_or_default())
            .env("CARGO", own)
            .args(["rustc", "--locked", "--package", "comatrix-host"])
            .args(["--bin", "comatrix-gateway", "--profile", "router"])
            .args(["--no-default-features", "--features", "router"])
            .args(["--target", self.target]);
        let script = workspace.join(LINKER_SCRIPT);
        let mut last = vec![
            "-Clink-arg=-Wl,--no-eh-frame-hdr".to_owned(),
            format!("-Clink-arg=-Wl,-T,{}", script.display()),
        ];
        if !is_installed(self.target) {
            setup.debian_toolchain()?;
            build
                .env("CARGO", DEBIAN_CARGO)
                .env("RUSTC", DEBIAN_RUSTC)
                // `-Zbuild-std` is not stable yet.
                .env("RUSTC_BOOTSTRAP", "1")
                .arg("-Zbuild-std=std,panic_abort");
            // zig has the target's C library, Debian does not.
            last.push("-Clink-self-contained=no".to_owned());
        }
        run(build.arg("--").args(last))?;
        let target_folder =
            env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace.join("target"), PathBuf::from);
        let from = target_folder
            .join(self.target)
            .join("router/comatrix-gateway");
        // A running program cannot be written to, but another file can take its name.
        let (file, unfinished) = (self.file(folder), folder.join("tools/unfinished"));
        fs::copy(&from, &unfinished)
            .and_then(|_| fs::rename(&unfinished, &file))
            .map_err(|source| DistError::File {
                path: file.clone(),
                source,
            })?;
        Ok(file)
    }
}

/// The same folder and environment for another program.
fn command_like(command: &Command, program: &Path) -> Command {
    let mut other = Command::new(program);
    if let Some(folder) = command.get_current_dir() {
        other.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => other.env(name, value),
            None => other.env_remove(name),
        };
    }
    other
}

/// Builds each of them into `folder`.
pub fn build(workspace: &Path, folder: &Path, setup: &mut Setup) -> Result<(), DistError> {
    setup.venv(
        &folder.join("tools/zig"),
        &workspace.join("xtask/requirements.txt"),
    )?;
    for router in &ROUTERS {
        if !is_installed(router.target) {
            announce(&format!("rustup target add {}", router.target));
            if let Err(error) = run(Command::new("rustup").args(["target", "add", router.target])) {
                announce(&format!("{error}; building it with Debian's toolchain"));
            }
        }
        let file = router.build(workspace, folder, setup)?;
        let bytes = file.metadata().map_or(0, |metadata| metadata.len());
        announce(&format!("{}  {bytes} bytes", file.display()));
    }
    Ok(())
}

/// Whether rustup has this target's standard library.
fn is_installed(target: &str) -> bool {
    let output = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", target])
        .stderr(Stdio::null())
        .output();
    output.is_ok_and(|output| {
        let folder = String::from_utf8_lossy(&output.stdout);
        output.status.success() && Path::new(folder.trim()).is_dir()
    })
}

/// Runs each of them through the device story against Synapse, with a rule as native code that is replaced meanwhile,
/// and with the densest requests and responses in half of a call's time.
pub fn test(workspace: &Path, folder: &Path, setup: &mut Setup) -> Result<(), DistError> {
    setup.everything(workspace)?;
    build_all(workspace)?;
    for router in &ROUTERS {
        let is_own = router.target.starts_with(env::consts::ARCH);
        announce(&format!("the device story on {}", router.target));
        let mut story = cargo(workspace);
        story
            .args(["test", "--workspace", "--locked", "--test", "end_to_end"])
            .args([
                "--",
                "story::the_whole_story",
                "native_rules::",
                "densest::",
            ])
            .env("RUST_TEST_THREADS", "4")
            .env("COMATRIX_GATEWAY", router.file(folder))
            .env("COMATRIX_GATEWAY_TARGET", router.target);
        if !is_own {
            setup.tools(&[router.emulator])?;
            story.env("COMATRIX_GATEWAY_RUNNER", router.emulator.name());
        }
        run(&mut story)?;
    }
    Ok(())
}
