//! XAES-256-GCM and the key derivation it stands on, from the AES and the GCM of `aes-gcm`.
//!
//! The algorithm is C2SP's (<https://c2sp.org/XAES-256-GCM>): a CMAC in counter mode (NIST SP 800-108r1) turns the key
//! and the first half of a 24-byte nonce into a key for AES-256-GCM, which takes the other half. Random nonces are then
//! safe for 2^80 messages, where plain AES-GCM's bound is 2^32.

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::aes::Aes256Enc;
use aes_gcm::aes::cipher::BlockCipherEncrypt;
use aes_gcm::aes::cipher::array::Array;
use aes_gcm::aes::cipher::consts::{U12, U16};
use aes_gcm::{AesGcm, Nonce, Tag};
use zeroize::{Zeroize, Zeroizing};

/// AES-256-GCM; it only ever encrypts blocks.
type Aes256Gcm = AesGcm<Aes256Enc, U12>;

/// One key, ready to seal and open: the AES key schedule and the CMAC subkeys are computed once.
pub(super) struct Xaes {
    mac: Cmac,
}

impl Xaes {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self { mac: Cmac::new(key) }
    }

    /// Encrypts in place and returns the tag.
    pub(super) fn seal(&self, nonce: &[u8; NONCE_LEN], aad: &[u8], text: &mut [u8]) -> [u8; TAG_LEN] {
        let (cipher, nonce) = self.message_cipher(nonce);
        let tag = cipher.encrypt_inout_detached(&nonce, aad, text.into());
        tag.expect("a session is shorter than the 64 GiB that GCM seals at once").into()
    }

    /// Decrypts in place if the tag is right; otherwise leaves the ciphertext as it was.
    pub(super) fn open(
        &self,
        nonce: &[u8; NONCE_LEN],
        aad: &[u8],
        text: &mut [u8],
        tag: &[u8; TAG_LEN],
    ) -> Result<(), BadSeal> {
        let (cipher, nonce) = self.message_cipher(nonce);
        cipher.decrypt_inout_detached(&nonce, aad, text.into(), &Tag::from(*tag)).map_err(|_| BadSeal)
    }

    /// The cipher under the key of one message, and what is left of its nonce.
    fn message_cipher(&self, nonce: &[u8; NONCE_LEN]) -> (Aes256Gcm, Nonce<U12>) {
        let (for_key, for_gcm) = nonce.split_at(12);
        let mut key = Zeroizing::new([0; 32]);
        for (half, counter) in key.chunks_exact_mut(16).zip(1..) {
            let mut block = [0; 16];
            block[1] = counter;
            block[2] = b'X';
            block[4..].copy_from_slice(for_key);
            half.copy_from_slice(&*Zeroizing::new(self.mac.mac(&block)));
        }
        let mut rest = Nonce::default();
        rest.copy_from_slice(for_gcm);
        (Aes256Gcm::new((&*key).into()), rest)
    }
}

/// The tag does not belong to this ciphertext, nonce, key and additional data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BadSeal;

/// AES-256-CMAC (NIST SP 800-38B).
pub(super) struct Cmac {
    cipher: Aes256Enc,
    k1: Block,
    k2: Block,
}

impl Cmac {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        let cipher = Aes256Enc::new(&Array::from(*key));
        let mut zero = Block::default();
        cipher.encrypt_block(&mut zero);
        let k1 = double(&zero);
        let k2 = double(&k1);
        zero.zeroize();
        Self { cipher, k1, k2 }
    }

    pub(super) fn mac(&self, message: &[u8]) -> [u8; 16] {
        let last_start = message.len().saturating_sub(1) / 16 * 16;
        let (whole, last) = message.split_at(last_start);
        let mut chain = Block::default();
        for block in whole.chunks_exact(16) {
            xor(&mut chain, block);
            self.cipher.encrypt_block(&mut chain);
        }
        xor(&mut chain, last);
        if last.len() == 16 {
            xor(&mut chain, &self.k1);
        } else {
            chain[last.len()] ^= 0x80;
            xor(&mut chain, &self.k2);
        }
        self.cipher.encrypt_block(&mut chain);
        chain.into()
    }

    /// `N` bytes for one use, named by its label: SP 800-108r1's counter mode, with a 32-bit counter, the label, a zero
    /// byte, no context, and the length in bits as 32-bit number.
    pub(super) fn derive<const N: usize>(&self, label: &str) -> Zeroizing<[u8; N]> {
        let bits = u32::try_from(N * 8).expect("a subkey is a few bytes long");
        let mut output = Zeroizing::new([0; N]);
        for (part, counter) in output.chunks_mut(16).zip(1_u32..) {
            let input = [&counter.to_be_bytes(), label.as_bytes(), &[0], &bits.to_be_bytes()].concat();
            let mac = Zeroizing::new(self.mac(&input));
            part.copy_from_slice(&mac[..part.len()]);
        }
        output
    }
}

impl Drop for Cmac {
    fn drop(&mut self) {
        // The cipher wipes its own key schedule.
        self.k1.zeroize();
        self.k2.zeroize();
    }
}

type Block = Array<u8, U16>;

/// Multiplies by x in GF(2^128), in constant time.
fn double(block: &Block) -> Block {
    let number = u128::from_be_bytes((*block).into());
    Block::from(((number << 1) ^ ((number >> 127) * 0x87)).to_be_bytes())
}

fn xor(block: &mut [u8], with: &[u8]) {
    block.iter_mut().zip(with).for_each(|(byte, with)| *byte ^= with);
}

/// Bytes of a nonce: long enough to be drawn at random for every seal.
pub(super) const NONCE_LEN: usize = 24;

/// Bytes of a tag; never fewer.
pub(super) const TAG_LEN: usize = 16;

#[cfg(test)]
mod tests;
