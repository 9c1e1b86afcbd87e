//! As much HTTP/1.1 as this example needs: one request per connection, a small body, a response.

use std::io::{self, BufRead, BufReader, Read, Write};

/// One request.
pub(crate) struct Request {
    pub(crate) line: String,
    pub(crate) cookies: Vec<String>,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Request {
    /// The first value of a header, asked by its lower-case name.
    pub(crate) fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers.iter().find(|(there, _)| there == name).map(|(_, value)| value.as_bytes())
    }
}

/// Reads a request.
///
/// # Errors
/// What the connection says, or a request that is too long or is not text.
pub(crate) fn read(stream: impl Read) -> io::Result<Request> {
    let mut reader = BufReader::new(stream.take(LONGEST));
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let line = line.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
    let (mut cookies, mut headers, mut length) = (Vec::new(), Vec::new(), 0);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let Some((name, value)) = header.trim_end().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "cookie" => cookies.push(value.trim().to_owned()),
            "content-length" => length = value.trim().parse().map_err(io::Error::other)?,
            name => headers.push((name.to_owned(), value.trim().to_owned())),
        }
    }
    let mut body = String::new();
    reader.take(length).read_to_string(&mut body)?;
    Ok(Request { line, cookies, headers, body })
}

/// A response to be.
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

impl Response {
    /// Plain text.
    pub(crate) fn text(status: u16, body: impl Into<String>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    /// Sends it.
    ///
    /// # Errors
    /// What the connection says.
    pub(crate) fn write(&self, mut stream: impl Write) -> io::Result<()> {
        write!(stream, "HTTP/1.1 {}\r\ncontent-type: text/plain; charset=utf-8\r\n", self.status)?;
        for (name, value) in &self.headers {
            write!(stream, "{name}: {value}\r\n")?;
        }
        write!(stream, "content-length: {}\r\nconnection: close\r\n\r\n{}", self.body.len(), self.body)?;
        stream.flush()
    }
}

const LONGEST: u64 = 64 * 1024;
