//! The names of a session: the secret id in the cookie, the key in the store, and the public handle.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::wipe::wipe;

/// The secret id in a visitor's cookie: 32 bytes from the operating system's generator.
///
/// It never reaches a store ([`SessionId::store_key`] does), prints as `SessionId(****)`, compares in constant time and
/// is wiped when dropped. The length is four times what OWASP asks for (64 bits) and twice ASVS 7.2.3 (128 bits).
///
/// ```
/// use session_core::machine::SessionId;
///
/// let id = SessionId::from_bytes([7; 32]);
/// assert_eq!(format!("{id:?}"), "SessionId(****)");
/// ```
#[derive(Clone)]
pub struct SessionId {
    secret: [u8; 32],
    /// Computed on first use, and shared by clones.
    key: OnceLock<StoreKey>,
}

impl SessionId {
    /// Makes an id from 32 bytes of a cryptographic random generator.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self { secret: bytes, key: OnceLock::new() }
    }

    /// Returns the secret, to seal it into a cookie. Do not log it.
    #[must_use]
    pub fn expose_secret(&self) -> &[u8; 32] {
        &self.secret
    }

    /// Returns the key under which a store keeps this session: SHA-256 of a domain label and the id.
    ///
    /// An attacker who reads the store cannot sign in with its keys, and the timing of a lookup reveals nothing about
    /// the id.
    ///
    /// ```
    /// # use session_core::machine::SessionId;
    /// let id = SessionId::from_bytes([7; 32]);
    /// assert_eq!(id.store_key(), SessionId::from_bytes([7; 32]).store_key());
    /// assert_ne!(id.store_key().as_bytes(), id.expose_secret());
    /// ```
    #[must_use]
    pub fn store_key(&self) -> StoreKey {
        *self.key.get_or_init(|| {
            let mut hash = Sha256::new();
            hash.update(STORE_KEY_LABEL);
            hash.update(self.secret);
            StoreKey(hash.finalize().into())
        })
    }

    /// The id of this session after it has moved between the cookie and a store: as secret as this one, and the same for
    /// every request that moves it.
    pub(crate) fn moved(&self) -> Self {
        let mut hash = Sha256::new();
        hash.update(MOVED_LABEL);
        hash.update(self.secret);
        Self::from_bytes(hash.finalize().into())
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId(****)")
    }
}

impl PartialEq for SessionId {
    fn eq(&self, other: &Self) -> bool {
        self.secret.ct_eq(&other.secret).into()
    }
}

impl Eq for SessionId {}

impl Drop for SessionId {
    fn drop(&mut self) {
        wipe(&mut self.secret);
    }
}

/// The key of a session in a store: a hash of its id. Safe to log; the id cannot be derived from it.
///
/// `Display` and `Debug` write 64 lower-case hexadecimal digits, which is also what the file store names its files.
///
/// ```
/// use session_core::store::StoreKey;
///
/// let key = StoreKey::from_bytes([0xab; 32]);
/// assert_eq!(key.to_string(), "ab".repeat(32));
/// assert_eq!("ab".repeat(32).parse::<StoreKey>().unwrap(), key);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreKey([u8; 32]);

impl StoreKey {
    /// Makes a key from 32 bytes that a store read back.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the 32 bytes, for stores with binary keys.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns the public handle of the session under this key.
    #[must_use]
    pub fn handle(&self) -> Handle {
        let mut first = [0; 16];
        first.copy_from_slice(&self.0[..16]);
        Handle(first)
    }
}

impl fmt::Display for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

impl fmt::Debug for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreKey({self})")
    }
}

impl FromStr for StoreKey {
    type Err = NotHex;

    fn from_str(text: &str) -> Result<Self, NotHex> {
        read_hex(text).map(Self)
    }
}

/// The public name of a session, for a "your devices" page, a log, or a URL that ends one session.
///
/// It is half of the [`StoreKey`], so it changes with a regenerate and cannot be turned back into a cookie.
///
/// ```
/// use session_core::{Handle, machine::SessionId};
///
/// let handle = SessionId::from_bytes([7; 32]).store_key().handle();
/// assert_eq!(handle.to_string().parse::<Handle>().unwrap(), handle);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle([u8; 16]);

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Handle({self})")
    }
}

impl FromStr for Handle {
    type Err = NotHex;

    fn from_str(text: &str) -> Result<Self, NotHex> {
        read_hex(text).map(Self)
    }
}

impl serde::Serialize for Handle {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Deserializes from text, so that it can be a path parameter: `Path<Handle>`.
impl<'de> serde::Deserialize<'de> for Handle {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl serde::de::Visitor<'_> for Text {
            type Value = Handle;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the hexadecimal form of a session handle")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Handle, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Text)
    }
}

/// The version of a record: a random number chosen by the writer, fresh for every record written.
///
/// Random and not counted, so that a record deleted and made again never repeats one (no ABA), and so that a writer
/// that lost the answer can ask "is that my etag?" to learn whether its write arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Etag(u64);

impl Etag {
    /// Makes an etag from a random number, or from one that a store read back.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Returns the number, for a store to keep. SQL stores keep it as an `i64`, by [`u64::cast_signed`].
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// Returned when a text is not the lower-case hexadecimal form of a key or handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the hexadecimal form of a session key or handle")]
pub struct NotHex;

fn write_hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

fn read_hex<const N: usize>(text: &str) -> Result<[u8; N], NotHex> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return Err(NotHex);
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = (hex_digit(pair[0])? << 4) | hex_digit(pair[1])?;
    }
    Ok(bytes)
}

fn hex_digit(digit: u8) -> Result<u8, NotHex> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        _ => Err(NotHex),
    }
}

/// The domain label: a store key never equals another SHA-256 of the same bytes. With at most 23 bytes of label, a hash
/// takes one block.
const STORE_KEY_LABEL: &[u8] = b"session-core/id/v1\0";
const MOVED_LABEL: &[u8] = b"session-core/moved/v1\0";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_8_debug_never_shows_the_secret() {
        let id = SessionId::from_bytes([0x41; 32]);
        assert_eq!(format!("{id:?}"), "SessionId(****)");
    }

    #[test]
    fn id_6_the_store_key_is_sha_256_of_label_and_id() {
        let id = SessionId::from_bytes([3; 32]);
        let mut text = b"session-core/id/v1\0".to_vec();
        text.extend([3; 32]);
        assert_eq!(id.store_key().as_bytes()[..], Sha256::digest(&text)[..]);
    }

    #[test]
    fn a_handle_is_read_from_the_text_that_it_is_written_as() {
        let handle = SessionId::from_bytes([7; 32]).store_key().handle();
        let text = serde_json::to_string(&handle).unwrap();
        assert_eq!(serde_json::from_str::<Handle>(&text).unwrap(), handle);
        for bad in ["7", "\"\"", "\"zz\"", "null"] {
            assert!(serde_json::from_str::<Handle>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn hex_is_strict() {
        for bad in ["", "ab", &"AB".repeat(16), &"ag".repeat(16), &"ab".repeat(17)] {
            assert_eq!(bad.parse::<Handle>(), Err(NotHex), "{bad}");
        }
    }
}
