//! Who may pull and push: out of a secret in the form of Docker's own configuration file, or out of the operator's own one.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::{BufReader, ErrorKind};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use docker_credential::{CredentialRetrievalError, DockerCredential, get_credential_from_reader};
use serde::Deserialize;

use super::HUB;
use crate::secret::Secret;

const HUB_ADDRESS: &str = "https://index.docker.io/v1/";
/// What a helper of Docker says of a registry that it knows nothing of.
const NOT_THERE: &str = "credentials not found";

/// A user of a registry, and the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    pub username: String,
    pub password: Secret<String>,
    /// What the registry is called where they were found.
    pub address: String,
    /// Where they were found.
    pub from: String,
}

/// Credentials cannot be used. None of them is shown.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    #[error("{from} is not like Docker's config.json: {{\"auths\": {{\"HOST\": …}}}}")]
    Form { from: String },
    #[error("{from} cannot be read: {reason}")]
    Read { from: String, reason: String },
    #[error("{from} names {helper} for {host}, which does not answer or has failed")]
    Helper { from: String, helper: String, host: String },
    #[error("{from} has an identity token for {host}, which stead cannot use")]
    IdentityToken { from: String, host: String },
}

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    auths: HashMap<String, Auth>,
}

#[derive(Deserialize)]
struct Auth {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
}

impl Credentials {
    /// Those for the registry `host` in a text like Docker's config.json; `from` is what it is called.
    ///
    /// # Errors
    /// When the text is not in that form.
    pub fn in_config(text: &Secret<String>, host: &str, from: &str) -> Result<Option<Self>, CredentialsError> {
        let wrong = || CredentialsError::Form { from: from.to_owned() };
        let config: Config = serde_json::from_str(text.reveal()).map_err(|_| wrong())?;
        let Some((address, auth)) = config.auths.into_iter().find(|(address, _)| is_of(address, host)) else {
            return Ok(None);
        };
        let (username, password) = match (auth.username, auth.password, auth.auth) {
            (Some(username), Some(password), _) => (username, password),
            (_, _, Some(both)) => pair(&both).ok_or_else(wrong)?,
            _ => return Err(wrong()),
        };
        Ok(Some(Self { username, password: Secret::new(password), address, from: from.to_owned() }))
    }

    /// The operator's own: what `docker login` left, in a file or with a helper.
    ///
    /// # Errors
    /// When it is there and cannot be used.
    pub fn of_operator(host: &str) -> Result<Option<Self>, CredentialsError> {
        let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".docker"));
        let folder = std::env::var_os("DOCKER_CONFIG").map(PathBuf::from).or_else(home);
        folder.map_or(Ok(None), |folder| Self::in_file(&folder.join("config.json"), host))
    }

    fn in_file(path: &Path, host: &str) -> Result<Option<Self>, CredentialsError> {
        let from = path.display().to_string();
        let file = match File::open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(CredentialsError::Read { from, reason: error.to_string() }),
            Ok(file) => BufReader::new(file),
        };
        let address = if host == HUB { HUB_ADDRESS } else { host };
        match get_credential_from_reader(file, address) {
            Ok(DockerCredential::UsernamePassword(username, password)) => {
                Ok(Some(Self { username, password: Secret::new(password), address: address.to_owned(), from }))
            }
            Ok(DockerCredential::IdentityToken(_)) => {
                Err(CredentialsError::IdentityToken { from, host: host.to_owned() })
            }
            Err(CredentialRetrievalError::NoCredentialConfigured) => Ok(None),
            Err(CredentialRetrievalError::HelperFailure { stdout, .. }) if stdout.contains(NOT_THERE) => Ok(None),
            // What a helper says may hold what it keeps.
            Err(CredentialRetrievalError::HelperFailure { helper, .. }) => {
                Err(CredentialsError::Helper { from, helper, host: host.to_owned() })
            }
            Err(
                CredentialRetrievalError::HelperCommunicationError | CredentialRetrievalError::MalformedHelperResponse,
            ) => Err(CredentialsError::Helper { from, helper: "a helper".to_owned(), host: host.to_owned() }),
            Err(_) => Err(CredentialsError::Form { from }),
        }
    }
}

impl fmt::Display for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "user {} of {}", self.username, self.from)
    }
}

fn is_of(address: &str, registry: &str) -> bool {
    let host = address.trim_start_matches("https://").trim_start_matches("http://");
    let host = host.split('/').next().unwrap_or(host);
    host == registry || (registry == HUB && address == HUB_ADDRESS)
}

fn pair(both: &str) -> Option<(String, String)> {
    let text = String::from_utf8(STANDARD.decode(both).ok()?).ok()?;
    text.split_once(':').map(|(username, password)| (username.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const CONFIG: &str = r#"{"auths": {"registry.example.com": {"auth": "bWU6cGFzczp3b3Jk"}, "https://index.docker.io/v1/": {"auth": "YTpi"}}}"#;

    fn pair_of(found: Result<Option<Credentials>, CredentialsError>) -> Option<(String, String)> {
        found.ok().flatten().map(|found| (found.username, found.password.reveal().clone()))
    }

    #[test]
    fn those_of_a_secret_are_found_by_their_registry() {
        let text = Secret::new(CONFIG.to_owned());
        let of = |host: &str| pair_of(Credentials::in_config(&text, host, "the secret login"));
        assert_eq!(of("registry.example.com"), Some(("me".to_owned(), "pass:word".to_owned())));
        assert_eq!(of("docker.io"), Some(("a".to_owned(), "b".to_owned())));
        assert_eq!(of("other.example.com"), None);
        let wrong = Credentials::in_config(&Secret::new("s3cr3t".to_owned()), "x.y", "the secret login");
        let error = wrong.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains("the secret login") && !error.contains("s3cr3t"), "{error}");
    }

    #[test]
    fn those_of_the_operator_are_in_a_file_or_with_a_helper() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("config.json");
        assert_eq!(Credentials::in_file(&path, "registry.example.com"), Ok(None));
        std::fs::write(&path, CONFIG)?;
        let found = Credentials::in_file(&path, "registry.example.com");
        assert_eq!(pair_of(found), Some(("me".to_owned(), "pass:word".to_owned())));
        assert_eq!(pair_of(Credentials::in_file(&path, "docker.io")), Some(("a".to_owned(), "b".to_owned())));
        std::fs::write(&path, "s3cr3t")?;
        let error = Credentials::in_file(&path, "x.y").err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains("config.json") && !error.contains("s3cr3t"), "{error}");
        // docker-credential-no-such-helper is nowhere.
        std::fs::write(&path, r#"{"credHelpers": {"x.y": "no-such-helper"}}"#)?;
        assert!(matches!(Credentials::in_file(&path, "x.y"), Err(CredentialsError::Helper { .. })));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        Ok(())
    }
}
