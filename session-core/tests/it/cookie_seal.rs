//! Claims about the seal: what it opens, and that it opens nothing else.

use crate::cookie_support::*;
use proptest::prelude::*;
use session_core::{
    machine::{cookie::*, *},
    store::*,
    *,
};

#[test]
fn the_frozen_vectors_hold() {
    let vectors: serde_json::Value = serde_json::from_str(include_str!("../vectors/seal_v1.json")).unwrap();
    let seals = vectors["seals"].as_array().unwrap();
    assert!(seals.len() >= 12);
    for seal in seals {
        let ring = KeyRing::new([SecretKey::from_bytes(&unhex(&seal["key"])).unwrap()]).unwrap();
        let binding = match seal["record"].as_str() {
            Some(key) => Binding::record(&key.parse().unwrap()),
            None => {
                let [name, scope, purpose] =
                    ["name", "scope", "purpose"].map(|part| seal[part].as_str().unwrap());
                Binding::cookie(name, scope, purpose)
            }
        };
        let binding = match seal["touches"].as_object() {
            Some(session) => {
                let etag = unhex(&session["etag"]).try_into().unwrap();
                let key = session["key"].as_str().unwrap().parse().unwrap();
                binding.touch(&key, Etag::new(u64::from_be_bytes(etag)))
            }
            None => binding,
        };
        let kind = match seal["kind"].as_str().unwrap() {
            "record" => SealKind::Record,
            "id" => SealKind::Id,
            "touch" => SealKind::Touch,
            "at rest" => SealKind::AtRest,
            other => panic!("{other}"),
        };
        let nonce: [u8; 24] = unhex(&seal["nonce"]).try_into().unwrap();
        let plaintext = unhex(&seal["plaintext"]);
        let value = seal["value"].as_str().unwrap();
        assert_eq!(ring.seal(&binding, kind, &nonce, &plaintext).as_str(), value);
        assert_eq!(ring.open(&binding, kind, value.as_bytes()).unwrap().plaintext, plaintext);
    }
}

fn unhex(text: &serde_json::Value) -> Vec<u8> {
    let digits = text.as_str().expect("a text").as_bytes();
    let digit = |at: u8| char::from(at).to_digit(16).expect("hexadecimal") as u8;
    digits.chunks_exact(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

#[test]
fn cr_1_flipping_any_bit_of_the_bytes_is_refused() {
    let ring = ring(&[1]);
    let value = sealed_id(&ring, &id_token(1_000, 5));
    let bytes = from_base64url(&value);
    for bit in 0..bytes.len() * 8 {
        let mut forged = bytes.clone();
        forged[bit / 8] ^= 1 << (bit % 8);
        let result = ring.open(&binding(), SealKind::Id, to_base64url(&forged).as_bytes());
        let expected = match bit / 8 {
            0 => RejectReason::Version,
            1..=4 => RejectReason::UnknownKey,
            5 => RejectReason::Kind,
            _ => RejectReason::Seal,
        };
        assert_eq!(reason(result), expected, "bit {bit}");
    }
}

#[test]
fn cr_1_changing_any_character_of_the_text_is_refused() {
    let ring = ring(&[1]);
    let value = sealed_id(&ring, &id_token(1_000, 5));
    for at in 0..value.len() {
        for byte in 0..=255 {
            let mut forged = value.clone().into_bytes();
            if std::mem::replace(&mut forged[at], byte) != byte {
                assert!(ring.open(&binding(), SealKind::Id, &forged).is_err(), "{byte} at {at}");
            }
        }
    }
}

#[test]
fn cr_1_a_value_cut_or_grown_to_any_length_is_refused() {
    let ring = ring(&[1]);
    for text in [&b""[..], b"x", &id_token(1, 2).encode()[..], &[7; 300]] {
        let value = ring.seal(&binding(), SealKind::Id, &[4; 24], text);
        let value = value.as_str().as_bytes();
        for len in 0..value.len() {
            assert!(ring.open(&binding(), SealKind::Id, &value[..len]).is_err(), "cut to {len}");
            assert!(ring.open(&binding(), SealKind::Id, &value[len + 1..]).is_err(), "cut before {len}");
        }
        for more in 1..=44 {
            for byte in [b'A', b'_', b'=', b' ', 0] {
                let grown = [value, &vec![byte; more]].concat();
                assert!(ring.open(&binding(), SealKind::Id, &grown).is_err(), "{more} more of {byte}");
                let grown = [&vec![byte; more], value].concat();
                assert!(ring.open(&binding(), SealKind::Id, &grown).is_err(), "{more} before of {byte}");
            }
        }
    }
}

#[test]
fn cr_1_a_shorter_tag_is_never_accepted() {
    let ring = ring(&[1]);
    let bytes = from_base64url(ring.seal(&binding(), SealKind::Id, &[4; 24], b"").as_str());
    for tag in 0..16 {
        let result = ring.open(&binding(), SealKind::Id, to_base64url(&bytes[..30 + tag]).as_bytes());
        assert_eq!(reason(result), RejectReason::Length, "a tag of {tag} bytes");
    }
}

#[test]
fn cr_2_what_does_not_authenticate_is_refused_and_nothing_else_is_tried() {
    let ring = ring(&[1]);
    for (value, expected) in [
        (&b""[..], RejectReason::Length),
        (b"{\"user\":1}", RejectReason::Length),
        (&[b'A'; 62], RejectReason::Version),
        (&[b'A'; 61], RejectReason::Length),
        (&[b'!'; 63], RejectReason::Base64),
        (&[b'A'; 63], RejectReason::Version),
    ] {
        let rejected = ring.open(&binding(), SealKind::Id, value).unwrap_err();
        assert_eq!(rejected.reason(), expected, "{value:?}");
        assert_eq!(rejected.to_string(), "invalid");
    }
}

#[test]
fn cr_3_at_20_a_value_opens_only_under_its_own_name_scope_and_purpose() {
    let ring = ring(&[1]);
    let names = ["sid", "Sid", "__Host-sid", "si", "d"];
    let purposes = ["session", "", "sessio", "dsession", "admin"];
    let scopes = ["Path=/", "Path=/s", "Path=/; Domain=a.com", "Path=/; Domain=b.com", ""];
    let key = SessionId::from_bytes([1; 32]).store_key();
    let mut bindings: Vec<Binding> =
        vec![Binding::record(&key), Binding::record(&StoreKey::from_bytes([0; 32]))];
    bindings.extend(
        names.iter().flat_map(|name| purposes.map(|purpose| Binding::cookie(name, "Path=/", purpose))),
    );
    bindings.extend(scopes[1..].iter().map(|scope| Binding::cookie("sid", scope, "session")));
    // And of the touch cookies beside one, each belongs to one version of one session.
    let [one, other] = [[1; 32], [2; 32]].map(StoreKey::from_bytes);
    let own = Binding::cookie("sid", "Path=/", "session");
    bindings.extend([
        own.touch(&one, Etag::new(1)),
        own.touch(&one, Etag::new(2)),
        own.touch(&other, Etag::new(1)),
    ]);
    for (own, under) in bindings.iter().enumerate() {
        let value = ring.seal(under, SealKind::Record, &[2; 24], b"text");
        for (other, binding) in bindings.iter().enumerate() {
            let opened = ring.open(binding, SealKind::Record, value.as_str().as_bytes());
            assert_eq!(opened.is_ok(), own == other, "{under:?} under {binding:?}");
        }
    }
}

#[test]
fn cr_3_names_too_long_for_the_stack_are_bound_as_well() {
    let ring = ring(&[1]);
    let long = "n".repeat(300);
    let value = ring.seal(&Binding::cookie(&long, "Path=/", "p"), SealKind::Id, &[2; 24], b"text");
    assert!(
        ring.open(&Binding::cookie(&long, "Path=/", "p"), SealKind::Id, value.as_str().as_bytes()).is_ok()
    );
    assert!(
        ring.open(&Binding::cookie(&long[1..], "Path=/", "p"), SealKind::Id, value.as_str().as_bytes())
            .is_err()
    );
}

#[test]
fn peers_19_a_sealed_value_cannot_be_moved_to_another_cookie() {
    let ring = ring(&[1]);
    let [theme, session] =
        ["theme", "sid"].map(|name| Cookie::host(name).build().unwrap().binding("session"));
    let value = ring.seal(&theme, SealKind::Id, &[2; 24], &id_token(1, 2).encode()[..]);
    let result = ring.open(&session, SealKind::Id, value.as_str().as_bytes());
    assert_eq!(reason(result), RejectReason::Seal);
}

#[test]
fn a_value_never_opens_as_another_kind() {
    let ring = ring(&[1]);
    let kinds = [SealKind::Record, SealKind::Id, SealKind::AtRest];
    for sealed in kinds {
        let value = ring.seal(&binding(), sealed, &[2; 24], b"text");
        for opened in kinds {
            let result = ring.open(&binding(), opened, value.as_str().as_bytes());
            assert_eq!(result.is_ok(), sealed == opened);
        }
    }
}

#[test]
fn cr_7_the_nonce_makes_every_seal_another() {
    let ring = ring(&[1]);
    let first = ring.seal(&binding(), SealKind::Id, &[1; 24], &[0; 44]);
    for place in 0..24 {
        let mut nonce = [1; 24];
        nonce[place] = 2;
        let other = ring.seal(&binding(), SealKind::Id, &nonce, &[0; 44]);
        let same =
            first.as_str()[40..].bytes().zip(other.as_str()[40..].bytes()).filter(|(a, b)| a == b).count();
        assert!(same < 20, "the key stream depends on byte {place} of the nonce");
    }
}

#[test]
fn cr_8_a_seal_is_as_long_as_its_text_whatever_the_text_says() {
    let ring = ring(&[1]);
    for len in [0, 1, 44, 300, 3018, 5000] {
        let even = ring.seal(&binding(), SealKind::Record, &[1; 24], &vec![b'a'; len]);
        let odd: Vec<u8> = (0..len).map(|at| ((at * 7919) >> 3) as u8).collect();
        let odd = ring.seal(&binding(), SealKind::Record, &[1; 24], &odd);
        assert_eq!(even.as_str().len(), odd.as_str().len());
        assert_eq!(even.as_str().len(), sealed_len(len));
    }
}

proptest! {
    #[test]
    fn what_was_sealed_opens(text in prop::collection::vec(any::<u8>(), 0..4000), nonce: [u8; 24]) {
        let ring = ring(&[1, 2]);
        let value = ring.seal(&binding(), SealKind::Record, &nonce, &text);
        prop_assert!(value.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'));
        let opened = ring.open(&binding(), SealKind::Record, value.as_str().as_bytes()).unwrap();
        prop_assert_eq!(opened.plaintext, text);
    }

    #[test]
    fn cr_2_bytes_that_were_not_sealed_never_open(value in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(ring(&[1]).open(&binding(), SealKind::Id, &value).is_err());
    }

    #[test]
    fn cr_2_base64_that_was_not_sealed_never_opens(tail in prop::collection::vec(any::<u8>(), 40..400)) {
        // With version, key id and kind right, so that the seal itself is what refuses.
        let ring = ring(&[1]);
        let mut bytes = from_base64url(&sealed_id(&ring, &id_token(1, 2)));
        bytes.splice(6.., tail);
        let result = ring.open(&binding(), SealKind::Id, to_base64url(&bytes).as_bytes());
        prop_assert_eq!(reason(result), RejectReason::Seal);
    }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Bit by bit, and independent of the library's own.
fn to_base64url(bytes: &[u8]) -> String {
    let bits: Vec<u8> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
    bits.chunks(6)
        .map(|bits| bits.iter().chain(&[0; 6]).take(6).fold(0, |value, bit| value << 1 | usize::from(*bit)))
        .map(|value| char::from(ALPHABET[value]))
        .collect()
}

fn from_base64url(text: &str) -> Vec<u8> {
    let value = |byte| ALPHABET.iter().position(|letter| *letter == byte).expect("base64url");
    let bits: Vec<u8> =
        text.bytes().flat_map(|byte| (0..6).rev().map(move |bit| (value(byte) >> bit & 1) as u8)).collect();
    bits.chunks_exact(8).map(|bits| bits.iter().fold(0, |byte, bit| byte << 1 | bit)).collect()
}
