//! The load generator: closed-loop clients, each with a connected UDP socket of its own, on one thread.
//!
//! A client sends its next request when the last has its response; a paced client waits for the next multiple of its
//! period first. One system call per datagram and a shared `epoll` wait keep it cheaper than any server here.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token};

use super::Failure;
use super::datagram::Request;
use super::device::{Device, Protection};
use super::device_address;
use super::exchange::{Elapsed, Exchange, Received};
use comatrix_tests::tally::Tally;

/// How often the clock is looked at for requests that are due and for retransmissions.
const TICK: Duration = Duration::from_millis(1);

/// When a run ends.
#[derive(Debug, Clone, Copy)]
pub enum Until {
    /// This much time has passed.
    Elapsed(Duration),
    /// This many requests have ended, rightly or wrongly.
    Ended(u64),
    /// No request is under way; none is begun.
    Quiet,
}

/// Clients in groups, all of one server.
pub struct Load {
    server: SocketAddr,
    poll: Poll,
    clients: Vec<Client>,
    tallies: Vec<Tally>,
    ended: u64,
    in_flight: usize,
    begins: bool,
    next_txn_id: u64,
}

struct Client {
    socket: UdpSocket,
    protection: Protection,
    group: usize,
    /// Sent in turn.
    requests: Vec<Request>,
    current: usize,
    period: Option<Duration>,
    due: Option<Instant>,
    exchange: Option<Exchange>,
    next_message_id: u16,
    /// Message IDs are not used twice (RFC 7252 §4.4): a client without any left stops.
    message_ids_left: u32,
}

impl Load {
    /// No client yet.
    ///
    /// # Errors
    /// The system refuses an `epoll` descriptor.
    pub fn new(server: SocketAddr) -> Result<Self, Failure> {
        // Transaction IDs grow from the time in microseconds: unique over runs below a million requests per second.
        let next_txn_id = SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros() as u64;
        Ok(Self {
            server,
            poll: Poll::new()?,
            clients: Vec::new(),
            tallies: Vec::new(),
            ended: 0,
            in_flight: 0,
            begins: true,
            next_txn_id,
        })
    }

    /// Adds a group of clients that send these requests in turn, each every `period` or as fast as responses come.
    /// Their first requests are spread over `spread`, since devices do not start in step.
    ///
    /// # Errors
    /// The system refuses a socket.
    pub fn add(
        &mut self,
        clients: usize,
        requests: &[Request],
        period: Option<Duration>,
        spread: Duration,
    ) -> Result<(), Failure> {
        for number in 0..clients {
            let socket = UdpSocket::bind((device_address(number), 0).into())?;
            socket.connect(self.server)?;
            let delay = spread.mul_f64(number as f64 / clients as f64);
            let first = number % requests.len();
            self.push(socket, Protection::Plain, (requests, first), period, delay)?;
        }
        self.tallies.push(Tally::default());
        Ok(())
    }

    /// Adds a group of devices with keys that send this request as fast as responses come.
    ///
    /// # Errors
    /// The system refuses a socket.
    pub fn add_devices(&mut self, devices: Vec<Device>, request: &Request) -> Result<(), Failure> {
        for device in devices {
            device.socket.set_nonblocking(true)?;
            let socket = UdpSocket::from_std(device.socket);
            let requests = std::slice::from_ref(request);
            self.push(
                socket,
                device.protection,
                (requests, 0),
                None,
                Duration::ZERO,
            )?;
        }
        self.tallies.push(Tally::default());
        Ok(())
    }

    fn push(
        &mut self,
        mut socket: UdpSocket,
        protection: Protection,
        (requests, current): (&[Request], usize),
        period: Option<Duration>,
        delay: Duration,
    ) -> Result<(), Failure> {
        let number = self.clients.len();
        let registry = self.poll.registry();
        registry.register(&mut socket, Token(number), Interest::READABLE)?;
        self.clients.push(Client {
            socket,
            protection,
            group: self.tallies.len(),
            requests: requests.to_vec(),
            current,
            period,
            due: Some(Instant::now() + delay),
            exchange: None,
            next_message_id: (number as u16).wrapping_mul(40_503),
            message_ids_left: 1 << 16,
        });
        Ok(())
    }

    /// Runs the clients; returns the outcomes of each group's requests that ended meanwhile, and the time it took.
    /// Requests under way stay so: the next run goes on with them.
    ///
    /// # Errors
    /// A socket fails, above all because the server is gone.
    pub fn run(&mut self, until: Until) -> Result<(Vec<Tally>, Duration), Failure> {
        let mut events = Events::with_capacity(1024);
        let started = Instant::now();
        self.ended = 0;
        self.begins = !matches!(until, Until::Quiet);
        loop {
            self.tick()?;
            let ticked = Instant::now();
            while ticked.elapsed() < TICK {
                match self.poll.poll(&mut events, Some(TICK)) {
                    Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                    outcome => outcome?,
                }
                for event in &events {
                    self.read(event.token().0)?;
                }
            }
            let mut clients = self.clients.iter();
            let exhausted = clients.all(|client| client.message_ids_left == 0);
            let over = match until {
                Until::Elapsed(limit) => started.elapsed() >= limit,
                Until::Ended(count) => self.ended >= count,
                Until::Quiet => self.in_flight == 0,
            };
            if over || (exhausted && self.in_flight == 0) {
                let groups = vec![Tally::default(); self.tallies.len()];
                return Ok((
                    std::mem::replace(&mut self.tallies, groups),
                    started.elapsed(),
                ));
            }
        }
    }

    fn tick(&mut self) -> Result<(), Failure> {
        let now = Instant::now();
        for index in 0..self.clients.len() {
            let client = &mut self.clients[index];
            match &mut client.exchange {
                None if client.due.is_some_and(|due| due <= now) => self.begin(index, now, now)?,
                None => {}
                Some(exchange) => match exchange.elapsed(now) {
                    Elapsed::Waiting => {}
                    Elapsed::Retransmit => {
                        self.tallies[client.group].retransmissions += 1;
                        let request = client.requests[client.current].datagram();
                        client.protection.send(&client.socket, request)?;
                    }
                    Elapsed::Lost => self.end(index, Err("no response".to_owned()), now)?,
                },
            }
        }
        Ok(())
    }

    /// Reads until the client's exchange is over or nothing is left. A datagram behind the one that ends it is
    /// read at the socket's next event: `epoll` reports every arrival again.
    fn read(&mut self, index: usize) -> Result<(), Failure> {
        let mut buffer = [0; 2048];
        loop {
            let client = &mut self.clients[index];
            let datagram = match client.socket.recv(&mut buffer) {
                Ok(length) => &buffer[..length],
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => {
                    return Err(
                        format!("a client lost the server at {}: {error}", self.server).into(),
                    );
                }
            };
            let now = Instant::now();
            let Some(datagram) = client.protection.incoming(datagram)? else {
                continue;
            };
            let request = &client.requests[client.current];
            let received = match &mut client.exchange {
                Some(exchange) => {
                    exchange.received(&datagram, request.datagram(), request.expected, now)
                }
                None => Received::Stray(None),
            };
            match received {
                Received::Acknowledged => {}
                Received::Stray(acknowledgement) => {
                    self.tallies[client.group].strays += 1;
                    if let Some(acknowledgement) = acknowledgement {
                        client.protection.send(&client.socket, &acknowledgement)?;
                    }
                }
                Received::Finished(outcome, acknowledgement) => {
                    if let Some(acknowledgement) = acknowledgement {
                        client.protection.send(&client.socket, &acknowledgement)?;
                    }
                    return self.end(index, outcome, now);
                }
            }
        }
    }

    fn end(
        &mut self,
        index: usize,
        outcome: Result<(), String>,
        now: Instant,
    ) -> Result<(), Failure> {
        let client = &mut self.clients[index];
        let Some(exchange) = client.exchange.take() else {
            return Ok(());
        };
        self.ended += 1;
        self.in_flight -= 1;
        self.tallies[client.group].count(outcome, now - exchange.started);
        client.current = (client.current + 1) % client.requests.len();
        let due = client
            .period
            .map_or(now, |period| exchange.started + period);
        if due > now || !self.begins {
            client.due = Some(due);
            return Ok(());
        }
        // A response later than the next request's time delays that request; its latency counts from that time, so
        // that a stall is not hidden by the requests it held back.
        self.begin(index, due, now)
    }

    fn begin(&mut self, index: usize, due: Instant, now: Instant) -> Result<(), Failure> {
        let client = &mut self.clients[index];
        if !self.begins || client.message_ids_left == 0 {
            return Ok(());
        }
        client.message_ids_left -= 1;
        client.next_message_id = client.next_message_id.wrapping_add(1);
        self.next_txn_id += 1;
        let message_id = client.next_message_id;
        let [high, low] = message_id.to_be_bytes();
        let token = [0xc0, index as u8, high, low];
        client.due = None;
        let spread = f64::from(message_id.wrapping_mul(25_173)) / f64::from(u16::MAX);
        client.exchange = Some(Exchange::begin(message_id, token, due, now, spread));
        self.in_flight += 1;
        let request = &mut client.requests[client.current];
        let datagram = request.patched(message_id, token, self.next_txn_id);
        client.protection.send(&client.socket, datagram)
    }
}
