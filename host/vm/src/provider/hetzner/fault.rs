//! Hetzner's error codes by what can be done about them. Source: "Errors" of the API's documentation.

use serde::Deserialize;

use super::super::http::Answer;
use super::{Cause, ProviderError};

/// An error, and whether it says that the name is taken.
pub(super) struct Fault {
    pub(super) error: ProviderError,
    pub(super) is_taken: bool,
}

impl From<ProviderError> for Fault {
    fn from(error: ProviderError) -> Self {
        Self { error, is_taken: false }
    }
}

#[derive(Default, Deserialize)]
struct Body {
    error: Words,
}

#[derive(Default, Deserialize)]
struct Words {
    code: String,
    message: String,
}

pub(super) fn read(what: &str, answer: &Answer) -> Fault {
    let Words { code, message } = serde_json::from_str::<Body>(&answer.body).unwrap_or_default().error;
    let message = if message.is_empty() { format!("status {}", answer.status) } else { message };
    let error = ProviderError::new(cause(&code, answer), format!("Hetzner, {what}: {message} ({code})"));
    Fault { error, is_taken: code == "uniqueness_error" }
}

fn cause(code: &str, answer: &Answer) -> Cause {
    match (code, answer.status) {
        ("resource_unavailable" | "placement_error" | "no_space_left_in_location", _) => Cause::NoCapacity,
        ("resource_limit_exceeded", _) => Cause::Quota,
        ("rate_limit_exceeded", _) | (_, 429) => Cause::RateLimited { retry_after: answer.retry_after },
        ("unauthorized" | "forbidden" | "token_readonly", _) => Cause::Unauthorized,
        ("not_found", _) => Cause::NotFound,
        ("conflict" | "locked" | "maintenance" | "unavailable", _) => Cause::Unavailable,
        // It failed somewhere on its way: nobody knows how far it had come.
        (_, 500..) => Cause::TimedOut,
        _ => Cause::Invalid,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn codes_say_what_to_do() {
        let retry_after = Some(Duration::from_secs(3));
        for (status, code, expected) in [
            (412, "resource_unavailable", Cause::NoCapacity),
            (403, "resource_limit_exceeded", Cause::Quota),
            (429, "rate_limit_exceeded", Cause::RateLimited { retry_after }),
            (401, "unauthorized", Cause::Unauthorized),
            (404, "not_found", Cause::NotFound),
            (423, "locked", Cause::Unavailable),
            (409, "uniqueness_error", Cause::Invalid),
            (500, "server_error", Cause::TimedOut),
            (504, "timeout", Cause::TimedOut),
        ] {
            let body = format!(r#"{{"error": {{"code": "{code}", "message": "m", "details": null}}}}"#);
            let fault = read("POST /servers", &Answer { status, retry_after, body });
            assert_eq!((fault.error.cause, fault.is_taken), (expected, code == "uniqueness_error"), "{code}");
            assert_eq!(fault.error.to_string(), format!("Hetzner, POST /servers: m ({code})"));
        }
    }
}
