//! Logging in by a token or on to the SSO provider, and out.

use hyper::StatusCode;
use hyper::header::SET_COOKIE;
use maud::{Markup, html};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::super::artifacts::put;
use super::super::body::Answer;
use super::super::call::Call;
use super::super::problem::Problem;
use super::frame::{Frame, TABS};
use super::session::{Who, cookie};
use super::{form, see, sso};
use crate::job::api::sso::Sso;
use crate::repo::Scope;

#[derive(Deserialize)]
struct Asked {
    next: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Login {
    token: String,
    #[serde(default)]
    next: String,
}

/// The first page that the token may see.
pub(super) async fn home(call: Call) -> Result<Answer, Problem> {
    let Some(caller) = &call.caller else { return Err(super::logged_out()) };
    match TABS.iter().find(|(.., scope)| caller.has(*scope)) {
        Some((path, ..)) => Ok(see(path)),
        None => {
            let (kind, _) = caller.words();
            let nothing = html! { p { "This " (kind) " is for programs: it has none of the scopes " (scopes()) "." } };
            Ok(Frame::of(&call).page("Nothing to see", nothing))
        }
    }
}

fn scopes() -> String {
    TABS.iter().map(|(.., scope)| format!("`{}`", scope.word())).collect::<Vec<_>>().join(", ")
}

pub(super) async fn show(call: Call) -> Result<Answer, Problem> {
    let Asked { next } = call.query()?;
    let next = next.as_deref().filter(|next| is_local(next)).unwrap_or_default();
    if call.caller.is_some() {
        return Ok(see(if next.is_empty() { "/" } else { next }));
    }
    Ok(Frame::of(&call).page("Log in", fields(call.api.sso().as_deref(), next, false)))
}

pub(super) async fn enter(mut call: Call) -> Result<Answer, Problem> {
    let Login { token, next } = form::read(&mut call).await?;
    let next = if is_local(&next) { next.as_str() } else { "" };
    let digest: [u8; 32] = Sha256::digest(token.trim().as_bytes()).into();
    if call.api.known(&digest).is_none() {
        return Ok(Frame::of(&call).answer(
            StatusCode::FORBIDDEN,
            "Log in",
            fields(call.api.sso().as_deref(), next, true),
        ));
    }
    let number = call.api.sessions.begin(Who::Token(digest));
    let number = number.map_err(|_| Problem::unavailable("no session can be begun now"))?;
    // Whoever logs in anew is done with the session before.
    call.session.iter().for_each(|session| call.api.sessions.end(session));
    let mut answer = see(if next.is_empty() { "/" } else { next });
    put(&mut answer, SET_COOKIE, &cookie(&call.head.headers, Some(&number)));
    Ok(answer)
}

pub(super) async fn leave(mut call: Call) -> Result<Answer, Problem> {
    form::prove(&mut call).await?;
    call.session.iter().for_each(|session| call.api.sessions.end(session));
    let mut answer = see("/login");
    put(&mut answer, SET_COOKIE, &cookie(&call.head.headers, None));
    Ok(answer)
}

fn fields(provider: Option<&Sso>, next: &str, is_wrong: bool) -> Markup {
    html! {
        @if let Some(provider) = provider { (sso::link(provider, next)) }
        form .login method="post" action="/login" {
            @if is_wrong {
                p #wrong .bad role="alert" { "This token is not known." }
            }
            label for="token" { "Token" }
            input #token name="token" type="password" autocomplete="current-password" required autofocus[provider.is_none() || is_wrong]
                spellcheck="false" aria-describedby=(if is_wrong { "wrong about" } else { "about" })
                aria-invalid=[is_wrong.then_some("true")];
            input type="hidden" name="next" value=(next);
            button { "Log in" }
            p #about .quiet {
                "One of [serve.token.NAME] in stead.toml; " code { "stead token NAME" } " makes one. You see and may do what its scopes \
                say: " (TABS.iter().map(|(.., scope)| scope.word()).collect::<Vec<_>>().join(", ")) ", "
                (Scope::Cancel.word()) ", " (Scope::Retry.word()) "."
            }
        }
    }
}

/// Whether it is a page of ours: a path, and not the address of another site.
pub(super) fn is_local(next: &str) -> bool {
    next.starts_with('/')
        && !next.starts_with("//")
        && next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

#[cfg(test)]
mod tests {
    use super::is_local;

    #[test]
    fn nobody_is_sent_to_another_site() {
        assert!(is_local("/jobs?state=failed") && is_local("/"));
        for next in
            ["", "jobs", "//evil.example", "/\\evil.example", "https://evil.example", "/a\r\nb", "/\t/evil.example"]
        {
            assert!(!is_local(next), "{next:?}");
        }
    }
}
