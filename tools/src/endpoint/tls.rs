//! Certificates, from a text or from the file that it names.

use reqwest::{Certificate, ClientBuilder, Identity};

use super::error::deepest;
use super::{ClientCertificate, EndpointConfig};

/// The client with what the configuration says of TLS, or what is wrong with that.
pub(crate) fn configured(mut builder: ClientBuilder, config: &EndpointConfig) -> Result<ClientBuilder, String> {
    builder = builder.danger_accept_invalid_certs(config.insecure_skip_verify);
    if let Some(ca) = &config.ca {
        for certificate in certificates(ca)? {
            builder = builder.add_root_certificate(certificate);
        }
    }
    if let Some(shown) = &config.client_certificate {
        builder = builder.identity(identity(shown)?);
    }
    Ok(builder)
}

fn certificates(ca: &str) -> Result<Vec<Certificate>, String> {
    let pem = pem("ca", ca)?;
    let found = Certificate::from_pem_bundle(&pem).map_err(|error| format!("`ca`: {}", deepest(&error)))?;
    if found.is_empty() {
        return Err("`ca`: there is no certificate in it".to_owned());
    }
    Ok(found)
}

fn identity(shown: &ClientCertificate) -> Result<Identity, String> {
    let mut both = pem("client_certificate.certificate", &shown.certificate)?;
    both.push(b'\n');
    both.extend(pem("client_certificate.key", shown.key.expose())?);
    Identity::from_pem(&both).map_err(|error| {
        format!("`client_certificate`: {}; wanted are a certificate and its private key, in PEM", deepest(&error))
    })
}

/// The PEM that a setting gives. What it holds is never told: it may be a key.
fn pem(setting: &str, text: &str) -> Result<Vec<u8>, String> {
    if text.contains("-----BEGIN") {
        return Ok(text.as_bytes().to_vec());
    }
    let path = text.trim();
    if path.is_empty() || path.contains('\n') {
        return Err(format!("`{setting}` is neither PEM nor the path of a file"));
    }
    std::fs::read(path).map_err(|error| format!("`{setting}`: {path} can't be read: {error}"))
}
