//! HTTPS for providers that are reached over it: one request, one answer of bounded size within bounded time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::time::timeout;

use super::{Cause, ProviderError};

const LIMIT: Duration = Duration::from_secs(60);
/// A page of a list has a few hundred machines.
const LARGEST: usize = 32 << 20;

/// Connections that are kept and used again.
#[derive(Clone, Debug)]
pub(super) struct Http {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

pub(super) struct Answer {
    pub(super) status: u16,
    /// What the service wants us to wait.
    pub(super) retry_after: Option<Duration>,
    pub(super) body: String,
}

/// Seconds, or the moment from which calls are served again as seconds since 1970 (`RateLimit-Reset`, of Hetzner).
fn retry_after(headers: &http::HeaderMap) -> Option<Duration> {
    let number = |name| headers.get(name)?.to_str().ok()?.parse().ok().map(Duration::from_secs);
    let until =
        |reset: Duration| reset.saturating_sub(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default());
    number("retry-after").or_else(|| number("ratelimit-reset").map(until))
}

impl Http {
    pub(super) fn new() -> Result<Self, ProviderError> {
        let builder = hyper_rustls::HttpsConnectorBuilder::new().with_native_roots().map_err(|error| {
            ProviderError::because(Cause::Unavailable, "reading this machine's certificates", error)
        })?;
        let connector = builder.https_or_http().enable_http1().build();
        Ok(Self { client: Client::builder(TokioExecutor::new()).build(connector) })
    }

    /// # Errors
    /// [`Cause::Unavailable`] when nothing was sent, [`Cause::TimedOut`] when it is unknown what became of it.
    pub(super) async fn send(&self, request: http::Request<Full<Bytes>>) -> Result<Answer, ProviderError> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let unknown = |error: &dyn std::fmt::Display| {
            ProviderError::new(Cause::TimedOut, format!("no answer from {host}: {error}"))
        };
        let exchange = async {
            let answer = self.client.request(request).await.map_err(|error| match error.is_connect() {
                true => ProviderError::because(Cause::Unavailable, format!("cannot reach {host}"), error),
                false => unknown(&error),
            })?;
            let (head, body) = answer.into_parts();
            let body = Limited::new(body, LARGEST).collect().await.map_err(|error| unknown(&error))?.to_bytes();
            let body = String::from_utf8_lossy(&body).into_owned();
            Ok(Answer { status: head.status.as_u16(), retry_after: retry_after(&head.headers), body })
        };
        timeout(LIMIT, exchange).await.unwrap_or_else(|late| Err(unknown(&late)))
    }
}
