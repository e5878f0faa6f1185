//! `compile-component`: the hidden command that a gateway compiles rules with. It reads a component, writes its native
//! code, and ends itself where that takes more than it may.

use std::fs;
use std::io::{Read, Write};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use rustix::process::Signal;
use rustix::time::{ClockId, clock_gettime};

use crate::{CompileLimits, Engine, EngineError, Engines, RuleLimits};

/// Exit status of a component that was not compiled; why stands on standard error.
const NOT_COMPILED: u8 = 1;
/// How often it looks at what it has used.
const LOOK: Duration = Duration::from_millis(20);
/// However little of the CPU it gets, beside a gateway that is busy.
const LONGEST: Duration = Duration::from_secs(600);
/// Bytes of a component that are read; the gateway has checked that it is smaller.
const MAX_COMPONENT: u64 = 64 << 20;

/// What to compile for, and what it may use.
#[derive(Debug, Args)]
pub struct CompileComponentArgs {
    /// CPU time in milliseconds
    #[arg(long)]
    cpu_ms: u64,
    /// Bytes in memory
    #[arg(long)]
    memory: u64,
    /// For the engine of large rules
    #[arg(long)]
    large: bool,
}

/// Compiles what stands on standard input.
#[must_use]
#[allow(clippy::print_stderr)] // Its only way to say why.
pub fn run(args: &CompileComponentArgs) -> ExitCode {
    let limits = CompileLimits {
        cpu: Duration::from_millis(args.cpu_ms),
        memory: args.memory,
    };
    give_way();
    if let Err(error) = thread::Builder::new().spawn(move || watch(limits)) {
        eprintln!("no thread to watch the compiler: {error}");
        return ExitCode::from(NOT_COMPILED);
    }
    match compile(args.large) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::from(NOT_COMPILED)
        }
    }
}

fn compile(large: bool) -> Result<(), String> {
    let mut component = Vec::new();
    std::io::stdin()
        .take(MAX_COMPONENT)
        .read_to_end(&mut component)
        .map_err(|error| error.to_string())?;
    let engine = engine(large).map_err(|error| error.to_string())?;
    let compiled = engine.precompile(&component)?;
    let mut out = std::io::stdout().lock();
    out.write_all(&compiled)
        .and_then(|()| out.flush())
        .map_err(|error| error.to_string())
}

fn engine(large: bool) -> Result<Engine, EngineError> {
    let engines = Engines::new()?;
    let mut limits = RuleLimits::default();
    if large {
        limits.memory = Engine::MAX_MEMORY;
    }
    engines.fit(&limits)
}

/// Where memory is short, this process goes before the gateway does; and not without it.
fn give_way() {
    let _ = fs::write("/proc/self/oom_score_adj", "1000");
    let _ = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
}

/// Ends the process when it has used what it may.
#[allow(clippy::print_stderr)]
fn watch(limits: CompileLimits) {
    let began = Instant::now();
    loop {
        thread::sleep(LOOK);
        let used = clock_gettime(ClockId::ProcessCPUTime);
        let used = Duration::try_from(used).unwrap_or(Duration::MAX);
        let beyond = if used > limits.cpu {
            format!("{} ms of CPU time", limits.cpu.as_millis())
        } else if resident() > limits.memory {
            format!("{} bytes of memory", limits.memory)
        } else if began.elapsed() > LONGEST {
            format!("{} s", LONGEST.as_secs())
        } else {
            continue;
        };
        eprintln!("compiling it takes more than {beyond}; build it smaller");
        std::process::exit(NOT_COMPILED.into());
    }
}

/// Bytes in memory (proc(5), VmRSS of status); none where the system does not tell.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kibibytes.unwrap_or(0) * 1024
}
