//! EC2's error codes by what can be done about them. Source: "Error codes for the Amazon EC2 API".

use super::super::http::Answer;
use super::{Cause, ProviderError, answer};

pub(super) fn read(action: &str, answer: &Answer) -> ProviderError {
    let field = |name| answer::text_of(&answer.body, &["Errors", "Error", name]);
    let code = field("Code").unwrap_or_default();
    let words = field("Message").unwrap_or_else(|| format!("status {}", answer.status));
    ProviderError::new(cause(&code, answer), format!("EC2, {action}: {words} ({code})"))
}

fn cause(code: &str, answer: &Answer) -> Cause {
    match code {
        "InsufficientInstanceCapacity" | "InsufficientCapacity" | "InsufficientHostCapacity" | "InsufficientVolumeCapacity"
        | "InsufficientReservedInstanceCapacity" | "InsufficientFreeAddressesInSubnet" | "SpotMaxPriceTooLow"
        // Of a zone that does not have this size.
        | "Unsupported" => Cause::NoCapacity,
        "InstanceLimitExceeded" | "VcpuLimitExceeded" | "MaxSpotInstanceCountExceeded" | "VolumeLimitExceeded"
        | "PendingVerification" => Cause::Quota,
        "RequestLimitExceeded" | "Throttling" | "ThrottlingException" | "EC2ThrottledException" => {
            Cause::RateLimited { retry_after: answer.retry_after }
        }
        "AuthFailure" | "UnauthorizedOperation" | "InvalidClientTokenId" | "SignatureDoesNotMatch" | "ExpiredToken"
        | "RequestExpired" | "OptInRequired" | "Blocked" | "MissingAuthenticationToken" | "AccessDenied" => Cause::Unauthorized,
        "InvalidInstanceType" => Cause::NotFound,
        code if code.starts_with("InvalidAMIID") => Cause::NotFound,
        _ => match answer.status {
            429 => Cause::RateLimited { retry_after: answer.retry_after },
            // It failed somewhere on its way: nobody knows how far it had come.
            500.. => Cause::TimedOut,
            _ => Cause::Invalid,
        },
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn answer(status: u16, code: &str) -> Answer {
        let body =
            format!("<Response><Errors><Error><Code>{code}</Code><Message>m</Message></Error></Errors></Response>");
        Answer { status, retry_after: Some(Duration::from_secs(3)), body }
    }

    #[test]
    fn codes_say_what_to_do() {
        let limited = Cause::RateLimited { retry_after: Some(Duration::from_secs(3)) };
        for (status, code, expected) in [
            (500, "InsufficientInstanceCapacity", Cause::NoCapacity),
            (400, "VcpuLimitExceeded", Cause::Quota),
            (503, "RequestLimitExceeded", limited),
            (429, "", limited),
            (401, "AuthFailure", Cause::Unauthorized),
            (400, "InvalidAMIID.NotFound", Cause::NotFound),
            (400, "InvalidParameterValue", Cause::Invalid),
            (500, "InternalError", Cause::TimedOut),
        ] {
            let error = read("RunInstances", &answer(status, code));
            assert_eq!(error.cause, expected, "{code}");
            assert_eq!(error.to_string(), format!("EC2, RunInstances: m ({code})"));
        }
    }

    #[test]
    fn an_answer_of_something_in_between_is_no_answer() {
        let page = Answer { status: 502, retry_after: None, body: "<html>bad gateway".into() };
        assert_eq!(read("RunInstances", &page).cause, Cause::TimedOut);
    }
}
