//! Whoever asks, and what they may do: the owner of a token, or a person whom the SSO provider knows.

use std::fmt;

use hyper::StatusCode;
use hyper::header::WWW_AUTHENTICATE;

use super::problem::Problem;
use crate::repo::{Access, Scope};

/// Whoever asks.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    /// What it is that has the name.
    kind: &'static str,
    name: String,
    /// One for each table of `stead.toml` that means them. What one of them allows is not widened by another.
    access: Vec<Access>,
}

impl Caller {
    pub(super) fn token(name: &str, access: Access) -> Self {
        Self { kind: "token", name: name.to_owned(), access: vec![access] }
    }

    /// A person; none: no table means them.
    pub(super) fn person(name: &str, access: Vec<Access>) -> Option<Self> {
        (!access.is_empty()).then(|| Self { kind: "person", name: name.to_owned(), access })
    }

    /// What has the name, and the name.
    pub(super) fn words(&self) -> (&'static str, &str) {
        (self.kind, &self.name)
    }

    /// Whether they have this scope, with whatever jobs.
    pub(super) fn has(&self, scope: Scope) -> bool {
        self.access.iter().any(|access| access.scopes.contains(&scope))
    }

    /// Whether they may do this with the jobs of this policy.
    pub(super) fn covers(&self, scope: Scope, policy: &str) -> bool {
        self.access.iter().any(|access| access.covers(scope, policy))
    }

    /// # Errors
    /// 403 with the scope that is missing.
    pub(super) fn needs(&self, scope: Scope) -> Result<(), Problem> {
        if self.has(scope) {
            return Ok(());
        }
        let word = scope.word();
        let challenge = format!("Bearer realm=\"stead\", error=\"insufficient_scope\", scope=\"{word}\"");
        let detail = format!("the {self} lacks the scope `{word}`");
        Err(Problem::new(StatusCode::FORBIDDEN, "insufficient-scope", detail).with(WWW_AUTHENTICATE, &challenge))
    }
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.kind, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_table_allows_is_not_widened_by_another() -> anyhow::Result<()> {
        let reads = toml::from_str("scopes = [\"read\"]\njobs = [\"*\"]")?;
        let cancels = toml::from_str("scopes = [\"cancel\"]\njobs = [\"predict\"]")?;
        let caller = Caller::person("anna", vec![reads, cancels]).ok_or_else(|| anyhow::anyhow!("nobody"))?;
        assert!(caller.covers(Scope::Read, "other") && caller.covers(Scope::Cancel, "predict"));
        assert!(caller.has(Scope::Cancel) && !caller.covers(Scope::Cancel, "other"));
        assert!(caller.needs(Scope::Hosts).is_err() && Caller::person("anna", vec![]).is_none());
        Ok(())
    }
}
