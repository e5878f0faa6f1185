//! A device of the library, without a network.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use comatrix_secure::dtls::{CertificateRefusal, Credentials, PskDevice, PskKey, Server};
use dimpl::{Config, Dtls, DtlsCertificate, Output, PskResolver};

const KEY: &str = "secretPSK1234567";

/// Any identity has one key, and a principal of its own for each session.
pub struct Devices;

impl Credentials for Devices {
    fn psk(&self, _identity: &[u8]) -> Option<PskDevice> {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        Some(PskDevice {
            principal: format!("device-{number}").into(),
            key: PskKey::parse(KEY).expect("a key"),
        })
    }

    fn certificate(&self, _certificate: &[u8]) -> Result<Arc<str>, CertificateRefusal> {
        self.psk(b"")
            .map(|device| device.principal)
            .ok_or(CertificateRefusal::Malformed)
    }
}

impl PskResolver for Devices {
    fn resolve(&self, _identity: &[u8]) -> Option<Vec<u8>> {
        Some(KEY.into())
    }
}

pub struct Device {
    config: Arc<Config>,
    certificate: Option<DtlsCertificate>,
    dtls: Option<Dtls>,
}

impl Device {
    pub fn with_key() -> Self {
        let builder = Config::builder().with_psk_client(b"device".to_vec(), Arc::new(Devices));
        Self {
            config: Arc::new(builder.build().expect("a configuration")),
            certificate: None,
            dtls: None,
        }
    }

    /// `certificate` and `private_key` are DER.
    pub fn with_certificate(certificate: Vec<u8>, private_key: Vec<u8>) -> Self {
        Self {
            config: Arc::new(Config::default()),
            certificate: Some(DtlsCertificate {
                certificate,
                private_key,
            }),
            dtls: None,
        }
    }

    pub fn shake(&mut self, server: &mut Server<SocketAddr>, now: Instant, address: SocketAddr) {
        let mut dtls = match &self.certificate {
            Some(certificate) => Dtls::new_12(self.config.clone(), certificate.clone(), now),
            None => Dtls::new_12_psk(self.config.clone(), now),
        };
        dtls.set_active(true);
        dtls.handle_timeout(now).expect("a ClientHello");
        self.dtls = Some(dtls);
        for _ in 0..3 {
            self.deliver(server, now, address);
        }
    }

    pub fn send(&mut self, message: &[u8]) {
        let dtls = self.dtls.as_mut().expect("a connection");
        dtls.send_application_data(message).expect("a connection");
    }

    /// What the device sends, and then what the server does.
    pub fn deliver(&mut self, server: &mut Server<SocketAddr>, now: Instant, address: SocketAddr) {
        let dtls = self.dtls.as_mut().expect("a connection");
        let mut buffer = [0; 2_048];
        loop {
            match dtls.poll_output(&mut buffer) {
                Output::Packet(datagram) => server.handle_datagram(now, address, datagram),
                Output::Timeout(_) => break,
                _ => {}
            }
        }
        while let Some(transmit) = server.poll_transmit() {
            dtls.handle_packet(&transmit.bytes).expect("a connection");
        }
    }

    pub fn forget(&mut self) {
        self.dtls = None;
    }
}
