//! Requests of jobs to other hosts: to those that are granted, at public addresses unless the grant says otherwise, of bounded
//! size within bounded time, redirects included.

use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, COOKIE, HOST, HeaderMap, HeaderName, HeaderValue, LOCATION, PROXY_AUTHORIZATION};
use http_body_util::{BodyExt, Full};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use url::Url;

use crate::policy::job::Failure;
use crate::policy::job::http::Method;

mod address;
mod answer;
mod scope;

pub(super) use answer::Body;
pub(super) use scope::Scope;

use address::Resolver;

/// Of a request that says nothing else, and the longest.
const TIME: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_secs(600);
/// How many redirects are followed.
const REDIRECTS: usize = 5;
/// Headers that are the client's own affair.
const OWN: [&str; 7] =
    ["host", "connection", "content-length", "transfer-encoding", "te", "upgrade", "proxy-connection"];

/// Sends requests.
#[derive(Clone, Copy, Debug)]
pub(super) struct Http;

/// A request with its secrets in it.
pub(super) struct Prepared {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    /// Those of them that must not go to another host.
    pub(super) private: Vec<HeaderName>,
    pub(super) body: Bytes,
    pub(super) timeout: Duration,
}

type Https = Client<HttpsConnector<HttpConnector<Resolver>>, Full<Bytes>>;

impl Http {
    /// Sends it where it is granted, and gives what answers in the end to `take`.
    ///
    /// # Errors
    /// What the policy is told.
    pub(super) async fn send<T>(
        self,
        request: Prepared,
        scope: &Scope,
        take: impl AsyncFnOnce(Body) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let (limit, host) = (request.timeout, request.url.host_str().unwrap_or_default().to_owned());
        let exchange = async {
            let client = client(scope.reaches_private())?;
            let (head, body) = follow(&client, request, scope).await?.into_parts();
            take(Body { head, body }).await
        };
        let late = |_| Failure::Unreachable(format!("no whole answer from {host} within {limit:?}"));
        tokio::time::timeout(limit, exchange).await.map_err(late)?
    }
}

async fn follow(
    client: &Https,
    mut request: Prepared,
    scope: &Scope,
) -> Result<http::Response<hyper::body::Incoming>, Failure> {
    for _ in 0..=REDIRECTS {
        scope.check_address(&request.url)?;
        let answer = once(client, &request).await?;
        let Some(next) = redirect(&answer, &request.url)? else { return Ok(answer) };
        let sees_body = matches!(answer.status().as_u16(), 307 | 308);
        if !sees_body && !matches!(request.method, Method::Get | Method::Head) {
            request.method = Method::Get;
            request.body = Bytes::new();
        }
        scope
            .check(&next, request.method)
            .map_err(|denied| Failure::Other(format!("{} leads to {}: {denied}", request.url, without_query(&next))))?;
        if next.origin() != request.url.origin() {
            request.private.iter().for_each(|name| drop(request.headers.remove(name)));
        }
        request.url = next;
    }
    Err(Failure::Other(format!("more than {REDIRECTS} redirects, the last one to {}", without_query(&request.url))))
}

async fn once(client: &Https, request: &Prepared) -> Result<http::Response<hyper::body::Incoming>, Failure> {
    let host = request.url.host_str().unwrap_or_default();
    let mut built = http::Request::builder().method(request.method.word()).uri(request.url.as_str());
    if let Some(headers) = built.headers_mut() {
        headers.extend(request.headers.clone());
    }
    let built = built.body(Full::new(request.body.clone()));
    let built = built.map_err(|error| Failure::invalid("request", error.to_string()))?;
    client.request(built).await.map_err(|error| Failure::Unreachable(format!("{host}: {}", chain(&error))))
}

/// Where the answer leads, if it leads elsewhere.
fn redirect<B>(answer: &http::Response<B>, from: &Url) -> Result<Option<Url>, Failure> {
    if !matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let Some(location) = answer.headers().get(LOCATION) else { return Ok(None) };
    let wrong = || Failure::Other(format!("{} leads nowhere", without_query(from)));
    let mut next = from.join(location.to_str().map_err(|_| wrong())?).map_err(|_| wrong())?;
    next.set_fragment(None);
    parse(next.as_str()).map(Some).map_err(|_| wrong())
}

/// A URL of a request.
///
/// # Errors
/// What the policy is told.
pub(super) fn parse(text: &str) -> Result<Url, Failure> {
    let wrong = |reason: &str| Failure::invalid("url", reason);
    let url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("it begins with https:// or http://"));
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(wrong("it has neither a user nor a fragment"));
    }
    Ok(url)
}

/// How long a request may take.
///
/// # Errors
/// When that is too long.
pub(super) fn time(seconds: Option<u32>) -> Result<Duration, Failure> {
    let time = seconds.map_or(TIME, |seconds| Duration::from_secs(seconds.into()));
    match time.is_zero() || time > LONGEST {
        true => Err(Failure::invalid("timeout", format!("it is 1 to {} seconds", LONGEST.as_secs()))),
        false => Ok(time),
    }
}

/// A header, and whether it must not go to another host.
///
/// # Errors
/// When it can be none, or is the client's own.
pub(super) fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), Failure> {
    let wrong = |reason: &str| Failure::invalid("headers", format!("{name}: {reason}"));
    let parsed = HeaderName::try_from(name).map_err(|_| wrong("that is no name of a header"))?;
    if OWN.contains(&parsed.as_str()) || parsed == HOST {
        return Err(wrong("the client says that itself"));
    }
    // Never with the value in the words: it may be a secret.
    let value = HeaderValue::try_from(value).map_err(|_| wrong("its value has characters that no header has"))?;
    Ok((parsed, value))
}

/// Whether a header says who asks.
pub(super) fn says_who(name: &HeaderName) -> bool {
    [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION].contains(name)
}

/// A query may hold a key.
fn without_query(url: &Url) -> String {
    url.as_str().split('?').next().unwrap_or_default().to_owned()
}

fn client(private: bool) -> Result<Https, Failure> {
    let mut connector = HttpConnector::new_with_resolver(Resolver { private });
    connector.enforce_http(false);
    connector.set_connect_timeout(Some(Duration::from_secs(20)));
    let builder = HttpsConnectorBuilder::new().with_native_roots();
    let builder = builder.map_err(|error| Failure::Other(format!("this machine's certificates: {error}")))?;
    let connector = builder.https_or_http().enable_http1().wrap_connector(connector);
    Ok(Client::builder(TokioExecutor::new()).build(connector))
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    words
}

async fn collect(
    mut body: hyper::body::Incoming,
    most: u64,
    mut take: impl FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut size = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Failure::Unreachable(chain(&error)))?;
        let Some(bytes) = frame.data_ref() else { continue };
        size += bytes.len() as u64;
        if size > most {
            return Err(Failure::TooLarge(format!("the body has more than {most} bytes")));
        }
        take(bytes)?;
    }
    Ok(())
}
