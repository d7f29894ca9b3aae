//! Where the database is, and how the way to it is kept safe.

use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use postgres::config::SslMode;
use postgres::{Client, Config, NoTls};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::QueueError;

/// How long a server may take to answer at first, and how long it may leave what was sent unheard.
const CONNECT: Duration = Duration::from_secs(10);
const UNHEARD: Duration = Duration::from_secs(20);

/// A server of PostgreSQL: what a `postgres://` address says. `Debug` shows no password.
#[derive(Clone)]
pub struct Server {
    config: Config,
    /// Who signs the server's certificate, when it is not one of the system's authorities.
    root: Option<PathBuf>,
}

impl FromStr for Server {
    type Err = QueueError;

    /// As libpq reads it, with `sslmode` one of `disable`, `prefer`, `require`, `verify-full`, and `sslrootcert`. Where TLS is
    /// used, the certificate is always verified, with the host's name.
    fn from_str(address: &str) -> Result<Self, QueueError> {
        let (base, query) = address.split_once('?').unwrap_or((address, ""));
        let (mut root, mut kept) = (None, Vec::new());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sslrootcert", path)) => root = Some(PathBuf::from(path)),
                Some(("sslmode", "verify-full")) => kept.push("sslmode=require"),
                _ => kept.push(pair),
            }
        }
        let config = format!("{base}?{}", kept.join("&")).parse();
        Ok(Self { config: config.map_err(|error| QueueError::Address(Arc::new(error)))?, root })
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Config's own Debug leaves the password out.
        f.debug_struct("Server").field("config", &self.config).field("root", &self.root).finish()
    }
}

impl Server {
    /// Whether the address has a password in it.
    pub fn has_password(&self) -> bool {
        self.config.get_password().is_some()
    }

    /// The same server with a password, which is never shown.
    #[must_use]
    pub fn with_password(mut self, password: &str) -> Self {
        self.config.password(password);
        self
    }

    pub(super) fn connect(&self) -> Result<Client, QueueError> {
        let mut config = self.config.clone();
        config.application_name("stead");
        // A server that has vanished must not hold up everybody for as long as TCP is willing to wait.
        config.connect_timeout(*config.get_connect_timeout().unwrap_or(&CONNECT));
        config.tcp_user_timeout(*config.get_tcp_user_timeout().unwrap_or(&UNHEARD));
        let connected = match config.get_ssl_mode() {
            SslMode::Disable => config.connect(NoTls),
            _ => config.connect(MakeRustlsConnect::new(self.tls()?)),
        };
        connected.map_err(|error| QueueError::Connect(Arc::new(error)))
    }

    fn tls(&self) -> Result<ClientConfig, QueueError> {
        let wrong = |error: rustls::Error| QueueError::Connect(Arc::new(error));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = versions.map_err(wrong)?.with_root_certificates(self.roots()?);
        Ok(builder.with_no_client_auth())
    }

    fn roots(&self) -> Result<RootCertStore, QueueError> {
        let mut roots = RootCertStore::empty();
        let Some(path) = &self.root else {
            // What cannot be read is not trusted; a server that needs it is refused.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            return Ok(roots);
        };
        let at = |source| QueueError::Open { path: path.clone(), source };
        let pem = fs::read(path).map_err(|error| at(Arc::new(error)))?;
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let certificate = certificate.map_err(|error| at(Arc::new(error)))?;
            roots.add(certificate).map_err(|error| at(Arc::new(error)))?;
        }
        Ok(roots)
    }
}
