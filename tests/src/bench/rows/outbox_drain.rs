//! Messages that have waited: the start of a gateway with 20,000 of them, its memory, and how fast they leave.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::super::Failure;
use super::super::datagram::Request;
use super::super::load::{Load, Until};
use super::super::plan::Plan;
use super::super::process::{Gateway, Server};
use super::super::report::{Row, Target, median, millis};
use super::outbox::{nowhere, start};
use super::send::ACCESS_TOKEN;

/// As many as the outbox has room for, but those that are in flight at the end.
const MESSAGES: u64 = 19_900;
/// Rooms, and so lanes.
const ROOMS: usize = 1_000;
const DEVICES: usize = 64;
/// The time of the homeserver for a message, and the lanes that it gets at once.
const DELAY: Duration = Duration::from_millis(20);
const LANES: usize = 16;
/// Requests of each client without a gateway.
const DIRECT: u32 = 150;
/// Nothing takes longer that is not broken.
const LIMIT: Duration = Duration::from_secs(300);

/// Fills the outbox and lets the homeserver return; fills another one, and starts its gateway again.
pub fn measure(plan: &Plan, gateway: &Gateway) -> Result<Vec<Row>, Failure> {
    let Left {
        accepted,
        began,
        first,
        last,
        direct,
    } = leave(gateway)?;
    let origin = nowhere()?;
    let state = gateway.scratch().join("waiting");
    let folder: [&OsStr; 2] = [OsStr::new("--state-dir"), state.as_os_str()];
    let empty = start(gateway, &origin, &folder)?;
    let before = empty.memory("VmRSS")?;
    fill(&empty, &origin)?;
    let filled = empty.memory("VmRSS")?;
    empty.stop()?;
    let mut ready = Vec::new();
    for _ in 0..plan.starts {
        let started = start(gateway, &origin, &folder)?;
        ready.push(millis(started.ready_after));
        started.stop()?;
    }
    let none = (0..plan.starts)
        .map(|_| Ok(millis(start(gateway, &origin, &[])?.ready_after)))
        .collect::<Result<Vec<_>, Failure>>()?;
    let waiting = start(gateway, &origin, &folder)?;
    let restored = waiting.memory("VmRSS")?;
    let bound = accepted as f64 * direct.as_secs_f64() / LANES as f64;
    let took = (last - first).as_secs_f64();
    let row = |name: &str, figure, unit, target, notes| Row {
        name: name.to_owned(),
        figure,
        unit,
        baseline: None,
        ratio: None,
        target,
        runs: 1,
        notes,
    };
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    Ok(vec![
        Row {
            runs: ready.len(),
            ..row(
                "ready after start, 20,000 messages wait",
                median(ready),
                "ms",
                Target::AtMost(100.0),
                format!("{:.0} ms without messages", median(none)),
            )
        },
        row(
            "RSS, 20,000 messages wait: more than without",
            megabytes(restored) - megabytes(before),
            "MB",
            Target::AtMost(6.0),
            format!(
                "after a restart; when they had just come, with what devices that repeat them get: {:.1} MB more",
                megabytes(filled) - megabytes(before)
            ),
        ),
        Row {
            baseline: Some(("16 clients without a gateway", bound)),
            ratio: Some(took / bound),
            ..row(
                "20,000 messages in 1,000 rooms leave, 20 ms homeserver",
                took,
                "s",
                Target::RatioAtMost(1.2),
                format!(
                    "16 at once, a response takes {:.1} ms; the first {:.1} s after the homeserver",
                    millis(direct),
                    (first - began).as_secs_f64()
                ),
            )
        },
    ])
}

/// How messages left the gateway that had accepted them.
struct Left {
    accepted: u64,
    /// When the homeserver was back, and when it had the first message and the last one.
    began: Instant,
    first: Instant,
    last: Instant,
    /// What a request takes of a client that is one of as many without a gateway.
    direct: Duration,
}

/// Messages leave the gateway that has accepted them.
fn leave(gateway: &Gateway) -> Result<Left, Failure> {
    let origin = nowhere()?;
    let address: SocketAddr = origin.trim_start_matches("http://").parse()?;
    let gateway = start(gateway, &origin, &[])?;
    let accepted = fill(&gateway, &origin)?;
    let port = address.port().to_string();
    let delay = DELAY.as_millis().to_string();
    let began = Instant::now();
    let _homeserver = Server::start_self(&["--stub-homeserver", &delay, &port])?;
    let (first, last) = drained(address, accepted, began)?;
    Ok(Left {
        accepted,
        began,
        first,
        last,
        direct: direct(address)?,
    })
}

/// What a message takes of one of 16 clients that send to the homeserver themselves, each on its connection: the delay
/// and what timers, system and connections add.
fn direct(homeserver: SocketAddr) -> Result<Duration, Failure> {
    let send = move || -> std::io::Result<()> {
        let mut connection = TcpStream::connect(homeserver)?;
        connection.set_nodelay(true)?;
        let body = r#"{"msgtype":"m.text","body":"direct"}"#;
        let request = format!(
            "PUT /_matrix/client/v3/rooms/!direct/send/m.room.message/1 HTTP/1.1\r\nhost: bench\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut response = [0; 4096];
        for _ in 0..DIRECT {
            connection.write_all(request.as_bytes())?;
            // It comes in one piece.
            let _ = connection.read(&mut response)?;
        }
        Ok(())
    };
    let began = Instant::now();
    let clients: Vec<_> = (0..LANES).map(|_| std::thread::spawn(send)).collect();
    for client in clients {
        client.join().map_err(|_| "a client panicked")??;
    }
    Ok(began.elapsed() / DIRECT)
}

/// Sends messages to many rooms in turn; returns how many were taken over.
fn fill(gateway: &Server, origin: &str) -> Result<u64, Failure> {
    let mut load = Load::new(gateway.address)?;
    let rooms: Vec<_> = (0..ROOMS)
        .map(|room| Request::queued(origin, &format!("!room{room}:bench"), ACCESS_TOKEN))
        .collect();
    load.add(DEVICES, &rooms, None, Duration::ZERO)?;
    let (first, _) = load.run(Until::Ended(MESSAGES))?;
    let (last, _) = load.run(Until::Quiet)?;
    let tallies = first.iter().chain(&last);
    let accepted: usize = tallies.map(|tally| tally.latencies.len()).sum();
    Ok(accepted as u64)
}

/// Waits until the homeserver has all messages: when it had the first one, and the last one.
fn drained(
    homeserver: SocketAddr,
    accepted: u64,
    began: Instant,
) -> Result<(Instant, Instant), Failure> {
    let mut first = None;
    while began.elapsed() < LIMIT {
        let count = count(homeserver)?;
        if count > 0 {
            first.get_or_insert_with(Instant::now);
        }
        if count >= accepted {
            return Ok((first.unwrap_or(began), Instant::now()));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Err(format!("{} of {accepted} messages have left", count(homeserver)?).into())
}

/// Messages that the homeserver has.
fn count(homeserver: SocketAddr) -> Result<u64, Failure> {
    let mut connection = TcpStream::connect(homeserver)?;
    connection.write_all(b"GET /count HTTP/1.1\r\nconnection: close\r\n\r\n")?;
    connection.shutdown(std::net::Shutdown::Write)?;
    let mut response = String::new();
    connection.read_to_string(&mut response)?;
    let (_, body) = response.split_once("\r\n\r\n").unwrap_or_default();
    Ok(body.trim().parse()?)
}
