//! People whom the repo's SSO provider knows: the authorization code flow of OpenID Connect, with PKCE.
//!
//! A login begins with a number in a cookie of the browser ([`login`]), from which all that binds it is derived, so that nothing is
//! kept here of those who only begin. The provider ([`provider`]) is asked when somebody logs in and not before; what it answers has
//! limits ([`exchange`]), and what it says of a person counts when one of its keys has signed it ([`token`], [`key`]). What that person may do
//! is what `stead.toml` says of their claims ([`person`]), now and not when they logged in.
//!
//! It must never show the secret, a code or a token, nor believe what the provider has not verified.

use std::path::PathBuf;
use std::sync::Arc;

use url::Url;

use super::caller::Caller;
use crate::repo;
use crate::secret::Secret;

mod error;
mod exchange;
mod key;
mod login;
mod person;
mod provider;
mod token;

pub(super) use error::{SsoError, code};
pub(super) use login::{Login, Logins};
pub(super) use person::Person;

use provider::Provider;

/// The provider of `[serve.sso]`, and whom it lets in.
#[derive(Debug)]
pub struct Sso {
    table: repo::Sso,
    secret: Secret<String>,
    provider: Provider,
}

impl Sso {
    /// The one of this table. `ca` is the file of certificates that it names. Nothing is asked yet.
    pub fn new(table: repo::Sso, secret: Secret<String>, ca: Option<PathBuf>) -> Self {
        let provider = Provider::new(&table, ca);
        Self { table, secret, provider }
    }

    /// What people know it by.
    pub(super) fn name(&self) -> String {
        let url = Url::parse(self.table.issuer.as_str());
        url.ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
    }

    /// Where a browser begins to log in: at the place to which the provider sends it back, for the cookie is of that place.
    pub(super) fn address(&self, path: &str) -> String {
        self.table.redirect.page(path)
    }

    /// Whether browsers reach the page by TLS.
    pub(super) fn is_secure(&self) -> bool {
        self.table.redirect.is_secure()
    }

    /// What logins of this provider alone have in common.
    pub(super) fn place(&self) -> String {
        format!("{} {}", self.table.issuer.as_str(), self.table.client_id)
    }

    /// Whether this is the provider's name, as an answer may say (RFC 9207).
    pub(super) fn is_issuer(&self, said: &str) -> bool {
        said == self.table.issuer.as_str()
    }

    /// Where the provider asks a person who they are.
    ///
    /// # Errors
    /// When the provider cannot be asked where that is.
    pub(super) async fn question(&self, login: &Login) -> Result<Url, SsoError> {
        let known = self.provider.known().await?;
        Ok(known.question(&self.table, login))
    }

    /// Whom the code stands for.
    ///
    /// # Errors
    /// When the provider does not answer, or what it says is not to be believed.
    pub(super) async fn person(&self, login: &Login, code: &str) -> Result<Person, SsoError> {
        let claims = self.provider.claims(&self.table, &self.secret, login, code).await?;
        Person::of(&self.table, &claims)
    }

    /// What this person may do; none: no table means them.
    pub(super) fn admit(&self, person: &Person) -> Option<Arc<Caller>> {
        person.caller(&self.table).map(Arc::new)
    }
}
