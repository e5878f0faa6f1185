//! A homeserver that misbehaves by script, as Synapse never does on purpose.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};

pub use crate::behaviour::Behaviour;
use crate::behaviour::act;

/// A request as it arrived.
#[derive(Debug, Clone, Default)]
pub struct Received {
    /// Like `PUT`.
    pub method: String,
    /// The request target, undecoded.
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, by its Content-Length.
    pub body: Vec<u8>,
}

impl Received {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(present, _)| present == name)
            .map(|(_, value)| value.as_str())
    }
}

type Script = dyn Fn(&Received) -> Behaviour + Send + Sync;

/// A running stub; it ends with this process.
pub struct Stub {
    /// `http://127.0.0.1:PORT`.
    pub origin: String,
    address: SocketAddr,
    shared: Arc<Shared>,
    /// Accepts connections; none while it is stopped.
    accepting: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    script: Box<Script>,
    connections: AtomicUsize,
    received: Mutex<Vec<Received>>,
    /// Open connections, by their numbers.
    open: Mutex<HashMap<usize, TcpStream>>,
    is_stopped: AtomicBool,
}

impl Stub {
    /// Starts one that does the same with every request.
    pub fn always(behaviour: Behaviour) -> Self {
        Self::scripted(move |_| behaviour.clone())
    }

    /// Starts one that decides by the request.
    pub fn scripted(script: impl Fn(&Received) -> Behaviour + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .expect("the loopback address has a free port");
        let address: SocketAddr = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared {
            script: Box::new(script),
            connections: AtomicUsize::default(),
            received: Mutex::default(),
            open: Mutex::default(),
            is_stopped: AtomicBool::default(),
        });
        Self {
            origin: format!("http://{address}"),
            address,
            accepting: Mutex::new(Some(accept(listener, &shared))),
            shared,
        }
    }

    /// Closes its port and all connections, as a homeserver whose process has ended.
    pub fn stop(&self) {
        let Some(accepting) = locked(&self.accepting).take() else {
            return;
        };
        self.shared.is_stopped.store(true, Ordering::SeqCst);
        // Wakes the thread.
        drop(TcpStream::connect(self.address));
        accepting.join().expect("it does not panic");
        for (_, connection) in locked(&self.shared.open).drain() {
            // An error: its client has closed it.
            let _ = connection.shutdown(Shutdown::Both);
        }
    }

    /// Opens the port again.
    pub fn start_again(&self) {
        let mut accepting = locked(&self.accepting);
        if accepting.is_none() {
            self.shared.is_stopped.store(false, Ordering::SeqCst);
            let listener = TcpListener::bind(self.address).expect("nobody took its port");
            *accepting = Some(accept(listener, &self.shared));
        }
    }

    /// How many connections came.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// The requests so far.
    pub fn received(&self) -> Vec<Received> {
        locked(&self.shared.received).clone()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no holder of this lock panics")
}

fn accept(listener: TcpListener, shared: &Arc<Shared>) -> JoinHandle<()> {
    let shared = Arc::clone(shared);
    thread::spawn(move || {
        for connection in listener.incoming().map_while(Result::ok) {
            if shared.is_stopped.load(Ordering::SeqCst) {
                return;
            }
            // Otherwise the body waits for the acknowledgement of the head: 40 ms, which are not the gateway's.
            let _ = connection.set_nodelay(true);
            let number = shared.connections.fetch_add(1, Ordering::SeqCst);
            let clone = connection
                .try_clone()
                .expect("a socket has a second handle");
            locked(&shared.open).insert(number, clone);
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                // An error is a client that left, which is its right.
                let _ = serve(connection, &shared);
                locked(&shared.open).remove(&number);
            });
        }
    })
}

fn serve(connection: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut reader = BufReader::new(connection.try_clone()?);
    while let Some(request) = read_request(&mut reader)? {
        let behaviour = (shared.script)(&request);
        locked(&shared.received).push(request);
        if !act(&connection, behaviour)? {
            break;
        }
    }
    Ok(())
}

fn read_request(reader: &mut impl BufRead) -> std::io::Result<Option<Received>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let mut request = Received {
        method: words.next().unwrap_or_default(),
        target: words.next().unwrap_or_default(),
        ..Received::default()
    };
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        request
            .headers
            .push((name.to_lowercase(), value.trim().to_owned()));
    }
    let length = request
        .header("content-length")
        .and_then(|length| length.parse().ok())
        .unwrap_or(0);
    request.body = vec![0; length];
    reader.read_exact(&mut request.body)?;
    Ok(Some(request))
}
