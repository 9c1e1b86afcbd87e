//! What things are called in the table: the keys of the items, their attributes.
//!
//! | item | `pk` | `sk` |
//! |---|---|---|
//! | a session or its tombstone | `PREFIX:s:` + 64 hexadecimal digits of the key | `session` |
//! | "this owner has that session" | `PREFIX:o:` + owner (`PREFIX:h:` + its SHA-256 when it is long) | the 64 digits |

use std::fmt::Write as _;

use aws_sdk_dynamodb::types::AttributeValue;
use session_core::store::StoreKey;
use sha2::{Digest, Sha256};

use crate::item::Item;

/// The names under which one `prefix` keeps its items.
#[derive(Debug)]
pub(crate) struct Names {
    prefix: Box<str>,
}

impl Names {
    pub(crate) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.into() }
    }

    /// The primary key of a session.
    pub(crate) fn session(&self, key: &StoreKey) -> Item {
        primary(format!("{}:s:{key}", self.prefix), SESSION.into())
    }

    /// The primary key of an owner's entry for a session.
    pub(crate) fn entry(&self, owner: &str, key: &StoreKey) -> Item {
        primary(self.owner(owner), key.to_string())
    }

    /// The partition that holds all entries of an owner.
    pub(crate) fn owner(&self, owner: &str) -> String {
        if owner.len() <= LONGEST_PLAIN_OWNER {
            return format!("{}:o:{owner}", self.prefix);
        }
        format!("{}:h:{}", self.prefix, hex(&Sha256::digest(owner.as_bytes())))
    }
}

fn primary(pk: String, sk: String) -> Item {
    Item::from([(PK.into(), AttributeValue::S(pk)), (SK.into(), AttributeValue::S(sk))])
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // writing to a string cannot fail
        text
    })
}

/// Owners longer than this many bytes are hashed into their partition's name, which may have 2,048.
const LONGEST_PLAIN_OWNER: usize = 1_024;

/// The partition key.
pub(crate) const PK: &str = "pk";
/// The sort key.
pub(crate) const SK: &str = "sk";
/// The sort key of sessions and tombstones.
const SESSION: &str = "session";
/// The table's time-to-live attribute, in seconds since 1970.
pub(crate) const EXPIRES_AT: &str = "expires_at";
/// The format of the item: [`THIS_FORMAT`].
pub(crate) const FORMAT_VERSION: &str = "format_version";
/// The record's version.
pub(crate) const ETAG: &str = "etag";
/// When the session began, in milliseconds.
pub(crate) const CREATED_AT: &str = "created_at";
/// The idle deadline, in milliseconds: the one attribute that a touch moves.
pub(crate) const IDLE_UNTIL: &str = "idle_until";
/// The absolute deadline, in milliseconds, where there is one.
pub(crate) const ABSOLUTE_UNTIL: &str = "absolute_until";
/// Whose session it is.
pub(crate) const OWNER_ID: &str = "owner_id";
/// Until when the owner's entry stands, in seconds; only where there is an owner.
pub(crate) const LISTED_UNTIL: &str = "listed_until";
/// The session's data.
pub(crate) const PAYLOAD: &str = "payload";
/// Tells a record that something else has changed from one that this library wrote.
pub(crate) const CHECKSUM: &str = "checksum";
/// Makes an item a tombstone: until when it is wanted, in milliseconds.
pub(crate) const GONE_UNTIL: &str = "gone_until";
/// The etag of the record that a rotation left a tombstone for: how a retry knows its own.
pub(crate) const SUCCESSOR: &str = "successor_etag";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn st_1_no_prefix_and_owner_name_the_partition_of_another() {
        let key = StoreKey::from_bytes([1; 32]);
        let (a, b) = (Names::new("a"), Names::new("a-b"));
        assert_ne!(a.owner("x"), b.owner("x"));
        assert_ne!(a.owner(&format!("s:{key}")), format!("a:s:{key}"));
        assert_ne!(a.owner(&"x".repeat(2_000)), a.owner(&"x".repeat(2_001)));
        assert!(b.owner(&"x".repeat(2_000)).len() < 2_048);
    }
}
