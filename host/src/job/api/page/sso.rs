//! Logging in by the SSO provider: the way there, and the way back.

use hyper::StatusCode;
use hyper::header::{HeaderValue, REFRESH, SET_COOKIE};
use maud::{Markup, html};
use serde::Deserialize;

use super::super::body::Answer;
use super::super::call::Call;
use super::super::problem::Problem;
use super::super::sso::{Login, Person, Sso, SsoError, code};
use super::frame::Frame;
use super::session::{self, Who};
use super::{component, login, see};
use crate::policy::printable;

#[derive(Deserialize)]
struct Asked {
    next: Option<String>,
}

/// What the provider sends back by way of the browser. What else it sends does not matter.
#[derive(Deserialize)]
struct Back {
    state: Option<String>,
    code: Option<String>,
    error: Option<String>,
    iss: Option<String>,
}

fn none() -> Problem {
    Problem::not_found("stead.toml has no [serve.sso]")
}

/// The link on the page on which people log in.
pub(super) fn link(sso: &Sso, next: &str) -> Markup {
    let next = if next.is_empty() { String::new() } else { format!("?next={}", component(next)) };
    html! {
        p .sso { a href=(sso.address(&format!("/sso/login{next}"))) { "Log in by " (printable(&sso.name())) } }
    }
}

/// On to the provider.
pub(super) async fn begin(call: Call) -> Result<Answer, Problem> {
    let sso = call.api.sso().ok_or_else(none)?;
    let Asked { next } = call.query()?;
    let next = next.as_deref().filter(|next| login::is_local(next)).unwrap_or_default();
    let begun = call.api.logins.begin(&sso.place(), next);
    let begun = begun.map_err(|_| Problem::unavailable("no login can be begun now"))?;
    let mut answer = see(sso.question(&begun).await?.as_str());
    add(&mut answer, &session::login_cookie(sso.is_secure(), Some(&begun.cookie)));
    Ok(answer)
}

/// Back from the provider. Whatever came of it, the login is over then.
pub(super) async fn finish(call: Call) -> Result<Answer, Problem> {
    let sso = call.api.sso().ok_or_else(none)?;
    let back: Back = call.query()?;
    let cookie = session::cookie_of(&call.head.headers, session::login_name(sso.is_secure()));
    let login = cookie.zip(back.state.as_deref());
    let login = login.and_then(|(cookie, state)| call.api.logins.resume(&sso.place(), cookie, state));
    // One that is not of this browser ends none that is.
    let login = login.ok_or(SsoError::NotBegun)?;
    let answer = match come_back(&sso, &login, &back).await {
        Ok(person) => let_in(&call, &sso, person, &login.next),
        Err(error) => Err(error.into()),
    };
    let mut answer = answer.unwrap_or_else(|problem| Frame::of(&call).problem(&problem));
    add(&mut answer, &session::login_cookie(sso.is_secure(), None));
    Ok(answer)
}

async fn come_back(sso: &Sso, login: &Login, back: &Back) -> Result<Person, SsoError> {
    if back.iss.as_deref().is_some_and(|issuer| !sso.is_issuer(issuer)) {
        return Err(SsoError::NotBelieved("the answer is of another issuer"));
    }
    match (&back.error, &back.code) {
        (Some(error), _) => Err(SsoError::Refused(code(error).unwrap_or_else(|| "for a reason of its own".to_owned()))),
        (None, Some(code)) => sso.person(login, code).await,
        (None, None) => Err(SsoError::NotBelieved("the answer has no code")),
    }
}

/// Begins a session, unless nobody lets this person in.
fn let_in(call: &Call, sso: &Sso, person: Person, next: &str) -> Result<Answer, Problem> {
    if sso.admit(&person).is_none() {
        return Ok(Frame::of(call).answer(StatusCode::FORBIDDEN, "Nothing is yours here", unknown(&person)));
    }
    let number = call.api.sessions.begin(Who::Person(person.into()));
    let number = number.map_err(|_| Problem::unavailable("no session can be begun now"))?;
    // Whoever logs in anew is done with the session before.
    call.session.iter().for_each(|session| call.api.sessions.end(session));
    let next = if login::is_local(next) { next } else { "/" };
    let content = html! { p { a href=(next) { "Go on" } } };
    let mut answer = Frame::nobodys(call).page("You have logged in", content);
    add(&mut answer, &session::cookie(&call.head.headers, Some(&number)));
    // The browser came from another site, and on a way from there it does not show a strict cookie: so the way on begins here.
    if let Ok(value) = HeaderValue::from_str(&format!("0; url={next}")) {
        answer.headers_mut().insert(REFRESH, value);
    }
    Ok(answer)
}

/// What the provider says of somebody who may do nothing, and what would let them in.
fn unknown(person: &Person) -> Markup {
    let email = person.email.as_deref().unwrap_or("none");
    let groups = person.groups.iter().map(|group| printable(group)).collect::<Vec<_>>().join(", ");
    let verified = if person.is_verified { "verified" } else { "not verified, so it does not count" };
    let table = match (&person.email, person.groups.first()) {
        (Some(email), _) if person.is_verified => ("email", email),
        (_, Some(group)) => ("group", group),
        _ => ("subject", &person.subject),
    };
    let key = toml::Value::from(printable(table.1)).to_string();
    html! {
        p { "The provider knows you, and stead.toml lets nobody in who is" }
        dl .facts {
            dt { "subject" } dd { code { (printable(&person.subject)) } }
            dt { "email" } dd { code { (printable(email)) } @if person.email.is_some() { " (" (verified) ")" } }
            dt { "groups" } dd { @if groups.is_empty() { "none" } @else { code { (groups) } } }
        }
        p { "Whoever keeps stead.toml can let you in by a table of it, such as" }
        pre tabindex="0" role="region" aria-label="Lines for stead.toml" {
            "[serve.sso." (table.0) "." (key) "]\nscopes = [\"hosts\", \"read\", \"machines\"]\njobs = [\"*\"]"
        }
        p { a href="/login" { "Log in otherwise" } }
    }
}

/// A cookie beside others.
fn add(answer: &mut Answer, cookie: &str) {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        answer.headers_mut().append(SET_COOKIE, value);
    }
}
