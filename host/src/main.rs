//! The gateway's binary: parse, validate, bind, serve, drain.

use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use clap::Parser;
use comatrix_gateway::access_log::escaped;
use comatrix_gateway::admin::{self, Admin, Forms};
use comatrix_gateway::cli::{Cli, Command, ServeArgs};
use comatrix_gateway::clock::Clock;
use comatrix_gateway::config::{self, Fixed, Settings};
use comatrix_gateway::exchange::{Gateway, Serving};
use comatrix_gateway::rule::{Cache, EngineError, Engines};
use comatrix_gateway::rules::{self, Manager, Rereading, Watch};
use comatrix_gateway::transport::{BindError, UdpTransport};
#[cfg(feature = "compiler")]
use comatrix_gateway::{compile_component, rule_tool};
use comatrix_gateway::{device, logging, serve, service_manager};
use tokio::signal::unix::{SignalKind, signal};

/// Threads that resolve names at the same time. On a router there is one homeserver, as a rule, and each thread is memory.
const RESOLVER_THREADS: usize = if cfg!(feature = "router") { 1 } else { 8 };
/// Exit status for a configuration that cannot work; clap uses it for the command line too.
const BAD_CONFIGURATION: u8 = 2;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.command {
        Some(Command::Device(args)) => device::run(args),
        Some(Command::Status(args)) => admin::command::run(&args),
        Some(Command::Rules(args)) => rules::command::run(args),
        #[cfg(feature = "compiler")]
        Some(Command::Rule(args)) => rule_tool::run(args),
        #[cfg(feature = "compiler")]
        Some(Command::CompileComponent(args)) => compile_component::run(&args),
        None => match run(cli.serve) {
            Ok(()) => ExitCode::SUCCESS,
            Err((code, error)) => {
                report(&error);
                service_manager::failed(&error);
                code
            }
        },
    }
}

#[allow(clippy::print_stderr)] // The log may not have started.
fn report(error: &str) {
    eprintln!("comatrix-gateway: {error}");
}

fn run(args: ServeArgs) -> Result<(), (ExitCode, String)> {
    let bad =
        |error: &dyn std::fmt::Display| (ExitCode::from(BAD_CONFIGURATION), error.to_string());
    let failed = |error: &dyn std::fmt::Display| (ExitCode::FAILURE, error.to_string());

    let started = Instant::now();
    // Before there is a second thread.
    let handed_over = service_manager::take_socket().map_err(|error| bad(&error))?;
    let settings = Settings::from_args(&args).map_err(|error| bad(&error))?;
    let log = logging::start(settings.log_level).map_err(|error| failed(&error))?;
    let clock = Clock::system();
    if clock.now().is_none() {
        tracing::warn!(
            "this machine's clock is not set (it says {}): until it is, /time is answered 5.03 and https fails, since no certificate is valid yet; set up a time service (systemd-timesyncd, ntpd)",
            clock.shown()
        );
    }
    let service = settings.service().map_err(|error| bad(&error))?;
    let serving = Serving::new(service);
    let cache = Cache::at(settings.cache_dir.as_deref());
    // One thread carries the data path: a translation takes microseconds, all waiting is asynchronous.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        // Name resolution only; while a resolver hangs, more threads would hang with it.
        .max_blocking_threads(RESOLVER_THREADS)
        .build()
        .map_err(|error| failed(&error))?;
    // Heard of from now on: until somebody listens, SIGHUP would end the process.
    let hang_up = {
        let _context = runtime.enter();
        signal(SignalKind::hangup()).map_err(|error| failed(&error))?
    };
    let engines = engines().map_err(|error| failed(&error))?;
    let watch = Watch::new().inspect_err(|error| tracing::warn!("{error}"));
    let watch = watch.ok();
    let (events, inbox) = mpsc::channel();
    let mut manager = Manager::new(
        engines,
        cache,
        serving.clone(),
        (settings.rules.clone(), settings.trust.clone()),
        rereading(
            args,
            Fixed::of(&settings, handed_over.is_some()),
            log.levels(),
        ),
        watch.clone(),
        &events,
    );
    for (rule, error) in manager.start() {
        // Without the rule that devices are built for there is no gateway; without another one there is.
        if rule == config::DEFAULT {
            return Err(bad(&error));
        }
        tracing::error!("rule {rule} is out of service: {error}");
    }
    manager.warn(&settings);
    let board = manager.board();
    let gateway = Gateway::new(serving.clone());

    // Components are compiled beside the data path.
    thread::Builder::new()
        .name("rules".into())
        .spawn(move || {
            // The kernel counts threads as processes here. Without its leave, compiling is only less polite.
            let _ = rustix::process::setpriority_process(None, 19);
            manager.run(&inbox);
        })
        .map_err(|error| failed(&error))?;
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let mut transport = match handed_over {
            Some(socket) => UdpTransport::adopt(socket).map_err(|error| failed(&error))?,
            None => bind(&settings.listen, settings.listen_by_default).map_err(|error| bad(&error))?,
        };
        if let Some(interfaces) = &settings.coap.multicast {
            transport.join(interfaces).map_err(|error| bad(&error))?;
        }
        let stop = stop_signal().map_err(|error| failed(&error))?;
        let address = transport.local_addr().map_err(|error| failed(&error))?;
        rules::listen(settings.control_socket.as_deref(), hang_up, watch, &events);
        let admin = Admin {
            address,
            started,
            recorder: gateway.recorder.clone(),
            serving,
            board,
            events,
            problems: log.problems(),
            forms: Forms::default(),
        };
        admin::listen(settings.admin.as_ref(), admin);
        if transport.is_handed_over() {
            tracing::info!("the service manager's socket is served; ip and port are those of its socket unit");
        }
        announce(address);
        service_manager::ready(address);
        let unfinished = serve::serve(transport, &gateway, stop).await;
        if unfinished > 0 {
            tracing::warn!("stopped with {unfinished} exchanges unfinished; raise [limits] drain_seconds if that matters");
        }
        Ok(())
    })?;
    // Name resolution runs on threads that cannot be interrupted; nobody waits for it any more.
    runtime.shutdown_background();
    Ok(())
}

/// Compiles rules in processes of their own: of the file that runs, also where a package has put another one in its place.
#[cfg(feature = "compiler")]
fn engines() -> Result<Engines, EngineError> {
    use comatrix_gateway::rule::{CompileLimits, Compiler};
    let program = std::path::Path::new("/proc/self/exe");
    Engines::compiling(Compiler::apart(program, CompileLimits::default()))
}

#[cfg(not(feature = "compiler"))]
fn engines() -> Result<Engines, EngineError> {
    Engines::new()
}

/// What SIGHUP and `rules reload` read: the same command line, the file that it names, and what that names.
fn rereading(args: ServeArgs, fixed: Fixed, levels: logging::Levels) -> Rereading {
    let file = args.config.as_ref().map(|file| file.display().to_string());
    Rereading {
        source: file.map_or_else(
            || "the command line's configuration".to_owned(),
            |file| escaped(&file, 200),
        ),
        read: Box::new(move || {
            let settings = Settings::from_args(&args)?;
            fixed.check(&settings)?;
            Ok(settings)
        }),
        taken: Box::new(move |settings| levels.show(settings.log_level)),
    }
}

/// A machine without IPv6 listens on IPv4, unless an address was asked for.
fn bind(listen: &std::net::SocketAddr, by_default: bool) -> Result<UdpTransport, BindError> {
    UdpTransport::bind(*listen).or_else(|error| {
        if by_default && error.is_unsupported() {
            tracing::warn!("this machine has no IPv6; listening on IPv4 only");
            UdpTransport::bind((std::net::Ipv4Addr::UNSPECIFIED, listen.port()).into())
        } else {
            Err(error)
        }
    })
}

/// The line that says the gateway is ready.
fn announce(address: std::net::SocketAddr) {
    use std::io::Write;
    let mut out = std::io::stdout();
    // Whoever waits for the line may have closed the pipe; the gateway serves all the same.
    let _ = writeln!(out, "listening on coap://{address}").and_then(|()| out.flush());
}

/// Done at SIGTERM or SIGINT.
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
