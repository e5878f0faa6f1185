//! Devices beside a flood from one address, as fast as one sender can.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::super::Failure;
use super::super::datagram::Request;
use super::super::load::Load;
use super::super::plan::Plan;
use super::super::process::{Gateway, Server};
use super::super::report::{Row, Target, median, millis, notes};
use super::super::window;

/// Nobody listens there (RFC 863's port): `/time` calls no homeserver.
const NO_HOMESERVER: &str = "http://127.0.0.1:9";
const DEVICES: usize = 32;
/// Each device asks ten times a second: far more than a sensor does, and far less than the gateway can.
const PERIOD: Duration = Duration::from_millis(100);

/// A datagram by its number.
type Datagram = fn(u16) -> Vec<u8>;

/// The flood's datagrams.
const FLOODS: [(&str, Datagram); 3] = [
    ("junk", |number| {
        let mut junk = vec![0xff; 64];
        junk[..2].copy_from_slice(&number.to_be_bytes());
        junk
    }),
    ("malformed requests", |number| {
        // CON GET with a token length of 9 (RFC 7252 §3: a message format error).
        let [high, low] = number.to_be_bytes();
        vec![0x49, 0x01, high, low]
    }),
    ("non-confirmable requests", |number| {
        let [high, low] = number.to_be_bytes();
        [&[0x50, 0x01, high, low, 0xb4], &b"time"[..]].concat()
    }),
];

/// The 99th percentile of the devices' latency, without a flood and with each kind.
pub fn measure(plan: &Plan, gateway: &Gateway) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    for (name, datagram) in FLOODS {
        let gateway = gateway.start(NO_HOMESERVER)?;
        let (mut quiet, mut flooded, mut sent) = (Vec::new(), Vec::new(), 0);
        for _ in 0..plan.pairs {
            quiet.push(devices(&gateway, plan)?);
            let flood = Flood::start(gateway.address, datagram)?;
            flooded.push(devices(&gateway, plan)?);
            sent += flood.stop();
        }
        let p99 =
            |windows: &[window::Window]| median(windows.iter().map(|window| millis(window.p99)));
        let seconds = (plan.window + plan.warm_up).as_secs_f64() * plan.pairs as f64;
        rows.push(Row {
            name: format!("p99 of {DEVICES} devices beside a flood of {name} from one address"),
            figure: p99(&flooded),
            unit: "ms",
            baseline: Some(("without the flood", p99(&quiet))),
            ratio: None,
            target: Target::AtMost(200.0),
            runs: flooded.len(),
            notes: format!(
                "{:.0} datagrams/s; {}",
                sent as f64 / seconds,
                notes(&flooded)
            ),
        });
    }
    Ok(rows)
}

fn devices(gateway: &Server, plan: &Plan) -> Result<window::Window, Failure> {
    let mut load = Load::new(gateway.address)?;
    load.add(DEVICES, &[Request::time()], Some(PERIOD), PERIOD)?;
    let mut windows = window::measure(&mut load, gateway, plan)?;
    windows.pop().ok_or_else(|| "a load without clients".into())
}

/// A sender on a thread of its own.
struct Flood {
    stopped: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
}

impl Flood {
    fn start(gateway: SocketAddr, datagram: Datagram) -> Result<Self, Failure> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.connect(gateway)?;
        let (stopped, sent) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicU64::new(0)),
        );
        let flood = Self {
            stopped: stopped.clone(),
            sent: sent.clone(),
        };
        std::thread::spawn(move || {
            let datagrams: Vec<_> = (0..=u16::MAX).map(datagram).collect();
            for datagram in datagrams.iter().cycle() {
                if stopped.load(Ordering::Relaxed) {
                    break;
                }
                // A datagram that the system refuses is no load.
                if socket.send(datagram).is_ok() {
                    sent.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        Ok(flood)
    }

    /// Ends it; how many datagrams it sent.
    fn stop(self) -> u64 {
        self.stopped.store(true, Ordering::Relaxed);
        self.sent.load(Ordering::Relaxed)
    }
}
