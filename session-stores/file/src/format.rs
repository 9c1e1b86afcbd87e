//! What one file holds: a line of plain ASCII that a person can read with `cat`, then the payload as it is.
//!
//! ```text
//! session-file 1 <checksum> record etag=… created=… idle=… [absolute=…] [owner=…] [from=…] payload=<bytes>⏎{"v":1,…}
//! session-file 1 <checksum> retired until=… [to=…]⏎
//! ```
//!
//! Times are milliseconds since 1970, the owner is percent-encoded. The checksum is the first 128 bits of SHA-256 over
//! the file's own key and all that follows it. SHA-256 and not a CRC: it is in the tree already, it costs less than the
//! system calls around it, and with the key inside, a file copied under another name is seen to be wrong.
//! Decoding any bytes returns; what it allocates is in proportion to them.

use std::fmt::Write as _;
use std::str;
use std::sync::Arc;

use session_core::{
    Timestamp,
    store::{Etag, Payload, Record, StoreKey},
};
use sha2::{Digest, Sha256};

use crate::fault::Fault;

/// What is in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    /// A session. With `from`, it counts only once the session under that key is a tombstone leading here.
    Record {
        /// The session itself.
        record: Record,
        /// The key it is being rotated from.
        from: Option<StoreKey>,
    },
    /// The session is gone.
    Retired {
        /// When the tombstone may be forgotten.
        until: Timestamp,
        /// The key the session lives on under, if it was rotated.
        to: Option<StoreKey>,
    },
}

/// The bytes of a record's file.
pub(crate) fn encode_record(key: &StoreKey, record: &Record, from: Option<&StoreKey>) -> Vec<u8> {
    let mut line = format!(
        "record etag={:016x} created={} idle={}",
        record.etag.get(),
        record.created.as_millis(),
        record.idle_deadline.as_millis()
    );
    if let Some(absolute) = record.absolute_deadline {
        field(&mut line, "absolute", absolute.as_millis());
    }
    if let Some(owner) = &record.owner {
        field(&mut line, "owner", percent_encode(owner));
    }
    if let Some(from) = from {
        field(&mut line, "from", from);
    }
    field(&mut line, "payload", record.payload.len());
    seal(key, &line, &record.payload)
}

/// The bytes of a tombstone's file.
pub(crate) fn encode_retired(key: &StoreKey, until: Timestamp, to: Option<&StoreKey>) -> Vec<u8> {
    let mut line = format!("retired until={}", until.as_millis());
    if let Some(to) = to {
        field(&mut line, "to", to);
    }
    seal(key, &line, &[])
}

/// Reads a file's bytes back.
pub(crate) fn decode(key: &StoreKey, bytes: Vec<u8>) -> Result<Entry, Fault> {
    let body = versioned(&bytes)?;
    let (sum, rest) = body.split_at_checked(SUM_DIGITS).ok_or(Fault::Corrupt)?;
    let rest = rest.strip_prefix(b" ").ok_or(Fault::Corrupt)?;
    if sum != checksum(key, rest).as_bytes() {
        return Err(Fault::Corrupt);
    }
    let end = rest.iter().position(|byte| *byte == b'\n').ok_or(Fault::Corrupt)?;
    let head = str::from_utf8(&rest[..end]).map_err(|_| Fault::Corrupt)?;
    let mut fields = Fields { words: head.split(' ').peekable() };
    match fields.words.next() {
        Some("record") => {
            let etag = fields.must("etag").and_then(|text| u64::from_str_radix(text, 16).ok());
            let created = fields.must("created").and_then(millis);
            let idle_deadline = fields.must("idle").and_then(millis);
            let absolute_deadline = fields.may("absolute", millis)?;
            let owner = fields.may("owner", percent_decode)?.map(Arc::from);
            let from = fields.may("from", |text| text.parse().ok())?;
            let length = fields.must("payload").and_then(|text| text.parse::<usize>().ok());
            let (Some(etag), Some(created), Some(idle_deadline), Some(length), None) =
                (etag, created, idle_deadline, length, fields.words.next())
            else {
                return Err(Fault::Corrupt);
            };
            if rest.len() - end - 1 != length {
                return Err(Fault::Corrupt);
            }
            let start = bytes.len() - length;
            let payload = Payload::tail_of(bytes.into(), start);
            let etag = Etag::new(etag);
            let record = Record { etag, created, idle_deadline, absolute_deadline, owner, payload };
            Ok(Entry::Record { record, from })
        }
        Some("retired") => {
            let until = fields.must("until").and_then(millis).ok_or(Fault::Corrupt)?;
            let to = fields.may("to", |text| text.parse().ok())?;
            if fields.words.next().is_some() || rest.len() != end + 1 {
                return Err(Fault::Corrupt);
            }
            Ok(Entry::Retired { until, to })
        }
        _ => Err(Fault::Corrupt),
    }
}

/// What follows the magic word and this version's number.
pub(crate) fn versioned(bytes: &[u8]) -> Result<&[u8], Fault> {
    let rest = bytes.strip_prefix(MAGIC).ok_or(Fault::Corrupt)?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = str::from_utf8(&rest[..digits]).map_err(|_| Fault::Corrupt)?;
    let body = rest[digits..].strip_prefix(b" ").ok_or(Fault::Corrupt)?;
    match number.parse::<u32>() {
        Ok(VERSION) => Ok(body),
        Ok(newer) if newer > VERSION => Err(Fault::Newer),
        _ => Err(Fault::Corrupt),
    }
}

/// `key=value` words in their one order.
struct Fields<'a> {
    words: std::iter::Peekable<str::Split<'a, char>>,
}

impl<'a> Fields<'a> {
    fn must(&mut self, name: &str) -> Option<&'a str> {
        self.words.next()?.strip_prefix(name)?.strip_prefix('=')
    }

    fn may<T>(&mut self, name: &str, read: impl FnOnce(&'a str) -> Option<T>) -> Result<Option<T>, Fault> {
        let here = self.words.peek().and_then(|word| word.strip_prefix(name)?.strip_prefix('='));
        let Some(text) = here else { return Ok(None) };
        self.words.next();
        read(text).map(Some).ok_or(Fault::Corrupt)
    }
}

fn field(line: &mut String, name: &str, value: impl std::fmt::Display) {
    write!(line, " {name}={value}").expect("writing to a string does not fail");
}

fn seal(key: &StoreKey, line: &str, payload: &[u8]) -> Vec<u8> {
    let rest = [line.as_bytes(), b"\n", payload].concat();
    let mut bytes = Vec::with_capacity(MAGIC.len() + SUM_DIGITS + 4 + rest.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(VERSION.to_string().as_bytes());
    bytes.push(b' ');
    bytes.extend_from_slice(checksum(key, &rest).as_bytes());
    bytes.push(b' ');
    bytes.extend_from_slice(&rest);
    bytes
}

fn checksum(key: &StoreKey, rest: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update(SUM_LABEL);
    hash.update(key.as_bytes());
    hash.update(rest);
    hex(&hash.finalize()[..SUM_DIGITS / 2])
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string does not fail");
        text
    })
}

fn millis(text: &str) -> Option<Timestamp> {
    text.parse().ok().map(Timestamp::from_millis)
}

fn percent_encode(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut line, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~@:+/".contains(&byte) {
            line.push(char::from(byte));
        } else {
            write!(line, "%{byte:02X}").expect("writing to a string does not fail");
        }
        line
    })
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => (digit(rest.next()?)? << 4) | digit(rest.next()?)?,
            plain => plain,
        });
    }
    String::from_utf8(bytes).ok()
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// The first word of every file.
pub(crate) const MAGIC: &[u8] = b"session-file ";
/// The format this version writes, and the newest it reads.
pub(crate) const VERSION: u32 = 1;
const SUM_DIGITS: usize = 32;
const SUM_LABEL: &[u8] = b"session-store-file/sum/v1\0";

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: StoreKey = StoreKey::from_bytes([0xab; 32]);

    fn record(owner: Option<&str>) -> Record {
        Record {
            etag: Etag::new(0xfeed),
            created: Timestamp::from_millis(-5),
            idle_deadline: Timestamp::from_millis(7_200_000),
            absolute_deadline: Some(Timestamp::from_millis(i64::MAX)),
            owner: owner.map(Arc::from),
            payload: b"{\"v\":1}\n".as_slice().into(),
        }
    }

    #[test]
    fn every_field_comes_back_unchanged() {
        for owner in [None, Some(""), Some("-"), Some("ada"), Some("a b\n%=ü from=x"), Some("\0")] {
            for from in [None, Some(StoreKey::from_bytes([1; 32]))] {
                let record = record(owner);
                let bytes = encode_record(&KEY, &record, from.as_ref());
                assert_eq!(decode(&KEY, bytes), Ok(Entry::Record { record, from }), "{owner:?}");
            }
        }
        for to in [None, Some(StoreKey::from_bytes([1; 32]))] {
            let until = Timestamp::from_millis(9);
            let bytes = encode_retired(&KEY, until, to.as_ref());
            assert_eq!(decode(&KEY, bytes), Ok(Entry::Retired { until, to }));
        }
    }

    #[test]
    fn a_person_can_read_it_with_cat() {
        let text = String::from_utf8(encode_record(&KEY, &record(Some("ada@x")), None)).unwrap();
        let (head, payload) = text.split_once('\n').unwrap();
        assert!(head.starts_with("session-file 1 "), "{head}");
        let readable = " created=-5 idle=7200000 absolute=9223372036854775807 owner=ada@x payload=8";
        assert!(head.ends_with(readable), "{head}");
        assert_eq!(payload, "{\"v\":1}\n");
    }

    #[test]
    fn st_5_every_flipped_bit_and_every_cut_is_seen() {
        let whole = encode_record(&KEY, &record(Some("ada")), None);
        for length in 0..whole.len() {
            assert!(decode(&KEY, whole[..length].to_vec()).is_err(), "cut at {length}");
        }
        for at in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[at / 8] ^= 1 << (at % 8);
            assert!(decode(&KEY, bytes).is_err(), "bit {at}");
        }
        let longer = [whole, vec![b'x']].concat();
        assert_eq!(decode(&KEY, longer), Err(Fault::Corrupt));
    }

    #[test]
    fn a_file_under_another_name_is_corrupt() {
        let bytes = encode_record(&KEY, &record(None), None);
        assert_eq!(decode(&StoreKey::from_bytes([2; 32]), bytes), Err(Fault::Corrupt));
    }

    #[test]
    fn st_5_a_newer_version_is_told_from_damage() {
        for (bytes, fault) in [
            (&b"session-file 2 whatever that version keeps"[..], Fault::Newer),
            (b"session-file 4294967295 ", Fault::Newer),
            (b"session-file 0 x", Fault::Corrupt),
            (b"session-file 99999999999999 x", Fault::Corrupt),
            (b"session-file  x", Fault::Corrupt),
            (b"session-file 1", Fault::Corrupt),
            (b"", Fault::Corrupt),
            (b"{}", Fault::Corrupt),
        ] {
            assert_eq!(decode(&KEY, bytes.to_vec()), Err(fault), "{}", String::from_utf8_lossy(bytes));
        }
    }
}
