//! Claims about keys and key rings: accepted and refused spellings, and no key in any output.

use crate::cookie_support::*;
use session_core::{error::*, machine::cookie::*, *};

const BYTES: [u8; 32] = [
    0xfb, 0xef, 0x31, 0xd5, 0xa8, 0xe2, 0x4b, 0x77, 0x90, 0xbe, 0x1d, 0x5c, 0x83, 0xfa, 0x26, 0x47, 0xc9,
    0xd8, 0x0e, 0x31, 0xb4, 0xf5, 0x6a, 0x72, 0x18, 0x3c, 0xe0, 0x9d, 0x5f, 0xa7, 0xb2, 0x64,
];
const HEX: &str = "fbef31d5a8e24b7790be1d5c83fa2647c9d80e31b4f56a72183ce09d5fa7b264";
const BASE64: &str = "++8x1ajiS3eQvh1cg/omR8nYDjG09WpyGDzgnV+nsmQ=";
const BASE64URL: &str = "--8x1ajiS3eQvh1cg_omR8nYDjG09WpyGDzgnV-nsmQ";

#[test]
fn cr_6_short_uniform_and_published_keys_are_refused() {
    for len in 0..32 {
        assert_eq!(SecretKey::from_bytes(&BYTES[..len]), Err(KeyError::TooShort { bytes: len }));
    }
    for byte in [0, 1, 0x61, 0xff] {
        assert_eq!(SecretKey::from_bytes(&[byte; 32]), Err(KeyError::AllEqual));
        assert_eq!(SecretKey::from_bytes(&[byte; 64]), Err(KeyError::AllEqual));
    }
    let example: [u8; 32] = std::array::from_fn(|place| place as u8);
    assert_eq!(SecretKey::from_bytes(&example), Err(KeyError::Example));
    assert_eq!(
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f".parse::<SecretKey>(),
        Err(KeyError::Example)
    );
    assert_eq!("c2VjcmV0".parse::<SecretKey>(), Err(KeyError::TooShort { bytes: 6 }));
}

#[test]
fn keys_that_no_generator_makes_are_refused_with_a_way_to_make_one() {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let counting = |from: u8, step: u8| -> Vec<u8> {
        (0..32).map(|n: u8| from.wrapping_add(n.wrapping_mul(step))).collect()
    };
    let half = [&BYTES[..16], &BYTES[..16]].concat();
    let few: Vec<u8> = (0..32).map(|place| BYTES[place * 7 % 15]).collect();
    let mut nearly = counting(0, 1);
    nearly[9] = 0xa7;
    let mut patterns =
        vec![half, few, nearly, counting(1, 1), counting(31, 0xff), counting(0, 0x11), counting(160, 2)];
    patterns.push([[0; 31].as_slice(), &[1]].concat());
    patterns.push((0..64).collect());
    for bytes in &patterns {
        assert_eq!(SecretKey::from_bytes(bytes), Err(KeyError::Pattern), "{bytes:x?}");
    }
    for bytes in patterns.iter().filter(|bytes| bytes.len() == 32) {
        assert_eq!(hex(bytes).parse::<SecretKey>(), Err(KeyError::Pattern), "{bytes:x?}");
        assert_eq!(hex(bytes).to_uppercase().parse::<SecretKey>(), Err(KeyError::Pattern), "{bytes:x?}");
    }
    for text in [
        "correct horse battery staple correct horse",
        "пароль пароль пароль пароль",
        "This-is-a-Passphrase-of-more-than-32-bytes!",
    ] {
        assert_eq!(SecretKey::from_bytes(text.as_bytes()), Err(KeyError::Text), "{text}");
    }
    for text in [
        "correct-horse-battery-staple-correct-horses",
        "CORRECT-HORSE-BATTERY-STAPLE-CORRECT-HORSES",
        // The base64 of a passphrase.
        "Y29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBsZSBjb3JyZWN0",
        "base64:Y29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBsZSBjb3JyZWN0",
    ] {
        // Some of them are not even base64, whose last character leaves no bits over.
        let refused = text.parse::<SecretKey>();
        assert!(matches!(refused, Err(KeyError::Text | KeyError::NotText)), "{text}: {refused:?}");
    }
    for digits in [40, 44, 48, 62, 63, 65, 66, 96, 128] {
        let text: String = HEX.chars().cycle().take(digits).collect();
        assert_eq!(text.parse::<SecretKey>(), Err(KeyError::HexLength { digits }));
    }
    let errors = [
        KeyError::TooShort { bytes: 1 },
        KeyError::HexLength { digits: 40 },
        KeyError::AllEqual,
        KeyError::Example,
        KeyError::Text,
        KeyError::Pattern,
        KeyError::NotText,
    ];
    for error in errors {
        assert!(error.to_string().ends_with("make one with `openssl rand -hex 32`"), "{error}");
    }
}

#[test]
fn no_random_key_is_refused() {
    for _ in 0..10_000 {
        let key = SecretKey::generate().unwrap();
        assert_eq!(key.expose_secret_hex().parse::<SecretKey>().as_ref(), Ok(&key));
    }
}

#[test]
fn cr_6_there_is_no_ring_without_a_key() {
    assert_eq!(KeyRing::new([]).unwrap_err(), KeyError::NoKeys);
}

#[test]
fn a_key_reads_from_every_form_in_which_keys_are_kept() {
    let key = SecretKey::from_bytes(&BYTES).unwrap();
    let forms = [
        HEX.to_owned(),
        HEX.to_uppercase(),
        BASE64.to_owned(),
        BASE64.trim_end_matches('=').to_owned(),
        BASE64URL.to_owned(),
        format!("{BASE64URL}="),
        format!("base64:{BASE64}"),
    ];
    for form in forms {
        assert_eq!(form.parse::<SecretKey>().as_ref(), Ok(&key), "{form}");
    }
}

#[test]
fn a_key_is_read_strictly() {
    let bad = [
        String::new(),
        "correct horse battery staple, correct horse battery".to_owned(),
        format!("{HEX}\n"),
        format!(" {HEX}"),
        format!("0x{HEX}"),
        format!("{HEX}0"),
        format!("{BASE64}="),
        format!("{BASE64}\n"),
        BASE64URL.replacen('-', "+", 1),
        format!("{}R", &BASE64URL[..42]),
        format!("base64:{HEX}!"),
        format!("BASE64:{BASE64}"),
        format!("base64: {BASE64}"),
    ];
    for text in bad {
        assert!(text.parse::<SecretKey>().is_err(), "{text}");
    }
}

#[test]
fn all_bytes_of_a_long_key_count() {
    let mut long = [BYTES, BYTES].concat();
    let key = SecretKey::from_bytes(&long).unwrap();
    long[63] ^= 1;
    assert_ne!(SecretKey::from_bytes(&long).unwrap(), key);
    assert_ne!(SecretKey::from_bytes(&BYTES).unwrap(), key);
    assert_eq!(key.expose_secret_hex().parse::<SecretKey>().unwrap(), key);
}

#[test]
fn id_8_no_key_value_or_text_prints() {
    let key = SecretKey::from_bytes(&BYTES).unwrap();
    let ring = KeyRing::new([key.clone()]).unwrap();
    let sealed = ring.seal(&binding(), SealKind::Id, &[1; 24], b"canary");
    let opened = ring.open(&binding(), SealKind::Id, sealed.as_str().as_bytes()).unwrap();
    let printed = format!("{key:?} {key:#?} {ring:?} {sealed:?} {opened:?} {:?}", id_token(1, 0x41));
    for secret in [&HEX[..8], &BASE64[..8], &sealed.as_str()[40..48], "canary", "AAAA", "65, 65", "251, 239"]
    {
        assert!(!printed.contains(secret), "{printed}");
    }
    assert_eq!(format!("{key:?}"), "Key(****)");
    for error in ["hunter2", HEX.trim_end_matches('4')].map(|text| text.parse::<SecretKey>().unwrap_err()) {
        let printed = format!("{error} {error:?}");
        assert!(!printed.contains("hunter2") && !printed.contains(&HEX[..8]), "{printed}");
    }
}

#[test]
fn a_ring_holds_one_to_eight_different_keys() {
    for len in 1..=8 {
        assert_eq!(KeyRing::new((0..len).map(key)).unwrap().len(), usize::from(len));
    }
    assert_eq!(KeyRing::new((0..9).map(key)).unwrap_err(), KeyError::TooManyKeys { keys: 9, most: 8 });
    let twice = [key(1), key(2), key(1)];
    assert_eq!(KeyRing::new(twice).unwrap_err(), KeyError::SameKey { first: 1, second: 3 });
}

#[test]
fn cr_5_in_every_order_of_three_keys_the_first_seals_and_all_open() {
    let orders = [[1, 2, 3], [1, 3, 2], [2, 1, 3], [2, 3, 1], [3, 1, 2], [3, 2, 1]];
    for sealing in orders {
        let value = ring(&sealing).seal(&binding(), SealKind::Id, &[9; 24], b"text");
        for opening in orders {
            let opened = ring(&opening).open(&binding(), SealKind::Id, value.as_str().as_bytes()).unwrap();
            assert_eq!(opened.plaintext, b"text");
            assert_eq!(opened.with_old_key, opening[0] != sealing[0], "{sealing:?} {opening:?}");
        }
        let without: Vec<u8> = (1..=3).filter(|seed| *seed != sealing[0]).collect();
        let result = ring(&without).open(&binding(), SealKind::Id, value.as_str().as_bytes());
        assert_eq!(reason(result), RejectReason::UnknownKey);
    }
}
