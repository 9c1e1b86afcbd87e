//! Valid and hostile proofs, made with test keys.

use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};

use super::*;

/// A device with a key.
pub(crate) struct Device(SigningKey);

impl Device {
    pub(crate) fn new(seed: u8) -> Self {
        Self(SigningKey::from_slice(&[seed; 32]).expect("a scalar below the order of the curve"))
    }

    pub(crate) fn jwk(&self) -> Value {
        let point = self.0.verifying_key().to_sec1_point(false);
        let (x, y) = point.as_bytes()[1..].split_at(32);
        json!({ "kty": "EC", "crv": "P-256", "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y) })
    }

    pub(crate) fn sign(&self, header: &Value, payload: &Value) -> String {
        self.sign_text(&header.to_string(), &payload.to_string())
    }

    fn sign_text(&self, header: &str, payload: &str) -> String {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let signature: Signature = self.0.sign(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }

    fn registers(&self, challenge: &str) -> String {
        self.sign(
            &json!({ "alg": "ES256", "typ": "dbsc+jwt", "jwk": self.jwk() }),
            &json!({ "jti": challenge }),
        )
    }

    fn refreshes(&self, challenge: &str) -> String {
        self.sign(&json!({ "alg": "ES256", "typ": "dbsc+jwt" }), &json!({ "jti": challenge }))
    }
}

fn read(jwt: &[u8], stage: Stage) -> Result<Proof, ProofError> {
    Proof::read(jwt, stage, Algorithm::USUAL)
}

fn refused(jwt: &str, stage: Stage) -> ProofError {
    read(jwt.as_bytes(), stage).err().unwrap_or_else(|| panic!("accepted: {jwt}"))
}

#[test]
fn an_honest_device_registers_and_refreshes() {
    let device = Device::new(1);
    let proof = read(device.registers("c1").as_bytes(), Stage::Registration).unwrap();
    assert_eq!(proof.challenge(), "c1");
    let key = proof.into_key().unwrap();
    let kept = DeviceKey::from_text(&key.to_text()).unwrap();
    assert_eq!(kept, key);
    for quoted in [device.refreshes("c2"), format!("\"{}\"", device.refreshes("c2"))] {
        let proof = read(quoted.as_bytes(), Stage::Refresh).unwrap();
        proof.check(&kept).unwrap();
    }
}

#[test]
fn the_token_does_not_choose_its_algorithm() {
    let device = Device::new(1);
    for alg in ["none", "None", "HS256", "RS256", "ES384", "es256", "ES256K", ""] {
        let header = json!({ "alg": alg, "typ": "dbsc+jwt", "jwk": device.jwk() });
        let jwt = device.sign(&header, &json!({ "jti": "c" }));
        assert_eq!(refused(&jwt, Stage::Registration), ProofError::Algorithm, "{alg}");
    }
    for typ in ["JWT", "dpop+jwt", "DBSC+JWT", ""] {
        let header = json!({ "alg": "ES256", "typ": typ, "jwk": device.jwk() });
        let jwt = device.sign(&header, &json!({ "jti": "c" }));
        assert_eq!(refused(&jwt, Stage::Registration), ProofError::Type, "{typ}");
    }
}

#[test]
fn a_key_is_a_public_point_of_p_256() {
    let device = Device::new(1);
    let zeros = URL_SAFE_NO_PAD.encode([0; 32]);
    let change = |name: &str, value: Value| {
        let mut jwk = device.jwk();
        jwk[name] = value;
        jwk
    };
    for jwk in [
        change("crv", json!("P-384")),
        change("crv", json!("secp256k1")),
        change("kty", json!("RSA")),
        change("kty", json!("oct")),
        change("d", json!(zeros)),
        change("x", json!(zeros)),
        change("x", json!(format!("AA{}", device.jwk()["x"].as_str().unwrap()))),
        change("y", json!("")),
        change("y", json!("not base64!")),
    ] {
        let header = json!({ "alg": "ES256", "typ": "dbsc+jwt", "jwk": jwk });
        let jwt = device.sign(&header, &json!({ "jti": "c" }));
        assert_eq!(refused(&jwt, Stage::Registration), ProofError::Key, "{jwk}");
    }
}

#[test]
fn a_key_comes_with_a_registration_and_with_nothing_else() {
    let device = Device::new(1);
    assert_eq!(refused(&device.refreshes("c"), Stage::Registration), ProofError::Key);
    assert_eq!(refused(&device.registers("c"), Stage::Refresh), ProofError::OwnKey);
}

#[test]
fn a_signature_by_another_key_or_over_another_text_is_wrong() {
    let (device, thief) = (Device::new(1), Device::new(2));
    let key = read(device.registers("c").as_bytes(), Stage::Registration).unwrap().into_key().unwrap();
    let by_thief = read(thief.refreshes("c").as_bytes(), Stage::Refresh).unwrap();
    assert_eq!(by_thief.check(&key), Err(ProofError::Signature));

    let (ours, other) = (device.refreshes("c"), device.refreshes("d"));
    let moved = format!("{}.{}", other.rsplit_once('.').unwrap().0, ours.rsplit_once('.').unwrap().1);
    assert_eq!(read(moved.as_bytes(), Stage::Refresh).unwrap().check(&key), Err(ProofError::Signature));

    // A key that the thief names, with the signature of the device.
    let header = json!({ "alg": "ES256", "typ": "dbsc+jwt", "jwk": thief.jwk() });
    let jwt = device.sign(&header, &json!({ "jti": "c" }));
    let proof = read(jwt.as_bytes(), Stage::Registration).unwrap();
    assert_eq!(proof.into_key().err(), Some(ProofError::Signature));

    let signed = ours.rsplit_once('.').unwrap().0;
    for length in [0, 1, 63, 65, 70, 128] {
        let odd = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(vec![0x11; length]));
        assert_eq!(read(odd.as_bytes(), Stage::Refresh).unwrap().check(&key), Err(ProofError::Signature));
    }
    let zero = format!("{signed}.{}", URL_SAFE_NO_PAD.encode([0; 64]));
    assert_eq!(read(zero.as_bytes(), Stage::Refresh).unwrap().check(&key), Err(ProofError::Signature));
}

#[test]
fn what_is_no_token_of_three_parts_is_malformed() {
    let device = Device::new(1);
    let good = device.refreshes("c");
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (header, payload) = signed.split_once('.').unwrap();
    let twice = r#"{"alg":"none","alg":"ES256","typ":"dbsc+jwt"}"#;
    for bad in [
        String::new(),
        "a".to_owned(),
        "..".to_owned(),
        signed.to_owned(),
        format!("{good}."),
        format!(".{good}"),
        format!("{good}.{signature}"),
        format!("{header}=.{payload}.{signature}"),
        format!("{header}.{payload}.{signature}=="),
        format!("{header} .{payload}.{signature}"),
        format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode("[]")),
        format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode(r#"{"jti":7}"#)),
        format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode("{}")),
        device.sign_text(twice, r#"{"jti":"c"}"#),
        device.sign_text(r#"{"alg":"ES256","typ":"dbsc+jwt","crit":["b64"],"b64":false}"#, r#"{"jti":"c"}"#),
        device.sign_text(r#"{"alg":"ES256","typ":"dbsc+jwt"}"#, r#"{"jti":"c","jti":"d"}"#),
        device.sign_text(r#"{"alg":"ES256","typ":"dbsc+jwt"} {}"#, r#"{"jti":"c"}"#),
        device.sign_text(r#"{"typ":"dbsc+jwt"}"#, r#"{"jti":"c"}"#),
    ] {
        assert_eq!(refused(&bad, Stage::Refresh), ProofError::Malformed, "{bad}");
    }
    assert_eq!(read(&[0xff; 40], Stage::Refresh).err(), Some(ProofError::Malformed));
}

#[test]
fn a_huge_token_is_not_read() {
    let device = Device::new(1);
    let huge = device.refreshes(&"c".repeat(4_000));
    assert_eq!(refused(&huge, Stage::Refresh), ProofError::TooLong);
    assert_eq!(refused(&"[".repeat(1 << 20), Stage::Refresh), ProofError::TooLong);
    let deep = device.sign_text(&"[".repeat(1_500), r#"{"jti":"c"}"#);
    assert_eq!(refused(&deep, Stage::Refresh), ProofError::Malformed);
}

#[test]
fn what_a_session_keeps_is_a_point_or_nothing() {
    for bad in ["", "AAAA", &URL_SAFE_NO_PAD.encode([0; 64]), &URL_SAFE_NO_PAD.encode([1; 65]), "!"] {
        assert_eq!(DeviceKey::from_text(bad), Err(ProofError::Key), "{bad}");
    }
}
