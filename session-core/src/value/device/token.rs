//! The plaintexts of what binds a session to its device: the short-lived cookie, and the challenges.
//!
//! ```text
//! bound     = issued u48 | binding id[16] | came with u8 (1 an offer, 2 the answer to a proof)
//! challenge = issued u48 | stage u8 (1 registration, 2 refresh) | binding id[16] | store key[32] (zeros for a refresh)
//! ```
//!
//! Both are sealed with the keys of the session's cookie, each as a kind of its own, so a forged one is refused without
//! asking a store.

use super::proof::Stage;
use super::{BindingId, Shown};
use crate::value::id::StoreKey;
use crate::value::time::Timestamp;

/// The plaintext of the short-lived cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BoundToken {
    pub(crate) issued_at: Timestamp,
    pub(crate) shown: Shown,
}

impl BoundToken {
    pub(crate) fn encode(&self) -> [u8; 23] {
        let mut bytes = [0; 23];
        bytes[..6].copy_from_slice(&time(self.issued_at));
        bytes[6..22].copy_from_slice(self.shown.id().as_bytes());
        bytes[22] = match self.shown {
            Shown::Offered(_) => 1,
            Shown::Proven(_) => 2,
        };
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (issued, rest) = bytes.split_first_chunk::<6>()?;
        let (id, came_with) = rest.split_first_chunk::<16>()?;
        let id = BindingId::from_bytes(*id);
        let shown = match came_with {
            [1] => Shown::Offered(id),
            [2] => Shown::Proven(id),
            _ => return None,
        };
        Some(Self { issued_at: read_time(*issued), shown })
    }
}

/// The plaintext of a challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Challenge {
    pub(crate) issued_at: Timestamp,
    pub(crate) stage: Stage,
    pub(crate) id: BindingId,
    /// For a registration: the session that is to be bound.
    pub(crate) session: StoreKey,
}

impl Challenge {
    /// A challenge for a binding that exists, whatever id its session has by now.
    pub(crate) fn refresh(issued_at: Timestamp, id: BindingId) -> Self {
        Self { issued_at, stage: Stage::Refresh, id, session: NO_SESSION }
    }

    pub(crate) fn encode(&self) -> [u8; 55] {
        let mut bytes = [0; 55];
        bytes[..6].copy_from_slice(&time(self.issued_at));
        bytes[6] = match self.stage {
            Stage::Registration => 1,
            Stage::Refresh => 2,
        };
        bytes[7..23].copy_from_slice(self.id.as_bytes());
        bytes[23..].copy_from_slice(self.session.as_bytes());
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (issued, rest) = bytes.split_first_chunk::<6>()?;
        let (stage, rest) = rest.split_first()?;
        let (id, session) = rest.split_first_chunk::<16>()?;
        let stage = match stage {
            1 => Stage::Registration,
            2 => Stage::Refresh,
            _ => return None,
        };
        Some(Self {
            issued_at: read_time(*issued),
            stage,
            id: BindingId::from_bytes(*id),
            session: StoreKey::from_bytes(session.try_into().ok()?),
        })
    }
}

fn time(at: Timestamp) -> [u8; 6] {
    let millis = u64::try_from(at.as_millis()).unwrap_or(0).min((1 << 48) - 1);
    let [_, _, bytes @ ..] = millis.to_be_bytes();
    bytes
}

fn read_time([a, b, c, d, e, f]: [u8; 6]) -> Timestamp {
    Timestamp::from_millis(u64::from_be_bytes([0, 0, a, b, c, d, e, f]).cast_signed())
}

const NO_SESSION: StoreKey = StoreKey::from_bytes([0; 32]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else_is() {
        let (at, id) = (Timestamp::from_millis(1_796_000_000_123), BindingId::from_bytes([7; 16]));
        for shown in [Shown::Offered(id), Shown::Proven(id)] {
            let bound = BoundToken { issued_at: at, shown };
            assert_eq!(BoundToken::decode(&bound.encode()), Some(bound));
        }
        let challenge = Challenge {
            issued_at: at,
            stage: Stage::Registration,
            id,
            session: StoreKey::from_bytes([9; 32]),
        };
        assert_eq!(Challenge::decode(&challenge.encode()), Some(challenge));
        for length in 0..80 {
            let bytes = vec![1; length];
            assert_eq!(BoundToken::decode(&bytes).is_some(), length == 23);
            assert_eq!(Challenge::decode(&bytes).is_some(), length == 55);
        }
        let mut other = challenge.encode();
        other[6] = 3;
        assert_eq!(Challenge::decode(&other), None, "no third stage");
    }
}
