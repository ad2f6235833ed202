//! The server's own certificate: from files, which are read again when they change, or from our own CA,
//! which is asked again long before it ends.

use crate::config::{Config, Site};
use crate::pki::{Pki, PkiError};
use crate::start::StartError;
use crate::tls::{self, ServerKey};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// The server's own certificate, and where the next one comes from.
pub(crate) struct ServerCertificate {
    key: Arc<ServerKey>,
    source: Source,
}

enum Source {
    Files(Files),
    OwnCa { pki: Arc<Pki>, names: Vec<String> },
}

struct Files {
    certificate: PathBuf,
    key: PathBuf,
    /// What the files looked like when they were last tried.
    tried: Mutex<Look>,
}

/// What tells a changed file: nobody else's clock is asked, two looks are compared.
type Look = [Option<(SystemTime, u64)>; 2];

impl Files {
    fn look(&self) -> Look {
        let look = |path: &Path| {
            let about = path.metadata().ok()?;
            Some((about.modified().ok()?, about.len()))
        };
        [look(&self.certificate), look(&self.key)]
    }

    /// Whether they look otherwise than at the last call.
    fn changed(&self) -> bool {
        let look = self.look();
        let mut tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *tried, look) != look
    }
}

impl ServerCertificate {
    /// Reads it, or has it made.
    pub(crate) fn open(config: &Config, site: &Site, pki: &Arc<Pki>) -> Result<Self, StartError> {
        let source = match (&config.tls_certificate, &config.tls_key) {
            (Some(certificate), Some(key)) => {
                let (certificate, key) = (certificate.clone(), key.clone());
                let files = Files { certificate, key, tried: Mutex::default() };
                files.changed();
                Source::Files(files)
            }
            _ => Source::OwnCa { pki: Arc::clone(pki), names: site.certificate_names() },
        };
        let (chain, key) = source.read()?;
        if let (Source::Files(files), Some(leaf)) = (&source, chain.first())
            && !tls::is_for(leaf, site.url.host_text())
        {
            tracing::warn!(
                file = %files.certificate.display(),
                host = site.url.host_text(),
                "tls_certificate is not for the host of public_url: clients will not believe it"
            );
        }
        Ok(Self { key: Arc::new(ServerKey::new(chain, key)?), source })
    }

    /// What TLS asks for it.
    pub(crate) fn key(&self) -> Arc<ServerKey> {
        Arc::clone(&self.key)
    }

    /// Reads files that have changed since the last look. A pair of which only one half has been
    /// replaced does not fit; the one before serves until the other half is there too.
    pub(crate) fn look(&self) {
        if let Source::Files(files) = &self.source
            && files.changed()
        {
            match self.replace() {
                Ok(()) => tracing::info!("tls_certificate and tls_key were read again"),
                Err(error) => tracing::error!(
                    %error,
                    "tls_certificate and tls_key changed and cannot be used; the ones before stay"
                ),
            }
        }
    }

    /// Has our own CA make another one.
    pub(crate) fn renew(&self) {
        if let Source::OwnCa { .. } = &self.source
            && let Err(error) = self.replace()
        {
            tracing::error!(%error, "the server's certificate could not be renewed");
        }
    }

    fn replace(&self) -> Result<(), StartError> {
        let (chain, key) = self.source.read()?;
        Ok(self.key.replace(chain, key)?)
    }
}

impl Source {
    fn read(&self) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), StartError> {
        match self {
            Self::Files(files) => Ok(tls::read_files(&files.certificate, &files.key)?),
            Self::OwnCa { pki, names } => {
                let (chain, key) = pki.issue_server(names)?;
                let private = key.to_pkcs8().map_err(PkiError::from)?;
                let private = PrivatePkcs8KeyDer::from(private.expose().to_vec());
                Ok((chain.into_iter().map(CertificateDer::from).collect(), private.into()))
            }
        }
    }
}
