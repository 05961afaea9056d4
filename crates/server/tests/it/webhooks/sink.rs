//! Endpoints of webhooks on this machine.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::{self, sleep};
use std::time::Duration;

use serde_json::Value;

/// A request that came.
#[derive(Clone, Debug)]
pub(crate) struct Hit {
    /// With names in lower case.
    pub(crate) headers: HashMap<String, String>,
    pub(crate) text: String,
    pub(crate) body: Value,
}

impl Hit {
    /// The `webhook-id`, which is that of the delivery.
    pub(crate) fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }

    /// The number of the delivery, which orders those of a webhook.
    pub(crate) fn number(&self) -> i64 {
        self.id().split('_').nth(3).unwrap().parse().unwrap()
    }

    /// What the event is about: `group 1001`.
    pub(crate) fn entity(&self) -> String {
        let data = &self.body["data"];
        format!("{} {}", data["entity"].as_str().unwrap(), data["id"])
    }
}

/// What an endpoint does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Status(u16),
    /// 200, with this text.
    Text(String),
    /// 503, and to be left alone for so many seconds.
    Later(u32),
    /// After a while.
    Slow(Duration),
    /// Keeps the connection and says nothing.
    Never,
}

type Judge = Box<dyn Fn(&Hit) -> Reply + Send>;

/// An endpoint that notes what comes, and answers 204 until it is told to do something else.
pub(crate) struct Sink {
    pub(crate) address: SocketAddr,
    state: Arc<State>,
}

struct State {
    hits: Mutex<Vec<Hit>>,
    judge: Mutex<Judge>,
}

impl Sink {
    pub(crate) fn new() -> Self {
        Self::answering(|_| Reply::Status(204))
    }

    pub(crate) fn answering(judge: impl Fn(&Hit) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State { hits: Mutex::default(), judge: Mutex::new(Box::new(judge)) });
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                // Whoever called may be gone.
                thread::spawn(move || serve(stream, &state).unwrap_or_default());
            }
        });
        Self { address, state }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    pub(crate) fn answer(&self, judge: impl Fn(&Hit) -> Reply + Send + 'static) {
        *self.state.judge.lock().unwrap() = Box::new(judge);
    }

    pub(crate) fn hits(&self) -> Vec<Hit> {
        self.state.hits.lock().unwrap().clone()
    }

    /// What came, as entities in their order.
    pub(crate) fn entities(&self) -> Vec<String> {
        self.hits().iter().map(Hit::entity).collect()
    }

    /// Waits until so many requests have come; all that have.
    pub(crate) fn wait_for(&self, count: usize) -> Vec<Hit> {
        // Longer than a lease of who was killed, also on a machine that has much to do.
        for _ in 0..9000 {
            if self.state.hits.lock().unwrap().len() >= count {
                return self.hits();
            }
            sleep(Duration::from_millis(10));
        }
        panic!("{} of {count} requests came in 90 s: {:?}", self.hits().len(), self.hits().last());
    }
}

fn serve(stream: TcpStream, state: &State) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut stream = stream;
    loop {
        let hit = read(&mut reader)?;
        let reply = state.judge.lock().unwrap()(&hit);
        state.hits.lock().unwrap().push(hit);
        let mut body = String::new();
        let (status, more) = match reply {
            Reply::Status(status) => (status, String::new()),
            Reply::Text(text) => {
                body = text;
                (200, String::new())
            }
            Reply::Later(seconds) => (503, format!("retry-after: {seconds}\r\n")),
            Reply::Slow(wait) => {
                sleep(wait);
                (204, String::new())
            }
            Reply::Never => {
                sleep(Duration::from_mins(1));
                return None;
            }
        };
        let length =
            if status == 204 { String::new() } else { format!("content-length: {}\r\n", body.len()) };
        write!(stream, "HTTP/1.1 {status} Status\r\n{more}{length}\r\n{body}").ok()?;
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Hit> {
    let mut headers = HashMap::new();
    let mut first = String::new();
    reader.read_line(&mut first).ok().filter(|length| *length > 0)?;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers["content-length"].parse().unwrap()];
    reader.read_exact(&mut body).ok()?;
    let text = String::from_utf8(body).unwrap();
    Some(Hit { headers, body: serde_json::from_str(&text).unwrap(), text })
}
