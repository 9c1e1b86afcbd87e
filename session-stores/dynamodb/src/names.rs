//! The names in the table: primary keys and attributes.
//!
//! | item | `pk` | `sk` |
//! |---|---|---|
//! | a session or its tombstone | `PREFIX:s:` + 64 hexadecimal digits of the store key | `session` |
//! | an owner's entry for a session | `PREFIX:o:` + owner (`PREFIX:h:` + its SHA-256 if it is long) | the 64 digits |

use std::fmt::Write as _;

use aws_sdk_dynamodb::types::AttributeValue;
use session_core::store::StoreKey;
use sha2::{Digest, Sha256};

use crate::item::Item;

/// The names of the items with one `prefix`.
#[derive(Debug)]
pub(crate) struct Names {
    prefix: Box<str>,
}

impl Names {
    pub(crate) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.into() }
    }

    /// Returns the primary key of a session.
    pub(crate) fn session(&self, key: &StoreKey) -> Item {
        primary(format!("{}:s:{key}", self.prefix), SESSION.into())
    }

    /// Returns the primary key of an owner's entry for a session.
    pub(crate) fn entry(&self, owner: &str, key: &StoreKey) -> Item {
        primary(self.owner(owner), key.to_string())
    }

    /// Returns the partition key of all entries of an owner.
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

/// Owners longer than this are hashed, because a partition key is limited to 2,048 bytes.
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
/// The etag of the record.
pub(crate) const ETAG: &str = "etag";
/// The creation time, in milliseconds.
pub(crate) const CREATED_AT: &str = "created_at";
/// The idle deadline, in milliseconds; the only attribute that a touch changes.
pub(crate) const IDLE_UNTIL: &str = "idle_until";
/// The absolute deadline, in milliseconds; optional.
pub(crate) const ABSOLUTE_UNTIL: &str = "absolute_until";
/// The owner.
pub(crate) const OWNER_ID: &str = "owner_id";
/// The time-to-live of the owner's entry, in seconds; only with an owner.
pub(crate) const LISTED_UNTIL: &str = "listed_until";
/// The payload.
pub(crate) const PAYLOAD: &str = "payload";
/// The checksum, which detects changes made by other means.
pub(crate) const CHECKSUM: &str = "checksum";
/// The end of a tombstone, in milliseconds. Only tombstones have this attribute.
pub(crate) const GONE_UNTIL: &str = "gone_until";
/// The etag of the record for which a rotation left this tombstone, by which a retry recognises it.
pub(crate) const SUCCESSOR_ETAG: &str = "successor_etag";

/// The store key under which a rotated session goes on, in hexadecimal digits.
pub(crate) const SUCCESSOR_KEY: &str = "successor_key";

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
