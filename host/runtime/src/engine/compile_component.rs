//! `compile-component`: the hidden command with which a gateway compiles rules. It reads a component, writes its native
//! code, and exits if that exceeds its limits.

use std::fs;
use std::io::{Read, Write};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use rustix::process::Signal;
use rustix::time::{ClockId, clock_gettime};

use crate::{CompileLimits, Engine, EngineError, Engines, RuleLimits};

/// Exit status if the component was not compiled; standard error has the reason.
const NOT_COMPILED: u8 = 1;
/// Interval at which it checks its use of CPU and memory.
const CHECK_INTERVAL: Duration = Duration::from_millis(20);
/// Wall-clock time, for a process that gets little CPU time beside a busy gateway.
const LONGEST: Duration = Duration::from_secs(600);
/// Bytes of a component; the gateway has checked that it is smaller.
const MAX_COMPONENT: u64 = 64 << 20;

/// The engine to compile for, and the limits of the compilation.
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

/// Compiles the component on standard input.
#[must_use]
#[allow(clippy::print_stderr)] // The gateway reads the reason there.
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

/// If memory is short, the kernel ends this process before the gateway. It also ends this process with the gateway.
fn give_way() {
    let _ = fs::write("/proc/self/oom_score_adj", "1000");
    let _ = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
}

/// Ends the process when it exceeds its limits.
#[allow(clippy::print_stderr)]
fn watch(limits: CompileLimits) {
    let began = Instant::now();
    loop {
        thread::sleep(CHECK_INTERVAL);
        let used = clock_gettime(ClockId::ProcessCPUTime);
        let used = Duration::try_from(used).unwrap_or(Duration::MAX);
        let exceeded = if used > limits.cpu {
            format!("{} ms of CPU time", limits.cpu.as_millis())
        } else if resident() > limits.memory {
            format!("{} bytes of memory", limits.memory)
        } else if began.elapsed() > LONGEST {
            format!("{} s", LONGEST.as_secs())
        } else {
            continue;
        };
        eprintln!("compiling it takes more than {exceeded}; build it smaller");
        std::process::exit(NOT_COMPILED.into());
    }
}

/// Bytes in memory (proc(5), VmRSS of status); 0 if the system does not report them.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kibibytes.unwrap_or(0) * 1024
}
