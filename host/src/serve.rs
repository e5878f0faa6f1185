//! Wires the gateway: settings, log, rules, socket, status page. Then it serves until a signal stops it.

use std::fmt::Display;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use contract::clock::Clock;
use contract::escaping::escaped;
use gateway::admin::{self, Admin, Forms};
use gateway::config::args::ServeArgs;
use gateway::config::{self, Fixed, Settings};
use gateway::control::{self, Receivers};
use gateway::daemon::{code, service_manager};
use gateway::event_loop;
use gateway::request::{Gateway, RecentFile, SnapshotCell, TxnKey};
use gateway::rule_manager::{self, ConfigReloader, Events, Manager, RuleStatusCell, Watch};
use gateway::telemetry::logging::{self, Levels, Log};
use gateway::telemetry::operator;
use runtime::{Cache, EngineError, Engines};
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use transport::{BindError, UdpTransport};

use crate::start_error::StartError;
use crate::state;

/// Threads for concurrent name resolution. A router usually has one homeserver, and each thread takes memory.
const RESOLVER_THREADS: usize = if cfg!(feature = "router") { 1 } else { 8 };
fn bad(error: impl Display) -> StartError {
    StartError::Configuration(error.to_string())
}

fn failed(error: impl Display) -> StartError {
    StartError::System(error.to_string())
}

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// [`StartError`], only before the gateway listens.
pub fn serve(args: ServeArgs) -> Result<(), StartError> {
    let started = Instant::now();
    // Before there is a second thread.
    let socket = service_manager::take_socket().map_err(bad)?;
    let settings = Settings::from_args(&args).map_err(bad)?;
    let log = logging::start(settings.log_level).map_err(failed)?;
    warn_of_unset_clock();
    let snapshots = SnapshotCell::new(settings.snapshot().map_err(bad)?);
    let runtime = single_threaded_runtime().map_err(failed)?;
    // As early as possible: without a handler SIGHUP ends the process.
    let hang_up = {
        let _context = runtime.enter();
        signal(SignalKind::hangup()).map_err(failed)?
    };
    let reload = config_reloader(args, Fixed::of(&settings, socket.is_some()), log.levels());
    let rules = start_rules(&settings, &snapshots, reload)?;
    let local = tokio::task::LocalSet::new();
    local.block_on(
        &runtime,
        run(socket, &settings, snapshots, rules, hang_up, &log, started),
    )?;
    // Threads of name resolution cannot be interrupted; nothing waits for them now.
    runtime.shutdown_background();
    Ok(())
}

/// The interface to the rule manager, which runs on a thread of its own.
struct Rules {
    status: Arc<RuleStatusCell>,
    events: Events,
    watch: Option<Arc<Watch>>,
}

/// Activates the rules, and starts the rule manager's thread: it compiles components while the data path serves.
fn start_rules(
    settings: &Settings,
    snapshots: &Arc<SnapshotCell>,
    reload: ConfigReloader,
) -> Result<Rules, StartError> {
    let watch = Watch::new()
        .inspect_err(|error| tracing::warn!("{error}"))
        .ok();
    let (events, inbox) = mpsc::channel();
    let mut manager = Manager::new(
        engines().map_err(failed)?,
        Cache::at(settings.cache_dir.as_deref()),
        snapshots.clone(),
        (settings.rules.clone(), settings.trust.clone()),
        reload,
        watch.clone(),
        &events,
    );
    match runtime::time_factor() {
        1 => {}
        factor => tracing::info!(
            "this machine is slower than a server: each call of a rule may take {factor} times its call_ms"
        ),
    }
    for (rule, error) in manager.start() {
        // The gateway does not start without the default rule, but it does without another one.
        if rule == config::DEFAULT {
            return Err(bad(error));
        }
        tracing::error!(target: operator::TARGET, "rule {rule} is out of service: {error}");
    }
    manager.warn(settings);
    let status = manager.rule_status();
    thread::Builder::new()
        .name("rules".into())
        .spawn(move || {
            // Here 'process' means this thread. If the call fails, compiling takes more of the CPU.
            let _ = rustix::process::setpriority_process(None, 19);
            manager.run(&inbox);
        })
        .map_err(failed)?;
    Ok(Rules {
        status,
        events,
        watch,
    })
}

/// Binds, starts the control socket and the status page, and serves.
async fn run(
    socket: Option<UdpSocket>,
    settings: &Settings,
    snapshots: Arc<SnapshotCell>,
    rules: Rules,
    hang_up: Signal,
    log: &Log,
    started: Instant,
) -> Result<(), StartError> {
    let transport = listen(socket, settings)?;
    let stop = stop_signal().map_err(failed)?;
    let address = transport.local_addr().map_err(failed)?;
    rule_manager::listen(hang_up, rules.watch, &rules.events);
    let mut gateway = Gateway::new(snapshots.clone(), TxnKey::until_reboot());
    if let Some(file) = RecentFile::until_reboot() {
        gateway = gateway.with_recent(file);
    }
    let restored = state::restore(settings, &snapshots)?;
    let (deliveries, devices) = restored
        .map(|restored| (restored.deliveries, restored.devices))
        .unzip();
    if let Some(deliveries) = deliveries.clone() {
        gateway = gateway.with_deliveries(deliveries);
    }
    if let Some(devices) = devices.clone() {
        gateway = gateway.with_devices(devices);
    }
    let receivers = Receivers {
        events: rules.events.clone(),
        deliveries: deliveries.clone(),
        devices,
    };
    control::listen(settings.control_socket.as_deref(), receivers);
    let admin = Admin {
        address,
        started,
        recorder: gateway.recorder.clone(),
        snapshots,
        rule_status: rules.status,
        events: rules.events,
        deliveries: deliveries.clone(),
        devices: gateway.devices().cloned(),
        recent_warnings: log.recent_warnings(),
        forms: Forms::default(),
    };
    admin::listen(settings.admin.as_ref(), admin);
    if transport.is_handed_over() {
        tracing::info!(
            "listening on the service manager's socket; its socket unit sets ip and port"
        );
    }
    tracing::info!(
        target: operator::TARGET,
        "started: version {}, listening on coap://{address}",
        env!("CARGO_PKG_VERSION")
    );
    announce(address);
    service_manager::ready(address);
    code::release();
    let unfinished = event_loop::serve(vec![transport], &gateway, stop).await;
    if unfinished > 0 {
        tracing::warn!(
            target: operator::TARGET,
            "stopped with {unfinished} exchanges unfinished; raise [limits] drain_seconds if that matters"
        );
    }
    if let Some(deliveries) = deliveries {
        deliveries.close().await;
    }
    Ok(())
}

fn warn_of_unset_clock() {
    let clock = Clock::system();
    if clock.now().is_none() {
        tracing::warn!(
            "this machine's clock is not set (it says {}): until it is set, /time responds with 5.03 and https fails, \
             because no certificate is valid yet; set up a time service (systemd-timesyncd, ntpd)",
            clock.shown()
        );
    }
}

/// One thread runs the data path: a translation takes microseconds, and all waiting is asynchronous.
fn single_threaded_runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        // Only for name resolution. More threads would not help: while a resolver hangs, all of them hang.
        .max_blocking_threads(RESOLVER_THREADS)
        .build()
}

/// Compiles rules in separate processes of the running program, even if a package has replaced its file.
#[cfg(feature = "compiler")]
fn engines() -> Result<Engines, EngineError> {
    use runtime::{CompileLimits, Compiler};
    let program = std::path::Path::new("/proc/self/exe");
    Engines::compiling(Compiler::apart(program, CompileLimits::default()))
}

#[cfg(not(feature = "compiler"))]
fn engines() -> Result<Engines, EngineError> {
    Engines::new()
}

/// SIGHUP and `rules reload` read the configuration file of the command line again, and the files named in it.
fn config_reloader(args: ServeArgs, fixed: Fixed, levels: Levels) -> ConfigReloader {
    let file = args.config.as_ref().map(|file| file.display().to_string());
    ConfigReloader {
        source: file.map_or_else(
            || "the command line's configuration".to_owned(),
            |file| escaped(&file, 200),
        ),
        read: Box::new(move || {
            let settings = Settings::from_args(&args)?;
            fixed.check(&settings)?;
            settings.check_certificates()?;
            Ok(settings)
        }),
        applied: Box::new(move |settings| levels.show(settings.log_level)),
    }
}

/// The service manager's socket if there is one, else a new one; both join the multicast groups.
fn listen(socket: Option<UdpSocket>, settings: &Settings) -> Result<UdpTransport, StartError> {
    let mut transport = match socket {
        Some(socket) => UdpTransport::adopt(socket).map_err(failed)?,
        None => bind(&settings.listen, settings.listen_by_default).map_err(bad)?,
    };
    if let Some(interfaces) = &settings.coap.multicast {
        transport.join(interfaces).map_err(bad)?;
    }
    Ok(transport)
}

/// A machine without IPv6 listens on IPv4, unless the configuration names an address.
fn bind(listen: &SocketAddr, by_default: bool) -> Result<UdpTransport, BindError> {
    UdpTransport::bind(*listen).or_else(|error| {
        if by_default && error.is_unsupported() {
            tracing::warn!("this machine has no IPv6; listening on IPv4 only");
            UdpTransport::bind((Ipv4Addr::UNSPECIFIED, listen.port()).into())
        } else {
            Err(error)
        }
    })
}

/// Prints the line that says that the gateway is ready.
fn announce(address: SocketAddr) {
    let mut out = io::stdout();
    // If the reader has closed the pipe, the gateway still serves.
    let _ = writeln!(out, "listening on coap://{address}").and_then(|()| out.flush());
}

/// Completes at SIGTERM or SIGINT.
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
