//! Bearer tokens: what a client shows, and what it may do with it.

use hyper::StatusCode;
use hyper::header::{AUTHORIZATION, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use sha2::{Digest, Sha256};
use std::sync::{Arc, PoisonError};
use subtle::ConstantTimeEq;

use super::Api;
use super::problem::Problem;
use crate::repo::{Name, Scope, Token};
use crate::secret::Secret;

/// A token of `stead.toml`, known by its digest alone.
#[derive(Clone, Debug)]
pub struct KnownToken {
    name: Name,
    digest: [u8; 32],
    may: Token,
}

impl KnownToken {
    /// One whose digest is in `stead.toml`.
    pub fn by_digest(name: Name, digest: [u8; 32], may: Token) -> Self {
        Self { name, digest, may }
    }

    /// One that is a secret.
    pub fn by_secret(name: Name, secret: &Secret<String>, may: Token) -> Self {
        Self { name, digest: Sha256::digest(secret.reveal().as_bytes()).into(), may }
    }

    /// Whose it is, as in `stead.toml`.
    pub(super) fn name(&self) -> &Name {
        &self.name
    }

    /// Whether it has this scope.
    pub(super) fn has(&self, scope: Scope) -> bool {
        self.may.scopes.contains(&scope)
    }

    /// Whether it may touch the jobs of this policy.
    pub(super) fn covers(&self, policy: &str) -> bool {
        self.may.covers(policy)
    }

    /// # Errors
    /// 403 with the scope that is missing.
    pub(super) fn needs(&self, scope: Scope) -> Result<(), Problem> {
        if self.has(scope) {
            return Ok(());
        }
        let word = scope.word();
        let challenge = format!("Bearer realm=\"stead\", error=\"insufficient_scope\", scope=\"{word}\"");
        let detail = format!("the token `{}` lacks the scope `{word}`", self.name);
        Err(Problem::new(StatusCode::FORBIDDEN, "insufficient-scope", detail).with(WWW_AUTHENTICATE, &challenge))
    }
}

impl Api {
    /// Whose token the request has. How long it takes says nothing of how much of a token was right, for digests are compared,
    /// all of them, in constant time.
    ///
    /// # Errors
    /// 401.
    pub(super) fn authenticate(&self, headers: &HeaderMap) -> Result<Arc<KnownToken>, Problem> {
        let Some(shown) = headers.get(AUTHORIZATION).and_then(bearer) else {
            return Err(unauthorized("Bearer realm=\"stead\"", "show a token: Authorization: Bearer …"));
        };
        let wrong = || unauthorized("Bearer realm=\"stead\", error=\"invalid_token\"", "this token is not known");
        self.known(&Sha256::digest(shown).into()).ok_or_else(wrong)
    }

    /// The token of this digest.
    pub(super) fn known(&self, digest: &[u8; 32]) -> Option<Arc<KnownToken>> {
        let mut found = None;
        for token in self.tokens.read().unwrap_or_else(PoisonError::into_inner).iter() {
            if bool::from(token.digest.ct_eq(digest)) {
                found = Some(token.clone());
            }
        }
        found
    }
}

fn bearer(value: &HeaderValue) -> Option<&[u8]> {
    let (scheme, token) = value.as_bytes().split_at_checked(7)?;
    (scheme.eq_ignore_ascii_case(b"bearer ") && !token.is_empty()).then_some(token)
}

fn unauthorized(challenge: &str, detail: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail).with(WWW_AUTHENTICATE, challenge)
}
