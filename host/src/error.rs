//! The one translator from typed errors to what the operator reads: the message, whose fault it is, what to do next,
//! the place in a file, and the exit code.
//!
//! A failure crosses from the host to the operator as it is, so it never holds a secret.

use std::fmt::Display;

use serde::{Deserialize, Serialize};

use crate::exit::Exit;
use crate::repo::Place;

mod author;
mod backup;
mod job;
mod machine;
mod policy;
mod registry;
mod remote;
mod repo;
mod session;

pub use session::failure;

/// An error as the operator reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What went wrong.
    pub message: String,
    /// Who can mend it.
    pub blame: Blame,
    /// The documented exit code.
    pub exit: Exit,
    /// What to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Where in a file of the operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// Whose fault it is, or rather who can mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Blame {
    /// Who wrote the policy.
    Policy,
    /// Who wrote `stead.toml` or the command line.
    Operator,
    /// The machine under management.
    Host,
    /// What lies between the operator and the machine.
    Remote,
    /// stead itself.
    Stead,
}

impl Failure {
    /// A failure with the error's own words.
    pub fn new(blame: Blame, exit: Exit, error: &impl Display) -> Self {
        Self { message: error.to_string(), blame, exit, help: None, place: None }
    }

    /// Says what to do next.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Says what to do next, where that is known.
    #[must_use]
    pub(crate) fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = help.or(self.help);
        self
    }
}

impl Blame {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Operator => "operator",
            Self::Host => "host",
            Self::Remote => "remote",
            Self::Stead => "stead",
        }
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

impl miette::Diagnostic for Failure {
    fn code<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        Some(Box::new(format!("{}, exit code {}", self.blame.as_str(), self.exit.code())))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as _)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.place.as_ref().map(|place| place as _)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = miette::LabeledSpan> + '_>> {
        let place = self.place.as_ref()?;
        let (start, length) = place.at;
        Some(Box::new(std::iter::once(miette::LabeledSpan::new(Some("here".to_owned()), start, length))))
    }
}

impl miette::SourceCode for Place {
    fn read_span<'a>(
        &'a self,
        span: &miette::SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn miette::SpanContents<'a> + 'a>, miette::MietteError> {
        let read = self.text.read_span(span, before, after)?;
        Ok(Box::new(miette::MietteSpanContents::new_named(
            self.file.clone(),
            read.data(),
            *read.span(),
            read.line(),
            read.column(),
            read.line_count(),
        )))
    }
}

/// An error that is translated by reference is also translated by value, for `?`.
macro_rules! by_value {
    ($($error:ty),+ $(,)?) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::from(&error)
            }
        })+
    };
}
use by_value;

#[cfg(test)]
mod tests;
