//! What goes wrong with jobs.

use stead_queue::QueueError;

use super::{Blame, Failure};
use crate::exit::Exit;
use crate::job::{FileError, ServiceError};

impl From<QueueError> for Failure {
    fn from(error: QueueError) -> Self {
        let (blame, exit) = match &error {
            QueueError::NoSuchJob(_) | QueueError::KeyReused { .. } | QueueError::NotRetryable { .. } => {
                (Blame::Operator, Exit::Usage)
            }
            QueueError::TooLarge { .. } => (Blame::Operator, Exit::Input),
            _ => (Blame::Host, Exit::State),
        };
        let help = matches!(error, QueueError::NoSuchJob(_)).then(|| "`stead job ls` lists them".to_owned());
        Self::new(blame, exit, &error).maybe_help(help)
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        Self::new(Blame::Operator, Exit::Usage, &error)
    }
}

impl From<ServiceError> for Failure {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Queue(error) => error.into(),
            ServiceError::File(error) => error.into(),
            ServiceError::Policy(error) => error.into(),
            ServiceError::Provider { .. } | ServiceError::Price { .. } | ServiceError::Image(_) => {
                Self::new(Blame::Operator, Exit::Input, &error)
            }
            ServiceError::Folder { .. } | ServiceError::Name(_) | ServiceError::Containers(_) => {
                Self::new(Blame::Host, Exit::State, &error)
            }
        }
    }
}
