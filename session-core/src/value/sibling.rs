//! How requests that sign the same user in on the same session find one another: the new id, wrapped for the old one.
//!
//! The response that carries the new id may never reach the browser: a second click on "Sign in" discards it. The second
//! request still has the old id, and only such a request can unwrap the new one. The store sees neither.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::id::{SessionId, StoreKey};

/// Wraps the new id: a one-time pad, since the old id is 256 random bits and the pad is bound to the new key.
pub(crate) fn wrap(new: &SessionId, old: &SessionId) -> String {
    URL_SAFE_NO_PAD.encode(*xor(new.expose_secret(), old, &new.store_key()))
}

/// Unwraps an id for the holder of the old one. `None` unless it is the id of this key.
pub(crate) fn unwrap(wrapped: &str, old: &SessionId, key: &StoreKey) -> Option<SessionId> {
    let mut bytes = Zeroizing::new([0; 32]);
    let len = URL_SAFE_NO_PAD.decode_slice(wrapped, &mut *bytes).ok()?;
    let id = SessionId::from_bytes(*xor(&bytes, old, key));
    (len == bytes.len() && id.store_key() == *key).then_some(id)
}

fn xor(text: &[u8; 32], old: &SessionId, key: &StoreKey) -> Zeroizing<[u8; 32]> {
    let hash = Sha256::new()
        .chain_update(b"session sibling v1\0")
        .chain_update(old.expose_secret())
        .chain_update(key.as_bytes());
    let mut bytes = Zeroizing::new(<[u8; 32]>::from(hash.finalize()));
    bytes.iter_mut().zip(text).for_each(|(byte, with)| *byte ^= with);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_old_id_unwraps_the_new_one_and_only_under_its_key() {
        let [old, new, other] = [3, 7, 9].map(|byte| SessionId::from_bytes([byte; 32]));
        let wrapped = wrap(&new, &old);
        assert_eq!(unwrap(&wrapped, &old, &new.store_key()), Some(new.clone()));
        assert_eq!(unwrap(&wrapped, &other, &new.store_key()), None);
        assert_eq!(unwrap(&wrapped, &old, &other.store_key()), None);
        for broken in ["", "AAAA", "%", &wrapped[1..], &wrapped.to_lowercase(), &format!("{wrapped}AAAA")] {
            assert_eq!(unwrap(broken, &old, &new.store_key()), None, "{broken}");
        }
    }
}
