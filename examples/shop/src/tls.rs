//! HTTPS for `--https`: a certificate made at start, and a listener that decrypts for the server behind it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertifiedKey, PublicKeyData as _, generate_simple_self_signed};
use sha2::{Digest as _, Sha256};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

/// A certificate for this machine, signed by itself.
pub(crate) struct Tls {
    acceptor: TlsAcceptor,
    /// The hash of its public key, by which Chromium can be told to trust it.
    pub(crate) spki: String,
}

impl Tls {
    /// Makes a key and its certificate. Both end with the process.
    pub(crate) fn generate() -> Result<Self, Box<dyn std::error::Error>> {
        let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names)?;
        let spki = STANDARD.encode(Sha256::digest(signing_key.subject_public_key_info()));
        let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der());
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key.into())?;
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), spki })
    }

    /// Forwards what arrives over TLS to the server at this address.
    pub(crate) async fn forward(self, outside: TcpListener, inside: SocketAddr) -> io::Result<()> {
        loop {
            let (stream, _) = outside.accept().await?;
            let acceptor = self.acceptor.clone();
            tokio::spawn(async move {
                // An error here is the client's: it does not trust the certificate, or went away.
                let mut outer = acceptor.accept(stream).await?;
                let mut inner = TcpStream::connect(inside).await?;
                tokio::io::copy_bidirectional(&mut outer, &mut inner).await
            });
        }
    }
}
