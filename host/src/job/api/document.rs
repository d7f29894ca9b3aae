//! The OpenAPI document: made from the endpoints and their types.

use hyper::StatusCode;
use serde_json::Value;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{IntoResponses, Modify, OpenApi, openapi};

use super::body::{Answer, text};
use super::call::Call;
use super::problem::Problem;
use super::{artifacts, files, jobs, log, machines, metrics};

#[derive(OpenApi)]
#[openapi(
    info(title = "stead", description = "Jobs, each in machines of its own."),
    paths(
        metrics::health, metrics::show, show, jobs::list, jobs::submit, jobs::show, jobs::cancel, jobs::retry, files::take, log::page,
        log::follow, artifacts::list, artifacts::download, machines::list,
    ),
    modifiers(&Bearer, &Empty)
)]
struct Document;

/// How a token is shown.
struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut openapi::OpenApi) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        document.components.get_or_insert_default().add_security_scheme("token", scheme);
    }
}

/// A file may be empty, and HTTP does not tell an empty body from none.
struct Empty;

impl Modify for Empty {
    fn modify(&self, document: &mut openapi::OpenApi) {
        let files = document.paths.paths.get_mut("/v1/files").and_then(|path| path.post.as_mut());
        if let Some(openapi::RefOr::T(body)) = files.and_then(|take| take.request_body.as_mut()) {
            body.required = Some(openapi::Required::False);
        }
    }
}

/// What every request can be answered with.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it is there for the document alone")]
pub(super) enum Problems {
    /// The request is wrong, or not allowed.
    #[response(status = "4XX", content_type = "application/problem+json")]
    Client(#[to_schema] Problem),
    /// The queue does not answer, or too many ask; try again.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(#[to_schema] Problem),
}

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "service",
    responses((status = 200, description = "OpenAPI 3.1", body = Value)), security(()))]
pub(super) async fn show(_: Call) -> Result<Answer, Problem> {
    Ok(text(StatusCode::OK, "application/json", document().to_string()))
}

fn document() -> Value {
    // It is made of plain data, which has a form in JSON.
    let mut document = serde_json::to_value(Document::openapi()).unwrap_or_default();
    let items =
        document.get_mut("paths").and_then(Value::as_object_mut).into_iter().flat_map(|paths| paths.values_mut());
    let operations = items.filter_map(Value::as_object_mut).flat_map(|item| item.values_mut());
    for operation in operations {
        let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
        for parameter in parameters.into_iter().flatten() {
            not_null(&mut parameter["schema"]);
        }
    }
    document
}

/// A parameter that need not be there is not one that may be null, as the types of Rust have it.
fn not_null(schema: &mut Value) {
    if let Some(types) = schema["type"].as_array()
        && let Some(only) = types.iter().find(|word| **word != "null").cloned()
    {
        schema["type"] = only;
    }
    if let Some(options) = schema.get("oneOf").and_then(Value::as_array)
        && let Some(only) = options.iter().find(|option| option["type"] != "null").cloned()
    {
        *schema = only;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::job::api::route::ROUTES;

    #[test]
    fn it_describes_what_there_is_and_nothing_else() {
        let document = document();
        assert_eq!(document["openapi"], "3.1.0");
        let mut described = BTreeSet::new();
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten() {
                let scope = operation["security"][0]["token"][0].as_str().map(str::to_owned);
                described.insert((method.to_uppercase(), path.clone(), scope));
            }
        }
        let there = ROUTES.iter().map(|route| {
            (route.method.to_string(), route.path.to_owned(), route.scope.map(|scope| scope.word().to_owned()))
        });
        assert_eq!(described, there.collect());
    }
}
