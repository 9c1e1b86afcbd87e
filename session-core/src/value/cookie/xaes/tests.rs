//! Published test vectors: NIST's for CMAC, C2SP's for XAES-256-GCM, including the accumulated one.

use super::*;

#[test]
fn cmac_gives_nists_numbers_for_aes_256() {
    // SP 800-38B, appendix D.3.
    let key = unhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
    let message = unhex(
        "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51\
         30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710",
    );
    let cmac = Cmac::new(key.as_slice().try_into().unwrap());
    for (len, tag) in [
        (0, "028962f61b7bf89efc6b551f4667d983"),
        (16, "28a7023f452e8f82bd4bf28d8c37c35c"),
        (40, "aaf3d8f1de5640c232f5b169b9c911e6"),
        (64, "e1992190549f6ed5696a2c056c315410"),
    ] {
        assert_eq!(hex(&cmac.mac(&message[..len])), tag, "{len}");
    }
}

#[test]
fn xaes_gives_c2sps_two_vectors() {
    let nonce = b"ABCDEFGHIJKLMNOPQRSTUVWX";
    for (key, aad, sealed) in [
        ([1; 32], "", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"),
        ([3; 32], "c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"),
    ] {
        let xaes = Xaes::new(&key);
        let mut text = *b"XAES-256-GCM";
        let tag = xaes.seal(nonce, aad.as_bytes(), &mut text);
        assert_eq!(hex(&text) + &hex(&tag), sealed);
        xaes.open(nonce, aad.as_bytes(), &mut text, &tag).unwrap();
        assert_eq!(&text, b"XAES-256-GCM");
    }
}

#[test]
fn xaes_gives_c2sps_accumulated_number_after_10_000_rounds() {
    let mut source = Shake128::default();
    source.finish();
    let mut sink = Shake128::default();
    for _ in 0..10_000 {
        let key: [u8; 32] = source.bytes(32).try_into().unwrap();
        let nonce: [u8; 24] = source.bytes(24).try_into().unwrap();
        let len = source.bytes(1)[0];
        let plaintext = source.bytes(len.into());
        let len = source.bytes(1)[0];
        let aad = source.bytes(len.into());

        let xaes = Xaes::new(&key);
        let mut text = plaintext.clone();
        let tag = xaes.seal(&nonce, &aad, &mut text);
        sink.absorb(&text);
        sink.absorb(&tag);
        xaes.open(&nonce, &aad, &mut text, &tag).unwrap();
        assert_eq!(text, plaintext);
    }
    sink.finish();
    assert_eq!(hex(&sink.bytes(32)), "e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939");
}

#[test]
fn cr_9_a_failed_open_leaves_no_plaintext() {
    let xaes = Xaes::new(&[9; 32]);
    let mut text = *b"a secret of the visitor";
    let mut tag = xaes.seal(&[1; 24], b"", &mut text);
    let sealed = text;
    tag[15] ^= 1;
    assert_eq!(xaes.open(&[1; 24], b"", &mut text, &tag), Err(BadSeal));
    assert_eq!(text, sealed);
}

#[test]
fn subkeys_differ_by_label_and_by_key() {
    let kdf = Cmac::new(&[9; 32]);
    assert_ne!(kdf.derive::<32>("a"), kdf.derive::<32>("b"));
    assert_ne!(kdf.derive::<32>("a"), Cmac::new(&[8; 32]).derive::<32>("a"));
    assert_ne!(kdf.derive::<32>("a")[..4], kdf.derive::<4>("a")[..], "the length is part of the derivation");
}

/// SHAKE-128 (FIPS 202), as the accumulated vector needs it: slow, small, and used nowhere else.
#[derive(Default)]
struct Shake128 {
    lanes: [u64; 25],
    at: usize,
}

impl Shake128 {
    const RATE: usize = 168;

    fn absorb(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.xor(self.at, *byte);
            self.at += 1;
            if self.at == Self::RATE {
                self.permute();
                self.at = 0;
            }
        }
    }

    fn finish(&mut self) {
        self.xor(self.at, 0x1f);
        self.xor(Self::RATE - 1, 0x80);
        self.permute();
        self.at = 0;
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len)
            .map(|_| {
                if self.at == Self::RATE {
                    self.permute();
                    self.at = 0;
                }
                self.at += 1;
                self.lanes[(self.at - 1) / 8].to_le_bytes()[(self.at - 1) % 8]
            })
            .collect()
    }

    fn xor(&mut self, at: usize, byte: u8) {
        self.lanes[at / 8] ^= u64::from(byte) << (at % 8 * 8);
    }

    fn permute(&mut self) {
        let a = &mut self.lanes;
        let mut lfsr = 1_u8;
        for _ in 0..24 {
            let column: [u64; 5] = std::array::from_fn(|x| (0..5).fold(0, |sum, y| sum ^ a[x + 5 * y]));
            for (at, lane) in a.iter_mut().enumerate() {
                *lane ^= column[(at + 4) % 5] ^ column[(at + 1) % 5].rotate_left(1);
            }
            let (mut x, mut y, mut carried) = (1, 0, a[1]);
            for step in 1..25_u32 {
                (x, y) = (y, (2 * x + 3 * y) % 5);
                let turn = step * (step + 1) / 2 % 64;
                carried = std::mem::replace(&mut a[x + 5 * y], carried.rotate_left(turn));
            }
            for row in a.chunks_exact_mut(5) {
                let before: [u64; 5] = std::array::from_fn(|x| row[x]);
                for x in 0..5 {
                    row[x] = before[x] ^ (!before[(x + 1) % 5] & before[(x + 2) % 5]);
                }
            }
            for power in 0..7 {
                a[0] ^= u64::from(lfsr & 1) << ((1 << power) - 1);
                lfsr = (lfsr << 1) ^ if lfsr & 0x80 == 0 { 0 } else { 0x71 };
            }
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks_exact(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}
