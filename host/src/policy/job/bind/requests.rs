//! The interface `http`.

use super::http;
use crate::policy::job::call::{Answer, Call, Content, Failure};
use crate::policy::job::guest::{JobGuest, mismatched};
use crate::policy::job::http::{Method, Request, Response, Value};

impl JobGuest {
    async fn response(&mut self, call: Call) -> wasmtime::Result<Result<http::Response, http::Failure>> {
        match self.pass(call).await? {
            Answer::Response(Response { status, headers, body }) => Ok(Ok(http::Response { status, headers, body })),
            Answer::Failed(failure) => Ok(Err(failure.into())),
            other => Err(mismatched(&other)),
        }
    }
}

impl http::Host for JobGuest {
    async fn send(&mut self, request: http::Request) -> wasmtime::Result<Result<http::Response, http::Failure>> {
        self.response(Call::Send { request: request.into() }).await
    }

    async fn download(
        &mut self,
        request: http::Request,
        artifact: String,
    ) -> wasmtime::Result<Result<http::Response, http::Failure>> {
        self.response(Call::Fetch { request: request.into(), artifact }).await
    }
}

impl From<http::Request> for Request {
    fn from(asked: http::Request) -> Self {
        let method = match asked.method {
            http::Method::Get => Method::Get,
            http::Method::Head => Method::Head,
            http::Method::Post => Method::Post,
            http::Method::Put => Method::Put,
            http::Method::Patch => Method::Patch,
            http::Method::Delete => Method::Delete,
        };
        let value = |value| match value {
            http::Value::Text(text) => Value::Text(text),
            http::Value::Secret(http::Hidden { prefix, name }) => Value::Secret { prefix, name },
        };
        let body = asked.body.map(|content| match content {
            http::Content::Bytes(bytes) => Content::Bytes(bytes),
            http::Content::Text(text) => Content::Bytes(text.into_bytes()),
            http::Content::Artifact(name) => Content::Artifact(name),
        });
        let headers = asked.headers.into_iter().map(|(name, text)| (name, value(text))).collect();
        Self { method, url: asked.url, headers, body, timeout: asked.timeout }
    }
}

impl From<Failure> for http::Failure {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unreachable(words) => Self::Unreachable(words),
            Failure::TooLarge(words) => Self::TooLarge(words),
            refused @ (Failure::Denied { .. } | Failure::Invalid { .. }) => Self::Refused(refused.into_error()),
            Failure::NoCapacity(words) | Failure::Lost(words) | Failure::Preempted(words) | Failure::Other(words) => {
                Self::Other(words)
            }
        }
    }
}
