//! What the operator lets a job ask other hosts for: `[policy.NAME.grant.http]`.

use serde::Deserialize;
use url::{Host, Url};

use super::address::is_public;
use crate::capability::Denied;
use crate::grant::Patterns;
use crate::job::grant::HTTP;
use crate::job::vault;
use crate::policy::ByteSize;
use crate::policy::job::Failure;
use crate::policy::job::http::Method;

/// Of a download, unless something else is granted.
const SIZE: ByteSize = ByteSize(64 << 20);

/// The table.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(in crate::job) struct Scope {
    /// `tiles.example.org`, and `tiles.example.org:8443` where the port is not that of the scheme.
    hosts: Patterns,
    /// GET and HEAD, unless something else is said.
    #[serde(default)]
    methods: Option<Vec<String>>,
    /// Whether addresses are reached that are not of the public internet.
    #[serde(default)]
    private: bool,
    /// That may go into headers.
    #[serde(default)]
    secrets: Option<Patterns>,
    /// The largest download.
    #[serde(default)]
    size: Option<ByteSize>,
}

impl Scope {
    /// Whether this may be asked of this host.
    ///
    /// # Errors
    /// [`Denied`], with the TOML that would allow it.
    pub(in crate::job) fn check(&self, url: &Url, method: Method) -> Result<(), Denied> {
        let denied = |asked: String, key, value| Err(Denied { capability: HTTP, asked, key, value });
        let host = authority(url);
        if !self.hosts.matches(&host) {
            return denied(format!("the host {host}"), "hosts", Patterns::only(&host));
        }
        let granted = match &self.methods {
            Some(methods) => methods.iter().any(|granted| granted == method.word()),
            None => matches!(method, Method::Get | Method::Head),
        };
        match granted {
            true => Ok(()),
            false => denied(format!("{} at {host}", method.word()), "methods", format!("[\"{}\"]", method.word())),
        }
    }

    /// Whether a secret may go there.
    ///
    /// # Errors
    /// What the policy is told, with the TOML that would allow it.
    pub(in crate::job) fn check_secret(&self, name: &str, url: &Url, policy: &str) -> Result<(), Failure> {
        vault::check(HTTP, self.secrets.as_ref(), name).map_err(|denied| vault::told(&denied, policy))?;
        match url.scheme() == "https" || self.private {
            true => Ok(()),
            false => {
                Err(Failure::invalid("url", "a secret goes over https:// only, unless private addresses are granted"))
            }
        }
    }

    /// Refuses an address in a URL that is not reached; names are looked at when they are looked up.
    pub(super) fn check_address(&self, url: &Url) -> Result<(), Failure> {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => address.into(),
            Some(Host::Ipv6(address)) => address.into(),
            _ => return Ok(()),
        };
        match self.private || is_public(address) {
            true => Ok(()),
            false => Err(Failure::Unreachable(format!(
                "{address} is not public, and the grant `http` does not say `private = true`"
            ))),
        }
    }

    pub(super) fn reaches_private(&self) -> bool {
        self.private
    }

    /// The most bytes of a download.
    pub(in crate::job) fn size(&self) -> u64 {
        self.size.unwrap_or(SIZE).0
    }
}

/// The host, and the port where it is not that of the scheme.
fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use anyhow::Result;

    use super::*;

    #[test]
    fn each_denial_says_what_would_allow_it() -> Result<()> {
        let scope: Scope = toml::from_str("hosts = [\"*.example.org\", \"tiles.example.com:8443\"]")?;
        let asked = |url: &str, method| anyhow::Ok(scope.check(&Url::parse(url)?, method));
        for url in ["https://a.example.org/x", "http://a.example.org:80/", "https://TILES.example.com:8443/"] {
            assert_eq!(asked(url, Method::Get)?, Ok(()), "{url}");
        }
        let denials = [
            asked("https://example.org/", Method::Get)?,
            asked("https://a.example.org:8443/", Method::Get)?,
            asked("https://a.example.org@evil.example/", Method::Head)?,
            asked("https://[::1]:80/", Method::Get)?,
            asked("https://a.example.org/", Method::Post)?,
        ];
        let denials = denials.into_iter().filter_map(Result::err);
        let shown: Vec<_> = denials.map(|denied| format!("{denied}: {} = {}", denied.key, denied.value)).collect();
        insta::assert_snapshot!(shown.join("\n"), @r#"
        http: the host example.org is not granted: hosts = ["example.org"]
        http: the host a.example.org:8443 is not granted: hosts = ["a.example.org:8443"]
        http: the host evil.example is not granted: hosts = ["evil.example"]
        http: the host [::1]:80 is not granted: hosts = ["[[]::1[]]:80"]
        http: POST at a.example.org is not granted: methods = ["POST"]
        "#);
        Ok(())
    }
}
