//! Who may pull from a private registry: a secret in the form of Docker's own configuration file.
//!
//! A policy gives it as the secret variable `DOCKER_AUTH_CONFIG`, as is usual where images are built. It reaches the
//! engine's API, and neither the compose file nor a container.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bollard::auth::DockerCredentials;
use serde::Deserialize;

use super::loader::Variables;

/// The variable that holds them.
pub(super) const VARIABLE: &str = "DOCKER_AUTH_CONFIG";
/// The registry of an image that names none.
const HUB: &str = "docker.io";
const HUB_ADDRESS: &str = "https://index.docker.io/v1/";

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

impl Variables {
    /// The credentials for the registry of an image, if there are any.
    ///
    /// # Errors
    /// When the secret is not in that form; its value is not in the message.
    pub(super) fn credentials(&self, image: &str) -> Result<Option<DockerCredentials>, String> {
        let Some(secret) = self.secret.get(VARIABLE) else { return Ok(None) };
        let wrong =
            || format!("the secret {VARIABLE} is not like Docker's config.json: {{\"auths\": {{\"HOST\": …}}}}");
        let config: Config = serde_json::from_str(secret.reveal()).map_err(|_| wrong())?;
        let registry = registry(image);
        let Some((address, auth)) = config.auths.into_iter().find(|(host, _)| is_of(host, registry)) else {
            return Ok(None);
        };
        let (username, password) = match (auth.username, auth.password, auth.auth) {
            (Some(username), Some(password), _) => (username, password),
            (_, _, Some(both)) => pair(&both).ok_or_else(wrong)?,
            _ => return Err(wrong()),
        };
        let serveraddress = Some(address);
        let (username, password) = (Some(username), Some(password));
        Ok(Some(DockerCredentials { username, password, serveraddress, ..DockerCredentials::default() }))
    }
}

/// The registry that an image is in: what stands before the first `/`, when that is a host.
pub(super) fn registry(image: &str) -> &str {
    let host = |host: &&str| host.contains(['.', ':']) || *host == "localhost";
    image.split_once('/').map(|(host, _)| host).filter(host).unwrap_or(HUB)
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
    use super::*;
    use crate::secret::Secret;

    #[test]
    fn finds_the_credentials_of_a_registry() {
        let mut variables = Variables::default();
        let text = r#"{"auths": {"registry.example.com": {"auth": "bWU6cGFzczp3b3Jk"}, "https://index.docker.io/v1/": {"username": "a", "password": "b"}}}"#;
        variables.secret.insert(VARIABLE.to_owned(), Secret::new(text.to_owned()));
        let of = |image: &str| {
            variables.credentials(image).ok().flatten().and_then(|found| found.username.zip(found.password))
        };
        assert_eq!(of("registry.example.com/team/app:1"), Some(("me".to_owned(), "pass:word".to_owned())));
        assert_eq!(of("nginx:1"), Some(("a".to_owned(), "b".to_owned())));
        assert_eq!(of("other.example.com/app"), None);
        variables.secret.insert(VARIABLE.to_owned(), Secret::new("s3cr3t".to_owned()));
        let error = variables.credentials("nginx").err().unwrap_or_default();
        assert!(error.contains("config.json") && !error.contains("s3cr3t"), "{error}");
    }
}
