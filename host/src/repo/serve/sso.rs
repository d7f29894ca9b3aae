//! `[serve.sso]`: the provider of OpenID Connect by which people log in to the page, and what each of them may do there.
//!
//! Whoever no table names may do nothing. Who is meant is said by the exact words of the provider: nothing is folded or guessed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use url::{Host, Url};

use super::Access;
use crate::repo::Name;

/// The path of the page to which the provider sends people back.
pub const CALLBACK: &str = "/sso/callback";

/// `[serve.sso]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Sso {
    pub issuer: Issuer,
    /// What the provider calls this service.
    pub client_id: String,
    /// The secret by which the provider knows this service.
    pub secret: Name,
    pub redirect: Redirect,
    /// Certificates in PEM that are believed beside those of the machine.
    pub ca: Option<PathBuf>,
    /// The claim that says somebody's groups.
    #[serde(default = "groups")]
    pub group_claim: String,
    /// `[serve.sso.group.NAME]`.
    #[serde(default, rename = "group")]
    pub groups: BTreeMap<String, Access>,
    /// `[serve.sso.email."ADDRESS"]`, of those that the provider has verified.
    #[serde(default, rename = "email")]
    pub emails: BTreeMap<String, Access>,
    /// `[serve.sso.subject."SUB"]`.
    #[serde(default, rename = "subject")]
    pub subjects: BTreeMap<String, Access>,
}

/// The name of a provider, which is also where it is asked.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Issuer(String);

/// Where the provider sends people back, as it is registered there.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Redirect(Url);

/// A URL of the table is none that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAUrl {
    #[error("{0:?} is no URL")]
    Text(String),
    #[error(
        "an issuer begins with https:// (http:// is for one on this machine itself), without a user, a query or a fragment"
    )]
    Issuer,
    #[error(
        "a redirect is where a browser reaches the page, and then {CALLBACK}: \"https://jobs.example.org:8443{CALLBACK}\""
    )]
    Redirect,
}

fn groups() -> String {
    "groups".to_owned()
}

impl Issuer {
    /// As it stands in `stead.toml`, and has to stand in what the provider says.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it may only be asked by TLS.
    pub fn is_secure(&self) -> bool {
        self.0.starts_with("https:")
    }
}

impl TryFrom<String> for Issuer {
    type Error = NotAUrl;

    fn try_from(text: String) -> Result<Self, NotAUrl> {
        let url = parse(&text)?;
        let is_local = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        let scheme = text.starts_with("https://") || text.starts_with("http://") && is_local;
        if scheme && is_plain(&url) { Ok(Self(text)) } else { Err(NotAUrl::Issuer) }
    }
}

impl Redirect {
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The address of another path of the page.
    pub fn page(&self, path: &str) -> String {
        format!("{}{path}", self.0.origin().ascii_serialization())
    }

    /// Whether browsers reach the page by TLS.
    pub fn is_secure(&self) -> bool {
        self.0.scheme() == "https"
    }
}

impl TryFrom<String> for Redirect {
    type Error = NotAUrl;

    fn try_from(text: String) -> Result<Self, NotAUrl> {
        let url = parse(&text)?;
        let is_ours = matches!(url.scheme(), "https" | "http") && url.path() == CALLBACK && is_plain(&url);
        if is_ours { Ok(Self(url)) } else { Err(NotAUrl::Redirect) }
    }
}

fn parse(text: &str) -> Result<Url, NotAUrl> {
    Url::parse(text).map_err(|_| NotAUrl::Text(text.to_owned()))
}

fn is_plain(url: &Url) -> bool {
    url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none()
}

#[cfg(test)]
mod tests {
    use super::{Issuer, Redirect, Sso};
    use crate::repo::Scope;

    #[test]
    fn a_provider_is_asked_by_tls_or_on_this_machine() {
        let is_issuer = |text: &str| Issuer::try_from(text.to_owned()).is_ok();
        for text in [
            "https://sso.example.org",
            "https://login.example.org/realms/team/",
            "http://127.0.0.1:5000",
            "http://[::1]:1",
        ] {
            assert!(is_issuer(text), "{text}");
        }
        for text in [
            "http://sso.example.org",
            "http://127.0.0.1.evil.example",
            "https://a:b@sso.example.org",
            "https://sso.example.org?a",
            "sso.example.org",
            "file:///etc",
            "",
        ] {
            assert!(!is_issuer(text), "{text}");
        }
    }

    #[test]
    fn people_are_sent_back_to_the_page() -> anyhow::Result<()> {
        let redirect = Redirect::try_from("https://jobs.example.org:8443/sso/callback".to_owned())?;
        assert_eq!(redirect.page("/login"), "https://jobs.example.org:8443/login");
        for text in [
            "https://jobs.example.org",
            "https://jobs.example.org/callback",
            "https://jobs.example.org/sso/callback?a=b",
            "ftp://a/sso/callback",
        ] {
            assert!(Redirect::try_from(text.to_owned()).is_err(), "{text}");
        }
        Ok(())
    }

    #[test]
    fn people_are_groups_addresses_and_subjects() -> anyhow::Result<()> {
        let sso: Sso = toml::from_str(
            r#"
            issuer = "https://sso.example.org"
            client-id = "stead"
            secret = "sso-client"
            redirect = "https://jobs.example.org/sso/callback"
            [group.admins]
            scopes = ["hosts", "cancel"]
            jobs = ["*"]
            [email."anna@example.org"]
            scopes = ["hosts"]
            "#,
        )?;
        assert_eq!((sso.group_claim.as_str(), sso.subjects.len()), ("groups", 0));
        assert!(sso.groups["admins"].covers(Scope::Cancel, "predict"));
        assert!(!sso.emails["anna@example.org"].covers(Scope::Hosts, "predict"));
        // As for a token: nobody may have a scope over jobs without saying over which.
        let text = "issuer = \"https://a\"\nclient-id = \"a\"\nsecret = \"a\"\nredirect = \"https://a/sso/callback\"\n";
        for wrong in [
            "[group.a]\nscopes = []\n",
            "[group.a]\nscopes = [\"read\"]\n",
            "[group.a]\nscopes = [\"hosts\"]\ndigest = \"a\"\n",
        ] {
            assert!(toml::from_str::<Sso>(&format!("{text}{wrong}")).is_err(), "{wrong}");
        }
        Ok(())
    }
}
