//! The ID token, in which the provider says of whom the code was: OpenID Connect Core 1.0, section 3.1.3.7.

use std::time::SystemTime;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use subtle::ConstantTimeEq;

use super::key::Key;
use super::person::Claims;

/// How far the clocks of provider and server may be apart, in seconds.
const LEEWAY: f64 = 60.0;

/// What a token has to say to be meant for this login.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client: &'a str,
    pub(super) nonce: &'a str,
}

/// Why a token does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// None of these keys has signed it; the provider may have new ones.
    Key,
    Wrong(&'static str),
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

/// What the token says, when one of these keys has signed it and it is meant for this login.
///
/// # Errors
/// When not.
pub(super) fn verified(token: &str, keys: &[Key], expected: Expected<'_>) -> Result<Claims, Doubt> {
    let unreadable = Doubt::Wrong("its token cannot be read");
    let (signed, signature) = token.rsplit_once('.').ok_or(unreadable)?;
    let (header, claims) = signed.split_once('.').ok_or(unreadable)?;
    let header: Header = part(header).ok_or(unreadable)?;
    // What has to be understood is not understood here, whatever it is.
    if header.crit.is_some() {
        return Err(unreadable);
    }
    let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).map_err(|_| unreadable)?;
    let mut candidates = keys.iter().filter(|key| key.is_called(header.kid.as_deref()));
    if !candidates.any(|key| key.has_signed(&header.alg, signed.as_bytes(), &signature)) {
        return Err(Doubt::Key);
    }
    let claims: Claims = part(claims).ok_or(unreadable)?;
    is_meant(&claims, expected).and_then(|()| is_now(&claims)).map(|()| claims)
}

fn part<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

fn is_meant(claims: &Claims, expected: Expected<'_>) -> Result<(), Doubt> {
    let text = |key: &str| claims.get(key).and_then(Value::as_str);
    if text("iss") != Some(expected.issuer) {
        return Err(Doubt::Wrong("its token is of another issuer"));
    }
    let (is_for_client, is_for_others) = match claims.get("aud") {
        Some(Value::String(one)) => (one == expected.client, false),
        Some(Value::Array(all)) => (all.iter().any(|one| one == expected.client), all.len() > 1),
        _ => (false, false),
    };
    // Whom it is for besides must not have asked for it.
    let party = claims.get("azp");
    let is_ours = party.map_or(!is_for_others, |party| party == expected.client);
    if !is_for_client || !is_ours {
        return Err(Doubt::Wrong("its token is for another client"));
    }
    if text("sub").is_none_or(str::is_empty) {
        return Err(Doubt::Wrong("its token names nobody"));
    }
    let nonce = text("nonce").unwrap_or_default();
    match bool::from(nonce.as_bytes().ct_eq(expected.nonce.as_bytes())) {
        true => Ok(()),
        false => Err(Doubt::Wrong("its token is of another login")),
    }
}

fn is_now(claims: &Claims) -> Result<(), Doubt> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(f64::MAX, |time| time.as_secs_f64());
    // One that is there and is no time is a time that has not come.
    let time = |key: &str| claims.get(key).map(|time| time.as_f64().unwrap_or(f64::MAX));
    if claims.get("exp").and_then(Value::as_f64).is_none_or(|end| now >= end + LEEWAY) {
        return Err(Doubt::Wrong("the time of its token is over: are the clocks right?"));
    }
    if time("nbf").is_some_and(|begin| now < begin - LEEWAY) {
        return Err(Doubt::Wrong("its token is not valid yet: are the clocks right?"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
