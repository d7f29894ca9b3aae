//! What the operator lets a policy do with files.

use serde::Deserialize;

use super::{Form, Spec};
use crate::capability::Denied;
use crate::grant::Patterns;

/// `[policy.NAME.grant.file]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// Patterns of paths that may be written or removed: `/srv/www/**`.
    pub paths: Patterns,
    /// Patterns of the programs that may validate a content, as the policy names them: `sshd`, `/usr/sbin/visudo`.
    /// They run as root.
    pub validate: Option<Patterns>,
    /// Patterns of the secrets that may be put in a file.
    pub secrets: Option<Patterns>,
    /// Whether a file may have the set-user-ID or set-group-ID bit.
    #[serde(default)]
    pub setuid: bool,
}

const SET_ID: u32 = 0o6000;

impl Scope {
    /// Whether path, program, secrets and bits are granted.
    ///
    /// # Errors
    /// [`Denied`], for the first of them that is not.
    pub fn check(&self, spec: &Spec) -> Result<(), Denied> {
        let path = spec.path.as_str();
        if !self.paths.matches(path) {
            return Err(denied(format!("{} {path}", verb(&spec.form)), "paths", Patterns::only(path)));
        }
        let Form::File { attributes, validate, .. } = &spec.form else { return Ok(()) };
        if let Some(program) = validate.first()
            && !matches(self.validate.as_ref(), program)
        {
            return Err(denied(format!("validate {path} by {program}"), "validate", Patterns::only(program)));
        }
        if let Some(secret) = spec.secrets().find(|secret| !matches(self.secrets.as_ref(), secret)) {
            return Err(denied(format!("put secret {secret} in {path}"), "secrets", Patterns::only(secret)));
        }
        if attributes.mode.bits() & SET_ID != 0 && !self.setuid {
            return Err(denied(format!("make {path} mode {}", attributes.mode), "setuid", "true".to_owned()));
        }
        Ok(())
    }
}

fn verb(form: &Form) -> &'static str {
    match form {
        Form::Absent {} => "remove",
        Form::File { .. } => "write",
        Form::Directory(_) => "make directory",
        Form::Symlink { .. } => "link",
    }
}

fn matches(patterns: Option<&Patterns>, name: &str) -> bool {
    patterns.is_some_and(|patterns| patterns.matches(name))
}

fn denied(asked: String, key: &'static str, value: String) -> Denied {
    Denied { capability: "file", asked, key, value }
}
