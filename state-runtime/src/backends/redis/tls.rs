//! TLS: rustls with ring, whatever else the program links.

use std::{path::Path, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio_rustls::TlsConnector;

use super::config::TlsFiles;
use crate::backend::{BackendError, ErrorKind, Result};

/// Reads the files and prepares the connections.
pub(super) fn connector(files: &TlsFiles) -> Result<TlsConnector> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| refused("rustls offers no version of TLS"))?
        .with_root_certificates(roots(files.authority.as_deref())?);
    let config = match &files.client {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let key_der = PrivateKeyDer::from_pem_file(key)
                .map_err(|_| unreadable(key, "no private key in PEM form"))?;
            builder
                .with_client_auth_cert(certificates(certificate)?, key_der)
                .map_err(|_| unreadable(key, "the private key is not that of the certificate"))?
        }
    };
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Whom to trust.
fn roots(authority: Option<&Path>) -> Result<RootCertStore> {
    let mut store = RootCertStore::empty();
    match authority {
        Some(file) => {
            for certificate in certificates(file)? {
                store.add(certificate).map_err(|_| unreadable(file, "no valid certificate"))?;
            }
        }
        // One that cannot be used is left out: others may be all that is needed.
        None => {
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if store.is_empty() {
        return Err(refused(
            "the machine trusts no authority; install its certificates or name a file with them",
        ));
    }
    Ok(store)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(unreadable(file, "no certificates in PEM form")),
    }
}

fn unreadable(file: &Path, what: &str) -> BackendError {
    refused(format!("`{}` cannot be read, or holds {what}", file.display()))
}

fn refused(message: impl Into<std::borrow::Cow<'static, str>>) -> BackendError {
    BackendError::new(ErrorKind::Other, message)
}
