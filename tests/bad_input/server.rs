//! Servers on the loopback that say one thing, and then either hang up or never say anything again.
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};

/// A server; it lives as long as the test's process.
pub struct Server(SocketAddr);

impl Server {
    /// An address on it.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.0)
    }
}

/// Says `words` to everybody, and then nothing until they hang up.
pub fn that_says(words: &'static [u8]) -> Server {
    serve(words, true)
}

/// Says `words` to everybody, and hangs up.
pub fn that_answers(words: &'static [u8]) -> Server {
    serve(words, false)
}

/// An address where nobody listens.
pub fn url_of_nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    format!("http://{address}/film.mp4")
}

fn serve(words: &'static [u8], stays: bool) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            std::thread::spawn(move || {
                let mut request = [0; 4096];
                let _asked = stream.read(&mut request);
                let _gone = stream.write_all(words);
                while stays && stream.read(&mut request).is_ok_and(|it| 0 < it) {}
            });
        }
    });
    Server(address)
}
