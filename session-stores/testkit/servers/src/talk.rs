//! Just enough of each protocol to ask a server whether it is ready.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Sends a Redis command, whose words are separated by blanks, and returns the reply as text.
pub(crate) fn redis(port: u16, command: &str) -> io::Result<String> {
    let mut stream = connect(port)?;
    stream.write_all(format!("{command}\r\n").as_bytes())?;
    let mut answer = Vec::new();
    while !redis_complete(&answer) {
        receive(&mut stream, &mut answer)?;
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// Reads a line, or a bulk string of the announced length.
fn redis_complete(answer: &[u8]) -> bool {
    let Some(end) = answer.windows(2).position(|pair| pair == b"\r\n") else { return false };
    let (line, rest) = (&answer[..end], &answer[end + 2..]);
    match line.strip_prefix(b"$") {
        Some(length) => {
            let length: usize =
                std::str::from_utf8(length).ok().and_then(|text| text.parse().ok()).unwrap_or(0);
            rest.len() >= length + 2
        }
        None => true,
    }
}

/// Asks memcached for its version.
pub(crate) fn memcached(port: u16) -> io::Result<()> {
    let mut stream = connect(port)?;
    stream.write_all(b"version\r\n")?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n") {
        receive(&mut stream, &mut answer)?;
    }
    if answer.starts_with(b"VERSION ") { Ok(()) } else { Err(io::Error::other("this is not memcached")) }
}

/// Asks etcd whether it has a leader.
pub(crate) fn etcd(port: u16) -> io::Result<()> {
    let mut stream = connect(port)?;
    stream.write_all(b"GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    if answer.contains("\"true\"") { Ok(()) } else { Err(io::Error::other(answer)) }
}

/// Runs a statement on Postgres as the trusted user `postgres`, and returns the response up to `ReadyForQuery`.
pub(crate) fn postgres(port: u16, statement: &str) -> io::Result<Vec<u8>> {
    let mut stream = connect(port)?;
    let parameters = b"user\0postgres\0database\0postgres\0\0";
    stream.write_all(&length_of(parameters.len() + 8))?;
    stream.write_all(&196_608_u32.to_be_bytes())?;
    stream.write_all(parameters)?;
    postgres_ready(&mut stream)?;
    stream.write_all(b"Q")?;
    stream.write_all(&length_of(statement.len() + 5))?;
    stream.write_all(statement.as_bytes())?;
    stream.write_all(b"\0")?;
    postgres_ready(&mut stream)
}

/// Reads messages until `ReadyForQuery`; an `ErrorResponse` is an error.
fn postgres_ready(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut bodies = Vec::new();
    loop {
        let mut head = [0; 5];
        stream.read_exact(&mut head)?;
        let [kind, length @ ..] = head;
        let length = u32::from_be_bytes(length).saturating_sub(4).min(1 << 20);
        let mut body = vec![0; length as usize];
        stream.read_exact(&mut body)?;
        match kind {
            b'E' => return Err(io::Error::other(String::from_utf8_lossy(&body).replace('\0', " "))),
            b'Z' => return Ok(bodies),
            _ => bodies.extend(body),
        }
    }
}

fn length_of(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).unwrap_or(u32::MAX).to_be_bytes()
}

/// Returns whether a MySQL server greets.
pub(crate) fn mysql(port: u16) -> io::Result<()> {
    let mut greeting = Vec::new();
    let mut stream = connect(port)?;
    while greeting.len() < 5 {
        receive(&mut stream, &mut greeting)?;
    }
    // Three bytes of length, a sequence number, the protocol's version.
    if greeting[4] == 10 { Ok(()) } else { Err(io::Error::other("not a MySQL greeting")) }
}

/// Returns whether a server there speaks HTTP.
pub(crate) fn http(port: u16) -> io::Result<String> {
    let mut stream = connect(port)?;
    stream.write_all(LIST_TABLES)?;
    let mut answer = Vec::new();
    while !answer.windows(4).any(|four| four == b"\r\n\r\n") {
        receive(&mut stream, &mut answer)?;
    }
    let answer = String::from_utf8_lossy(&answer).into_owned();
    if answer.starts_with("HTTP/1.1 ") { Ok(answer) } else { Err(io::Error::other("not an HTTP answer")) }
}

fn receive(stream: &mut TcpStream, into: &mut Vec<u8>) -> io::Result<()> {
    let mut buffer = [0; 4096];
    match stream.read(&mut buffer)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        read => {
            into.extend_from_slice(&buffer[..read]);
            Ok(())
        }
    }
}

fn connect(port: u16) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&SocketAddr::from(([127, 0, 0, 1], port)), PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// A server that is ready answers within this time; otherwise it is asked again.
const PATIENCE: Duration = Duration::from_secs(2);

const LIST_TABLES: &[u8] = b"POST / HTTP/1.1\r\nhost: 127.0.0.1\r\n\
    x-amz-target: DynamoDB_20120810.ListTables\r\ncontent-type: application/x-amz-json-1.0\r\n\
    authorization: AWS4-HMAC-SHA256 Credential=test/20250101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, \
    Signature=00\r\nx-amz-date: 20250101T000000Z\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bulk_answer_is_complete_with_its_last_byte() {
        assert!(!redis_complete(b"$5\r\nhell"));
        assert!(redis_complete(b"$5\r\nhello\r\n"));
        assert!(redis_complete(b"+PONG\r\n"));
        assert!(!redis_complete(b"+PONG"));
    }
}
