//! The input of the target `dtls`: datagrams of a stranger and in the name of a device, at some moment of its
//! handshake.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use comatrix_secure::dtls::{CertificateRefusal, Credentials, PskDevice, PskKey, Server};
use dimpl::{Config, Dtls, Output, PskResolver};

const KEY: &str = "secretPSK1234567";

/// Moments: before the device has sent anything, after each of its three datagrams.
pub const MOMENTS: u8 = 4;

/// One device for all identities.
pub struct Devices;

impl Credentials for Devices {
    fn psk(&self, _identity: &[u8]) -> Option<PskDevice> {
        let key = PskKey::parse(KEY).ok()?;
        let principal = "device".into();
        Some(PskDevice { principal, key })
    }

    fn certificate(&self, _certificate: &[u8]) -> Result<Arc<str>, CertificateRefusal> {
        Err(CertificateRefusal::Malformed)
    }
}

impl PskResolver for Devices {
    fn resolve(&self, _identity: &[u8]) -> Option<Vec<u8>> {
        Some(KEY.into())
    }
}

/// The configuration of devices, made once.
pub fn configuration() -> Arc<Config> {
    let builder = Config::builder().with_psk_client(b"device".to_vec(), Arc::new(Devices));
    Arc::new(builder.build().expect("a configuration"))
}

/// The moment, and the datagrams: whether they come in the name of the device.
pub fn read(bytes: &[u8]) -> (u8, Vec<(bool, &[u8])>) {
    let Some((moment, mut rest)) = bytes.split_first() else {
        return (0, Vec::new());
    };
    let mut datagrams = Vec::new();
    while let [sender, length, after @ ..] = rest {
        let (datagram, left) = after.split_at(after.len().min((*length).into()));
        datagrams.push((sender % 2 == 0, datagram));
        rest = left;
    }
    (moment % MOMENTS, datagrams)
}

/// A device of the library.
pub struct Device {
    dtls: Dtls,
    address: SocketAddr,
}

impl Device {
    /// One that has sent nothing.
    pub fn new(configuration: Arc<Config>, now: Instant, address: SocketAddr) -> Self {
        let mut dtls = Dtls::new_12_psk(configuration, now);
        dtls.set_active(true);
        dtls.handle_timeout(now).expect("a ClientHello");
        Self { dtls, address }
    }

    /// Sends what it has, and takes the responses.
    pub fn turn(&mut self, now: Instant, server: &mut Server<SocketAddr>) {
        let mut buffer = [0; 2_048];
        loop {
            match self.dtls.poll_output(&mut buffer) {
                Output::Packet(datagram) => server.handle_datagram(now, self.address, datagram),
                Output::Timeout(_) => break,
                _ => {}
            }
        }
        while let Some(transmit) = server.poll_transmit() {
            // An error: its handshake has been disturbed, which anybody on the way can do.
            let _ = self.dtls.handle_packet(&transmit.bytes);
        }
    }

    /// Sends a message.
    pub fn send(&mut self, now: Instant, server: &mut Server<SocketAddr>, message: &[u8]) {
        if self.dtls.send_application_data(message).is_ok() {
            self.turn(now, server);
        }
    }
}

/// The first datagram of a device at each moment, from both senders, and records near those of a handshake.
pub fn seeds() -> Vec<Vec<u8>> {
    let now = Instant::now();
    let address = SocketAddr::new([192, 0, 2, 1].into(), 1);
    let mut device = Device::new(configuration(), now, address);
    let mut buffer = [0; 2_048];
    let mut hello = Vec::new();
    if let Output::Packet(datagram) = device.dtls.poll_output(&mut buffer) {
        hello = datagram.to_vec();
    }
    let record = |kind: u8, epoch: u8, fragment: &[u8]| {
        let header = [
            kind,
            0xfe,
            0xfd,
            0,
            epoch,
            0,
            0,
            0,
            0,
            0,
            9,
            0,
            fragment.len() as u8,
        ];
        [&header, fragment].concat()
    };
    let datagrams = [
        hello,
        record(
            22,
            0,
            &[
                16, 0, 0, 8, 0, 2, 0, 0, 0, 0, 0, 8, 0, 6, 100, 101, 118, 105, 99, 101,
            ],
        ),
        record(20, 0, &[1]),
        record(21, 0, &[2, 40]),
        record(22, 1, &[7; 40]),
        record(23, 1, &[7; 40]),
    ];
    let mut seeds = Vec::new();
    for moment in 0..MOMENTS {
        let mut seed = vec![moment];
        for (number, datagram) in datagrams.iter().enumerate() {
            seed.extend([number as u8, datagram.len() as u8]);
            seed.extend(datagram);
        }
        seeds.push(seed);
    }
    seeds
}
