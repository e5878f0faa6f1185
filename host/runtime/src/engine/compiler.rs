//! Compiles components in this process, or in a separate one, which can be ended and gives all its memory back.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use super::Engine;
use contract::escaping::escaped;

/// The hidden command of the gateway's binary that compiles what it reads.
pub const COMMAND: &str = "compile-component";
/// Bytes of compiled code: more could not be cached either.
const MAX_COMPILED: u64 = 64 << 20;
/// Bytes of the reason why there is no code.
const MAX_REASON: u64 = 1024;

/// The limits of one compilation. The compiler has no bounds of its own, and even a small component can keep it busy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompileLimits {
    /// CPU time. The largest rule of the examples, a JavaScript engine, takes 4 s in a debug build; a router is slower.
    pub cpu: Duration,
    /// Bytes in memory. That rule takes 65 MB; the unit of the packages allows 256 MB for the whole service.
    pub memory: u64,
}

impl Default for CompileLimits {
    fn default() -> Self {
        Self {
            cpu: Duration::from_secs(60),
            memory: 192 << 20,
        }
    }
}

/// Compiles components.
#[derive(Clone, Debug, Default)]
pub struct Compiler {
    /// The gateway's binary; none: compiles in this process.
    separate: Option<(PathBuf, CompileLimits)>,
}

impl Compiler {
    /// Compiles in processes of `program`, which is a binary of this gateway.
    #[must_use]
    pub fn apart(program: &Path, limits: CompileLimits) -> Self {
        Self {
            separate: Some((program.to_owned(), limits)),
        }
    }

    /// The native code of a component for `engine`.
    pub(super) fn precompile(
        &self,
        engine: &Engine,
        component: &[u8],
    ) -> wasmtime::Result<Vec<u8>> {
        let here = || engine.wasmtime().precompile_component(component);
        let Some((program, limits)) = &self.separate else {
            return here();
        };
        match start(program, *limits, engine.is_large()) {
            Ok(child) => finish(child, component),
            Err(error) => {
                // A gateway without this bound is better than none.
                tracing::warn!(
                    "{} does not start: {error}; rules are compiled within the gateway, where nothing bounds \
                     the compiler",
                    program.display()
                );
                here()
            }
        }
    }
}

fn start(program: &Path, limits: CompileLimits, is_large: bool) -> std::io::Result<Child> {
    let (milliseconds, bytes) = (limits.cpu.as_millis(), limits.memory);
    let mut arguments: Vec<OsString> = vec![
        COMMAND.into(),
        format!("--cpu-ms={milliseconds}").into(),
        format!("--memory={bytes}").into(),
    ];
    if is_large {
        arguments.push("--large".into());
    }
    Command::new(program)
        .args(arguments)
        // Variables of the service manager are for the gateway alone.
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
}

/// Sends the component and waits. The child bounds its own time.
fn finish(mut child: Child, component: &[u8]) -> wasmtime::Result<Vec<u8>> {
    let (mut compiled, mut reason) = (Vec::new(), Vec::new());
    let mut talk = || -> std::io::Result<ExitStatus> {
        if let Some(mut input) = child.stdin.take() {
            // If it has ended already, its output has the reason.
            let _ = input.write_all(component);
        }
        if let Some(output) = child.stdout.take() {
            output.take(MAX_COMPILED).read_to_end(&mut compiled)?;
        }
        if let Some(output) = child.stderr.take() {
            output.take(MAX_REASON).read_to_end(&mut reason)?;
        }
        child.wait()
    };
    let status = talk().map_err(|error| {
        // It may wait for a reader. If it has ended, this only collects its status.
        let _ = child.kill().and_then(|()| child.wait());
        wasmtime::format_err!("it was not compiled: {error}")
    })?;
    if status.success() {
        return Ok(compiled);
    }
    let reason = escaped(String::from_utf8_lossy(&reason).trim(), 400);
    Err(match reason.as_str() {
        // It was killed, for example by the kernel for lack of memory.
        "" => wasmtime::format_err!("the compiler was ended ({status}); build it smaller"),
        reason => wasmtime::format_err!("{reason}"),
    })
}
