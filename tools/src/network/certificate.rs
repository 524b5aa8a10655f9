//! What a TLS server shows of itself.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use rustls_platform_verifier::Verifier;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use crate::kubernetes::clock::length;

/// Names of a certificate that are told; some have hundreds.
const NAMES: usize = 20;

/// Shakes hands and tells version, certificate and whether it is trusted, a line each. The error says why there was
/// no TLS.
pub(super) async fn read(stream: TcpStream, host: &str, now: Timestamp) -> Result<String, String> {
    let provider =
        CryptoProvider::get_default().cloned().unwrap_or_else(|| Arc::new(rustls::crypto::ring::default_provider()));
    let witness = Arc::new(Witness {
        trust: Verifier::new(Arc::clone(&provider)).map_err(|error| error.to_string()),
        provider: Arc::clone(&provider),
        judgement: Mutex::default(),
    });
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::<Witness>::clone(&witness))
        .with_no_client_auth();
    let name = ServerName::try_from(host.trim_end_matches('.').to_owned())
        .map_err(|_| format!("{host} is no name that TLS can ask for"))?;
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(|error| error.to_string())?;
    let (_, connection) = stream.get_ref();
    let version = connection.protocol_version().and_then(|version| version.as_str().map(str::to_owned));
    let version = version.unwrap_or_else(|| "TLS".to_owned()).replace("TLSv1_", "TLS 1.");
    let mut text = format!("{version}, {}\n", witness.judged());
    for (place, certificate) in connection.peer_certificates().unwrap_or_default().iter().enumerate() {
        let what = if place == 0 { "certificate" } else { "issuer's certificate" };
        match Certificate::from_der(certificate) {
            Ok(certificate) => text += &told(what, &certificate, now),
            Err(error) => {
                let _ = writeln!(text, "{what}: can't be read: {error}");
            }
        }
    }
    Ok(text)
}

/// Lets every certificate pass and keeps what the system's trust says of it: nothing is sent over the connection, and
/// one that fails is just what people want to see.
#[derive(Debug)]
struct Witness {
    trust: Result<Verifier, String>,
    provider: Arc<CryptoProvider>,
    judgement: Mutex<Option<Result<(), String>>>,
}

impl Witness {
    fn judged(&self) -> String {
        match &*self.judgement.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(Ok(())) => "trusted for this name".to_owned(),
            Some(Err(why)) => format!("not trusted by this machine: {why}"),
            None => "without a certificate".to_owned(),
        }
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let judgement = match &self.trust {
            Err(why) => Err(why.clone()),
            Ok(trust) => trust
                .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
                .map(|_| ())
                .map_err(|error| error.to_string().trim_start_matches("invalid peer certificate: ").to_owned()),
        };
        *self.judgement.lock().unwrap_or_else(PoisonError::into_inner) = Some(judgement);
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn told(what: &str, certificate: &Certificate, now: Timestamp) -> String {
    let inner = certificate.tbs_certificate();
    let at = |time: x509_cert::time::Time| {
        let seconds = i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
        Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
    };
    let (from, until) = (at(inner.validity().not_before), at(inner.validity().not_after));
    let left = until.as_second() - now.as_second();
    let standing = if now < from {
        format!("not valid for another {}", length(from.as_second() - now.as_second()))
    } else if left < 0 {
        format!("EXPIRED {} ago", length(-left))
    } else {
        format!("expires in {}", length(left))
    };
    let mut text = format!("{what} {}: valid {from:.0} to {until:.0}, {standing}\n", inner.subject());
    let names = names(certificate);
    if !names.is_empty() {
        let more = names.len().saturating_sub(NAMES);
        let shown = names.into_iter().take(NAMES).collect::<Vec<_>>().join(", ");
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        let _ = writeln!(text, "  names: {shown}{more}");
    }
    let _ = writeln!(text, "  issued by {}", inner.issuer());
    text
}

fn names(certificate: &Certificate) -> Vec<String> {
    let Ok(Some((_, SubjectAltName(names)))) = certificate.tbs_certificate().get_extension::<SubjectAltName>() else {
        return Vec::new();
    };
    let told = |name: GeneralName| match name {
        GeneralName::DnsName(name) | GeneralName::UniformResourceIdentifier(name) => Some(name.to_string()),
        GeneralName::IpAddress(bytes) => address(bytes.as_bytes()),
        _ => None,
    };
    names.into_iter().filter_map(told).collect()
}

fn address(bytes: &[u8]) -> Option<String> {
    let four = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    four.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok().map(|address| address.to_string())
}
