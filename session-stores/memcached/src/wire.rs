//! Memcached's text protocol, as far as a store needs it: `gets`, `add`, `cas`.
//!
//! Nothing here waits longer than its caller lets it: the deadline is the link's, and a connection whose call was cut
//! short is never used again.

use std::io;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// One connection.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: BufReader<TcpStream>,
}

/// An item as the server holds it.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) bytes: Vec<u8>,
    /// The server's own version number of the item: what `cas` compares.
    pub(crate) unique: u64,
}

/// What came of an order to store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Stored,
    /// `add`: something is there.
    NotStored,
    /// `cas`: it was changed since it was read.
    Changed,
    /// `cas`: nothing is there.
    NotFound,
}

/// An answer that is no answer to the question.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WireError {
    #[error("the connection broke")]
    Broken(#[from] io::Error),
    /// The server's words; it never repeats an item in them.
    #[error("the server said: {0}")]
    Refused(String),
    #[error("the server's answer is not memcached's")]
    Strange,
}

impl Wire {
    pub(crate) async fn connect(address: &str) -> Result<Self, WireError> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// Returns whether the idle connection has received nothing, not even its end.
    pub(crate) fn is_quiet(&self) -> bool {
        let mut byte = [0];
        let read = self.stream.get_ref().try_read(&mut byte);
        self.stream.buffer().is_empty()
            && matches!(read, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Reads one item.
    pub(crate) async fn gets(&mut self, key: &str) -> Result<Option<Item>, WireError> {
        self.send(&asking(key)).await?;
        self.read_item(key).await
    }

    /// Stores an item where nothing is, and reads what is there then: one trip.
    pub(crate) async fn add_and_get(
        &mut self,
        key: &str,
        expiry: i64,
        bytes: &[u8],
    ) -> Result<(Verdict, Option<Item>), WireError> {
        let mut orders = storing("add", key, expiry, bytes, None);
        orders.extend(asking(key));
        self.send(&orders).await?;
        Ok((self.read_verdict().await?, self.read_item(key).await?))
    }

    /// Stores an item over the one that was read.
    pub(crate) async fn cas(
        &mut self,
        key: &str,
        expiry: i64,
        bytes: &[u8],
        unique: u64,
    ) -> Result<Verdict, WireError> {
        self.send(&storing("cas", key, expiry, bytes, Some(unique))).await?;
        self.read_verdict().await
    }

    async fn send(&mut self, order: &[u8]) -> Result<(), WireError> {
        Ok(self.stream.write_all(order).await?)
    }

    async fn read_verdict(&mut self) -> Result<Verdict, WireError> {
        match &*self.read_line().await? {
            "STORED" => Ok(Verdict::Stored),
            "NOT_STORED" => Ok(Verdict::NotStored),
            "EXISTS" => Ok(Verdict::Changed),
            "NOT_FOUND" => Ok(Verdict::NotFound),
            line => Err(refusal(line)),
        }
    }

    /// Reads the answer to a `gets` of this key. An answer about another key is none.
    async fn read_item(&mut self, key: &str) -> Result<Option<Item>, WireError> {
        let line = self.read_line().await?;
        let words: Vec<&str> = line.split(' ').collect();
        let (length, unique) = match words[..] {
            ["END"] => return Ok(None),
            ["VALUE", answered, _flags, length, unique] if answered == key => {
                (length.parse::<usize>(), unique.parse())
            }
            _ => return Err(refusal(&line)),
        };
        let (Ok(length), Ok(unique)) = (length, unique) else { return Err(WireError::Strange) };
        if length > LONGEST_ITEM {
            return Err(WireError::Strange);
        }
        let mut bytes = vec![0; length + 2];
        self.stream.read_exact(&mut bytes).await?;
        if !bytes.ends_with(b"\r\n") || self.read_line().await? != "END" {
            return Err(WireError::Strange);
        }
        bytes.truncate(length);
        Ok(Some(Item { bytes, unique }))
    }

    async fn read_line(&mut self) -> Result<String, WireError> {
        let mut line = Vec::new();
        let mut limited = (&mut self.stream).take(LONGEST_LINE);
        limited.read_until(b'\n', &mut line).await?;
        let Some(line) = line.strip_suffix(b"\r\n") else {
            // The end of the stream, or of our patience with one line.
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        };
        String::from_utf8(line.to_vec()).map_err(|_| WireError::Strange)
    }
}

fn asking(key: &str) -> Vec<u8> {
    format!("gets {key}\r\n").into_bytes()
}

fn storing(order: &str, key: &str, expiry: i64, bytes: &[u8], unique: Option<u64>) -> Vec<u8> {
    let unique = unique.map_or(String::new(), |unique| format!(" {unique}"));
    let mut line = format!("{order} {key} 0 {expiry} {}{unique}\r\n", bytes.len()).into_bytes();
    line.extend(bytes);
    line.extend(b"\r\n");
    line
}

fn refusal(line: &str) -> WireError {
    let known = ["SERVER_ERROR", "CLIENT_ERROR", "ERROR"].iter().any(|word| line.starts_with(word));
    if known { WireError::Refused(line.to_owned()) } else { WireError::Strange }
}

/// Longer than any line of the protocol: a key of 250 bytes and three numbers.
const LONGEST_LINE: u64 = 2_048;
/// The largest item a server can be told to keep (`-I`).
const LONGEST_ITEM: usize = 1 << 30;
