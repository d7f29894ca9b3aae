//! What the operator lets a policy back up, and where to.

use serde::Deserialize;

use super::Spec;
use crate::capability::Denied;
use crate::grant::Patterns;

/// `[policy.NAME.grant.backup]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// Patterns of repositories, as restic(1) writes them: `sftp:backup@10.8.0.9:/srv/restic`.
    pub repositories: Patterns,
    /// Patterns of the apps whose volumes and databases may be read, and written when they are restored.
    pub apps: Option<Patterns>,
    /// Patterns of the host's own paths: `/srv/**`.
    pub paths: Option<Patterns>,
    /// Patterns of the secrets that restic may be given.
    pub secrets: Option<Patterns>,
}

impl Scope {
    /// Whether repository, apps, paths and secrets are granted.
    ///
    /// # Errors
    /// [`Denied`], for the first of them that is not.
    pub fn check(&self, spec: &Spec) -> Result<(), Denied> {
        let repository = spec.repository.as_str();
        if !self.repositories.matches(repository) {
            return Err(denied(format!("back up to {repository}"), "repositories", repository));
        }
        if let Some(app) = spec.contents.apps().find(|app| !matches(self.apps.as_ref(), app.as_str())) {
            return Err(denied(format!("back up {app}"), "apps", app.as_str()));
        }
        if let Some(path) = spec.contents.paths.iter().find(|path| !matches(self.paths.as_ref(), path.as_str())) {
            return Err(denied(format!("back up {path}"), "paths", path.as_str()));
        }
        match spec.secrets().find(|secret| !matches(self.secrets.as_ref(), secret.as_str())) {
            Some(secret) => Err(denied(format!("give restic the secret {secret}"), "secrets", secret.as_str())),
            None => Ok(()),
        }
    }
}

fn matches(patterns: Option<&Patterns>, name: &str) -> bool {
    patterns.is_some_and(|patterns| patterns.matches(name))
}

fn denied(asked: String, key: &'static str, value: &str) -> Denied {
    Denied { capability: "backup", asked, key, value: Patterns::only(value) }
}
