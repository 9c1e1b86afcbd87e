//! A sealed value opens to what was sealed, and no other value opens at all.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use session_core::machine::cookie::{Binding, IdToken, RecordToken, SealKind};
use session_core::{KeyRing, SecretKey};

static RING: LazyLock<KeyRing> = LazyLock::new(|| ring(1));
/// Seals nothing here: the fuzzer could learn what the other one has sealed from the comparison below.
static SILENT: LazyLock<KeyRing> = LazyLock::new(|| ring(3));

fn ring(first: u8) -> KeyRing {
    let byte = |at: usize, key: u8| (at as u8).wrapping_mul(37).wrapping_add(key);
    let keys = [first, first + 1].map(|key| std::array::from_fn::<u8, 32, _>(|at| byte(at, key)));
    KeyRing::new(keys.map(|key| SecretKey::from_bytes(&key).expect("a key"))).expect("a ring")
}

fuzz_target!(|data: &[u8]| {
    let binding = Binding::cookie("__Host-sid", "Path=/", "session");
    let kinds = [SealKind::Id, SealKind::Record];
    // As a value from a stranger.
    for kind in kinds {
        assert!(SILENT.open(&binding, kind, data).is_err(), "nobody sealed this");
    }
    // Sealed, changed, opened: the first bytes say how it is changed.
    let Some(([nonce, at, change, more], plaintext)) = data.split_first_chunk::<4>() else { return };
    let kind = kinds[usize::from(*more % 2)];
    let sealed = RING.seal(&binding, kind, &[*nonce; 24], plaintext).into_string();
    let opened = RING.open(&binding, kind, sealed.as_bytes()).expect("it was sealed with this ring");
    assert_eq!(opened.plaintext, plaintext);
    let mut changed = sealed.clone().into_bytes();
    let at = (usize::from(*at) * 7 + usize::from(*more)) % changed.len();
    match more % 4 {
        0 => changed[at] ^= change | 1,
        1 => drop(changed.remove(at)),
        2 => changed.insert(at, *change),
        _ => changed.truncate(at),
    }
    if changed != sealed.as_bytes() {
        assert!(RING.open(&binding, kind, &changed).is_err(), "it was changed");
    }
    for other in kinds.into_iter().filter(|other| *other != kind) {
        assert!(RING.open(&binding, other, sealed.as_bytes()).is_err(), "it is of another kind");
    }
    let elsewhere = Binding::cookie("__Host-sid", "Path=/", "admin");
    assert!(RING.open(&elsewhere, kind, sealed.as_bytes()).is_err(), "it is for another purpose");
    // What is inside a seal is decoded without panic, and what decodes encodes to the same.
    if let Some(token) = IdToken::decode(plaintext) {
        assert_eq!(IdToken::decode(&token.encode()[..]).map(|again| again.encode()), Some(token.encode()));
    }
    if let Some(token) = RecordToken::decode(plaintext) {
        assert_eq!(
            RecordToken::decode(&token.encode()[..]).map(|again| again.encode()),
            Some(token.encode())
        );
    }
});
