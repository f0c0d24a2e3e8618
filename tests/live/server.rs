//! A little HTTP server on the loopback that behaves as badly as its script says.
//!
//! Everything it does by the clock it does by waiting on a channel that is closed when the server goes: so it ends with
//! its test.
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A stream of a fixed rate is sent in slices this long.
const SLICE: Duration = Duration::from_millis(20);

/// A film that is sent as fast as it plays.
#[derive(Debug, Clone)]
pub struct Film {
    /// An MPEG transport stream.
    pub bytes: Arc<Vec<u8>>,
    /// How long it plays.
    pub length: Duration,
}

/// What a film's connection does when so much of it has been sent.
#[derive(Debug, Clone, Copy)]
pub enum Then {
    /// Hangs up.
    Close,
    /// Says nothing more, and does not hang up.
    Stall,
    /// Begins again with the first byte: timestamps jump back.
    Again,
}

/// What one connection gets.
#[derive(Debug, Clone)]
pub enum Turn {
    /// A status line, and nothing more.
    Status(&'static str),
    /// The first part of a film, the first second of it at once (as servers do that keep something ready).
    Film(Film, Duration, Then),
}

/// A request that came.
#[derive(Debug, Clone)]
pub struct Asked {
    /// When, after the server was started.
    pub at: Duration,
    /// When the answer was over; `None` while it is being given.
    pub until: Option<Duration>,
}

/// What a path answers; the server's age is its argument.
type Page = Box<dyn Fn(&str, Duration) -> Option<Vec<u8>> + Send + Sync>;

struct Shared {
    started: Instant,
    script: Mutex<VecDeque<Turn>>,
    pages: Option<Page>,
    log: Mutex<Vec<Asked>>,
    stop: Mutex<Vec<Sender<()>>>,
}

/// The server. It stops when it is dropped.
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Server {
    /// Every connection gets the next turn of `script`; the last one is for all that follow.
    pub fn scripted(script: Vec<Turn>) -> Self {
        Self::start(script.into(), None)
    }

    /// Every request gets what `pages` has for its path, or 404.
    pub fn of_pages(pages: impl Fn(&str, Duration) -> Option<Vec<u8>> + Send + Sync + 'static) -> Self {
        Self::start(VecDeque::new(), Some(Box::new(pages)))
    }

    fn start(script: VecDeque<Turn>, pages: Option<Page>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            started: Instant::now(),
            script: Mutex::new(script),
            pages,
            log: Mutex::new(Vec::new()),
            stop: Mutex::new(Vec::new()),
        });
        let theirs = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { continue };
                let (sender, stop) = channel();
                theirs.stop.lock().expect("whole").push(sender);
                let shared = Arc::clone(&theirs);
                // The client may hang up at any time; then there is nobody to tell.
                std::thread::spawn(move || shared.answer(stream, &stop));
            }
        });
        Self { address, shared }
    }

    /// An address on it.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    /// What was asked of it so far, oldest first.
    pub fn asked(&self) -> Vec<Asked> {
        self.shared.log.lock().expect("whole").clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Connections that wait see their channel close.
        self.shared.stop.lock().expect("whole").clear();
    }
}

impl Shared {
    fn answer(&self, stream: TcpStream, stop: &Receiver<()>) -> std::io::Result<()> {
        let mut request = BufReader::new(stream.try_clone()?);
        let mut first = String::new();
        request.read_line(&mut first)?;
        let mut line = String::new();
        while request.read_line(&mut line)? > 2 {
            line.clear();
        }
        let path = first.split_whitespace().nth(1).unwrap_or_default().to_owned();
        let asked = Asked { at: self.started.elapsed(), until: None };
        let index = {
            let mut log = self.log.lock().expect("whole");
            log.push(asked);
            log.len() - 1
        };
        let done = self.give(stream, &path, stop);
        self.log.lock().expect("whole")[index].until = Some(self.started.elapsed());
        done
    }

    fn give(&self, mut stream: TcpStream, path: &str, stop: &Receiver<()>) -> std::io::Result<()> {
        if let Some(pages) = &self.pages {
            return match pages(path, self.started.elapsed()) {
                Some(page) => {
                    let length = page.len();
                    write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")?;
                    stream.write_all(&page)
                }
                None => status(&mut stream, "404 Not Found"),
            };
        }
        let turn = {
            let mut script = self.script.lock().expect("whole");
            if 1 < script.len() { script.pop_front() } else { script.front().cloned() }
        };
        match turn {
            Some(Turn::Film(film, part, then)) => send(stream, &film, part, then, stop),
            Some(Turn::Status(words)) => status(&mut stream, words),
            None => Ok(()),
        }
    }
}

fn status(stream: &mut TcpStream, words: &str) -> std::io::Result<()> {
    write!(stream, "HTTP/1.1 {words}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}

/// Sends `part` of a film at the rate it plays.
fn send(mut stream: TcpStream, film: &Film, part: Duration, then: Then, stop: &Receiver<()>) -> std::io::Result<()> {
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\nConnection: close\r\n\r\n")?;
    let started = Instant::now();
    let rate = film.bytes.len() as f64 / film.length.as_secs_f64();
    let all = (rate * part.as_secs_f64()) as usize;
    let mut sent = 0;
    loop {
        let due = ((started.elapsed() + Duration::from_secs(1)).as_secs_f64() * rate) as usize;
        let due = if matches!(then, Then::Again) { due } else { due.min(all) };
        while sent < due {
            let from = sent % film.bytes.len();
            let to = (from + due - sent).min(film.bytes.len());
            stream.write_all(&film.bytes[from..to])?;
            sent += to - from;
        }
        if sent == all && matches!(then, Then::Close) {
            return Ok(());
        }
        if stop.recv_timeout(SLICE) == Err(RecvTimeoutError::Disconnected) {
            return Ok(());
        }
    }
}
