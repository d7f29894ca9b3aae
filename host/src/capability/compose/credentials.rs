//! Who may pull from a private registry: a secret in the form of Docker's own configuration file.
//!
//! A policy gives it as the secret variable `DOCKER_AUTH_CONFIG`, as is usual where images are built. It reaches the
//! engine's API, and neither the compose file nor a container.

use bollard::auth::DockerCredentials;

use super::loader::Variables;
use crate::registry::{Credentials, HUB};

/// The variable that holds them.
pub(super) const VARIABLE: &str = "DOCKER_AUTH_CONFIG";

impl Variables {
    /// The credentials for the registry of an image, if there are any.
    ///
    /// # Errors
    /// When the secret is not in that form; its value is not in the message.
    pub(super) fn credentials(&self, image: &str) -> Result<Option<DockerCredentials>, String> {
        let Some(secret) = self.secret.get(VARIABLE) else { return Ok(None) };
        let found = Credentials::in_config(secret, registry(image), &format!("the secret {VARIABLE}"));
        let for_docker = |found: Credentials| DockerCredentials {
            username: Some(found.username),
            password: Some(found.password.reveal().clone()),
            serveraddress: Some(found.address),
            ..DockerCredentials::default()
        };
        found.map(|found| found.map(for_docker)).map_err(|error| error.to_string())
    }
}

/// The registry that an image is in: what stands before the first `/`, when that is a host.
pub(super) fn registry(image: &str) -> &str {
    let host = |host: &&str| host.contains(['.', ':']) || *host == "localhost";
    image.split_once('/').map(|(host, _)| host).filter(host).unwrap_or(HUB)
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
