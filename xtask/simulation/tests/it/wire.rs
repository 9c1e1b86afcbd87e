//! The protocol between the store client and the store server: JSON behind its length in four bytes.

use std::io;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use session_core::Timestamp;
use session_core::store::{Etag, Record, StoreKey};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use turmoil::net::TcpStream;

/// A call of the store.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Request {
    Load { key: String },
    Create { key: String, record: Stored, now: i64 },
    Replace { key: String, expected: u64, record: Stored, now: i64 },
    Touch { key: String, idle_deadline: i64, now: i64 },
    Destroy { key: String, until: i64 },
    Rotate { old: String, expected: u64, new: String, record: Stored, now: i64, until: i64 },
    Page { owner: String, from: Option<String>, most: usize, now: i64 },
    DestroyAll { owner: String, except: Option<String>, now: i64, until: i64 },
}

/// The result of a call.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Reply {
    Missing,
    Ended { until: i64 },
    Found(Stored),
    Applied,
    Conflict(Stored),
    Moved { key: String, record: Stored },
    Gone,
    Taken,
    Page { entries: Vec<(String, Stored)>, next: Option<String> },
    Destroyed(usize),
}

/// A record. The core writes its payload as JSON, so it is text.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Stored {
    etag: u64,
    created: i64,
    idle_deadline: i64,
    absolute_deadline: Option<i64>,
    owner: Option<String>,
    payload: String,
}

impl From<&Record> for Stored {
    fn from(record: &Record) -> Self {
        Self {
            etag: record.etag.get(),
            created: record.created.as_millis(),
            idle_deadline: record.idle_deadline.as_millis(),
            absolute_deadline: record.absolute_deadline.map(Timestamp::as_millis),
            owner: record.owner.as_deref().map(str::to_owned),
            payload: String::from_utf8(record.payload.to_vec()).expect("the core writes JSON"),
        }
    }
}

impl From<Stored> for Record {
    fn from(stored: Stored) -> Self {
        let at = Timestamp::from_millis;
        Self::new(
            Etag::new(stored.etag),
            at(stored.created),
            at(stored.idle_deadline),
            stored.payload.into_bytes().into(),
        )
        .with_absolute_deadline(stored.absolute_deadline.map(at))
        .with_owner(stored.owner.map(Into::into))
    }
}

/// Reads a key that this program has written.
pub(crate) fn key(text: &str) -> StoreKey {
    text.parse().expect("a key is written as hexadecimal digits")
}

pub(crate) async fn write(stream: &mut TcpStream, message: &impl Serialize) -> io::Result<()> {
    let mut frame = vec![0; 4];
    serde_json::to_writer(&mut frame, message)?;
    let length = u32::try_from(frame.len() - 4).map_err(io::Error::other)?;
    frame[..4].copy_from_slice(&length.to_be_bytes());
    stream.write_all(&frame).await
}

pub(crate) async fn read<T: DeserializeOwned>(stream: &mut TcpStream) -> io::Result<T> {
    let length = stream.read_u32().await?;
    let mut frame = vec![0; length as usize];
    stream.read_exact(&mut frame).await?;
    Ok(serde_json::from_slice(&frame)?)
}
