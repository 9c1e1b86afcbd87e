//! The current keys of an application: the first seals, and each opens what it sealed.

use std::fmt;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::key::{KeyError, SecretKey};
use super::xaes::{Cmac, Xaes};

/// One to eight keys, ready to use: every key schedule is computed here, once, and none per request.
///
/// Cloning is cheap. To change keys without signing anybody out: put the new key first and keep the old ones behind it,
/// deploy everywhere, wait for the absolute lifetime of a session, remove the old ones. Removing a key ends every
/// session whose cookie it sealed.
///
/// ```
/// use session_core::{error::KeyError, KeyRing, SecretKey};
///
/// # let random = |seed: usize| -> [u8; 32] { std::array::from_fn(|at| (at * 37 + seed) as u8) };
/// let new = SecretKey::from_bytes(&random(1))?;
/// let old = SecretKey::from_bytes(&random(2))?;
/// let ring = KeyRing::new([new.clone(), old])?;
/// assert_eq!(ring.len(), 2);
/// assert_eq!(KeyRing::new([new.clone(), new]).unwrap_err(), KeyError::SameKey { first: 1, second: 2 });
/// # Ok::<(), KeyError>(())
/// ```
#[derive(Clone)]
pub struct KeyRing {
    keys: Arc<[RingKey]>,
}

impl KeyRing {
    /// Makes a ring; the first key seals.
    ///
    /// # Errors
    /// [`KeyError`] for no keys, more than eight, two equal keys, or two keys with the same id.
    pub fn new(keys: impl IntoIterator<Item = SecretKey>) -> Result<Self, KeyError> {
        let keys: Vec<SecretKey> = keys.into_iter().collect();
        if keys.is_empty() {
            return Err(KeyError::NoKeys);
        }
        if keys.len() > MOST_KEYS {
            return Err(KeyError::TooManyKeys { keys: keys.len(), most: MOST_KEYS });
        }
        let ready: Vec<RingKey> = keys.iter().map(RingKey::new).collect();
        for second in 1..keys.len() {
            for first in 0..second {
                if keys[first] == keys[second] {
                    return Err(KeyError::SameKey { first: first + 1, second: second + 1 });
                }
                if ready[first].id == ready[second].id {
                    return Err(KeyError::SameId { first: first + 1, second: second + 1 });
                }
            }
        }
        Ok(Self { keys: ready.into() })
    }

    /// Returns the number of keys, which is at least one.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a ring is never empty")]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Derives 32 bytes for one session of another library, under the key that seals.
    pub(crate) fn derive_imported(&self, library: &str, token: &[u8]) -> Zeroizing<[u8; 32]> {
        let (mut hash, kdf) = (Sha256::new(), Cmac::new(&self.first().import));
        hash.update(library);
        hash.update([0]);
        hash.update(token);
        let digest: [u8; 32] = hash.finalize().into();
        kdf.derive(&digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
    }

    pub(super) fn first(&self) -> &RingKey {
        &self.keys[0]
    }

    /// The key of this id, and whether it no longer seals. Ids are public, so a plain comparison will do.
    pub(super) fn find(&self, id: [u8; 4]) -> Option<(&RingKey, bool)> {
        let at = self.keys.iter().position(|key| key.id == id)?;
        Some((&self.keys[at], at > 0))
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyRing({} keys)", self.keys.len())
    }
}

/// A key's public id and the cipher under its sealing subkey.
pub(super) struct RingKey {
    pub(super) id: [u8; 4],
    pub(super) cipher: Xaes,
    /// The subkey of ids that are derived from another library's.
    import: Zeroizing<[u8; 32]>,
}

impl RingKey {
    fn new(key: &SecretKey) -> Self {
        let kdf = Cmac::new(key.expose_secret());
        Self {
            id: *kdf.derive(KEY_ID_LABEL),
            cipher: Xaes::new(&kdf.derive(SEAL_LABEL)),
            import: kdf.derive(IMPORT_LABEL),
        }
    }
}

/// The most keys a ring holds.
///
/// ```
/// use session_core::{error::KeyError, KeyRing, SecretKey, machine::cookie::MOST_KEYS};
///
/// let keys: Vec<SecretKey> = (0..=MOST_KEYS).map(|_| SecretKey::generate()).collect::<Result<_, _>>()?;
/// assert_eq!(KeyRing::new(keys).unwrap_err(), KeyError::TooManyKeys { keys: 9, most: 8 });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub const MOST_KEYS: usize = 8;

const KEY_ID_LABEL: &str = "session-core/key-id/v1";
const SEAL_LABEL: &str = "session-core/seal/v1";
const IMPORT_LABEL: &str = "session-core/import/v1";
