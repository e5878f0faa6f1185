//! A homeserver on the loopback address that does what a test says and remembers what it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use url::Url;

/// A request that came in.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Which connection it came on, from 0.
    pub connection: usize,
    pub method: String,
    /// Path and query as they stood in the request line.
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(known, _)| known == name);
        values.next().map(|(_, value)| value.as_str())
    }
}

/// What the stub does with a request.
pub enum Reaction {
    /// This status and JSON; the connection stays open.
    Json(u16, String),
    /// These bytes, then the connection is closed.
    Raw(Vec<u8>),
    /// The connection is closed without an answer.
    Close,
    /// Nothing, until the client closes.
    Silence,
}

pub struct Stub {
    address: SocketAddr,
    shared: Arc<Shared>,
}

type React = dyn Fn(&Seen, &TcpStream) -> Reaction + Send + Sync;

struct Shared {
    react: Box<React>,
    seen: Mutex<Vec<Seen>>,
    connections: AtomicUsize,
    stopped: AtomicBool,
}

impl Stub {
    pub fn start(react: impl Fn(&Seen) -> Reaction + Send + Sync + 'static) -> Self {
        Self::start_with_connection(move |seen, _| react(seen))
    }

    /// One that looks at the connection, to see whether anybody waits still.
    pub fn start_with_connection(
        react: impl Fn(&Seen, &TcpStream) -> Reaction + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared {
            react: Box::new(react),
            seen: Mutex::default(),
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
                // A client that goes away is no fault of the stub's.
                thread::spawn(move || drop(converse(&shared, stream, connection)));
            }
        });
        Self { address, shared }
    }

    /// Answers everything with 200 and `{}`.
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

    pub fn seen(&self) -> Vec<Seen> {
        self.shared
            .seen
            .lock()
            .expect("nobody panics with it")
            .clone()
    }

    /// The one request that came in.
    pub fn only(&self) -> Seen {
        let [seen] = <[Seen; 1]>::try_from(self.seen()).expect("one request");
        seen
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
    while let Some(seen) = read(&mut reader, connection)? {
        let reaction = (shared.react)(&seen, &stream);
        shared
            .seen
            .lock()
            .expect("nobody panics with it")
            .push(seen);
        match reaction {
            Reaction::Json(status, json) => {
                let length = json.len();
                // At once: a second segment would wait for the first one's acknowledgement.
                let answer = format!(
                    "HTTP/1.1 {status} Stub\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{json}"
                );
                stream.write_all(answer.as_bytes())?;
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

/// A request; none where the client has closed, or does not speak HTTP.
fn read(reader: &mut impl BufRead, connection: usize) -> std::io::Result<Option<Seen>> {
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
    let mut seen = Seen {
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
        seen.headers
            .push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let length = seen.header("content-length").map(str::parse);
    seen.body = vec![0; length.and_then(Result::ok).unwrap_or(0)];
    reader.read_exact(&mut seen.body)?;
    Ok(Some(seen))
}
