//! Why a policy ended without declaring a host.

use std::fmt;

use crate::bindings::stead::host::types;

pub use crate::bindings::stead::host::types::{Denial, InvalidArgument};

/// What the functions of a policy return: any error turns into it by `?`.
///
/// What the host answered keeps its shape on the way, so that the operator is shown the grant that is missing.
#[derive(Clone, Debug, PartialEq)]
pub struct Error(types::Error);

impl Error {
    /// An error in words.
    pub fn new(message: impl fmt::Display) -> Self {
        Self(types::Error::Other(message.to_string()))
    }

    /// What was denied, when that is what happened.
    pub fn denied(&self) -> Option<&Denial> {
        match &self.0 {
            types::Error::Denied(denial) => Some(denial),
            _ => None,
        }
    }

    /// Which argument was wrong, when that is what happened.
    pub fn invalid(&self) -> Option<&InvalidArgument> {
        match &self.0 {
            types::Error::Invalid(invalid) => Some(invalid),
            _ => None,
        }
    }

    /// The same as the contract has it.
    pub fn into_inner(self) -> types::Error {
        self.0
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            types::Error::Denied(denial) => {
                write!(f, "{}: {} is not granted; what would allow it:\n{}", denial.capability, denial.asked, denial.grant)
            }
            types::Error::Invalid(invalid) => write!(f, "{}: {}", invalid.argument, invalid.reason),
            types::Error::Other(message) => f.write_str(message),
        }
    }
}

// `Error` is no `std::error::Error` itself; otherwise this would overlap with `From<T> for T`.
impl<E: std::error::Error + Send + Sync + 'static> From<E> for Error {
    fn from(error: E) -> Self {
        let error: Box<dyn std::error::Error + Send + Sync> = Box::new(error);
        match error.downcast::<types::Error>() {
            Ok(error) => Self(*error),
            Err(error) => Self::new(chain(&*error)),
        }
    }
}

/// An error and its causes on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words.push_str(": ");
        words.push_str(&error.to_string());
        cause = error.source();
    }
    words
}
