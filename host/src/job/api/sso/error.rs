//! How a login fails. No variant holds a code, a token or the secret.

use std::path::PathBuf;
use std::time::Duration;

use hyper::StatusCode;

use super::super::problem::Problem;

/// Somebody cannot be logged in.
#[derive(Clone, Debug, thiserror::Error)]
pub(in crate::job::api) enum SsoError {
    #[error("the certificates of [serve.sso] in {path} cannot be used: {reason}", path = path.display())]
    Certificates { path: PathBuf, reason: String },
    #[error("HTTPS cannot be used: {0}")]
    Tls(String),
    #[error("the SSO provider cannot be reached: {what} at {host}: {reason}")]
    Unreachable { what: &'static str, host: String, reason: String },
    #[error("the SSO provider has not answered within {0:?}")]
    Silent(Duration),
    #[error("too many people log in at this moment: try again")]
    Busy,
    #[error("the SSO provider answered {status} for {what}{}", said(code))]
    Answer {
        what: &'static str,
        status: u16,
        /// The error code of OAuth, when there was one.
        code: Option<String>,
    },
    #[error("the SSO provider's answer for {what} is larger than {most} bytes")]
    TooLarge { what: &'static str, most: usize },
    #[error("the SSO provider's answer for {what} is not what it should be: {reason}")]
    Content { what: &'static str, reason: String },
    #[error(
        "the SSO provider calls itself {found:?}, and [serve.sso] has issuer = {expected:?}: the two have to be the same, to the last /"
    )]
    Issuer { expected: String, found: String },
    #[error("what the SSO provider said of you is not to be believed: {0}")]
    NotBelieved(&'static str),
    #[error("the SSO provider did not let you in: {0}")]
    Refused(String),
    #[error("this login was not begun by this browser, or too long ago: begin anew")]
    NotBegun,
}

fn said(code: &Option<String>) -> String {
    code.as_ref().map(|code| format!(", and says {code}")).unwrap_or_default()
}

/// A code of an error as RFC 6749 has it; what else an error says may be anybody's words, and is not shown.
pub(in crate::job::api) fn code(text: &str) -> Option<String> {
    let is_code = (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    is_code.then(|| text.to_owned())
}

impl From<SsoError> for Problem {
    fn from(error: SsoError) -> Self {
        let (status, code) = match &error {
            SsoError::Certificates { .. } | SsoError::Tls(_) => (StatusCode::INTERNAL_SERVER_ERROR, "sso-certificates"),
            SsoError::Unreachable { .. } | SsoError::Silent(_) | SsoError::Busy => {
                (StatusCode::SERVICE_UNAVAILABLE, "sso-unavailable")
            }
            SsoError::Answer { .. }
            | SsoError::TooLarge { .. }
            | SsoError::Content { .. }
            | SsoError::Issuer { .. } => (StatusCode::BAD_GATEWAY, "sso-answer"),
            SsoError::NotBelieved(_) | SsoError::Refused(_) => (StatusCode::FORBIDDEN, "sso-refused"),
            SsoError::NotBegun => (StatusCode::BAD_REQUEST, "sso-not-begun"),
        };
        Self::new(status, code, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::code;

    #[test]
    fn only_codes_are_shown() {
        assert_eq!(code("access_denied").as_deref(), Some("access_denied"));
        for text in ["", "Call +49 123", "<b>", "a b", &"a".repeat(65)] {
            assert_eq!(code(text), None, "{text:?}");
        }
    }
}
