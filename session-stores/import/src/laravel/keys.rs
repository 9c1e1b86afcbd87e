//! The application keys of Laravel, and what is encrypted with them: cookies, and sessions if `session.encrypt` is on.
//!
//! Verified with `illuminate/encryption` and `illuminate/cookie` 8.83 and 13.26.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::aead::AES_256_GCM;
use ring::hmac;
use serde::Deserialize;
use session_core::import::RefusedImport;

use super::php;
use crate::cipher::{KeyError, Secret};

/// The application keys of Laravel (`APP_KEY`, `APP_PREVIOUS_KEYS`) and the cipher of its configuration (`app.cipher`).
///
/// ```
/// use session_import::LaravelKeys;
///
/// let keys = LaravelKeys::aes_256_cbc("base64:hKpLlxzg8NfCiARNd9fHpB3YlPn6H0TtcGE/BufUI/0=")?;
/// assert!(LaravelKeys::aes_256_cbc("base64:dG9vIHNob3J0").is_err());
/// # let _ = keys;
/// # Ok::<(), session_import::KeyError>(())
/// ```
#[derive(Clone)]
pub struct LaravelKeys {
    cipher: Cipher,
    keys: Vec<Secret>,
}

#[derive(Clone, Copy, Debug)]
enum Cipher {
    Cbc,
    Gcm,
}

impl LaravelKeys {
    /// Takes the key that encrypts, for the cipher `AES-256-CBC`, which is Laravel's default: 32 bytes, in base64 after
    /// `base64:`.
    ///
    /// # Errors
    /// [`KeyError`] if it is not a key of 32 bytes.
    pub fn aes_256_cbc(app_key: &str) -> Result<Self, KeyError> {
        Ok(Self { cipher: Cipher::Cbc, keys: vec![secret(app_key)?] })
    }

    /// The same for the cipher `AES-256-GCM`.
    ///
    /// # Errors
    /// As for [`aes_256_cbc`](Self::aes_256_cbc).
    pub fn aes_256_gcm(app_key: &str) -> Result<Self, KeyError> {
        Ok(Self { cipher: Cipher::Gcm, keys: vec![secret(app_key)?] })
    }

    /// Adds a former key, which still opens.
    ///
    /// # Errors
    /// As for [`aes_256_cbc`](Self::aes_256_cbc).
    pub fn with_former(mut self, app_key: &str) -> Result<Self, KeyError> {
        self.keys.push(secret(app_key)?);
        Ok(self)
    }

    /// Opens a cookie of this name. Its text begins with a hash of the name, so that the value of one cookie cannot be sent in
    /// another; a serialized text (`EncryptCookies::$serialize`) is a PHP string.
    pub(crate) fn open_cookie(&self, name: &str, value: &str) -> Result<String, RefusedImport> {
        let text = self.decrypt(value.as_bytes())?;
        let text = php::text_of(&text).unwrap_or(&text);
        let bare = self.keys.iter().find_map(|key| {
            let sha1 = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key.0);
            let hash = hmac::sign(&sha1, format!("{name}v2").as_bytes());
            let prefix: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
            text.strip_prefix(prefix.as_bytes())?.strip_prefix(b"|")
        });
        let bare = bare.ok_or(RefusedImport::Forged)?;
        String::from_utf8(bare.to_vec()).map_err(|_| RefusedImport::Malformed)
    }

    /// Decrypts a payload: JSON in base64, of IV, ciphertext and MAC or tag.
    pub(super) fn decrypt(&self, payload: &[u8]) -> Result<Vec<u8>, RefusedImport> {
        #[derive(Deserialize)]
        struct Sealed {
            iv: String,
            value: String,
            mac: String,
            #[serde(default)]
            tag: String,
        }
        (|| {
            let json = STANDARD.decode(payload).ok()?;
            let sealed: Sealed = serde_json::from_slice(&json).ok()?;
            let (iv, text) = (STANDARD.decode(&sealed.iv).ok()?, STANDARD.decode(&sealed.value).ok()?);
            match self.cipher {
                Cipher::Cbc if sealed.tag.is_empty() => {
                    let (signed, mac) = (sealed.iv + &sealed.value, hex(&sealed.mac)?);
                    self.keys.iter().find(|key| key.verifies(&signed, &mac))?.open_cbc(&iv, &text)
                }
                Cipher::Cbc => None,
                Cipher::Gcm => {
                    let tag = STANDARD.decode(&sealed.tag).ok()?;
                    self.keys.iter().find_map(|key| key.open_aead(&AES_256_GCM, &iv, &text, &tag, &[]))
                }
            }
        })()
        .ok_or(RefusedImport::Forged)
    }
}

/// Leaves out the keys.
impl fmt::Debug for LaravelKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LaravelKeys({:?}, {})", self.cipher, self.keys.len())
    }
}

fn secret(app_key: &str) -> Result<Secret, KeyError> {
    let bytes = match app_key.strip_prefix("base64:") {
        Some(encoded) => STANDARD.decode(encoded).map_err(|_| KeyError { problem: "not base64" })?,
        None => app_key.as_bytes().to_vec(),
    };
    bytes.try_into().map(Secret).map_err(|_| KeyError { problem: "not of 32 bytes" })
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}
