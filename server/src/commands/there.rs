//! A running server, asked over HTTP: one connection a call, no proxies, no redirects.
//!
//! Over https the server's certificate is compared with the one that it left word of: names and
//! issuers do not matter between two programs of one user.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http_body_util::BodyExt as _;
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::http::{Method, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::access::Access;
use crate::http::limits::SLOW_REQUEST_MAX;
use crate::http::tls::fingerprint;

/// How long a server of this machine may take to accept a connection.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// Why a call had no answer; a sentence.
pub(super) type Trouble = Box<dyn std::error::Error + Send + Sync>;

/// See the module's text.
pub(super) struct There {
    access: Access,
}

impl There {
    pub(super) fn new(access: Access) -> Self {
        Self { access }
    }

    /// One call; a body is JSON.
    pub(super) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Bytes>,
    ) -> Result<(StatusCode, Bytes), Trouble> {
        let address = self.access.address;
        let connected = timeout(CONNECT_MAX, TcpStream::connect(address)).await;
        let stream = connected.map_err(|_| "it does not accept connections")??;
        stream.set_nodelay(true)?;
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, address.to_string())
            .header(CONTENT_TYPE, "application/json");
        if let Some(token) = &self.access.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Body::from(body.unwrap_or_default()))?;
        let exchange = async {
            match &self.access.certificate {
                None => exchange(stream, request).await,
                Some(pin) => {
                    let name = ServerName::IpAddress(address.ip().into());
                    let stream = connector(pin)?.connect(name, stream).await?;
                    exchange(stream, request).await
                }
            }
        };
        let answered = timeout(SLOW_REQUEST_MAX, exchange).await;
        answered.map_err(|_| "it did not answer in time")?
    }
}

async fn exchange<S>(stream: S, request: Request<Body>) -> Result<(StatusCode, Bytes), Trouble>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let answered = sender.send_request(request).await?;
    let status = answered.status();
    let bytes = answered.into_body().collect().await?.to_bytes();
    connection.abort(); // Its one answer has come.
    Ok((status, bytes))
}

/// Speaks TLS with the one server whose certificate has the SHA-256 `pin`.
fn connector(pin: &str) -> Result<TlsConnector, Trouble> {
    let provider = Arc::new(ring::default_provider());
    let verifier = Pinned {
        pin: pin.to_owned(),
        provider: Arc::clone(&provider),
    };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous() // Not less than the usual: exactly one certificate will do.
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Knows one certificate.
#[derive(Debug)]
struct Pinned {
    pin: String,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if fingerprint(end_entity) == self.pin {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(rustls::Error::General(
                "the certificate is not that of the server which holds the folder".to_owned(),
            ))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let known = &self.provider.signature_verification_algorithms;
        known.supported_schemes()
    }
}
