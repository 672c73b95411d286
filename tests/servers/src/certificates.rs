//! Certificates for servers that speak TLS, made anew for each.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
};

/// The files, in PEM form, of an authority and of what it vouches for.
#[derive(Debug, Clone)]
pub struct Certificates {
    folder: PathBuf,
}

impl Certificates {
    /// Makes an authority, a certificate for `localhost` and `127.0.0.1`, and one for a client.
    ///
    /// # Panics
    ///
    /// If they cannot be made or written to `folder`.
    #[must_use]
    pub fn make(folder: &Path) -> Self {
        let this = Self::at(folder);
        this.try_make().expect("certificates can be made");
        this
    }

    /// Those that were made in `folder` before.
    pub(super) fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    fn try_make(&self) -> Result<(), Box<dyn std::error::Error>> {
        let mut params = CertificateParams::new(Vec::new())?;
        // Names that differ from those below: OpenSSL takes a certificate that has the name of its
        // issuer for one that nobody vouches for.
        params.distinguished_name.push(DnType::CommonName, "the authority of a test");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
        fs::write(self.authority(), params.self_signed(&key)?.pem())?;
        let issuer = Issuer::new(params, key);

        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let roles = [
            (self.server(), names.to_vec(), ExtendedKeyUsagePurpose::ServerAuth),
            (self.client(), vec!["client".to_owned()], ExtendedKeyUsagePurpose::ClientAuth),
        ];
        for ((certificate, private), names, purpose) in roles {
            let mut params = CertificateParams::new(names)?;
            params.extended_key_usages.push(purpose);
            let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
            fs::write(certificate, params.signed_by(&key, &issuer)?.pem())?;
            fs::write(private, key.serialize_pem())?;
        }
        Ok(())
    }

    /// The certificate of the authority, which a client has to trust.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.folder.join("authority.pem")
    }

    /// The certificate of the server, and its private key.
    #[must_use]
    pub fn server(&self) -> (PathBuf, PathBuf) {
        (self.folder.join("server.pem"), self.folder.join("server-key.pem"))
    }

    /// A certificate with which a client can show who it is, and its private key.
    #[must_use]
    pub fn client(&self) -> (PathBuf, PathBuf) {
        (self.folder.join("client.pem"), self.folder.join("client-key.pem"))
    }
}
