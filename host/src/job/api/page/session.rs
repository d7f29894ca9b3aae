//! Who has logged in: kept in memory alone, by the digest of a number that only the browser has.
//!
//! A session is the token that it was begun with, or the person whom the SSO provider knew, and sees and may do what `stead.toml` lets
//! that one do now. It ends when it is told to, with its time, with the service, and when `stead.toml` lets that one do nothing any more.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper::HeaderMap;
use hyper::header::{COOKIE, HeaderName};
use sha2::{Digest, Sha256};

use super::super::call::Call;
use super::super::sso::Person;
use crate::random;

/// How long a session lasts.
const LIFE: Duration = Duration::from_secs(12 * 60 * 60);
/// How long a browser keeps a login that has begun.
const LOGIN: Duration = Duration::from_secs(10 * 60);
/// How many there are at most; then the oldest ends.
const MOST: usize = 1000;
const FORWARDED: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// All sessions, by the digest of their number.
#[derive(Debug, Default)]
pub(in crate::job::api) struct Sessions(Mutex<BTreeMap<[u8; 32], Session>>);

/// Who has logged in.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Who {
    /// Whoever has the token of this digest.
    Token([u8; 32]),
    Person(Arc<Person>),
}

/// That of a browser.
#[derive(Clone)]
pub(in crate::job::api) struct Session {
    id: [u8; 32],
    who: Who,
    until: Instant,
    /// What a form of this session has with it, which no other site can know.
    pub(super) proof: String,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("until", &self.until).finish_non_exhaustive()
    }
}

impl Sessions {
    /// Begins one for whoever has shown who they are, and answers its number.
    ///
    /// # Errors
    /// When the kernel has no random bytes.
    pub(super) fn begin(&self, who: Who) -> std::io::Result<String> {
        let (number, proof) = (secret()?, secret()?);
        let session = Session { id: digest(&number), who, until: Instant::now() + LIFE, proof };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        all.retain(|_, session| session.until > now);
        if all.len() >= MOST
            && let Some(oldest) = all.values().min_by_key(|session| session.until).map(|session| session.id)
        {
            all.remove(&oldest);
        }
        all.insert(session.id, session);
        Ok(number)
    }

    /// Ends one.
    pub(super) fn end(&self, session: &Session) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&session.id);
    }

    fn of(&self, number: &str) -> Option<Session> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&digest(number)).filter(|session| session.until > Instant::now()).cloned()
    }
}

/// Finds whose session the cookie of a request names, and what they may do.
pub(super) fn look_up(call: &mut Call) {
    let headers = &call.head.headers;
    let found = cookies(headers, name(headers)).find_map(|number| call.api.sessions.of(number));
    let Some(session) = found else { return };
    // Whoever was taken out of stead.toml since is nobody any more.
    call.caller = match &session.who {
        Who::Token(digest) => call.api.known(digest),
        Who::Person(person) => call.api.sso().and_then(|sso| sso.admit(person)),
    };
    call.session = call.caller.is_some().then_some(session);
}

/// The values of all cookies of this name.
fn cookies<'a>(headers: &'a HeaderMap, name: &'static str) -> impl Iterator<Item = &'a str> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|cookie| cookie.trim().split_once('='));
    pairs.filter(move |(known, _)| *known == name).map(|(_, value)| value)
}

/// The value of the cookie of this name.
pub(super) fn cookie_of<'a>(headers: &'a HeaderMap, name: &'static str) -> Option<&'a str> {
    cookies(headers, name).next()
}

/// The cookie of a login that has begun; of none, that it is over. It is shown on the way back from the provider, which is another site.
pub(super) fn login_cookie(is_secure: bool, login: Option<&str>) -> String {
    let secure = if is_secure { "; Secure" } else { "" };
    let (login, age) = login.map_or(("", 0), |login| (login, LOGIN.as_secs()));
    format!("{}={login}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}", login_name(is_secure))
}

pub(super) fn login_name(is_secure: bool) -> &'static str {
    if is_secure { "__Host-stead-login" } else { "stead-login" }
}

/// The cookie of a session with this number; of none, that it is over.
pub(super) fn cookie(headers: &HeaderMap, number: Option<&str>) -> String {
    let secure = if is_secure(headers) { "; Secure" } else { "" };
    let (number, age) = number.map_or(("", 0), |number| (number, LIFE.as_secs()));
    format!("{}={number}; Path=/; Max-Age={age}; HttpOnly; SameSite=Strict{secure}", name(headers))
}

/// Behind TLS it has a name that a browser takes from this very site alone, and not from another one of the domain.
fn name(headers: &HeaderMap) -> &'static str {
    if is_secure(headers) { "__Host-stead" } else { "stead" }
}

/// As the proxy in front says. A client that says so itself gets a cookie that only its own browser would refuse.
fn is_secure(headers: &HeaderMap) -> bool {
    headers.get(FORWARDED).is_some_and(|scheme| scheme.as_bytes().eq_ignore_ascii_case(b"https"))
}

fn digest(number: &str) -> [u8; 32] {
    Sha256::digest(number.as_bytes()).into()
}

fn secret() -> std::io::Result<String> {
    let mut bytes = [0; 32];
    random::fill(&mut bytes)?;
    Ok(hex::encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_not_more_than_there_may_be() -> anyhow::Result<()> {
        let sessions = Sessions::default();
        let first = sessions.begin(Who::Token([1; 32]))?;
        let second = sessions.begin(Who::Token([1; 32]))?;
        for _ in 0..MOST - 1 {
            sessions.begin(Who::Token([2; 32]))?;
        }
        assert!(sessions.of(&first).is_none() && sessions.of("").is_none());
        let kept = sessions.of(&second).map(|session| (session.who == Who::Token([1; 32]), session.proof.len()));
        assert_eq!(kept, Some((true, 64)));
        let all = sessions.0.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(all.len() == MOST && !format!("{all:?}").contains(&second));
        Ok(())
    }

    #[test]
    fn behind_tls_no_other_site_can_set_it() {
        let mut headers = HeaderMap::new();
        assert_eq!(cookie(&headers, Some("7")), "stead=7; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict");
        assert_eq!(login_cookie(false, Some("7")), "stead-login=7; Path=/; Max-Age=600; HttpOnly; SameSite=Lax");
        assert_eq!(login_cookie(true, None), "__Host-stead-login=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure");
        headers.insert(FORWARDED, hyper::header::HeaderValue::from_static("https"));
        assert_eq!(cookie(&headers, None), "__Host-stead=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict; Secure");
    }
}
