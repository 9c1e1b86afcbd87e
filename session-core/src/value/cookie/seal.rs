//! The sealed envelope: what goes over the wire, what it is bound to, and the one way to open it.
//!
//! ```text
//! value = base64url_nopad( version=1 | key id[4] | kind | nonce[24] | ciphertext | tag[16] )
//! AAD   = domain label | version, key id, kind | what it is bound to
//! ```
//!
//! There is no second decoder: what does not open is [`Rejected`], and nothing looks inside.

use std::fmt;

use super::base64url;
use super::keyring::KeyRing;
pub(crate) use super::reject::{RejectReason, Rejected};
use super::xaes::{NONCE_LEN, TAG_LEN};
use crate::value::id::StoreKey;

/// What a seal belongs to. Opening under any other binding fails, so a value cannot be moved to another cookie,
/// another layer or another record.
///
/// ```
/// use session_core::machine::Binding;
///
/// assert_ne!(Binding::cookie("__Host-sid", "session"), Binding::cookie("__Host-sid", "admin"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding(Bound);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Bound {
    /// The name and the purpose, each after its length.
    Cookie(Box<[u8]>),
    Record(StoreKey),
}

impl Binding {
    /// A cookie of this name (as sent, prefix included), for this purpose: two session layers of one application with
    /// different purposes never accept each other's cookies.
    ///
    /// ```
    /// # use session_core::machine::Binding;
    /// assert_ne!(Binding::cookie("a", "bc"), Binding::cookie("ab", "c"));
    /// ```
    #[must_use]
    pub fn cookie(name: &str, purpose: &str) -> Self {
        let mut parts = Vec::with_capacity(8 + name.len() + purpose.len());
        for part in [name, purpose] {
            let length =
                u32::try_from(part.len()).expect("a cookie's name and purpose are shorter than 4 GiB");
            parts.extend_from_slice(&length.to_be_bytes());
            parts.extend_from_slice(part.as_bytes());
        }
        Self(Bound::Cookie(parts.into()))
    }

    /// The record under this key: encryption at rest. A store that swaps two records makes both unreadable.
    ///
    /// ```
    /// # use session_core::{machine::Binding, store::StoreKey};
    /// let key = StoreKey::from_bytes([1; 32]);
    /// assert_ne!(Binding::record(&key), Binding::record(&StoreKey::from_bytes([2; 32])));
    /// ```
    #[must_use]
    pub fn record(key: &StoreKey) -> Self {
        Self(Bound::Record(*key))
    }

    /// Hands the additional data to `use_it`; it is put together on the stack unless somebody's names are very long.
    fn with_aad<T>(&self, head: &[u8], use_it: impl FnOnce(&[u8]) -> T) -> T {
        let (label, tail): (&[u8], &[u8]) = match &self.0 {
            Bound::Cookie(parts) => (COOKIE_LABEL, parts),
            Bound::Record(key) => (RECORD_LABEL, key.as_bytes()),
        };
        let len = label.len() + head.len() + tail.len();
        let mut stack = [0; 192];
        let Some(aad) = stack.get_mut(..len) else {
            return use_it(&[label, head, tail].concat());
        };
        let (first, rest) = aad.split_at_mut(label.len());
        let (second, third) = rest.split_at_mut(head.len());
        first.copy_from_slice(label);
        second.copy_from_slice(head);
        third.copy_from_slice(tail);
        use_it(aad)
    }
}

/// What is inside a seal. It is authenticated, and a value of one kind never opens as another.
///
/// ```
/// # use session_core::{KeyRing, SecretKey, Timestamp, machine::{Binding, IdToken, SealKind, select}};
/// # let ring = KeyRing::new([SecretKey::generate()?])?;
/// # let binding = Binding::cookie("sid", "session");
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
    /// A record's payload, as a store keeps it.
    AtRest,
}

impl SealKind {
    const fn flag(self) -> u8 {
        match self {
            Self::Record => 1,
            Self::Id => 2,
            Self::AtRest => 4,
        }
    }
}

/// The text of a sealed value: base64url, nothing else, so it is safe in a header as it stands.
///
/// Whoever holds it is signed in, so `Debug` shows only its length and there is no `Display`.
///
/// ```
/// # use session_core::{KeyRing, SecretKey, machine::{Binding, SealKind}};
/// # let key = SecretKey::from_bytes(&std::array::from_fn::<u8, 32, _>(|at| (at * 37) as u8)).unwrap();
/// # let ring = KeyRing::new([key]).unwrap();
/// # let nonce_bytes = [5; 24];
/// let sealed = ring.seal(&Binding::cookie("sid", "session"), SealKind::Id, &nonce_bytes, b"text");
/// assert_eq!(format!("{sealed:?}"), "Sealed(67 characters)");
/// assert_eq!(sealed.as_str().len(), 67);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(String);

impl Sealed {
    /// The text, for a header or a store. Do not log it.
    ///
    /// ```
    /// # use session_core::{KeyRing, SecretKey, machine::{Binding, SealKind}};
    /// # let key = SecretKey::from_bytes(&std::array::from_fn::<u8, 32, _>(|at| (at * 37) as u8)).unwrap();
    /// # let ring = KeyRing::new([key]).unwrap();
    /// let sealed = ring.seal(&Binding::cookie("sid", "session"), SealKind::Id, &[5; 24], b"text");
    /// assert!(sealed.as_str().starts_with("A"));
    /// ```
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, given away.
    ///
    /// ```
    /// # use session_core::{KeyRing, SecretKey, machine::{Binding, SealKind}};
    /// # let key = SecretKey::from_bytes(&std::array::from_fn::<u8, 32, _>(|at| (at * 37) as u8)).unwrap();
    /// # let ring = KeyRing::new([key]).unwrap();
    /// let sealed = ring.seal(&Binding::cookie("sid", "session"), SealKind::Id, &[5; 24], b"text");
    /// let text: String = sealed.into_string();
    /// ```
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
    /// Seals a text under the first key. `nonce` must be fresh random bytes, every time.
    ///
    /// ```
    /// # use session_core::{KeyRing, SecretKey, machine::{Binding, SealKind}};
    /// # let key = SecretKey::from_bytes(&std::array::from_fn::<u8, 32, _>(|at| (at * 37) as u8)).unwrap();
    /// # let ring = KeyRing::new([key]).unwrap();
    /// # let nonce_bytes = [5; 24];
    /// let binding = Binding::cookie("__Host-sid", "session");
    /// let sealed = ring.seal(&binding, SealKind::Id, &nonce_bytes, b"text");
    /// let opened = ring.open(&binding, SealKind::Id, sealed.as_str().as_bytes())?;
    /// assert_eq!(opened.plaintext, b"text");
    /// assert!(!opened.with_old_key);
    /// # Ok::<(), session_core::machine::Rejected>(())
    /// ```
    #[must_use]
    pub fn seal(
        &self,
        binding: &Binding,
        kind: SealKind,
        nonce: &[u8; NONCE_LEN],
        plaintext: &[u8],
    ) -> Sealed {
        let mut text = Vec::with_capacity(sealed_len(plaintext.len()));
        let write = |place: &mut [u8]| place.copy_from_slice(plaintext);
        self.seal_onto(&mut text, binding, kind, nonce, plaintext.len(), write);
        Sealed(String::from_utf8(text).expect("base64 is ASCII"))
    }

    /// Appends the sealed text of `len` bytes, which `write` puts into the place where they are sealed.
    pub(crate) fn seal_onto(
        &self,
        text: &mut Vec<u8>,
        binding: &Binding,
        kind: SealKind,
        nonce: &[u8; NONCE_LEN],
        len: usize,
        write: impl FnOnce(&mut [u8]),
    ) {
        let key = self.first();
        let mut head = [0; HEAD_LEN];
        head[0] = VERSION;
        head[1..5].copy_from_slice(&key.id);
        head[5] = kind.flag();
        head[6..].copy_from_slice(nonce);

        // The bytes are sealed inside the buffer that becomes the text, at its far end, and then written out as
        // base64 from the front: four characters never overtake the three bytes they stand for.
        let start = text.len();
        text.resize(start + sealed_len(len), 0);
        let text = &mut text[start..];
        let body_start = text.len() - (len + TAG_LEN);
        let (sealed, tag) = text[body_start..].split_at_mut(len);
        write(sealed);
        tag.copy_from_slice(&binding.with_aad(&head[..6], |aad| key.cipher.seal(nonce, aad, sealed)));

        base64url::encode(&head, &mut text[..HEAD_CHARS]);
        let (mut read, mut write) = (body_start, HEAD_CHARS);
        let mut chunk = [0; CHUNK_BYTES];
        while read < text.len() {
            let chunk = &mut chunk[..CHUNK_BYTES.min(text.len() - read)];
            chunk.copy_from_slice(&text[read..read + chunk.len()]);
            let end = write + base64url::encoded_len(chunk.len());
            base64url::encode(chunk, &mut text[write..end]);
            read += chunk.len();
            write = end;
        }
    }

    /// Opens what [`seal`](Self::seal) made under any key of the ring, if binding and kind are the same.
    ///
    /// # Errors
    /// [`Rejected`], whatever is wrong. Its reason is for counting; a visitor learns nothing from it.
    ///
    /// ```
    /// # use session_core::{KeyRing, SecretKey, machine::{Binding, SealKind}};
    /// # let key = SecretKey::from_bytes(&std::array::from_fn::<u8, 32, _>(|at| (at * 37) as u8)).unwrap();
    /// # let ring = KeyRing::new([key]).unwrap();
    /// let rejected = ring.open(&Binding::cookie("sid", "session"), SealKind::Id, b"junk").unwrap_err();
    /// assert_eq!(rejected.to_string(), "invalid");
    /// ```
    pub fn open(&self, binding: &Binding, kind: SealKind, value: &[u8]) -> Result<Opened, Rejected> {
        let mut plaintext = vec![0; body_len(value.len())?];
        let (len, with_old_key) = self.open_into(binding, kind, value, &mut plaintext)?;
        plaintext.truncate(len);
        Ok(Opened { plaintext, with_old_key })
    }

    /// Opens into a buffer of [`body_len`] bytes; answers how many of them are plaintext, and whether the key is retired.
    pub(super) fn open_into(
        &self,
        binding: &Binding,
        kind: SealKind,
        value: &[u8],
        body: &mut [u8],
    ) -> Result<(usize, bool), Rejected> {
        let (head_text, body_text) = value.split_at_checked(HEAD_CHARS).ok_or(RejectReason::Length)?;
        let mut head = [0; HEAD_LEN];
        base64url::decode(head_text, &mut head).ok_or(RejectReason::Base64)?;
        base64url::decode(body_text, body).ok_or(RejectReason::Base64)?;
        let [version, i, j, k, l, flag, nonce @ ..] = head;
        if version != VERSION {
            return Err(RejectReason::Version.into());
        }
        if flag != kind.flag() {
            return Err(RejectReason::Kind.into());
        }
        let (key, retired) = self.find([i, j, k, l]).ok_or(RejectReason::UnknownKey)?;
        let (sealed, tag) = body.split_last_chunk_mut::<TAG_LEN>().ok_or(RejectReason::Length)?;
        binding
            .with_aad(&head[..6], |aad| key.cipher.open(&nonce, aad, sealed, tag))
            .map_err(|_| RejectReason::Seal)?;
        Ok((sealed.len(), retired))
    }
}

/// How many bytes of ciphertext and tag a value of this many characters holds.
pub(super) fn body_len(characters: usize) -> Result<usize, RejectReason> {
    let body = characters.checked_sub(HEAD_CHARS).and_then(base64url::decoded_len);
    body.filter(|len| *len >= TAG_LEN).ok_or(RejectReason::Length)
}

/// How many characters a sealed text of this many bytes is long.
///
/// ```
/// assert_eq!(session_core::machine::sealed_len(44), 120);
/// ```
#[must_use]
pub const fn sealed_len(plaintext: usize) -> usize {
    HEAD_CHARS + base64url::encoded_len(plaintext + TAG_LEN)
}

/// What was inside a seal that is authentic.
///
/// ```
/// # use session_core::{KeyRing, SecretKey, Timestamp, machine::{Binding, IdToken, SealKind, select}};
/// # let ring = KeyRing::new([SecretKey::generate()?])?;
/// # let binding = Binding::cookie("sid", "session");
/// let sealed = ring.seal(&binding, SealKind::Id, &[5; 24], b"text");
/// let opened = ring.open(&binding, SealKind::Id, sealed.as_str().as_bytes())?;
/// assert_eq!((opened.plaintext.as_slice(), opened.with_old_key), (b"text".as_slice(), false));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    /// The text that was sealed.
    pub plaintext: Vec<u8>,
    /// Whether the key that sealed it is no longer the first: seal it again at the next opportunity.
    pub with_old_key: bool,
}

/// Shows of the text only its length.
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

/// Version, key id, kind and nonce. A multiple of three bytes, so that the head has characters of its own.
const HEAD_LEN: usize = 6 + NONCE_LEN;
const HEAD_CHARS: usize = HEAD_LEN / 3 * 4;

/// How much is turned into text at once; a multiple of three.
const CHUNK_BYTES: usize = 768;

const COOKIE_LABEL: &[u8] = b"session-core/cookie/v1\0";
const RECORD_LABEL: &[u8] = b"session-core/record/v1\0";
