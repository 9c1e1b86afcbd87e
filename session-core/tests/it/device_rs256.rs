//! Devices with RSA keys (RS256): accepted if the application allows them and the key is of a usual kind.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RsaEncoding, RsaKeyPair};
use serde_json::{Value, json};
use session_core::{DeviceBinding, error::ProofError};
use session_testkit::TestDevice;

use crate::device_support::{Browser, REFRESH, Site, binding, grants_nothing};

/// A device with an RSA key.
struct RsaDevice(RsaKeyPair);

impl RsaDevice {
    fn new(key: &str) -> Self {
        let der = STANDARD.decode(key.split_whitespace().collect::<String>()).unwrap();
        Self(RsaKeyPair::from_der(&der).unwrap())
    }

    fn jwk(&self) -> Value {
        let PublicKeyComponents { n, e } = PublicKeyComponents::<Vec<u8>>::from(self.0.public());
        json!({ "kty": "RSA", "n": URL_SAFE_NO_PAD.encode(n), "e": URL_SAFE_NO_PAD.encode(e) })
    }

    fn signs_with(&self, padding: &'static dyn RsaEncoding, header: &Value, challenge: &str) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(&json!({ "jti": challenge })));
        let mut signature = vec![0; self.0.public().modulus_len()];
        self.0.sign(padding, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn registers(&self, challenge: &str) -> String {
        let header = json!({ "alg": "RS256", "typ": "dbsc+jwt", "jwk": self.jwk() });
        self.signs_with(&RSA_PKCS1_SHA256, &header, challenge)
    }

    fn refreshes(&self, challenge: &str) -> String {
        self.signs_with(&RSA_PKCS1_SHA256, &json!({ "alg": "RS256", "typ": "dbsc+jwt" }), challenge)
    }
}

fn both() -> DeviceBinding {
    binding().allow_rs256()
}

/// A browser that was offered a binding, and the challenge of the offer.
async fn offered(site: &Site) -> (Browser, String) {
    let mut browser = Browser::default();
    let response = site.sign_in(&mut browser, "ada").await;
    let offer = response.header("secure-session-registration").unwrap();
    let challenge = TestDevice::parameter(offer, "challenge").unwrap();
    site.app.calls();
    site.app.events.take();
    (browser, challenge)
}

#[tokio::test]
async fn a_device_with_an_rsa_key_is_bound_and_proves_itself() {
    for key in [KEY_2048, KEY_4096] {
        for site in [Site::new(both()), Site::in_cookie(both())] {
            let device = RsaDevice::new(key);
            let (mut browser, challenge) = offered(&site).await;
            assert_eq!(site.register(&mut browser, &device.registers(&challenge)).await.status, 200);
            let mut thief = browser.clone();
            for _ in 0..2 {
                site.app.pass(REFRESH + 31);
                assert_eq!(site.user(&mut browser).await, None);
                let proof = device.refreshes(browser.challenge.as_deref().unwrap());
                assert_eq!(site.refresh(&mut browser, Some(&proof)).await.status, 200);
                assert_eq!(site.user(&mut browser).await.as_deref(), Some("ada"));
            }
            assert_eq!(site.user(&mut thief).await, None);
        }
    }
}

#[tokio::test]
async fn rsa_keys_are_offered_and_taken_only_where_they_are_allowed() {
    let device = RsaDevice::new(KEY_2048);
    for (binding, offer) in [(binding(), "(ES256);path="), (both(), "(ES256 RS256);path=")] {
        let site = Site::new(binding);
        let response = site.sign_in(&mut Browser::default(), "ada").await;
        assert!(response.header("secure-session-registration").unwrap().starts_with(offer));
    }
    let site = Site::new(binding());
    let (mut browser, challenge) = offered(&site).await;
    grants_nothing(&site.register(&mut browser, &device.registers(&challenge)).await);
    assert_eq!(site.refusal(), Some(ProofError::Algorithm));
    assert_eq!(site.app.calls(), []);
}

#[tokio::test]
async fn a_key_has_one_algorithm_and_a_proof_cannot_choose_another() {
    let site = Site::new(both());
    let (rsa, p256) = (RsaDevice::new(KEY_2048), TestDevice::new(1));
    let (mut browser, challenge) = offered(&site).await;
    let payload = json!({ "jti": challenge });
    let mut mixed = p256.jwk();
    for (name, value) in rsa.jwk().as_object().unwrap() {
        mixed[name] = value.clone();
    }
    let header = |alg: &str, jwk: &Value| json!({ "alg": alg, "typ": "dbsc+jwt", "jwk": jwk });
    for bad in [
        rsa.signs_with(&RSA_PKCS1_SHA256, &header("ES256", &rsa.jwk()), &challenge),
        rsa.signs_with(&RSA_PKCS1_SHA256, &header("RS256", &p256.jwk()), &challenge),
        rsa.signs_with(&RSA_PKCS1_SHA256, &header("RS256", &mixed), &challenge),
        p256.signs(&header("RS256", &p256.jwk()), &payload),
        p256.signs(&header("ES256", &rsa.jwk()), &payload),
        p256.signs(&header("ES256", &mixed), &payload),
    ] {
        grants_nothing(&site.register(&mut browser, &bad).await);
        assert_eq!(site.refusal(), Some(ProofError::Key), "{bad}");
    }
    for alg in ["RS1", "RS384", "RS512", "PS256", "rs256", "HS256", "none"] {
        let bad = rsa.signs_with(&RSA_PKCS1_SHA256, &header(alg, &rsa.jwk()), &challenge);
        grants_nothing(&site.register(&mut browser, &bad).await);
        assert_eq!(site.refusal(), Some(ProofError::Algorithm), "{alg}");
    }
    let bad = rsa.signs_with(&RSA_PKCS1_SHA512, &header("RS256", &rsa.jwk()), &challenge);
    grants_nothing(&site.register(&mut browser, &bad).await);
    assert_eq!(site.refusal(), Some(ProofError::Signature), "SHA-512");
    assert_eq!(site.app.calls(), []);

    // Bound to the one, the other's proof is of another algorithm, even with the right challenge.
    assert_eq!(site.register(&mut browser, &p256.registers(&challenge)).await.status, 200);
    let proof = rsa.refreshes(browser.challenge.as_deref().unwrap());
    grants_nothing(&site.refresh(&mut browser, Some(&proof)).await);
    assert_eq!(site.refusal(), Some(ProofError::Algorithm));
    assert_eq!(site.proves(&mut browser, &p256).await.status, 200);
}

#[tokio::test]
async fn an_rsa_key_has_2048_to_4096_bits_and_the_exponent_of_tpms() {
    let (site, device) = (Site::new(both()), RsaDevice::new(KEY_2048));
    let (mut browser, challenge) = offered(&site).await;
    let modulus = URL_SAFE_NO_PAD.decode(device.jwk()["n"].as_str().unwrap()).unwrap();
    let n = |bytes: &[u8]| json!(URL_SAFE_NO_PAD.encode(bytes));
    let of = |length: usize| [&[0xff], &modulus[1..], &modulus, &[0x01]].concat()[..length].to_vec();
    let mut even = modulus.clone();
    even[255] ^= 1;
    let mut short = modulus.clone();
    short[0] &= 0x7f;
    for (name, value) in [
        ("n", n(&[])),
        ("n", n(&modulus[128..])),
        ("n", n(&short)),
        ("n", n(&even)),
        ("n", n(&[&[0], &modulus[..]].concat())),
        ("n", n(&[of(512), vec![1]].concat())),
        ("n", json!("not base64!")),
        ("n", json!(format!("{}=", device.jwk()["n"].as_str().unwrap()))),
        ("e", json!("Aw")),
        ("e", json!("AQ")),
        ("e", json!("")),
        ("e", json!("AAEAAQ")),
        ("e", json!("AQAC")),
        ("d", json!("AQAB")),
        ("d", Value::Null),
        ("kty", json!("rsa")),
        ("kty", json!("EC")),
        ("crv", json!("P-256")),
    ] {
        let mut jwk = device.jwk();
        jwk[name] = value;
        let header = json!({ "alg": "RS256", "typ": "dbsc+jwt", "jwk": jwk });
        let bad = device.signs_with(&RSA_PKCS1_SHA256, &header, &challenge);
        grants_nothing(&site.register(&mut browser, &bad).await);
        assert_eq!(site.refusal(), Some(ProofError::Key), "{name} = {}", jwk[name]);
    }
    assert_eq!(site.app.calls(), []);
    assert_eq!(site.register(&mut browser, &device.registers(&challenge)).await.status, 200);
}

#[tokio::test]
async fn a_signature_of_another_length_is_wrong() {
    let (site, device) = (Site::new(both()), RsaDevice::new(KEY_2048));
    let (mut browser, challenge) = offered(&site).await;
    let proof = device.registers(&challenge);
    let (signed, signature) = proof.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let mut flipped = signature.clone();
    flipped[100] ^= 1;
    for bad in [&[][..], &[0; 256], &signature[1..], &[&[0], &signature[..]].concat(), &flipped] {
        let bad = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(bad));
        grants_nothing(&site.register(&mut browser, &bad).await);
        assert_eq!(site.refusal(), Some(ProofError::Signature));
    }
    assert_eq!(site.register(&mut browser, &proof).await.status, 200);
}

/// Made for these tests: PKCS #1 as base64.
const KEY_2048: &str = "\
    MIIEpQIBAAKCAQEA6XpPtzChYgp+nKXFxjBSl0onE+VCUhn1ZKPRBhYmNOrubo1Gq8QMbEr9t0aDc5grAYb/cM96WSNAp7ADXAfC/H8nqXNNE2 \
    mLjsApH3bfm5M7dQD5s/qtDqKaVxF/rEqFXzfvMTZGiqp9Y30rse+KsrMiFH0LS4C0r9S3eGUFcX+awKpNecOxcQhfrahRWIWdWZXmr5TxvI4S \
    GYyF6syteEM+j4cHmXUGymaSmrSOyIKww31iAP+lf9DZ/HMoqJzPGHRLoZnjDBtbF0/0UjHZ1xsDtp6zIcCW75WqVVopjP28S4PkG++c9675NK \
    Ij9XDNm8nX2jc2NJCnwGMGr/GOtwIDAQABAoIBABE7FPWrbHL0h1I+7GZWBqJiYe6WoDBi+LihW7nGmgc/F12n+4E4X2+r5nxHg0gIAOnZ8Vwn \
    /nA5qSSMWZMfLNq+9PRigrEIvGNKoej6jZdzuZLxrCaw52NfHg4y8miKuhEZla4yF+lVRRpkkHxPS2h+I+kTLr7hvslYj48eatUXYPq7ivy0AR \
    9kqZkSBdbdYMtbGJRvi7VAq4iUPMNE8OBjDnnRKvKpJbJplfZ15pLx1iDAAA1YPRIY30+UDT4IHkYY0v44hmmisnBf5K2eaFxxpHAGlDTM21mC \
    f/Eq+EPb4R/q68BMnKBJ5MlyFAX69YmPti68LHXJik/HxkP/HmECgYEA/+iqKx4IMJiTwFO7bsOiUt6J8KY7t8rPcNayGCyjzxGW04VkLlgfsP \
    QbZeVqcRCj2aRgZy7sJMhjbiyrjsBnjjvoUB0XuG2JrvFcGHjAOTz9LZ8Qqkg1i2J8kN3ZGFrEJTSCuo++OdjPf/IeKV+bMCQbj9MeLuureyZS \
    DT9WHz8CgYEA6Y+Z7OwbCCDxw8fTd176Go8GP4baruAL3VuQyU0DWh02KhEtScGOwxISIfGHq7Me0+Ek6XWTf5rZSVlAn8KXeTOuMADPsQz0nE \
    iM8cCmoMTG82WfznLyG402PUy5e/aMddNt7moNWLLn0JemcjOm7AWbB1wwUxTHGvWhAmolqokCgYEAk670zW9GcK0Mz3hC+bgi7EoLNvroCbgc \
    INV17+eLHUvcS/N2DhzDJT6qtRJBbECbHlXzYHi+xLd0UjerRfWZjYbbGajAcKmeRHx7lo/Q9vdQcMyUNID5jZfnpT6yM5DmE0aLjxi3QfDyRr \
    c2WtAW4iBkW4sNpyxQSQCjZ4u+qscCgYEA6I5SvqRNOifLcpx6g8ZvE5jLqN92yV9OkQcGQFnNd6HUd8iIpoLyymso4OFkrGL61A++uDKZPhqK \
    Nk2HWkvglQ8PZr64DluPCDn5FRI1F6k3S80pdN/hD+voUNsfaT4Rl5SBRj4UsffZeEo3skiZ8TKXrZluiJsMsVxYCFZ20LkCgYEAqYWsHIwexP \
    vUElg2YZWZLXq7MsMHOqgbxCOBS1cmkjboCEA1hR9/IGU4ylUOtWhpjBBM6inAZOaVrh+LOXXcyTM2yrIpq8RHLxuTR2x1BaIHWbAt+7+Vgg3J \
    IkWvd1PeoJvZqvxhnoqe2VJlNPufkFNNbnGtUFMWPhEwU5xdrwg=";

/// As large as is taken.
const KEY_4096: &str = "\
    MIIJKQIBAAKCAgEAzo72kL4ykFt0woFgRHMJjPVoSAv1wqd0uu2pw5KDkcMHYZRMK/e7rll/Jx8q0uncSRvDXGZdK+C0EV7/fJ4PPqrauPyqn6 \
    weMNfhNark+lGH3ATJ7U9BB0vgVBzwkL5RHVwJ067/mJR6DgqZqXcbQq0BUqn6wOAZku8pDcko+8/YTKpagXFrt7tTcblSGc3xpjr7TBmhwKj/ \
    yApE0zXVMDs24JN6Mc8y1bJq6XtOLgPdqH1Pbgk2gZMIWUStg7mlTnQkTAqUsZb7flypSL8/LO7jpFvxWs53BDWSgtoVh3GSLozaXArshTaV81 \
    HD5WrCAlAMGo7Ho3nIhAQBNrWqlVRmI4TncQcU5sHZ3qhbi5f9169PcOvFdZxe7cHcp6CfBkcMaber94hbdRrxmkoz1FlvV5sGUb4OBlxip6RR \
    EM0gHBChZy9mjwA/SLdrYFbHriIbSMsluhIhwxQw0yTqphA4XPBGmsDjFKKylhLmUYdB/mur0Do2X426URyge7sIWnqZIJ4Y2a0LUcep4o1LeA \
    DinOYsydjrr/5rigxTbA6dxq2nChN5BcHzhrtDrWX5lxri8AnCLPxqqGVhIAX6PVa2pNF+/K7JEpw4iUQGpniSDAbaL7QDPwKwiPPYLAU3wmrL \
    uY1OSbNIbWnLv2x6yBQeKIjl/46LR5+J7DHMlRMCAwEAAQKCAgAlvoL4pQCpV0TpK+ny6BB1NPzGuYTBeob+h2IvjgzDrF8jag1XNXASpmDxPa \
    U+ICS0KUIUFtJsq6VLzU+jLmC7w02vYuAsyC9GHpSVEXLA+Pf58NgTKJnJ4wgNZrJgyJ4a3tAe4cnr0CnTegVlLZIKJ4Hn4I6lAu45ZsFaNwlp \
    piuwqqpaH+cejjjrvYDunS7MgNedqstfYKJIo/O6ooofw5o+BETeaC2yVeVqX7FEAEnXOXqzsTRIDh2G7mFEgj5eLSPaz04ne17eUsFOPUAmjk \
    qDpJdgT/z4hG+OwJoRg2PCZNOb4RUiLHzPFwBUYiMseAMWMUPyr9S/ptmv7RdL2MP4Kx4B+cLQZfpnVmfECs0f+HeXrBaqeiiT8bSkzrdSFQJc \
    0nPXaR5008yfMcf0oKWxgcR3GPmA7LOqnBCE3vfePYz233abg+dE5zb91P5hT22rWG7hIQow0s4KUa8GqKkF/6miaQONu0K6DiIksiX+if+hfA \
    h+ODfGwyJNaPNsWU+Wl/Nr7/AOo0NesjqclydHjLBZrTYfRc3YOE83LqTc/fzWvmQRambxuN9hY5e8eMTBCFvDX9AaO78MzbR7PpLc4igVlYe7 \
    yBjX34N1R9ssBmLm5XivLsqjGf1U6CHgRvL9jTAUFBwZRw5t6/DaCI4QLmbwPQdY8udgbrlitQKCAQEA/pnSouyRkACTKbpb6UKXUyVs4Qz2Gg \
    XFG2uYGnXHjMGPEoYmxsZg8Crn71wFn3Dcb3nav4WvwgPeojtceRMEK4h2UV0UnDCQf5oG6iwQrgnQ+KWPI5+PpvCpZaRPWjMljd8xWbZREuuS \
    8OYcLFcqp5GBvK+4blGxVv5WXFCJqB4WNGF4byp/EWQaOvQQObUxbyRkaW3YLHzcgGeeTsde9RHgEPnqsgUKX1408GrvVltYrYMPLXjYrDdQ5o \
    /mCM2wuZvlS5Zr87GfxuOSPcm5QNewue8rwGkfZCQ4MnhHWvEXKvc0yAnZ0VaK14daDOpNkgoCRcOpxy8E4RwYRFdj1wKCAQEAz7GNqpPooVBp \
    8AeKVuHrlqQMaed0H90dDI/44eik2w2UL3AbnH88+6jZ/l+B/w756RNb125F1yFRvT2SjWnUrWBtHwrERSHFoPuaUD9oB3rZ7WxNhEo+pJ/5lZ \
    rYbeFBLQdmYayUJKGWWUGVTFdngvO2sKt9zcvbQCaj7jfMoyunB+phmIA+VwiAg1uO5AZQ9qqij37hTuQ9Ug/OUokJhauW25IpSLPZjoFZypEJ \
    18zYI2fFTZwz8mjY7O9Ky+eZUjU8MXWbAr2NPM3y1mkeA7167+iKVHhYNyQNMNMruRWRZco5wUReAeZP02X9iZMxqEm5zpAaVIADojcS/4kxJQ \
    KCAQEA+Ei78CRxw5O779qMHUrSVcROjJ3eNfxgfuALQeqQAoUT6EWo9PmquSuuaW89EIK4hYG4wEM35iVt7JmlEXFpBKccczYpjjOSBs4HZkA4 \
    t/BcuM6Da4METRGusK9urxDn05XQA6PXJnNTJdfRq7AJqcYtVfurCPJj1elMANSNmcRVdRmEoCw6JJSRO+KdHBnGLpO31FTJloDha9sgt8SXpr \
    ia4RNHO/nMZrpxN++gnX+RWAxSNc7+xdtf6qhz9SvZ5vfPwUnc1pbmsMdm6xiYr1JoRrql2QrrEPZ9U0KWm2o3ZLAU6espXotd9NdLCwNHSF64 \
    Xp50KAmDYZ/LToJGmwKCAQAvF8dTgi4hRaZ/snX/tUJB6fiWmtCN2QkZLBv2vVWEBdQv3W+lUIR3W5XyQ52qQ68O1kDg3DQhz4BFNIziW7jJhy \
    +29i4CruGs2t/mijoAWC7J0uDQujTyBwQElBO29nhcyWzBgOwmUi1RF7nOkZL68l/eN0RTQYH5Tcml3ikcZm19MfvnJEz+VwMsxbnkojoBdDdf \
    6hkUVlRBIyxZMpFiKcIPD1klDwKpeVLux2w/7kaj4IewTVbKBFQLhUakbWMqbL+1R0FaobhArUH+s98GYhRaCZQ0CwWVmysSgw9K7EUHm47075 \
    eRPrOi72FJrIJ58h2bZLlTp6MrSOmZ33WxAoIBAQCwc47P1TnMvS7pBNTUZ9T/x7pSaAxP7dgrTQL998NTNlMyjS2k6rJyvjsNT6ONNMEzwr+f \
    q5ViKZlhGzF3p4y8wicx6UCYlnm6ugcryR1PAeMQUOX9Ils3/mAcWG2pE+cpqY8Wkq2XyR1CQ8hkmDtaNmavndaLIt2Om4p9Um7avmSgg3d316 \
    Q09oQbiMgSDuftGNHmu7Q4YgrxQbkSBQDl1swcqmqj9tt0Ld1wM8FK3jxUmHxSDs0a4rPaJQ3QmcipAsI596DutoaWvvEg5JuxIG8i+xSFtdpY \
    lJT2qOH9rvxypdV2IecaNGnuRvDwZh0MeFgg9V6OFlRRJNJqodg0";
