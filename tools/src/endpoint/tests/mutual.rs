//! A server that wants to see a certificate.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate of the authority for a name, with its key.
fn issued(authority: &Authority, name: &str) -> (rcgen::Certificate, KeyPair) {
    let key = KeyPair::generate().unwrap();
    (CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, authority).unwrap(), key)
}

/// Listens for one connection, and gives the first line of its request; nothing where it is refused.
async fn serve(authority: &Authority) -> (String, tokio::task::JoinHandle<Option<String>>) {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let (certificate, key) = issued(authority, "localhost");
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone()).unwrap();
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build().unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let served = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = TlsAcceptor::from(Arc::new(config)).accept(stream).await.ok()?;
        let mut request = vec![0; 1024];
        let length = stream.read(&mut request).await.ok()?;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]").await.ok()?;
        stream.shutdown().await.ok();
        String::from_utf8_lossy(&request[..length]).lines().next().map(str::to_owned)
    });
    (url, served)
}

#[tokio::test]
async fn a_certificate_is_shown_to_a_server_that_wants_one() {
    let authority = authority();
    let (certificate, key) = issued(&authority, "marple");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("client.crt");
    std::fs::write(&file, certificate.pem()).unwrap();
    let (url, served) = serve(&authority).await;
    let shown = json!({"certificate": file, "key": key.serialize_pem()});
    let settings = json!({"ca": authority.pem(), "client_certificate": shown});
    let answer: Value = endpoint(&url, &settings).unwrap().get("labels", &[]).await.unwrap().json().unwrap();
    assert_eq!((answer, served.await.unwrap()), (json!([]), Some("GET /labels HTTP/1.1".to_owned())));
}

#[tokio::test]
async fn without_one_or_with_a_strangers_the_server_is_not_reached() {
    let (trusted, other) = (authority(), authority());
    let (certificate, key) = issued(&other, "marple");
    let stranger = json!({"certificate": certificate.pem(), "key": key.serialize_pem()});
    for shown in [Value::Null, stranger] {
        let (url, served) = serve(&trusted).await;
        let settings = json!({"ca": trusted.pem(), "client_certificate": shown});
        let error = endpoint(&url, &settings).unwrap().get("labels", &[]).await.unwrap_err();
        assert!(matches!(error, EndpointError::Unreachable { .. }), "{error}");
        assert_eq!(served.await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_server_of_an_unknown_authority_is_not_believed_unless_told_so() {
    let authority = authority();
    let (certificate, key) = issued(&authority, "marple");
    let shown = json!({"certificate": certificate.pem(), "key": key.serialize_pem()});
    let (url, served) = serve(&authority).await;
    let error = endpoint(&url, &json!({"client_certificate": shown})).unwrap().get("x", &[]).await.unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");
    assert_eq!(served.await.unwrap(), None);
    let (url, served) = serve(&authority).await;
    let settings = json!({"insecure_skip_verify": true, "client_certificate": shown});
    endpoint(&url, &settings).unwrap().get("x", &[]).await.unwrap();
    assert!(served.await.unwrap().is_some());
}
