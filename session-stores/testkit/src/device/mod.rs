//! A device key, as a browser with Device Bound Session Credentials has it, which signs registrations and challenges.

mod site;

pub use site::{DeviceBrowser, DeviceReply, DeviceSite};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};

/// A device whose key is derived from one byte. Only with the feature `dbsc`.
///
/// ```
/// use session_testkit::TestDevice;
///
/// let device = TestDevice::new(1);
/// let offer = r#"(ES256);path="/dbsc/register";challenge="abc""#;
/// assert_eq!(TestDevice::parameter(offer, "path").as_deref(), Some("/dbsc/register"));
/// // The value of `Secure-Session-Response`.
/// let proof = device.registers(&TestDevice::parameter(offer, "challenge").unwrap());
/// assert_eq!(proof.split('.').count(), 3);
/// ```
#[derive(Debug)]
pub struct TestDevice(SigningKey);

impl TestDevice {
    /// Creates a device. The same seed gives the same key.
    ///
    /// # Panics
    /// If the seed is 0 or 255: there are no such keys.
    #[must_use]
    pub fn new(seed: u8) -> Self {
        Self(SigningKey::from_slice(&[seed; 32]).expect("a seed from 1 to 254"))
    }

    /// Returns the proof that registers the key, over the challenge of the offer.
    #[must_use]
    pub fn registers(&self, challenge: &str) -> String {
        self.signs(
            &json!({ "alg": "ES256", "typ": "dbsc+jwt", "jwk": self.jwk() }),
            &json!({ "jti": challenge }),
        )
    }

    /// Returns the proof that refreshes a binding.
    #[must_use]
    pub fn refreshes(&self, challenge: &str) -> String {
        self.signs(&json!({ "alg": "ES256", "typ": "dbsc+jwt" }), &json!({ "jti": challenge }))
    }

    /// Returns a token with this content, signed with the key.
    #[must_use]
    pub fn signs(&self, header: &Value, payload: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(payload));
        let signature: Signature = self.0.sign(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }

    /// Returns the public key as a JWK.
    #[must_use]
    pub fn jwk(&self) -> Value {
        let point = self.0.verifying_key().to_sec1_point(false);
        let (x, y) = point.as_bytes()[1..].split_at(32);
        json!({ "kty": "EC", "crv": "P-256", "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y) })
    }

    /// Returns a quoted parameter of a header such as `Secure-Session-Registration`.
    #[must_use]
    pub fn parameter(header: &str, name: &str) -> Option<String> {
        let (_, rest) = header.split_once(&format!(";{name}=\""))?;
        rest.split_once('"').map(|(value, _)| value.to_owned())
    }

    /// Returns the challenge of a `Secure-Session-Challenge` header.
    #[must_use]
    pub fn challenge(header: &str) -> Option<String> {
        let (value, _) = header.strip_prefix('"')?.split_once('"')?;
        Some(value.to_owned())
    }
}
