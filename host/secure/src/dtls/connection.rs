//! One DTLS connection of the library, from the ClientHello whose address is proven on.

use std::time::Instant;

use dimpl::{Dtls, Output};

use super::client_hello::ClientHello;
use super::flight;
use super::method::Method;
use super::provider;
use super::record;

/// Bytes of the largest output: a datagram, or a message that came in one.
pub(super) const LARGEST: usize = 2_048;

/// What a connection has done.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Send the datagram.
    Send(Vec<u8>),
    /// The device has presented this certificate, and not proven it.
    Certificate(Vec<u8>),
    /// The handshake is complete: the device is who it claims to be.
    Connected,
    /// A message of the device.
    Message(Vec<u8>),
    /// The device has closed the connection.
    Closed,
}

/// See the file.
pub(super) struct Connection {
    dtls: Dtls,
    pub(super) method: Method,
    /// Tells a repeated ClientHello from that of a device that has restarted.
    pub(super) random: [u8; 32],
    /// Message number of the ClientHello.
    hello_seq: u16,
    /// Added to the numbers of records of epoch 0. RFC 6347 §4.2.1: they go on from the number of the ClientHello,
    /// which is higher if datagrams were lost.
    offset: u64,
    /// Number of the next record of epoch 0.
    next: u64,
}

impl Connection {
    /// Accepts the ClientHello in `datagram`, whose address is proven. `dtls` is a fresh server.
    ///
    /// # Errors
    /// The library's: the ClientHello is not acceptable.
    pub(super) fn accept(
        now: Instant,
        mut dtls: Dtls,
        method: Method,
        hello: &ClientHello<'_>,
        datagram: &[u8],
    ) -> Result<Self, dimpl::Error> {
        let Some(cookie) = hello.cookie.first_chunk() else {
            return Err(dimpl::Error::ConnectionClosed);
        };
        dtls.handle_timeout(now)?;
        provider::accepting(hello.random, *cookie, || {
            // The library must have seen the ClientHellos before this one: it counts messages. Its HelloVerifyRequests
            // are dropped, since the front has sent them.
            for message_seq in 0..hello.message_seq {
                dtls.handle_packet(&hello.without_cookie(message_seq))?;
                while let Output::Packet(_) = dtls.poll_output(&mut [0; LARGEST]) {}
            }
            dtls.handle_packet(datagram)
        })?;
        Ok(Self {
            dtls,
            method,
            random: hello.random,
            hello_seq: hello.message_seq,
            offset: hello.sequence.saturating_sub(hello.message_seq.into()),
            next: hello.sequence + 1,
        })
    }

    /// Whether the record can be of the device's flight, or protects itself.
    pub(super) fn expects(&self, record: &record::Record<'_>) -> bool {
        flight::contains(self.method, self.hello_seq, record)
    }

    /// Takes a record of the device.
    ///
    /// # Errors
    /// The library's: the connection is over.
    pub(super) fn receive(&mut self, now: Instant, record: &[u8]) -> Result<(), dimpl::Error> {
        self.dtls.handle_timeout(now)?;
        self.dtls.handle_packet(record)
    }

    /// Sends again what is due.
    ///
    /// # Errors
    /// The device has not finished the handshake in time.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> Result<(), dimpl::Error> {
        self.dtls.handle_timeout(now)
    }

    /// Protects a message.
    ///
    /// # Errors
    /// The library's: the connection is over.
    pub(super) fn send(&mut self, now: Instant, message: &[u8]) -> Result<(), dimpl::Error> {
        self.dtls.handle_timeout(now)?;
        self.dtls.send_application_data(message).map(|_| ())
    }

    /// Queues a close_notify.
    pub(super) fn close(&mut self) {
        // It fails only for a connection that is over.
        let _ = self.dtls.close();
    }

    /// Passes on what the connection has done. Returns when [`handle_timeout`](Self::handle_timeout) has work, as far
    /// as the handshake is not complete.
    pub(super) fn poll(
        &mut self,
        buffer: &mut [u8],
        mut take: impl FnMut(Step),
    ) -> Option<Instant> {
        loop {
            match self.dtls.poll_output(buffer) {
                Output::Packet(datagram) => {
                    let (offset, next, method) = (self.offset, &mut self.next, self.method);
                    renumber(datagram, offset, next, method, |bytes| {
                        take(Step::Send(bytes))
                    });
                }
                Output::Connected => take(Step::Connected),
                Output::PeerCert(certificate) => take(Step::Certificate(certificate.to_vec())),
                Output::ApplicationData(message) => take(Step::Message(message.to_vec())),
                Output::CloseNotify => take(Step::Closed),
                Output::Timeout(at) => return Some(at),
                Output::BufferTooSmall { .. } => return None,
                _ => {}
            }
        }
    }

    /// A fatal alert of epoch 0, for a handshake that has failed.
    pub(super) fn alert(&mut self, alert: record::Alert) -> Vec<u8> {
        self.next += 1;
        record::alert(self.next - 1, alert)
    }
}

/// Splits a datagram of the library for a device that takes one record at a time.
fn renumber(
    datagram: &[u8],
    offset: u64,
    next: &mut u64,
    method: Method,
    mut take: impl FnMut(Vec<u8>),
) {
    let mut all = Vec::new();
    for record in record::records(datagram) {
        let sequence = record.sequence + offset;
        if record.epoch == 0 {
            *next = (*next).max(sequence + 1);
        }
        let bytes = record::renumbered(record, sequence);
        match method {
            Method::Psk => take(bytes),
            Method::Certificate => all.extend(bytes),
        }
    }
    if !all.is_empty() {
        take(all);
    }
}
