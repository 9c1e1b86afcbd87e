//! The sealed envelope: what goes over the wire, what it is bound to, and the one way to open it.
//!
//! ```text
//! value = base64url_nopad( version=1 | key id[4] | kind | nonce[24] | ciphertext | tag[16] )
//! AAD   = domain label | version, key id, kind | what it is bound to
//! ```
//!
//! There is no second decoder: what does not open is [`Rejected`], and nothing looks inside.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::keyring::KeyRing;
pub(crate) use super::reject::{RejectReason, Rejected};
use super::xaes::{NONCE_LEN, TAG_LEN};
use crate::value::id::{Etag, StoreKey};
use crate::value::wipe::wipe;

/// The context that a seal is bound to. Opening with another binding fails, so a value cannot be moved to another
/// cookie, another layer or another record.
///
/// ```
/// use session_core::{Cookie, machine::cookie::Binding};
///
/// let host_only = Cookie::named("sid").build()?;
/// let shared = Cookie::named("sid").domain("example.com").build()?;
/// assert_ne!(host_only.binding("session"), host_only.binding("admin"));
/// assert_ne!(host_only.binding("session"), shared.binding("session"));
/// # Ok::<(), session_core::error::CookieError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding(Bound);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Bound {
    /// Its name, scope and purpose, each after its length.
    Cookie(Box<[u8]>),
    /// The same, then the key and the version of the session that it keeps alive.
    Touch(Box<[u8]>),
    Record(StoreKey),
}

impl Binding {
    /// A cookie of this name (as sent, prefix included), for this purpose: two session layers of one application with
    /// different purposes never accept each other's cookies. `scope` is what else tells cookies apart in a browser: a
    /// cookie for another domain or path, which no response of this application removes, does not open.
    #[must_use]
    pub fn cookie(name: &str, scope: &str, purpose: &str) -> Self {
        let given = [name, scope, purpose];
        let mut parts = Vec::with_capacity(given.iter().map(|part| 4 + part.len()).sum());
        for part in given {
            let length = u32::try_from(part.len()).expect("what a cookie is bound to is shorter than 4 GiB");
            parts.extend_from_slice(&length.to_be_bytes());
            parts.extend_from_slice(part.as_bytes());
        }
        Self(Bound::Cookie(parts.into()))
    }

    /// The touch cookie beside a cookie with this binding, for one version of the session with this key.
    #[must_use]
    pub fn touch(&self, key: &StoreKey, etag: Etag) -> Self {
        let Bound::Cookie(parts) = &self.0 else { return self.clone() };
        Self(Bound::Touch([&parts[..], key.as_bytes(), &etag.get().to_be_bytes()].concat().into()))
    }

    /// The record under this key: encryption at rest. A store that swaps two records makes both unreadable.
    #[must_use]
    pub fn record(key: &StoreKey) -> Self {
        Self(Bound::Record(*key))
    }

    /// The additional data of a seal whose version, key id and kind are these.
    fn aad(&self, head: &[u8]) -> Vec<u8> {
        let (label, tail): (&[u8], &[u8]) = match &self.0 {
            Bound::Cookie(parts) => (COOKIE_LABEL, parts),
            Bound::Touch(parts) => (TOUCH_LABEL, parts),
            Bound::Record(key) => (RECORD_LABEL, key.as_bytes()),
        };
        [label, head, tail].concat()
    }
}

/// The kind of a sealed value. It is authenticated: a value of one kind does not open as another.
///
/// ```
/// # use session_core::{KeyRing, SecretKey, Timestamp, machine::cookie::{Binding, IdToken, SealKind, select}};
/// # let ring = KeyRing::new([SecretKey::generate()?])?;
/// # let binding = Binding::cookie("sid", "Path=/", "session");
/// let sealed = ring.seal(&binding, SealKind::Id, &[5; 24], b"text");
/// // Of another kind, it is no more valid than a forgery.
/// assert!(ring.open(&binding, SealKind::Record, sealed.as_str().as_bytes()).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a promise: a new kind is a new wire format")]
pub enum SealKind {
    /// A cookie that carries the whole record.
    Record,
    /// A cookie that carries a session's id.
    Id,
    /// The cookie beside a record that moves its idle deadline.
    Touch,
    /// A record's payload, as a store keeps it.
    AtRest,
    /// The short-lived cookie of a session that is bound to its device.
    Bound,
    /// A challenge for the device.
    Challenge,
}

impl SealKind {
    const fn flag(self) -> u8 {
        match self {
            Self::Record => 1,
            Self::Id => 2,
            Self::AtRest => 4,
            Self::Touch => 8,
            Self::Bound => 16,
            Self::Challenge => 32,
        }
    }
}

/// The text of a sealed value: base64url, nothing else, so it is safe in a header as it stands.
///
/// It is a bearer secret, so `Debug` shows only its length and there is no `Display`.
///
/// ```
/// # use session_core::{KeyRing, SecretKey, machine::cookie::{Binding, SealKind}};
/// # let key = SecretKey::from_bytes(&std::array::from_fn::<u8, 32, _>(|at| (at * 37) as u8)).unwrap();
/// # let ring = KeyRing::new([key]).unwrap();
/// # let nonce_bytes = [5; 24];
/// let sealed = ring.seal(&Binding::cookie("sid", "Path=/", "session"), SealKind::Id, &nonce_bytes, b"text");
/// assert_eq!(format!("{sealed:?}"), "Sealed(67 characters)");
/// assert_eq!(sealed.as_str().len(), 67);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(String);

impl Sealed {
    /// Returns the text, for a header or a store. Do not log it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the text by value.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

impl AsRef<str> for Sealed {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} characters)", self.0.len())
    }
}

impl KeyRing {
    /// Seals a plaintext with the first key. `nonce` must be fresh random bytes for every call.
    ///
    /// ```
    /// # use session_core::{KeyRing, SecretKey, machine::cookie::{Binding, SealKind}};
    /// # let key = SecretKey::from_bytes(&std::array::from_fn::<u8, 32, _>(|at| (at * 37) as u8)).unwrap();
    /// # let ring = KeyRing::new([key]).unwrap();
    /// # let nonce_bytes = [5; 24];
    /// let binding = Binding::cookie("__Host-sid", "Path=/", "session");
    /// let sealed = ring.seal(&binding, SealKind::Id, &nonce_bytes, b"text");
    /// let opened = ring.open(&binding, SealKind::Id, sealed.as_str().as_bytes())?;
    /// assert_eq!(opened.plaintext, b"text");
    /// assert!(!opened.with_old_key);
    /// # Ok::<(), session_core::machine::cookie::Rejected>(())
    /// ```
    #[must_use]
    pub fn seal(
        &self,
        binding: &Binding,
        kind: SealKind,
        nonce: &[u8; NONCE_LEN],
        plaintext: &[u8],
    ) -> Sealed {
        let key = self.first();
        let mut bytes = Vec::with_capacity(HEAD_LEN + plaintext.len() + TAG_LEN);
        bytes.push(VERSION);
        bytes.extend_from_slice(&key.id);
        bytes.push(kind.flag());
        let aad = binding.aad(&bytes);
        bytes.extend_from_slice(nonce);
        bytes.extend_from_slice(plaintext);
        let tag = key.cipher.seal(nonce, &aad, &mut bytes[HEAD_LEN..]);
        bytes.extend_from_slice(&tag);
        Sealed(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Opens a value that [`seal`](Self::seal) made with any key of the ring, if binding and kind are the same.
    ///
    /// # Errors
    /// [`Rejected`] in every case. Its reason is for metrics; do not reveal it to the client.
    pub fn open(&self, binding: &Binding, kind: SealKind, value: &[u8]) -> Result<Opened, Rejected> {
        if value.len() < sealed_len(0) || value.len() % 4 == 1 {
            return Err(RejectReason::Length.into());
        }
        let mut bytes = URL_SAFE_NO_PAD.decode(value).map_err(|_| RejectReason::Base64)?;
        let (head, body) = bytes.split_first_chunk_mut::<HEAD_LEN>().ok_or(RejectReason::Length)?;
        let (text, tag) = body.split_last_chunk_mut::<TAG_LEN>().ok_or(RejectReason::Length)?;
        let [version, i, j, k, l, flag, nonce @ ..] = head;
        if *version != VERSION {
            return Err(RejectReason::Version.into());
        }
        if *flag != kind.flag() {
            return Err(RejectReason::Kind.into());
        }
        let (key, with_old_key) = self.find([*i, *j, *k, *l]).ok_or(RejectReason::UnknownKey)?;
        let aad = binding.aad(&[*version, *i, *j, *k, *l, *flag]);
        key.cipher.open(nonce, &aad, text, tag).map_err(|_| RejectReason::Seal)?;
        let plaintext = text.to_vec();
        wipe(text);
        Ok(Opened { plaintext, with_old_key })
    }
}

/// Returns the length in characters of a sealed plaintext of this many bytes.
#[must_use]
pub const fn sealed_len(plaintext: usize) -> usize {
    let bytes = HEAD_LEN + plaintext + TAG_LEN;
    bytes / 3 * 4 + [0, 2, 3][bytes % 3]
}

/// The content of an authentic seal.
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    /// The plaintext.
    pub plaintext: Vec<u8>,
    /// Whether it was sealed with an old key, so that it should be sealed again.
    pub with_old_key: bool,
}

/// Shows only the length of the plaintext.
impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened")
            .field("plaintext", &format_args!("{} bytes", self.plaintext.len()))
            .field("with_old_key", &self.with_old_key)
            .finish()
    }
}

/// The format described at the top.
const VERSION: u8 = 1;

/// Version, key id, kind and nonce.
const HEAD_LEN: usize = 6 + NONCE_LEN;

const COOKIE_LABEL: &[u8] = b"session-core/cookie/v1\0";
const TOUCH_LABEL: &[u8] = b"session-core/touch/v1\0";
const RECORD_LABEL: &[u8] = b"session-core/record/v1\0";
