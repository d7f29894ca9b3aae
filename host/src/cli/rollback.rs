//! `stead rollback`: bring a host back to an earlier revision.

use clap::Args;

use super::Context;
use super::applying::{self, Options, agreed};
use super::asking::{ask, unexpected};
use super::planning::{self, Packed};
use super::progress::Progress;
use super::targets::{Machine, number};
use crate::error::{Blame, Failure};
use crate::event::Event;
use crate::exit::Exit;
use crate::session::{Goal, Request};

/// Bring a host back to an earlier revision.
///
/// Shows what would change, asks, and does it. The grants and secrets of today apply, not those of then.
#[derive(Debug, Args)]
pub(super) struct Rollback {
    /// The revision, the one before the last when there is none, 0 for the host before stead; then the hosts, this
    /// machine when there is none.
    #[arg(value_name = "[REVISION] [TARGET]")]
    words: Vec<String>,
    #[command(flatten)]
    options: Options,
}

impl Rollback {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        self.options.somebody_can_be_asked()?;
        let (revision, targets) = number(&self.words);
        let packed = planning::pack(context, targets).await?;
        let goals = goals(context, &packed, revision).await?;
        let planned = match planning::plan(context, packed, &goals).await {
            Ok(planned) => planned,
            Err(exit) => return Ok(exit),
        };
        planning::show(context, &planned);
        if !agreed(&self.options, &planned) {
            return Ok(Exit::Declined);
        }
        applying::apply(context, planned, &self.options, true).await
    }
}

async fn goals(context: &Context, packed: &[Packed], revision: Option<u64>) -> Result<Vec<Goal>, Failure> {
    let mut goals = Vec::new();
    for (machine, _) in packed {
        let revision = match revision {
            Some(revision) => revision,
            None => before_the_last(context, machine).await?,
        };
        goals.push(Goal::Revision(revision));
    }
    Ok(goals)
}

async fn before_the_last(context: &Context, machine: &Machine) -> Result<u64, Failure> {
    let answer = ask(machine, Request::Status, Progress::new(context.terminal, None)).await?;
    let Event::Status { status } = answer else { return Err(unexpected()) };
    let none = || {
        let message = format!("{} has no revision to go back from", machine.label);
        Failure::new(Blame::Operator, Exit::Usage, &message)
    };
    Ok(status.revision.ok_or_else(none)?.id.saturating_sub(1))
}
