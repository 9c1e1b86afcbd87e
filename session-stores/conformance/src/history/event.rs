//! The parts of a history: calls, answers, and the times between which a call took effect.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde::{Deserialize, Serialize};
use session_core::store::{Record, StoreKey};

/// One call of a store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "histories are written by hand in tests")]
pub struct Event {
    /// The client that made the call, for reports.
    pub client: u32,
    /// The time of the invocation, in nanoseconds.
    pub invoked: u64,
    /// The time of the answer; `None` if there was none.
    pub returned: Option<u64>,
    /// The call.
    pub call: Call,
    /// The answer.
    pub answer: Answer,
}

/// A verb of [`SessionStore`](session_core::store::SessionStore) with its arguments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_enums, reason = "a promise: a store has these verbs")]
#[expect(missing_docs, reason = "each is the verb of the same name, with its arguments")]
pub enum Call {
    Load {
        #[serde(with = "hex")]
        key: StoreKey,
    },
    Create {
        #[serde(with = "hex")]
        key: StoreKey,
        written: Content,
    },
    Replace {
        #[serde(with = "hex")]
        key: StoreKey,
        expected: u64,
        written: Content,
    },
    Touch {
        #[serde(with = "hex")]
        key: StoreKey,
        idle: i64,
    },
    Destroy {
        #[serde(with = "hex")]
        key: StoreKey,
    },
    Rotate {
        #[serde(with = "hex")]
        key: StoreKey,
        expected: u64,
        #[serde(with = "hex")]
        new: StoreKey,
        written: Content,
    },
}

/// The answer to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_enums, reason = "a promise: a store has these answers")]
pub enum Answer {
    /// A load found nothing.
    Missing,
    /// A load found a tombstone.
    Ended,
    /// A load found this record.
    Found(Content),
    /// The write was applied.
    Applied,
    /// Another write was first: this record is there.
    Conflict(Content),
    /// The session was rotated: this record is under the other key.
    Moved {
        /// The other key.
        #[serde(with = "hex")]
        key: StoreKey,
        /// The record there.
        content: Content,
    },
    /// There is no live record.
    Gone,
    /// The key is in use.
    Taken,
    /// The record could not be decoded.
    Damaged,
    /// No answer, or an error: the call may have taken effect, or may still do so.
    Unknown,
}

/// The parts of a record that a history needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "histories are written by hand in tests")]
pub struct Content {
    /// The version.
    pub etag: u64,
    /// The idle deadline in milliseconds.
    pub idle: i64,
    /// A digest of everything else.
    pub body: u64,
}

impl Content {
    /// The content of a record.
    #[must_use]
    pub fn of(record: &Record) -> Self {
        let mut body = DefaultHasher::new();
        (record.created, record.absolute_deadline, &record.owner, &*record.payload).hash(&mut body);
        Self { etag: record.etag.get(), idle: record.idle_deadline.as_millis(), body: body.finish() }
    }
}

impl Event {
    /// Returns the latest time at which the call may have taken effect.
    pub(super) fn end(&self) -> u64 {
        match self.answer {
            Answer::Unknown => u64::MAX,
            _ => self.returned.unwrap_or(u64::MAX),
        }
    }

    /// Returns what a write stores if it is applied: the key, the record and the etag that it replaces.
    pub(super) fn write(&self) -> Option<(StoreKey, Content, Option<u64>)> {
        match self.call {
            Call::Create { key, written } => Some((key, written, None)),
            Call::Replace { key, expected, written } => Some((key, written, Some(expected))),
            Call::Rotate { new, expected, written, .. } => Some((new, written, Some(expected))),
            Call::Load { .. } | Call::Touch { .. } | Call::Destroy { .. } => None,
        }
    }

    /// Returns the record in the answer, and its key.
    pub(super) fn shown(&self) -> Option<(StoreKey, Content)> {
        match self.answer {
            Answer::Found(content) | Answer::Conflict(content) => Some((self.call.key(), content)),
            Answer::Moved { key, content } => Some((key, content)),
            _ => None,
        }
    }

    /// Returns whether the answer proves that there was a session under the key of the call, live or not.
    pub(super) fn proves_its_key(&self) -> bool {
        match self.answer {
            Answer::Found(_) | Answer::Ended | Answer::Conflict(_) | Answer::Moved { .. } => true,
            Answer::Applied => !matches!(self.call, Call::Destroy { .. }),
            Answer::Taken => matches!(self.call, Call::Create { .. }),
            Answer::Missing | Answer::Gone | Answer::Damaged | Answer::Unknown => false,
        }
    }
}

impl Call {
    /// Returns the key of the call; of a rotation, the old one.
    #[must_use]
    pub fn key(&self) -> StoreKey {
        match *self {
            Self::Load { key }
            | Self::Create { key, .. }
            | Self::Replace { key, .. }
            | Self::Touch { key, .. }
            | Self::Destroy { key }
            | Self::Rotate { key, .. } => key,
        }
    }
}

/// A key as text.
mod hex {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use session_core::store::StoreKey;

    pub(super) fn serialize<S: Serializer>(key: &StoreKey, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(key)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<StoreKey, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
