//! `stead confirm`: confirm by hand a run that waits for the operator.

use clap::Args;

use super::Context;
use super::asking::{ask, unexpected};
use super::progress::Progress;
use super::targets::anywhere;
use crate::error::Failure;
use crate::event::Event;
use crate::exit::Exit;
use crate::session::Request;

/// Confirm by hand a run that waits for you.
///
/// `stead apply` does this by itself. By hand it is of use on the host, after you have come in over a new connection.
#[derive(Debug, Args)]
pub(super) struct Confirm {
    /// The number of the run.
    #[arg(value_name = "RUN")]
    run: u64,
    /// The host; this machine when there is none.
    #[arg(value_name = "TARGET")]
    target: Option<String>,
}

impl Confirm {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let machine = anywhere(context, self.target.as_deref())?;
        let request = Request::Confirm { run: self.run };
        match ask(&machine, request, Progress::new(context.terminal, None)).await? {
            Event::Confirmed { .. } => Ok(Exit::Done),
            _ => Err(unexpected()),
        }
    }
}
