//! `rediss://`: it connects over TLS only, and trusts only the configured certificates.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]
#![cfg(feature = "tls")]

use crate::support;
use std::fs;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use redis::{ClientTlsConfig, TlsCertificates};
use session_core::store::{Loaded, SessionStore, StoreErrorKind, Written};
use session_store_redis::{Builder, RedisStore, redis};
use session_test_servers::{Kind, Port, start};

use crate::process::{Running, port, run, until_up};
use crate::support::{fresh_key, now, record, seconds, until};

/// An authority of our own, a server that has its certificate, and a user on it.
struct Secured {
    authority: CertifiedIssuer<'static, KeyPair>,
    url: String,
    port: u16,
    _server: Running,
    _claimed: [Port; 2],
    _directory: tempfile::TempDir,
}

impl Secured {
    /// `clients`: whether a client needs a certificate, too.
    async fn start(clients: bool) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        // Another name than that of the certificates, or they would pass for their own authority.
        params.distinguished_name.push(DnType::CommonName, "an authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
        let (certificate, key) = signed(&authority, "127.0.0.1");
        fs::write(path("ca"), authority.pem()).unwrap();
        fs::write(path("certificate"), certificate).unwrap();
        fs::write(path("key"), key).unwrap();
        let claimed = [port(), port()];
        let [clear, port] = claimed.each_ref().map(Port::number);
        let words = [
            ["--tls-port", &port.to_string()],
            ["--tls-cert-file", &path("certificate")],
            ["--tls-key-file", &path("key")],
            ["--tls-ca-cert-file", &path("ca")],
            ["--tls-auth-clients", if clients { "yes" } else { "no" }],
        ];
        let server = run(&directory, clear, words.as_flattened());
        until_up(clear).await;
        until_up(port).await;
        let mut plain = support::plain(&format!("redis://127.0.0.1:{clear}")).await;
        let mut user = redis::cmd("ACL");
        user.arg(&["SETUSER", "app", "on", ">secret", "~tls:*", "+@all"]);
        let () = user.query_async(&mut plain).await.unwrap();
        let url = format!("rediss://app:secret@127.0.0.1:{port}/0");
        Self { authority, url, port, _server: server, _claimed: claimed, _directory: directory }
    }

    /// A store that trusts this authority alone, with a certificate of its own or without.
    fn trusting(
        &self,
        authority: &CertifiedIssuer<'static, KeyPair>,
        own: Option<(String, String)>,
    ) -> Builder {
        let client_tls = own.map(|(certificate, key)| ClientTlsConfig {
            client_cert: certificate.into_bytes(),
            client_key: key.into_bytes(),
        });
        let trusted = TlsCertificates { client_tls, root_cert: Some(authority.pem().into_bytes()) };
        let client = redis::Client::build_with_tls(&*self.url, trusted).unwrap();
        RedisStore::from_client(client).prefix("tls:")
    }
}

/// A certificate for this name, and its key, both as PEM.
fn signed(authority: &CertifiedIssuer<'static, KeyPair>, name: &str) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    (params.signed_by(&key, authority).unwrap().pem(), key.serialize_pem())
}

async fn serves(store: &RedisStore) {
    let (key, first, second) = (fresh_key(), record("1"), record("2"));
    assert_eq!(store.create(&key, &first, now()).await.unwrap(), Written::Applied);
    assert_eq!(store.replace(&key, first.etag, &second, now()).await.unwrap(), Written::Applied);
    assert_eq!(store.load(&key).await.unwrap(), Loaded::Found(second));
    store.destroy(&key, until()).await.unwrap();
}

async fn cannot(builder: Builder) {
    let store = builder.timeout(seconds(30)).open().unwrap();
    let error = store.load(&fresh_key()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error:?}");
}

#[tokio::test]
async fn a_user_signs_in_over_tls_to_a_server_of_a_trusted_authority() {
    let server = Secured::start(false).await;
    // Installs the cryptography, as any store at such a URL does; and these authorities are not the world's.
    cannot(RedisStore::builder(&server.url).prefix("tls:")).await;
    serves(&server.trusting(&server.authority, None).connect().await.unwrap()).await;
}

#[tokio::test]
async fn a_server_of_another_authority_or_name_is_unavailable() {
    let (server, other) = (Secured::start(false).await, Secured::start(false).await);
    cannot(RedisStore::builder(&server.url).prefix("tls:")).await;
    cannot(server.trusting(&other.authority, None)).await;
    let trusted = TlsCertificates { client_tls: None, root_cert: Some(server.authority.pem().into_bytes()) };
    let by_name = format!("rediss://app:secret@localhost:{}/0", server.port);
    let client = redis::Client::build_with_tls(by_name, trusted).unwrap();
    cannot(RedisStore::from_client(client).prefix("tls:")).await;
}

#[tokio::test]
async fn a_server_that_asks_for_certificates_serves_those_who_have_one() {
    let server = Secured::start(true).await;
    cannot(RedisStore::builder(&server.url).prefix("tls:")).await;
    cannot(server.trusting(&server.authority, None)).await;
    let own = signed(&server.authority, "app.example");
    serves(&server.trusting(&server.authority, Some(own)).connect().await.unwrap()).await;
}

#[tokio::test]
async fn a_server_without_tls_is_unavailable_and_hears_no_password() {
    let server = start(Kind::Redis).unwrap();
    let url = format!("rediss://app:hunter2@127.0.0.1:{}", server.port());
    let store = RedisStore::builder(url).prefix("tls:").open().unwrap();
    let error = store.load(&fresh_key()).await.unwrap_err();
    assert!(matches!(error.kind(), StoreErrorKind::Unavailable | StoreErrorKind::Timeout), "{error:?}");
}
