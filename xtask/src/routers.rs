//! The gateway for routers: without a compiler, static, one file per target. zig has the C library and the C compiler for each.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::build_all;
use crate::dist::DistError;
use crate::run::{announce, cargo, run};
use crate::setup::{self, SetupError};
use crate::venv;
use xtask::toolchain::{self, Forced};

/// Python packages with the cross compiler; these versions have been tried.
const ZIG: [&str; 2] = ["ziglang==0.17.1", "cargo-zigbuild==0.24.0"];
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_CARGO: &str = "/usr/bin/cargo";

/// What a gateway is built for.
pub struct Router {
    /// Rust's name for it.
    pub target: &'static str,
    /// What runs it on a machine of another kind.
    pub emulator: &'static str,
}

/// Every target that is promised. riscv64 and MIPS are not: `libc` lacks constants for the one, the other has no atomic operations of
/// 64 bits, so that its rules would run without a limit of time.
pub const ROUTERS: [Router; 3] = [
    Router {
        target: "x86_64-unknown-linux-musl",
        emulator: "qemu-x86_64-static",
    },
    Router {
        target: "aarch64-unknown-linux-musl",
        emulator: "qemu-aarch64-static",
    },
    Router {
        target: "armv7-unknown-linux-musleabihf",
        emulator: "qemu-arm-static",
    },
];

impl Router {
    /// Its file in `folder`.
    pub fn file(&self, folder: &Path) -> PathBuf {
        folder.join(format!(
            "comatrix-gateway-{}-{}",
            env!("CARGO_PKG_VERSION"),
            self.target
        ))
    }

    fn build(&self, workspace: &Path, folder: &Path) -> Result<PathBuf, DistError> {
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
        if !is_installed(self.target) {
            if toolchain::find(Forced::Debian).is_err() {
                setup::debian_toolchain()?;
            }
            build
                .env("CARGO", DEBIAN_CARGO)
                .env("RUSTC", DEBIAN_RUSTC)
                // `-Zbuild-std` is not stable yet.
                .env("RUSTC_BOOTSTRAP", "1")
                .arg("-Zbuild-std=std,panic_abort")
                // Debian has no C library for the target; zig has.
                .args(["--", "-Clink-self-contained=no"]);
        }
        run(&mut build)?;
        let target_folder =
            env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace.join("target"), PathBuf::from);
        let from = target_folder
            .join(self.target)
            .join("router/comatrix-gateway");
        // One that runs cannot be written; another one can take its place.
        let (file, coming) = (self.file(folder), folder.join("tools/coming"));
        fs::copy(&from, &coming)
            .and_then(|_| fs::rename(&coming, &file))
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
pub fn build(workspace: &Path, folder: &Path) -> Result<(), DistError> {
    zig(folder)?;
    for router in &ROUTERS {
        if !is_installed(router.target) {
            // Where rustup cannot, Debian's toolchain builds the standard library as well.
            announce(&format!("rustup target add {}", router.target));
            if let Err(error) = run(Command::new("rustup").args(["target", "add", router.target])) {
                announce(&format!("{error}; Debian's toolchain will do"));
            }
        }
        let file = router.build(workspace, folder)?;
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

/// Installs the cross compiler, unless it is there.
fn zig(folder: &Path) -> Result<(), DistError> {
    let tools = folder.join("tools/zig");
    // Of another version, it is there too; the stamp says which.
    let stamp = tools.join("installed");
    let wanted = ZIG.join("\n");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    announce("installing zig");
    venv::create(&tools).map_err(SetupError::from)?;
    run(Command::new(tools.join("bin/pip"))
        .args(["install", "--quiet", "--disable-pip-version-check"])
        .args(ZIG))?;
    // Without the stamp it is only installed again.
    let _ = fs::write(&stamp, wanted);
    Ok(())
}

/// Runs each of them through the device story against Synapse, with a rule as native code that is replaced meanwhile.
pub fn test(workspace: &Path, folder: &Path) -> Result<(), DistError> {
    setup::everything(workspace)?;
    build_all(workspace)?;
    for router in &ROUTERS {
        let is_own = router.target.starts_with(env::consts::ARCH);
        announce(&format!("the device story on {}", router.target));
        let mut story = cargo(workspace);
        story
            .args(["test", "--workspace", "--locked", "--test", "end_to_end"])
            .args(["--", "story::the_whole_story", "native_rules::"])
            .env("RUST_TEST_THREADS", "4")
            .env("COMATRIX_GATEWAY", router.file(folder))
            .env("COMATRIX_GATEWAY_TARGET", router.target);
        if !is_own {
            install_emulator(router.emulator)?;
            story.env("COMATRIX_GATEWAY_RUNNER", router.emulator);
        }
        run(&mut story)?;
    }
    Ok(())
}

fn install_emulator(emulator: &str) -> Result<(), SetupError> {
    setup::install_unless_present(emulator, "qemu-user-static")
}
