//! Generates load over several keep-alive connections from one thread, with one request in flight on each.
//!
//! Requests are written to all connections before any response is read, so that the server has several requests to
//! process per wake-up, as under real load.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

/// The connections.
pub(super) struct Load {
    connections: Vec<BufReader<TcpStream>>,
}

/// The relevant parts of a response.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Name and value of the last cookie.
    pub(super) cookie: Option<String>,
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

    /// Sends one request on each connection and returns the cookies.
    pub(super) fn cookies(&mut self, path: &str) -> io::Result<Vec<String>> {
        let mut cookies = Vec::new();
        for connection in &mut self.connections {
            connection.get_mut().write_all(&request(path, None))?;
            cookies.push(read(connection)?.cookie.ok_or_else(|| io::Error::other("no cookie was set"))?);
        }
        Ok(cookies)
    }

    /// Sends at least `count` requests for this path, with a separate cookie per connection, and returns their
    /// number.
    pub(super) fn run(&mut self, path: &str, cookies: &[String], count: usize) -> io::Result<usize> {
        let requests: Vec<Vec<u8>> = cookies.iter().map(|cookie| request(path, Some(cookie))).collect();
        let rounds = count.div_ceil(self.connections.len());
        for _ in 0..rounds {
            for (connection, request) in self.connections.iter_mut().zip(&requests) {
                connection.get_mut().write_all(request)?;
            }
            for connection in &mut self.connections {
                let answer = read(connection)?;
                if answer.status != 200 {
                    return Err(io::Error::other(format!("{path} answered {}", answer.status)));
                }
            }
        }
        Ok(rounds * self.connections.len())
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
                answer.cookie = value.trim().split(';').next().map(str::to_owned);
            }
        }
    }
    io::copy(&mut from.take(length), &mut io::sink())?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_is_read_to_its_end_and_no_further() {
        let mut bytes: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: sid=a; Path=/\r\n\r\nokHTTP/1.1 204 x\r\n\r\n";
        let first = read(&mut bytes).unwrap();
        assert_eq!((first.status, first.cookie.as_deref()), (200, Some("sid=a")));
        assert_eq!(read(&mut bytes).unwrap().status, 204);
        assert!(read(&mut bytes).is_err());
    }
}
