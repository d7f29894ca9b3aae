//! A login between its beginning and the provider's answer. All of it is in a cookie of the browser, so that nobody can fill this
//! service with logins; and all that the provider is told is derived from that cookie by a key of this process, so that nobody can
//! make a cookie, nor bring an answer to another one's.

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::random;

/// How long somebody may take to say who they are.
const TIME: Duration = Duration::from_secs(10 * 60);
/// The longest way on that is remembered: a cookie holds 4 KiB.
const NEXT: usize = 1024;

/// Knows logins again.
pub(in crate::job::api) struct Logins([u8; 64]);

/// One that has begun.
#[derive(Clone)]
pub(in crate::job::api) struct Login {
    pub(in crate::job::api) cookie: String,
    /// Where the browser wanted to go.
    pub(in crate::job::api) next: String,
    /// That the provider gives back with its answer.
    pub(super) state: String,
    /// That is in the token which the provider signs.
    pub(super) nonce: String,
    /// By which the provider knows that whoever has the code began the login (RFC 7636).
    pub(super) verifier: String,
}

impl std::fmt::Debug for Logins {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Logins(…)")
    }
}

impl Logins {
    /// # Errors
    /// When the kernel has no random bytes.
    pub(in crate::job::api) fn new() -> std::io::Result<Self> {
        let mut key = [0; 64];
        random::fill(&mut key)?;
        Ok(Self(key))
    }

    /// Begins one at this provider, for a browser that is going to `next`.
    ///
    /// # Errors
    /// When the kernel has no random bytes.
    pub(in crate::job::api) fn begin(&self, place: &str, next: &str) -> std::io::Result<Login> {
        let mut number = [0; 32];
        random::fill(&mut number)?;
        let next = if next.len() <= NEXT { next } else { "" };
        let words = utf8_percent_encode(next, NON_ALPHANUMERIC);
        let cookie = format!("{}.{}.{words}", hex::encode(number), now() + TIME.as_secs());
        Ok(self.derived(place, &cookie, next))
    }

    /// The one of this cookie, when it was begun at this provider, the state is its own, and the time is not over.
    pub(in crate::job::api) fn resume(&self, place: &str, cookie: &str, state: &str) -> Option<Login> {
        let (_, rest) = cookie.split_once('.')?;
        let (until, next) = rest.split_once('.')?;
        let next = percent_decode_str(next).decode_utf8().ok()?;
        let login = self.derived(place, cookie, &next);
        // What the cookie says counts from here on: it is one of ours.
        let is_ours = bool::from(login.state.as_bytes().ct_eq(state.as_bytes()));
        (is_ours && until.parse().is_ok_and(|until: u64| now() < until)).then_some(login)
    }

    fn derived(&self, place: &str, cookie: &str, next: &str) -> Login {
        let of = |what: &str| {
            let mut mac = <Hmac<Sha256> as KeyInit>::new(&self.0.into());
            for part in [what, place, cookie] {
                mac.update(&(part.len() as u64).to_le_bytes());
                mac.update(part.as_bytes());
            }
            hex::encode(mac.finalize().into_bytes())
        };
        Login {
            cookie: cookie.to_owned(),
            next: next.to_owned(),
            state: of("state"),
            nonce: of("nonce"),
            verifier: of("verifier"),
        }
    }
}

impl Login {
    /// What the provider is told of the verifier beforehand: S256.
    pub(super) fn challenge(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier.as_bytes()))
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_known_by_its_cookie_and_its_state_and_nothing_of_it_can_be_changed() -> anyhow::Result<()> {
        let logins = Logins::new()?;
        let login = logins.begin("https://sso a", "/jobs?state=failed")?;
        let resumed = logins.resume("https://sso a", &login.cookie, &login.state);
        let resumed = resumed.ok_or_else(|| anyhow::anyhow!("not known"))?;
        assert_eq!((resumed.next.as_str(), &resumed.verifier), ("/jobs?state=failed", &login.verifier));
        assert!(login.state != login.nonce && login.nonce != login.verifier && login.verifier.len() == 64);
        let other = logins.begin("https://sso a", "/")?;
        let later = login.cookie.replacen('.', ".9", 1);
        for (place, cookie, state) in [
            ("https://sso a", other.cookie.as_str(), login.state.as_str()),
            ("https://sso a", &login.cookie, &other.state),
            ("https://sso a", &login.cookie, &login.nonce),
            ("https://sso a", &login.cookie, ""),
            ("https://other a", &login.cookie, &login.state),
            ("https://sso a", &later, &login.state),
            ("https://sso a", &login.cookie.replace("failed", "dead"), &login.state),
            ("https://sso a", "", &login.state),
            ("https://sso a", "..", &login.state),
        ] {
            assert!(logins.resume(place, cookie, state).is_none(), "{place} {cookie}");
        }
        // Another process has another key.
        assert!(Logins::new()?.resume("https://sso a", &login.cookie, &login.state).is_none());
        // One of ours whose time is over.
        let cookie = format!("{}.{}.", "0".repeat(64), now() - 1);
        let over = logins.derived("https://sso a", &cookie, "");
        assert!(logins.resume("https://sso a", &over.cookie, &over.state).is_none());
        assert_eq!(logins.begin("a", &format!("/{}", "a".repeat(NEXT)))?.next, "");
        Ok(())
    }
}
