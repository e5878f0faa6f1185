//! A loop around a DTLS server and a CoAP endpoint.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use coap::option::URI_PATH;
use coap::{Endpoint, Limits as CoapLimits, Message, code};
use comatrix_secure::dtls::{
    CertificatePolicy, CertificateRefusal, Credentials, Event, Limits, PskDevice, PskKey, Server,
    ServerCertificate, SessionId, Settings,
};

/// The key of the device `kitchen`.
pub const KEY: &str = "secretPSK1234567";

struct Devices(CertificatePolicy);

impl Credentials for Devices {
    fn psk(&self, identity: &[u8]) -> Option<PskDevice> {
        (identity == b"kitchen").then(|| PskDevice {
            principal: "kitchen".into(),
            key: PskKey::parse(KEY).expect("a key"),
        })
    }

    fn certificate(&self, certificate: &[u8]) -> Result<Arc<str>, CertificateRefusal> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        self.0.check(certificate, now.expect("a clock"))
    }
}

/// What a server has seen.
#[derive(Default)]
pub struct Stopped {
    pub events: Vec<Event<SocketAddr>>,
    /// Bytes of the longest datagram to a client.
    pub longest: usize,
}

pub struct TestServer {
    address: SocketAddr,
    is_stopping: Arc<AtomicBool>,
    thread: JoinHandle<Stopped>,
}

impl TestServer {
    pub fn start(certificate: Option<(ServerCertificate, CertificatePolicy)>) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let address = socket.local_addr().expect("an address");
        let is_stopping = Arc::new(AtomicBool::new(false));
        let stopping = is_stopping.clone();
        let thread = std::thread::spawn(move || serve(&socket, certificate, &stopping));
        Self {
            address,
            is_stopping,
            thread,
        }
    }

    pub fn uri(&self, path: &str) -> String {
        format!("coaps://{}/{path}", self.address)
    }

    pub fn stop(self) -> Stopped {
        self.is_stopping.store(true, Ordering::Relaxed);
        self.thread.join().expect("no panic")
    }
}

fn serve(
    socket: &UdpSocket,
    certificate: Option<(ServerCertificate, CertificatePolicy)>,
    is_stopping: &AtomicBool,
) -> Stopped {
    let (certificate, policy) = certificate.unzip();
    let devices = Devices(policy.unwrap_or_default());
    let settings = Settings {
        limits: Limits::default(),
        psk: true,
        certificate,
        seed: [1; 32],
    };
    let mut server = Server::new(settings, Arc::new(devices), Instant::now()).expect("a server");
    let mut endpoint: Endpoint<SessionId<SocketAddr>> =
        Endpoint::new(CoapLimits::default(), [2; 16]);
    let mut stopped = Stopped::default();
    let mut buffer = [0; 4_096];
    let wait = Some(Duration::from_millis(50));
    socket.set_read_timeout(wait).expect("a timeout");
    loop {
        match socket.recv_from(&mut buffer) {
            Ok((length, from)) => server.handle_datagram(Instant::now(), from, &buffer[..length]),
            // Only once nothing is waiting.
            Err(_) if is_stopping.load(Ordering::Relaxed) => return stopped,
            Err(_) => {}
        }
        let now = Instant::now();
        server.handle_timeout(now);
        endpoint.handle_timeout(now);
        while let Some(message) = server.poll_message() {
            endpoint.handle_datagram(now, message.session, &message.bytes);
            while let Some(incoming) = endpoint.poll_request() {
                let request = &incoming.request.message;
                let response = match request.option(URI_PATH) {
                    Some(b"time") => Message::new(code::CONTENT)
                        .with_payload(format!("12:00 for {}", message.principal)),
                    Some(b"echo") => {
                        Message::new(code::CONTENT).with_payload(request.payload.clone())
                    }
                    _ => Message::new(code::NOT_FOUND),
                };
                endpoint.respond(now, incoming.id, response);
            }
        }
        while let Some(transmit) = endpoint.poll_transmit() {
            server
                .send(now, &transmit.peer, &transmit.bytes)
                .expect("a session");
        }
        while let Some(transmit) = server.poll_transmit() {
            stopped.longest = stopped.longest.max(transmit.bytes.len());
            socket
                .send_to(&transmit.bytes, transmit.peer)
                .expect("a datagram");
        }
        stopped
            .events
            .extend(std::iter::from_fn(|| server.poll_event()));
    }
}
