//! The one translator from typed errors to what the operator reads: message, help, exit code.

use crate::event::Failure;
use crate::session::SessionError;

/// What the operator reads when a request could not be served.
pub fn failure(error: &SessionError) -> Failure {
    Failure { message: error.to_string(), help: None, exit: 70 }
}
