//! A homeserver on the loopback address that reacts as a test says, and records its requests.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use url::Url;

/// A request that the stub has received.
#[derive(Clone, Debug)]
pub struct Received {
    /// The index of its connection, from 0.
    pub connection: usize,
    pub method: String,
    /// Path and query, as in the request line.
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Received {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(field, _)| field == name);
        values.next().map(|(_, value)| value.as_str())
    }
}

/// The stub's reaction to a request.
pub enum Reaction {
    /// This status and JSON; the connection stays open.
    Json(u16, String),
    /// These bytes, then the connection is closed.
    Raw(Vec<u8>),
    /// The connection is closed without a response.
    Close,
    /// Nothing, until the client closes.
    Silence,
}

pub struct Stub {
    address: SocketAddr,
    shared: Arc<Shared>,
}

type React = dyn Fn(&Received, &TcpStream) -> Reaction + Send + Sync;

struct Shared {
    react: Box<React>,
    received: Mutex<Vec<Received>>,
    connections: AtomicUsize,
    stopped: AtomicBool,
}

impl Stub {
    pub fn start(react: impl Fn(&Received) -> Reaction + Send + Sync + 'static) -> Self {
        Self::start_with_connection(move |received, _| react(received))
    }

    /// The same, with the connection: so the reaction can check whether the client still waits.
    pub fn start_with_connection(
        react: impl Fn(&Received, &TcpStream) -> Reaction + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared {
            react: Box::new(react),
            received: Mutex::default(),
            connections: AtomicUsize::new(0),
            stopped: AtomicBool::new(false),
        });
        let accepting = shared.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if accepting.stopped.load(Ordering::SeqCst) {
                    break;
                }
                let connection = accepting.connections.fetch_add(1, Ordering::SeqCst);
                let shared = accepting.clone();
                // A client may close its connection.
                thread::spawn(move || drop(converse(&shared, stream, connection)));
            }
        });
        Self { address, shared }
    }

    /// Responds to every request with 200 and `{}`.
    pub fn content() -> Self {
        Self::start(|_| Reaction::Json(200, "{}".into()))
    }

    /// Its origin, with `http` or `https`; it speaks plain HTTP in either case.
    pub fn origin(&self, scheme: &str, host: &str) -> Url {
        let port = self.address.port();
        Url::parse(&format!("{scheme}://{host}:{port}")).expect("it is a URL")
    }

    /// `http` at its address.
    pub fn url(&self) -> Url {
        self.origin("http", "127.0.0.1")
    }

    pub fn received(&self) -> Vec<Received> {
        self.shared
            .received
            .lock()
            .expect("nobody panics with it")
            .clone()
    }

    /// The one request that came in.
    pub fn only(&self) -> Received {
        let [received] = <[Received; 1]>::try_from(self.received()).expect("one request");
        received
    }

    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        drop(TcpStream::connect(self.address));
    }
}

fn converse(shared: &Shared, mut stream: TcpStream, connection: usize) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    while let Some(received) = read(&mut reader, connection)? {
        let reaction = (shared.react)(&received, &stream);
        shared
            .received
            .lock()
            .expect("nobody panics with it")
            .push(received);
        match reaction {
            Reaction::Json(status, json) => {
                let length = json.len();
                // At once: a second segment would wait for the first one's acknowledgement.
                let response = format!(
                    "HTTP/1.1 {status} Stub\r\ncontent-type: application/json\r\n\
                     content-length: {length}\r\n\r\n{json}"
                );
                stream.write_all(response.as_bytes())?;
            }
            Reaction::Raw(bytes) => return stream.write_all(&bytes),
            Reaction::Close => break,
            Reaction::Silence => {
                reader.read_to_end(&mut Vec::new())?;
                break;
            }
        }
    }
    Ok(())
}

/// A request. None if the client has closed the connection, or does not speak HTTP.
fn read(reader: &mut impl BufRead, connection: usize) -> std::io::Result<Option<Received>> {
    let line = |reader: &mut dyn BufRead| {
        let mut bytes = Vec::new();
        reader.take(16 << 10).read_until(b'\n', &mut bytes)?;
        Ok::<_, std::io::Error>(String::from_utf8_lossy(&bytes).trim_end().to_owned())
    };
    let first = line(&mut &mut *reader)?;
    let mut words = first.split(' ').map(str::to_owned);
    let (Some(method), Some(target), Some(_)) = (words.next(), words.next(), words.next()) else {
        return Ok(None);
    };
    let mut received = Received {
        connection,
        method,
        target,
        headers: Vec::new(),
        body: Vec::new(),
    };
    loop {
        let text = line(&mut &mut *reader)?;
        let Some((name, value)) = text.split_once(": ") else {
            break;
        };
        received
            .headers
            .push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let length = received.header("content-length").map(str::parse);
    received.body = vec![0; length.and_then(Result::ok).unwrap_or(0)];
    reader.read_exact(&mut received.body)?;
    Ok(Some(received))
}
