//! Bearer tokens: what a client shows.

use hyper::StatusCode;
use hyper::header::{AUTHORIZATION, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use sha2::{Digest, Sha256};
use std::sync::{Arc, PoisonError};
use subtle::ConstantTimeEq;

use super::Api;
use super::caller::Caller;
use super::problem::Problem;
use crate::repo::{Access, Name};
use crate::secret::Secret;

/// A token of `stead.toml`, known by its digest alone.
#[derive(Clone, Debug)]
pub struct KnownToken {
    digest: [u8; 32],
    caller: Arc<Caller>,
}

impl KnownToken {
    /// One whose digest is in `stead.toml`.
    pub fn by_digest(name: &Name, digest: [u8; 32], access: Access) -> Self {
        Self { digest, caller: Arc::new(Caller::token(name.as_str(), access)) }
    }

    /// One that is a secret.
    pub fn by_secret(name: &Name, secret: &Secret<String>, access: Access) -> Self {
        Self::by_digest(name, Sha256::digest(secret.reveal().as_bytes()).into(), access)
    }
}

impl Api {
    /// Whose token the request has. How long it takes says nothing of how much of a token was right, for digests are compared,
    /// all of them, in constant time.
    ///
    /// # Errors
    /// 401.
    pub(super) fn authenticate(&self, headers: &HeaderMap) -> Result<Arc<Caller>, Problem> {
        let Some(shown) = headers.get(AUTHORIZATION).and_then(bearer) else {
            return Err(unauthorized("Bearer realm=\"stead\"", "show a token: Authorization: Bearer …"));
        };
        let wrong = || unauthorized("Bearer realm=\"stead\", error=\"invalid_token\"", "this token is not known");
        self.known(&Sha256::digest(shown).into()).ok_or_else(wrong)
    }

    /// Whose token has this digest.
    pub(super) fn known(&self, digest: &[u8; 32]) -> Option<Arc<Caller>> {
        let mut found = None;
        for token in &self.admitted.read().unwrap_or_else(PoisonError::into_inner).tokens {
            if bool::from(token.digest.ct_eq(digest)) {
                found = Some(token.caller.clone());
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
