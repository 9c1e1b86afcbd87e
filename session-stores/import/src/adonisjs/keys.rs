//! The application keys of AdonisJS, and what is sealed with them: signed and encrypted cookies.
//!
//! Verified with `@adonisjs/core` 6.21 (AES-256-CBC) and 7.5 (AES-256-GCM, ChaCha20-Poly1305, AES-256-CBC, and the driver for
//! values of version 6). The key of every cipher derives from the SHA-256 of the application key.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{AES_256_GCM, CHACHA20_POLY1305};
use ring::{digest, hkdf};
use serde::Deserialize;
use serde_json::Value;
use session_core::import::RefusedImport;

use crate::cipher::{KeyError, Secret};

/// The application keys of AdonisJS (`APP_KEY`).
///
/// ```
/// use session_import::AdonisJsKeys;
///
/// let keys = AdonisJsKeys::new("an application key of thirty-two letters")?;
/// assert!(AdonisJsKeys::new("too short").is_err());
/// # let _ = keys;
/// # Ok::<(), session_import::KeyError>(())
/// ```
#[derive(Clone)]
pub struct AdonisJsKeys(Vec<Secret>);

impl AdonisJsKeys {
    /// Takes the key that seals.
    ///
    /// # Errors
    /// [`KeyError`] if it is shorter than 16 characters: AdonisJS accepts none.
    pub fn new(app_key: &str) -> Result<Self, KeyError> {
        Ok(Self(vec![secret(app_key)?]))
    }

    /// Adds a former key, which still opens.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn with_former(mut self, app_key: &str) -> Result<Self, KeyError> {
        self.0.push(secret(app_key)?);
        Ok(self)
    }

    /// Opens a signed cookie: `s:` and the message, a dot, its MAC.
    pub(crate) fn verify(&self, name: &str, value: &str) -> Result<Value, RefusedImport> {
        let message = (|| {
            let (encoded, mac) = value.strip_prefix("s:")?.split_once('.')?;
            let mac = decode(mac)?;
            self.0.iter().any(|key| key.verifies(encoded, &mac)).then(|| decode(encoded))?
        })();
        message_of(&message.ok_or(RefusedImport::Forged)?, Some(name))
    }

    /// Opens an encrypted cookie: `e:` and, between dots, the ciphertext, the IV and the MAC or tag; before them the name of the
    /// cipher's configuration in AdonisJS 7.
    pub(crate) fn decrypt(&self, name: &str, value: &str) -> Result<Value, RefusedImport> {
        let value = value.strip_prefix("e:").ok_or(RefusedImport::Forged)?;
        let parts: Vec<_> = value.split('.').collect();
        let sealed = match parts.as_slice() {
            [text, iv, mac] => Sealed { id: None, text, iv, mac },
            [id, text, iv, mac] => Sealed { id: Some(id), text, iv, mac },
            _ => return Err(RefusedImport::Forged),
        };
        let opened = self.0.iter().find_map(|key| sealed.open(key, name)).ok_or(RefusedImport::Forged)?;
        message_of(&opened.text, opened.purpose_inside.then_some(name))
    }
}

/// Leaves out the keys.
impl fmt::Debug for AdonisJsKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AdonisJsKeys({})", self.0.len())
    }
}

/// An encrypted value in its parts.
struct Sealed<'v> {
    id: Option<&'v str>,
    text: &'v str,
    iv: &'v str,
    mac: &'v str,
}

struct Opened {
    text: Vec<u8>,
    /// Whether the message says its purpose; otherwise the cipher has authenticated it.
    purpose_inside: bool,
}

impl Sealed<'_> {
    fn open(&self, key: &Secret, purpose: &str) -> Option<Opened> {
        let (iv, mac) = (decode(self.iv)?, decode(self.mac)?);
        let Some(id) = self.id else {
            return self.open_cbc(key, key, &iv, &mac);
        };
        let Some(text) = self.text.strip_prefix("v1:") else {
            let keys = derived::<64>(key, &iv, id.as_bytes())?;
            let (encryption, authentication) = keys.split_at(32);
            let (encryption, authentication) = (encryption.try_into().ok()?, authentication.try_into().ok()?);
            return self.open_cbc(&Secret(encryption), &Secret(authentication), &iv, &mac);
        };
        let text = decode(text)?;
        let ciphers = [("aes-256-gcm", &AES_256_GCM), ("chacha20-poly1305", &CHACHA20_POLY1305)];
        ciphers.into_iter().find_map(|(cipher, algorithm)| {
            let key = Secret(derived(key, &[], format!("{cipher}:v1:{id}").as_bytes())?);
            let text = key.open_aead(algorithm, &iv, &text, &mac, purpose.as_bytes())?;
            Some(Opened { text, purpose_inside: false })
        })
    }

    fn open_cbc(
        &self,
        encryption: &Secret,
        authentication: &Secret,
        iv: &[u8],
        mac: &[u8],
    ) -> Option<Opened> {
        if !authentication.verifies(&format!("{}.{}", self.text, self.iv), mac) {
            return None;
        }
        let text = encryption.open_cbc(iv, &decode(self.text)?)?;
        Some(Opened { text, purpose_inside: true })
    }
}

/// What AdonisJS wraps around every value: `{"message":…,"purpose":"…"}`. With an expiry it is none of a session.
pub(super) fn message_of(json: &[u8], purpose: Option<&str>) -> Result<Value, RefusedImport> {
    #[derive(Deserialize)]
    struct Message {
        message: Value,
        purpose: Option<String>,
        #[serde(rename = "expiryDate")]
        expiry: Option<Value>,
    }
    let message: Message = serde_json::from_slice(json).map_err(|_| RefusedImport::Malformed)?;
    if message.purpose.as_deref() != purpose {
        return Err(RefusedImport::Forged);
    }
    if message.expiry.is_some() {
        return Err(RefusedImport::Malformed);
    }
    Ok(message.message)
}

fn secret(app_key: &str) -> Result<Secret, KeyError> {
    if app_key.chars().count() < 16 {
        return Err(KeyError { problem: "shorter than 16 characters" });
    }
    let mut key = [0; 32];
    key.copy_from_slice(digest::digest(&digest::SHA256, app_key.as_bytes()).as_ref());
    Ok(Secret(key))
}

/// HKDF-SHA256.
fn derived<const N: usize>(key: &Secret, salt: &[u8], info: &[u8]) -> Option<[u8; N]> {
    struct Length(usize);
    impl hkdf::KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    let mut derived = [0; N];
    let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, salt);
    salt.extract(&key.0).expand(&[info], Length(N)).ok()?.fill(&mut derived).ok()?;
    Some(derived)
}

fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}
