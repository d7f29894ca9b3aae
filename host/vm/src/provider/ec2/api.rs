//! One call of the EC2 Query API: a signed form, an answer in XML. Source: "Amazon EC2 API Reference", version 2016-11-15.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use bytes::Bytes;
use http_body_util::Full;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::super::http::Http;
use super::{Cause, ProviderError, Settings, answer, fault};

const VERSION: &str = "2016-11-15";
const KIND: &str = "application/x-www-form-urlencoded; charset=utf-8";
/// The unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub(super) struct Api {
    http: Http,
    endpoint: Option<String>,
    credentials: Credentials,
}

impl std::fmt::Debug for Api {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Api").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

impl Api {
    pub(super) fn new(settings: &Settings) -> Result<Self, ProviderError> {
        let given = settings.credentials.clone();
        let credentials =
            Credentials::new(given.access_key_id, given.secret_access_key, given.session_token, None, "stead");
        Ok(Self { http: Http::new()?, endpoint: settings.endpoint.clone(), credentials })
    }

    /// Gives the answer's text, which is a well-formed document.
    pub(super) async fn ask<V: AsRef<str>>(
        &self,
        region: &str,
        action: &str,
        parameters: &[(&str, V)],
    ) -> Result<String, ProviderError> {
        let request = self.signed(region, form(action, parameters))?;
        let answer = self.http.send(request).await?;
        match answer.status {
            200..300 => answer::check(action, answer.body),
            _ => Err(fault::read(action, &answer)),
        }
    }

    fn signed(&self, region: &str, form: String) -> Result<http::Request<Full<Bytes>>, ProviderError> {
        let broken = |error: &dyn std::fmt::Display| {
            ProviderError::new(Cause::Invalid, format!("cannot sign a call to the region {region}: {error}"))
        };
        let url = self.endpoint.clone().unwrap_or_else(|| format!("https://ec2.{region}.amazonaws.com"));
        let request = http::Request::post(format!("{}/", url.trim_end_matches('/'))).header("content-type", KIND);
        let mut request = request.body(form).map_err(|error| broken(&error))?;
        let identity = self.credentials.clone().into();
        let parameters = SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name("ec2")
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| broken(&error))?
            .into();
        let (method, url) = (request.method().as_str(), request.uri().to_string());
        let body = SignableBody::Bytes(request.body().as_bytes());
        let signable = SignableRequest::new(method, url, std::iter::once(("content-type", KIND)), body);
        let signable = signable.map_err(|error| broken(&error))?;
        let (instructions, _) = sign(signable, &parameters).map_err(|error| broken(&error))?.into_parts();
        instructions.apply_to_request_http1x(&mut request);
        Ok(request.map(|form| Full::new(Bytes::from(form))))
    }
}

fn form<V: AsRef<str>>(action: &str, parameters: &[(&str, V)]) -> String {
    let mut form = format!("Action={action}&Version={VERSION}");
    for (name, value) in parameters {
        form.push_str(&format!("&{name}={}", utf8_percent_encode(value.as_ref(), RESERVED)));
    }
    form
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_cannot_add_parameters() {
        assert_eq!(form("A", &[("X", "1&Y=2 +é")]), "Action=A&Version=2016-11-15&X=1%26Y%3D2%20%2B%C3%A9");
    }
}
