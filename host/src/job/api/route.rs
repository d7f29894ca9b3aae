//! Which endpoint answers which request. All that there is stands in one table.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::{Method, Request};
use percent_encoding::percent_decode_str;

use super::body::Answer;
use super::call::Call;
use super::problem::Problem;
use super::{Api, artifacts, document, files, jobs, log, machines, metrics, page};
use crate::repo::Scope;

type Answering = Pin<Box<dyn Future<Output = Result<Answer, Problem>> + Send>>;

/// One of the things that can be asked.
pub(super) struct Route {
    pub(super) method: Method,
    /// As in the document: `{job}` stands for one segment.
    pub(super) path: &'static str,
    /// What the token must be allowed; none: no token is needed.
    pub(super) scope: Option<Scope>,
    pub(super) endpoint: fn(Call) -> Answering,
}

macro_rules! routes {
    ($($method:ident $path:literal $scope:expr => $endpoint:path;)*) => {
        &[$(Route { method: Method::$method, path: $path, scope: $scope, endpoint: |call| Box::pin($endpoint(call)) }),*]
    };
}
pub(super) use routes;

pub(super) const ROUTES: &[Route] = routes! {
    GET "/healthz" None => metrics::health;
    GET "/openapi.json" None => document::show;
    GET "/metrics" Some(Scope::Metrics) => metrics::show;
    GET "/v1/jobs" Some(Scope::Read) => jobs::list;
    POST "/v1/jobs" Some(Scope::Submit) => jobs::submit;
    POST "/v1/files" Some(Scope::Submit) => files::take;
    GET "/v1/jobs/{job}" Some(Scope::Read) => jobs::show;
    POST "/v1/jobs/{job}/cancel" Some(Scope::Cancel) => jobs::cancel;
    POST "/v1/jobs/{job}/retry" Some(Scope::Retry) => jobs::retry;
    GET "/v1/jobs/{job}/logs" Some(Scope::Read) => log::page;
    GET "/v1/jobs/{job}/logs/stream" Some(Scope::Read) => log::follow;
    GET "/v1/jobs/{job}/artifacts" Some(Scope::Read) => artifacts::list;
    GET "/v1/jobs/{job}/artifacts/{name}" Some(Scope::Read) => artifacts::download;
    GET "/v1/machines" Some(Scope::Machines) => machines::list;
};

/// What a path that leads nowhere is called in metrics, which must not grow with what clients make up.
const NOWHERE: &str = "none";

impl Api {
    /// Answers a request.
    pub(super) async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Answer {
        let since = Instant::now();
        let (head, body) = request.into_parts();
        let method = known(&head.method);
        let mut route = NOWHERE;
        let answer = self.clone().routed(head, body, &mut route).await.unwrap_or_else(Problem::answer);
        self.service.figures.request(method, route, answer.status().as_u16(), since.elapsed());
        answer
    }

    async fn routed(self: Arc<Self>, head: Parts, body: Incoming, path: &mut &'static str) -> Result<Answer, Problem> {
        if page::is_for(&head) {
            return page::answer(self, head, body, path).await;
        }
        let (route, arguments) = find(ROUTES, &head, path)?;
        let caller = match route.scope {
            None => None,
            Some(scope) => {
                let caller = self.authenticate(&head.headers)?;
                caller.needs(scope)?;
                Some(caller)
            }
        };
        (route.endpoint)(Call { api: self, caller, scope: route.scope, session: None, arguments, head, body }).await
    }
}

/// The route of a request, and what stands for its variables; `path` is what metrics call it.
///
/// # Errors
/// When there is none, or none for the method.
pub(super) fn find(
    routes: &'static [Route],
    head: &Parts,
    path: &mut &'static str,
) -> Result<(&'static Route, Vec<String>), Problem> {
    let segments: Vec<&str> = head.uri.path().split('/').collect();
    let fitting: Vec<_> = routes.iter().filter_map(|route| Some((route, arguments(route.path, &segments)?))).collect();
    let Some((first, _)) = fitting.first() else {
        return Err(Problem::not_found("there is nothing here: see /openapi.json"));
    };
    *path = first.path;
    // hyper leaves out the body of an answer to HEAD.
    let method = if head.method == Method::HEAD { &Method::GET } else { &head.method };
    let allowed: Vec<_> = fitting.iter().map(|(route, _)| route.method.as_str()).collect();
    let found = fitting.into_iter().find(|(route, _)| route.method == *method);
    found.ok_or_else(|| Problem::method_not_allowed(&allowed.join(", ")))
}

/// What stands for the variables of `path`, when the segments fit.
fn arguments(path: &str, segments: &[&str]) -> Option<Vec<String>> {
    let parts: Vec<&str> = path.split('/').collect();
    if parts.len() != segments.len() {
        return None;
    }
    let mut arguments = Vec::new();
    for (part, segment) in parts.iter().zip(segments) {
        if part.starts_with('{') {
            arguments.push(percent_decode_str(segment).decode_utf8().ok()?.into_owned());
        } else if part != segment {
            return None;
        }
    }
    Some(arguments)
}

/// A method that a client has made up is no label.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::arguments;

    #[test]
    fn a_variable_is_one_segment() {
        let fits = |path, asked: &str| arguments(path, &asked.split('/').collect::<Vec<_>>());
        assert_eq!(fits("/v1/jobs", "/v1/jobs"), Some(vec![]));
        assert_eq!(fits("/v1/jobs", "/v1/jobs/"), None);
        assert_eq!(
            fits("/v1/jobs/{job}/artifacts/{name}", "/v1/jobs/7/artifacts/a%2Eb"),
            Some(vec!["7".into(), "a.b".into()])
        );
        assert_eq!(fits("/v1/jobs/{job}", "/v1/jobs/7/logs"), None);
        assert_eq!(fits("/v1/jobs/{job}", "/v1/jobs/%ff"), None);
    }
}
