//! Generates load over several keep-alive connections from one thread, with one request in flight on each.
//!
//! Requests are written to all connections before any response is read, so that the server has several requests to
//! process per wake-up, as under real load.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// The connections.
pub(super) struct Load {
    connections: Vec<BufReader<TcpStream>>,
}

/// Requests that are sent in turn, over and over.
pub(super) struct Requests(Vec<Vec<u8>>);

/// The relevant parts of a response.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Names and values of the cookies that are set, as a `Cookie` header has them; those removed are left out.
    pub(super) cookie: Option<String>,
    pub(super) body: String,
}

/// The result of a run whose responses are timed.
#[derive(Debug, Default)]
pub(super) struct Timed {
    /// From sending a request to the end of its response, for each response with 200.
    pub(super) times: Vec<Duration>,
    /// The number of other responses.
    pub(super) refused: usize,
}

impl Load {
    pub(super) fn connect(address: SocketAddr, connections: usize) -> io::Result<Self> {
        let connect = |_| {
            let stream = TcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            Ok(BufReader::new(stream))
        };
        Ok(Self { connections: (0..connections).map(connect).collect::<io::Result<_>>()? })
    }

    /// Signs in this many times, on all connections at once, and returns the cookies of each sign-in.
    pub(super) fn sign_in(&mut self, count: usize) -> io::Result<Vec<String>> {
        let (mut cookies, login) = (Vec::with_capacity(count), request("/login", None));
        while cookies.len() < count {
            let asked = self.connections.len().min(count - cookies.len());
            for connection in &mut self.connections[..asked] {
                connection.get_mut().write_all(&login)?;
            }
            for connection in &mut self.connections[..asked] {
                let Answer { status, cookie, .. } = read(connection)?;
                let missing = || io::Error::other(format!("/login answered {status} without a cookie"));
                cookies.push(cookie.ok_or_else(missing)?);
            }
        }
        Ok(cookies)
    }

    /// Sends at least `count` of these requests, in turn, and returns their number.
    pub(super) fn run(&mut self, requests: &Requests, count: usize) -> io::Result<usize> {
        let rounds = count.div_ceil(self.connections.len());
        let mut next = requests.0.iter().cycle();
        for _ in 0..rounds {
            for (connection, request) in self.connections.iter_mut().zip(&mut next) {
                connection.get_mut().write_all(request)?;
            }
            for connection in &mut self.connections {
                let answer = read(connection)?;
                if answer.status != 200 {
                    return Err(io::Error::other(format!("a request was answered {}", answer.status)));
                }
            }
        }
        Ok(rounds * self.connections.len())
    }

    /// Like [`run`](Self::run), with the time of each response, and without stopping at a response other than 200.
    pub(super) fn timed(&mut self, requests: &Requests, count: usize) -> io::Result<Timed> {
        let mut timed = Timed::default();
        let mut next = requests.0.iter().cycle();
        let mut sent = Vec::with_capacity(self.connections.len());
        for _ in 0..count.div_ceil(self.connections.len()) {
            sent.clear();
            for (connection, request) in self.connections.iter_mut().zip(&mut next) {
                sent.push(Instant::now());
                connection.get_mut().write_all(request)?;
            }
            for (connection, sent) in self.connections.iter_mut().zip(&sent) {
                match read(connection)?.status {
                    200 => timed.times.push(sent.elapsed()),
                    _ => timed.refused += 1,
                }
            }
        }
        Ok(timed)
    }

    /// Sends one request and returns the number in its response.
    pub(super) fn number(&mut self, path: &str, cookie: &str) -> io::Result<u64> {
        let connection = self.connections.first_mut().ok_or(io::ErrorKind::NotConnected)?;
        connection.get_mut().write_all(&request(path, Some(cookie)))?;
        read(connection)?.body.parse().map_err(io::Error::other)
    }

    /// Sends one request on each connection and compares the body of each response.
    pub(super) fn expect(&mut self, path: &str, cookies: &[String], body: &str) -> io::Result<()> {
        for (connection, cookie) in self.connections.iter_mut().zip(cookies) {
            connection.get_mut().write_all(&request(path, Some(cookie)))?;
            let answer = read(connection)?;
            if answer.status != 200 || answer.body != body {
                let Answer { status, body: found, .. } = answer;
                return Err(io::Error::other(format!(
                    "{path} answered {status} {found:?}, expected {body:?}"
                )));
            }
        }
        Ok(())
    }
}

impl Requests {
    /// One request for each of these cookies, or one without a cookie if there are none.
    pub(super) fn to(path: &str, cookies: &[String]) -> Self {
        match cookies {
            [] => Self(vec![request(path, None)]),
            _ => Self(cookies.iter().map(|cookie| request(path, Some(cookie))).collect()),
        }
    }
}

fn request(path: &str, cookie: Option<&str>) -> Vec<u8> {
    let cookie = cookie.map_or(String::new(), |cookie| format!("cookie: {cookie}\r\n"));
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\naccept: */*\r\n{cookie}\r\n").into_bytes()
}

/// Reads one response.
fn read(from: &mut impl BufRead) -> io::Result<Answer> {
    let mut answer = Answer::default();
    let (mut length, mut line) = (0, String::new());
    loop {
        line.clear();
        if from.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let text = line.trim_end();
        if text.is_empty() {
            break;
        }
        if let Some(rest) = text.strip_prefix("HTTP/1.1 ") {
            answer.status = rest.get(..3).and_then(|status| status.parse().ok()).unwrap_or_default();
        } else if let Some((name, value)) = text.split_once(':') {
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().map_err(io::Error::other)?;
            } else if name.eq_ignore_ascii_case("set-cookie") {
                let pair = value.trim().split(';').next().unwrap_or_default();
                if !pair.ends_with('=') {
                    let cookies = answer.cookie.get_or_insert_default();
                    let separator = if cookies.is_empty() { "" } else { "; " };
                    cookies.extend([separator, pair]);
                }
            }
        }
    }
    from.take(length).read_to_string(&mut answer.body)?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_is_read_to_its_end_and_no_further() {
        let mut bytes: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: sid=a; Path=/\r\n\r\nokHTTP/1.1 204 x\r\n\r\n";
        let first = read(&mut bytes).unwrap();
        assert_eq!((first.status, first.cookie.as_deref(), first.body.as_str()), (200, Some("sid=a"), "ok"));
        assert_eq!(read(&mut bytes).unwrap().status, 204);
        assert!(read(&mut bytes).is_err());
    }

    #[test]
    fn cookies_that_are_set_are_sent_together_without_those_removed() {
        let mut bytes: &[u8] =
            b"HTTP/1.1 200 OK\r\nset-cookie: a=1; Path=/\r\nset-cookie: old=; Max-Age=0\r\nset-cookie: b=2\r\n\r\n";
        assert_eq!(read(&mut bytes).unwrap().cookie.as_deref(), Some("a=1; b=2"));
    }
}
