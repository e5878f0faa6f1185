//! A device: the library's own client.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Instant;

use dimpl::{Config, Dtls, Output, PskResolver};

struct Key(Vec<u8>);

impl PskResolver for Key {
    fn resolve(&self, _identity: &[u8]) -> Option<Vec<u8>> {
        Some(self.0.clone())
    }
}

/// Making a configuration takes long, since it tests its cryptography: one for each device of all tests.
fn psk_config(identity: &str, key: &str) -> Arc<Config> {
    type Configs = Mutex<HashMap<(String, String), Arc<Config>>>;
    static CONFIGS: OnceLock<Configs> = OnceLock::new();
    let mut configs = CONFIGS
        .get_or_init(Configs::default)
        .lock()
        .expect("no panic");
    let config = configs
        .entry((identity.to_owned(), key.to_owned()))
        .or_insert_with(|| {
            let key = Arc::new(Key(key.into()));
            let builder = Config::builder().with_psk_client(identity.into(), key);
            Arc::new(builder.build().expect("a configuration"))
        });
    config.clone()
}

pub struct Client {
    pub address: SocketAddr,
    dtls: Dtls,
    pub is_connected: bool,
    pub is_closed: bool,
    pub error: Option<dimpl::Error>,
    pub messages: Vec<Vec<u8>>,
    pub next_timeout: Option<Instant>,
}

impl Client {
    pub fn psk(now: Instant, address: SocketAddr, identity: &str, key: &str) -> Self {
        Self::new(
            now,
            address,
            Dtls::new_12_psk(psk_config(identity, key), now),
        )
    }

    pub fn new(now: Instant, address: SocketAddr, mut dtls: Dtls) -> Self {
        dtls.set_active(true);
        dtls.handle_timeout(now).expect("a ClientHello");
        Self {
            address,
            dtls,
            is_connected: false,
            is_closed: false,
            error: None,
            messages: Vec::new(),
            next_timeout: None,
        }
    }

    /// A datagram of the server, or the time.
    pub fn handle(&mut self, now: Instant, datagram: Option<&[u8]>) {
        if self.error.is_some() {
            return;
        }
        let mut result = self.dtls.handle_timeout(now);
        if let (Ok(()), Some(datagram)) = (&result, datagram) {
            result = self.dtls.handle_packet(datagram);
        }
        self.error = result.err();
    }

    pub fn send(&mut self, message: &[u8]) {
        self.dtls
            .send_application_data(message)
            .expect("a connection");
    }

    pub fn close(&mut self) {
        self.dtls.close().expect("a connection");
    }

    /// The datagrams to send.
    pub fn poll(&mut self) -> Vec<Vec<u8>> {
        let mut buffer = vec![0; 4_096];
        let mut datagrams = Vec::new();
        self.next_timeout = None;
        if self.error.is_some() {
            return datagrams;
        }
        loop {
            match self.dtls.poll_output(&mut buffer) {
                Output::Packet(datagram) => datagrams.push(datagram.to_vec()),
                Output::Connected => self.is_connected = true,
                Output::ApplicationData(message) => self.messages.push(message.to_vec()),
                Output::CloseNotify => self.is_closed = true,
                Output::Timeout(at) => {
                    self.next_timeout = Some(at);
                    return datagrams;
                }
                _ => {}
            }
        }
    }
}
