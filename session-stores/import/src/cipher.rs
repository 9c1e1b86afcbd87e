//! The ciphers and MACs by which AdonisJS and Laravel seal their cookies. Whatever does not open is `None`.

use std::fmt;

use aes::Aes256;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, KeyIvInit};
use ring::aead::{Aad, Algorithm, LessSafeKey, Nonce, UnboundKey};
use ring::hmac;

/// A secret key of 32 bytes.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(pub(crate) [u8; 32]);

impl Secret {
    /// Whether this is the HMAC-SHA256 of the text under the key; compared in constant time.
    pub(crate) fn verifies(&self, text: &str, mac: &[u8]) -> bool {
        hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, &self.0), text.as_bytes(), mac).is_ok()
    }

    /// Decrypts AES-256-CBC with PKCS#7 padding. The caller has verified a MAC: without one, errors of the padding tell an
    /// attacker the text.
    pub(crate) fn open_cbc(&self, iv: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let cipher = cbc::Decryptor::<Aes256>::new_from_slices(&self.0, iv).ok()?;
        let mut text = sealed.to_vec();
        let length = cipher.decrypt_padded::<Pkcs7>(&mut text).ok()?.len();
        text.truncate(length);
        Some(text)
    }

    /// Decrypts with a cipher that authenticates, whose nonce is of 12 bytes and whose tag is of 16.
    pub(crate) fn open_aead(
        &self,
        algorithm: &'static Algorithm,
        nonce: &[u8],
        sealed: &[u8],
        tag: &[u8],
        bound: &[u8],
    ) -> Option<Vec<u8>> {
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let key = LessSafeKey::new(UnboundKey::new(algorithm, &self.0).ok()?);
        if tag.len() != algorithm.tag_len() {
            return None;
        }
        let mut text = [sealed, tag].concat();
        let length = key.open_in_place(nonce, Aad::from(bound), &mut text).ok()?.len();
        text.truncate(length);
        Some(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// Returned for an application key that cannot be the other framework's.
#[derive(Debug, thiserror::Error)]
#[error("the application key is {problem}")]
pub struct KeyError {
    pub(crate) problem: &'static str,
}
