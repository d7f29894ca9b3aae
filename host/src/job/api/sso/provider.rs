//! The provider itself: where it answers what (OpenID Connect Discovery 1.0), which keys it signs by, and what it says a code is for.
//!
//! What is known of it is kept for an hour, and is asked for anew before that only when a token was signed by a key that is not known.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::{Client, RequestBuilder};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::{Mutex, Semaphore};
use url::{Url, form_urlencoded};

use super::error::SsoError;
use super::exchange::{ask, body, client};
use super::key::Key;
use super::login::Login;
use super::person::Claims;
use super::token::{Doubt, Expected, verified};
use crate::repo::Sso;
use crate::secret::Secret;

/// How long what is known of the provider counts.
const FRESH: Duration = Duration::from_secs(60 * 60);
/// How often keys may be asked for anew, and a provider that does not answer may be asked again.
const PAUSE: Duration = Duration::from_secs(5);
/// How many logins may wait for the provider at once.
const LOGINS: usize = 16;
/// The scopes of OpenID Connect that say who somebody is.
const SCOPES: [&str; 2] = ["email", "groups"];

#[derive(Debug)]
pub(super) struct Provider {
    issuer: String,
    is_secure: bool,
    ca: Option<PathBuf>,
    last: Mutex<Option<Last>>,
    logins: Semaphore,
}

/// What came of asking it the last time.
#[derive(Debug)]
struct Last {
    at: Instant,
    came: Result<Arc<Known>, SsoError>,
}

/// What is known of it.
#[derive(Debug)]
pub(super) struct Known {
    client: Client,
    said: Metadata,
    authorization: Url,
    keys: Vec<Key>,
}

/// What it says of itself.
#[derive(Debug, Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    scopes_supported: Option<Vec<String>>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

/// Its keys. One that cannot be read does not count.
#[derive(Deserialize)]
struct Keys {
    keys: Vec<Value>,
}

/// What a code was exchanged for.
#[derive(Deserialize)]
struct Tokens {
    id_token: String,
    access_token: String,
}

impl Provider {
    pub(super) fn new(table: &Sso, ca: Option<PathBuf>) -> Self {
        let (issuer, is_secure) = (table.issuer.as_str().to_owned(), table.issuer.is_secure());
        Self { issuer, is_secure, ca, last: Mutex::new(None), logins: Semaphore::new(LOGINS) }
    }

    /// What is known of it. It is asked by one login at a time, and those that wait for that take what came of it.
    ///
    /// # Errors
    /// When it cannot be asked, or does not say what it has to.
    pub(super) async fn known(&self) -> Result<Arc<Known>, SsoError> {
        self.known_for(FRESH).await
    }

    async fn known_for(&self, fresh: Duration) -> Result<Arc<Known>, SsoError> {
        let mut last = self.last.lock().await;
        if let Some(Last { at, came }) = &*last
            && at.elapsed() < if came.is_ok() { fresh } else { PAUSE }
        {
            return came.clone();
        }
        let came = self.discover().await.map(Arc::new);
        *last = Some(Last { at: Instant::now(), came: came.clone() });
        came
    }

    async fn discover(&self) -> Result<Known, SsoError> {
        let what = "its configuration";
        let client = client(self.ca.as_deref(), self.is_secure)?;
        let at = format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let bytes = body(what, client.get(at)).await?;
        let wrong = |reason: String| SsoError::Content { what, reason };
        // There is nothing secret in it, and the words say which field is missing.
        let said: Metadata = serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
        if said.issuer != self.issuer {
            return Err(SsoError::Issuer { expected: self.issuer.clone(), found: said.issuer });
        }
        let authorization = Url::parse(&said.authorization_endpoint)
            .ok()
            .filter(|url| url.scheme() == "https" || url.scheme() == "http" && !self.is_secure);
        let authorization =
            authorization.ok_or_else(|| wrong("its authorization_endpoint is no https:// URL".to_owned()))?;
        let found: Keys = ask("its keys", client.get(&said.jwks_uri)).await?;
        let keys = found.keys.into_iter().filter_map(Key::of).collect();
        Ok(Known { client, said, authorization, keys })
    }

    /// The claims of whom the code was given to.
    ///
    /// # Errors
    /// When it does not answer, or what it says is not to be believed.
    pub(super) async fn claims(
        &self,
        table: &Sso,
        secret: &Secret<String>,
        login: &Login,
        code: &str,
    ) -> Result<Claims, SsoError> {
        let _permit = self.logins.try_acquire().map_err(|_| SsoError::Busy)?;
        let known = self.known().await?;
        let tokens: Tokens = ask("the code", known.exchange(table, secret, login, code)).await?;
        let expected = Expected { issuer: &self.issuer, client: &table.client_id, nonce: &login.nonce };
        let mut claims = verified(&tokens.id_token, &known.keys, expected);
        if claims == Err(Doubt::Key) {
            let known = self.known_for(PAUSE).await?;
            claims = verified(&tokens.id_token, &known.keys, expected);
        }
        let mut claims = claims.map_err(|doubt| match doubt {
            Doubt::Key => SsoError::NotBelieved("its token is signed by none of its keys"),
            Doubt::Wrong(reason) => SsoError::NotBelieved(reason),
        })?;
        known.complete(&mut claims, &table.group_claim, &tokens.access_token).await?;
        Ok(claims)
    }
}

impl Known {
    /// Where it asks a person who they are.
    pub(super) fn question(&self, table: &Sso, login: &Login) -> Url {
        let has = |scope: &&str| match &self.said.scopes_supported {
            Some(supported) => supported.iter().any(|one| one == scope),
            // Every provider has this one, and some refuse what they do not have.
            None => *scope == "email",
        };
        let scopes = ["openid"].into_iter().chain(SCOPES.into_iter().filter(has)).collect::<Vec<_>>().join(" ");
        let mut url = self.authorization.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &table.client_id)
            .append_pair("redirect_uri", table.redirect.as_str())
            .append_pair("scope", &scopes)
            .append_pair("state", &login.state)
            .append_pair("nonce", &login.nonce)
            .append_pair("code_challenge", &login.challenge())
            .append_pair("code_challenge_method", "S256");
        url
    }

    /// RFC 6749, sections 2.3.1 and 4.1.3.
    fn exchange(&self, table: &Sso, secret: &Secret<String>, login: &Login, code: &str) -> RequestBuilder {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", code)
            .append_pair("redirect_uri", table.redirect.as_str())
            .append_pair("code_verifier", &login.verifier);
        let methods = self.said.token_endpoint_auth_methods_supported.as_deref().unwrap_or_default();
        let has = |method: &str| methods.iter().any(|one| one == method);
        let mut request = self.client.post(&self.said.token_endpoint);
        if has("client_secret_post") && !has("client_secret_basic") {
            form.append_pair("client_id", &table.client_id).append_pair("client_secret", secret.reveal());
        } else {
            let [client, secret] = [&table.client_id, secret.reveal()].map(|text| encoded(text));
            request = request.basic_auth(client, Some(secret));
        }
        let form_type = "application/x-www-form-urlencoded";
        request.header("content-type", form_type).header("accept", "application/json").body(form.finish())
    }

    /// Adds what the token leaves out and the provider says besides. Whose address it is, is said by whoever says the address.
    async fn complete(&self, claims: &mut Claims, group_claim: &str, access: &str) -> Result<(), SsoError> {
        let lacks: Vec<&str> = ["email", group_claim].into_iter().filter(|key| !claims.contains_key(*key)).collect();
        let Some(place) = self.said.userinfo_endpoint.as_ref().filter(|_| !lacks.is_empty()) else { return Ok(()) };
        let more: Claims = ask("who you are", self.client.get(place).bearer_auth(access)).await?;
        if more.get("sub") != claims.get("sub") {
            return Err(SsoError::NotBelieved("it speaks of somebody else"));
        }
        for key in lacks {
            let keys = if key == "email" { vec![key, "email_verified"] } else { vec![key] };
            for key in keys {
                claims.remove(key);
                claims.extend(more.get(key).map(|value| (key.to_owned(), value.clone())));
            }
        }
        Ok(())
    }
}

/// As the header wants it, before base64.
fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
