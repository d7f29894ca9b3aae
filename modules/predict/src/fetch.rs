//! A tile or a model: a file that came with the job, or one that lies on a server.

use stead_guest::http::{self, Hidden, Request, Value};
use stead_guest::job::Failure;
use stead_guest::retry::Cause;

/// The name of the artifact that holds it.
pub(crate) fn obtain(reference: &str, name: &str, token: Option<&str>) -> Result<String, Failure> {
    if !reference.starts_with("https://") && !reference.starts_with("http://") {
        return Ok(reference.to_owned());
    }
    let bearer = |token: &str| Value::Secret(Hidden { prefix: "Bearer ".to_owned(), name: token.to_owned() });
    let headers = token.map(|token| ("authorization".to_owned(), bearer(token))).into_iter().collect();
    let request = Request { url: reference.to_owned(), headers, timeout: Some(600), ..Request::default() };
    let response = http::download(&request, name)?;
    match response.status {
        200..=299 => Ok(name.to_owned()),
        // The server's own trouble, which may pass.
        status @ (429 | 500..) => Err(Failure::again(Cause::Temporary, format!("{reference}: status {status}"))),
        status => Err(Failure::new(format!("{reference}: status {status}"))),
    }
}
