//! Calls of the Hetzner Cloud API: JSON over HTTPS with a bearer token. Source: its OpenAPI document.

use bytes::Bytes;
use http::Method;
use http_body_util::Full;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::OnceCell;

use super::super::http::{Answer, Http};
use super::fault::{Fault, read};
use super::{Cause, ProviderError, Settings};

const ENDPOINT: &str = "https://api.hetzner.cloud/v1";

pub(super) struct Api {
    http: Http,
    endpoint: String,
    token: String,
    currency: OnceCell<String>,
}

impl std::fmt::Debug for Api {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Api").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

impl Api {
    pub(super) fn new(settings: Settings) -> Result<Self, ProviderError> {
        let endpoint = settings.endpoint.unwrap_or_else(|| ENDPOINT.to_owned());
        Ok(Self {
            http: Http::new()?,
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            token: settings.token,
            currency: OnceCell::new(),
        })
    }

    /// Of all prices of this project; it does not change.
    pub(super) async fn currency(&self) -> Result<&str, ProviderError> {
        let ask = async || Ok(self.get::<Prices>("/pricing").await?.pricing.currency);
        self.currency.get_or_try_init(ask).await.map(String::as_str)
    }

    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ProviderError> {
        let answer = self.send(Method::GET, path, None).await.map_err(|fault| fault.error)?;
        parse(path, &answer)
    }

    pub(super) async fn post<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Result<T, Fault> {
        let answer = self.send(Method::POST, path, Some(body)).await?;
        Ok(parse(path, &answer)?)
    }

    /// What is not there is deleted already.
    pub(super) async fn delete(&self, path: &str) -> Result<(), ProviderError> {
        match self.send(Method::DELETE, path, None).await {
            Err(fault) if fault.error.cause != Cause::NotFound => Err(fault.error),
            _ => Ok(()),
        }
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer, Fault> {
        let what = format!("{method} {}", path.split('?').next().unwrap_or_default());
        let request = http::Request::builder().method(method).uri(format!("{}{path}", self.endpoint));
        let request = request.header("authorization", format!("Bearer {}", self.token));
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = request.header("content-type", "application/json").body(Full::new(Bytes::from(body)));
        // Not the error's own words: the token is among what it may complain about.
        let request =
            request.map_err(|_| ProviderError::new(Cause::Invalid, format!("Hetzner, {what}: malformed call")))?;
        let answer = self.http.send(request).await?;
        match answer.status {
            200..300 => Ok(answer),
            _ => Err(read(&what, &answer)),
        }
    }
}

#[derive(Deserialize)]
struct Prices {
    pricing: Pricing,
}

#[derive(Deserialize)]
struct Pricing {
    currency: String,
}

/// What was done and is not understood is not known.
fn parse<T: DeserializeOwned>(path: &str, answer: &Answer) -> Result<T, ProviderError> {
    serde_json::from_str(&answer.body)
        .map_err(|error| ProviderError::because(Cause::TimedOut, format!("Hetzner answered {path} unreadably"), error))
}
