//! `stead recover`: take back what a run that died has left open.

use clap::Args;

use super::Context;
use super::asking::{ask, unexpected};
use super::progress::{Progress, count};
use super::targets::anywhere;
use crate::error::Failure;
use crate::event::Event;
use crate::exit::Exit;
use crate::session::Request;

/// Take back what a run that died has left open.
///
/// Does nothing when no run is open. It needs no repo: the journal knows how each step is taken back.
#[derive(Debug, Args)]
pub(super) struct Recover {
    /// The host; this machine when there is none.
    #[arg(value_name = "TARGET")]
    target: Option<String>,
}

impl Recover {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let machine = anywhere(context, self.target.as_deref())?;
        let answer = ask(&machine, Request::Recover, Progress::new(context.terminal, None)).await?;
        let Event::Report { report } = answer else { return Err(unexpected()) };
        let at = report.revision.map_or_else(|| "as before stead".to_owned(), |id| format!("at revision {id}"));
        let said = match report.run {
            None => format!("{}: no run is open; it is {at}\n", machine.label),
            Some(run) => {
                format!("{}: run {run} is taken back, {}; it is {at}\n", machine.label, count(report.steps, "step"))
            }
        };
        context.terminal.print(&said);
        Ok(Exit::Done)
    }
}
