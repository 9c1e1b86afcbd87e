//! What both faces need of owners: the hashed name, and how long a member of an index is kept.

use session_core::{Timestamp, store::Record};
use sha2::{Digest, Sha256};

use crate::codec::SLACK;

/// The hash under which an owner's sessions are indexed. No user's name stands in a key.
pub(crate) fn hash(owner: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(LABEL);
    hash.update(owner);
    hash.finalize().into()
}

/// The same in hexadecimal digits.
pub(crate) fn name(owner: &str) -> String {
    hash(owner).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// When the index may forget a record: at the end of the day of its deadline, so that a session which is used all day
/// is written into the index once.
pub(crate) fn expiry(record: &Record) -> Timestamp {
    let end_of_day = record.deadline().as_millis().div_euclid(DAY).saturating_add(1).saturating_mul(DAY);
    Timestamp::from_millis(end_of_day).plus(SLACK)
}

const LABEL: &[u8] = b"session-store-kv/owner/v1\0";
const DAY: i64 = 24 * 60 * 60 * 1_000;
