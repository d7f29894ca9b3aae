//! What people see of a service in a browser: hosts, jobs and machines, as HTML that the server makes.
//!
//! A page shows what the API says to the same token, and of hosts what `stead follow` has kept: it reaches no host, and makes
//! nothing up. Whoever looks has logged in ([`session`], [`login`], [`sso`]); what changes something is a form with a token against
//! forgery ([`form`]). All that comes from jobs, hosts and clients is escaped by the templates (maud), and no page has a script or
//! a style within it, so what would get through all the same does not run. All works without scripts, but that logs grow.

use std::sync::Arc;

use hyper::body::Incoming;
use hyper::header::{ACCEPT, HeaderValue, LOCATION};
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::Api;
use super::body::{Answer, whole};
use super::call::Call;
use super::problem::Problem;
use super::route::{ROUTES, Route, find, routes};
use crate::repo::Scope;

mod assets;
mod file;
mod firewall;
mod form;
mod frame;
mod headers;
mod host;
mod hosts;
mod job;
mod jobs;
mod login;
mod logs;
mod machines;
mod peers;
mod plans;
mod session;
mod shown;
mod sso;

pub(super) use session::{Session, Sessions};

const PAGES: &[Route] = routes! {
    GET "/" None => login::home;
    GET "/login" None => login::show;
    POST "/login" None => login::enter;
    POST "/logout" None => login::leave;
    GET "/sso/login" None => sso::begin;
    GET "/sso/callback" None => sso::finish;
    GET "/hosts" Some(Scope::Hosts) => hosts::list;
    GET "/hosts/{host}" Some(Scope::Hosts) => host::show;
    GET "/hosts/{host}/firewall" Some(Scope::Hosts) => firewall::show;
    GET "/hosts/{host}/plans/{plan}" Some(Scope::Hosts) => plans::show;
    GET "/jobs" Some(Scope::Read) => jobs::list;
    GET "/jobs/{job}" Some(Scope::Read) => job::show;
    POST "/jobs/{job}/cancel" Some(Scope::Cancel) => job::cancel;
    POST "/jobs/{job}/retry" Some(Scope::Retry) => job::retry;
    GET "/jobs/{job}/log" Some(Scope::Read) => logs::page;
    GET "/jobs/{job}/log/stream" Some(Scope::Read) => logs::follow;
    GET "/jobs/{job}/files/{name}" Some(Scope::Read) => file::show;
    GET "/machines" Some(Scope::Machines) => machines::list;
    GET "/style.css" None => assets::style;
    GET "/live.js" None => assets::script;
    GET "/icon.svg" None => assets::icon;
};

/// Whether a request is for a page, or would be for one if it were there.
pub(super) fn is_for(head: &Parts) -> bool {
    let fits = |routes: &'static [Route]| {
        let found = find(routes, head, &mut "");
        found.is_ok() || found.is_err_and(|problem| problem.status() == StatusCode::METHOD_NOT_ALLOWED)
    };
    let wants_html = || head.headers.get(ACCEPT).and_then(|said| said.to_str().ok()).is_some_and(is_html);
    fits(PAGES) || !fits(ROUTES) && wants_html()
}

fn is_html(accept: &str) -> bool {
    accept.split([',', ';']).any(|media| media.trim() == "text/html")
}

/// Answers a request for a page.
pub(super) async fn answer(
    api: Arc<Api>,
    head: Parts,
    body: Incoming,
    path: &mut &'static str,
) -> Result<Answer, Problem> {
    let mut call = Call { api, caller: None, scope: None, session: None, arguments: Vec::new(), head, body };
    session::look_up(&mut call);
    let frame = frame::Frame::of(&call);
    let (is_get, asked) = (matches!(call.head.method, Method::GET | Method::HEAD), call.head.uri.to_string());
    let answer = match opened(call, path) {
        Ok((route, call)) => (route.endpoint)(call).await,
        Err(problem) => Err(problem),
    };
    let answer = answer.unwrap_or_else(|problem| match problem.status() {
        StatusCode::UNAUTHORIZED if is_get && asked == "/" => see("/login"),
        StatusCode::UNAUTHORIZED if is_get => see(&format!("/login?next={}", component(&asked))),
        _ => frame.problem(&problem),
    });
    Ok(headers::guarded(answer))
}

/// Lets a request in, as the API does.
fn opened(mut call: Call, path: &mut &'static str) -> Result<(&'static Route, Call), Problem> {
    let (route, arguments) = find(PAGES, &call.head, path)?;
    (call.arguments, call.scope) = (arguments, route.scope);
    if let Some(scope) = route.scope {
        let caller = call.caller.as_ref().ok_or_else(logged_out)?;
        caller.needs(scope)?;
    }
    Ok((route, call))
}

fn logged_out() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", "log in first: the session is over")
}

/// On to another page.
fn see(path: &str) -> Answer {
    let mut answer = Response::new(whole(""));
    *answer.status_mut() = StatusCode::SEE_OTHER;
    let place = HeaderValue::from_str(path).unwrap_or_else(|_| HeaderValue::from_static("/"));
    answer.headers_mut().insert(LOCATION, place);
    answer
}

/// A text as one part of a URL.
fn component(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}
