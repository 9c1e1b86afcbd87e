//! TLS in front of the probe: decrypts connections and hands them to the server, whichever framework that is.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::args::WrongFlag;

/// Reads a certificate chain and its key, both PEM files.
///
/// # Errors
/// [`WrongFlag`] if a file cannot be read, or the key does not belong to the certificate.
pub(crate) fn acceptor(cert: &Path, key: &Path) -> Result<TlsAcceptor, WrongFlag> {
    let wrong = |path: &Path, why: &dyn std::fmt::Display| {
        WrongFlag::new("--tls", &path.display().to_string(), &format!("PEM files are ({why})"))
    };
    let chain = CertificateDer::pem_file_iter(cert).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = chain.map_err(|error| wrong(cert, &error))?;
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| wrong(key, &error))?;
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, secret);
    Ok(TlsAcceptor::from(Arc::new(config.map_err(|error| wrong(key, &error))?)))
}

/// Forwards what arrives over TLS to this address, until it is dropped.
///
/// # Errors
/// When a connection cannot be accepted.
pub(crate) async fn forward(
    outside: TcpListener,
    acceptor: TlsAcceptor,
    inside: SocketAddr,
) -> io::Result<()> {
    loop {
        let (stream, _) = outside.accept().await?;
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            // An error here is the client's: no TLS, or it went away.
            let mut outer = acceptor.accept(stream).await?;
            let mut inner = TcpStream::connect(inside).await?;
            tokio::io::copy_bidirectional(&mut outer, &mut inner).await
        });
    }
}
