//! `stead log`: what was done to a host.

use clap::Args;

use super::Context;
use super::asking::{ask, unexpected};
use super::progress::Progress;
use super::status::json;
use super::targets::{anywhere, number};
use super::when::when;
use crate::error::{Blame, Failure};
use crate::event::Event;
use crate::exit::Exit;
use crate::journal::{JournaledStep, Operation, Run, StepState};
use crate::plan::{Plan, render};
use crate::policy::printable;
use crate::session::Request;

/// Show what was done to a host.
///
/// Lists the last runs, and what was done besides, the newest first; or shows one run with its plan and how far each step came.
#[derive(Debug, Args)]
pub(super) struct Log {
    /// The run, all when there is none; then the host, this machine when there is none.
    #[arg(value_name = "[RUN] [TARGET]")]
    words: Vec<String>,
    /// Print for machines: one JSON document.
    #[arg(long)]
    json: bool,
}

impl Log {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let (run, targets) = number(&self.words);
        if let [_, unexpected, ..] = targets {
            let message = format!("one host at a time: what is `{unexpected}`?");
            return Err(Failure::new(Blame::Operator, Exit::Usage, &message));
        }
        let machine = anywhere(context, targets.first().map(String::as_str))?;
        let answer = ask(&machine, Request::Log { run }, Progress::new(context.terminal, None)).await?;
        let text = match &answer {
            Event::Runs { .. } | Event::Run { .. } if self.json => json(&answer),
            Event::Runs { runs, operations } if runs.is_empty() && operations.is_empty() => {
                "nothing was done here yet\n".to_owned()
            }
            Event::Runs { runs, operations } => lines(runs, operations),
            Event::Run { run, steps, plan } => one(context, run, steps, plan),
            _ => return Err(unexpected()),
        };
        context.terminal.print(&text);
        Ok(Exit::Done)
    }
}

fn lines(runs: &[Run], operations: &[Operation]) -> String {
    let runs = runs.iter().map(|run| (run.started, line(run)));
    let operations = operations.iter().map(|operation| (operation.started, besides(operation)));
    let mut lines: Vec<_> = runs.chain(operations).collect();
    lines.sort_by_key(|(started, _)| std::cmp::Reverse(*started));
    lines.into_iter().map(|(_, line)| line).collect()
}

/// What has no plan has no number that could be asked for.
fn besides(operation: &Operation) -> String {
    let state = match (&operation.error, operation.ended) {
        (Some(_), _) => "failed",
        (None, Some(_)) => "done",
        (None, None) => "begun",
    };
    let (what, by) = (printable(&operation.resource), printable(&operation.operator));
    let error = operation.error.as_deref().map(|error| format!(": {}", printable(error))).unwrap_or_default();
    format!("{:>5}  {}  {}  {state:<10}  {what}  {by}{error}\n", "", when(operation.started), operation.what)
}

fn line(run: &Run) -> String {
    let (kind, state) = (json_word(&run.kind), json_word(&run.state));
    let commit: String = run.commit.as_deref().unwrap_or("-").chars().take(12).collect();
    let by = printable(&run.operator);
    format!("{:>5}  {}  {kind:<8}  {state:<10}  {commit:<12}  {by}\n", run.id, when(run.started))
}

fn one(context: &Context, run: &Run, steps: &[JournaledStep], plan: &Plan) -> String {
    let mut text = line(run);
    if let Some(error) = &run.error {
        text.push_str(&format!("because: {}\n", printable(error)));
    }
    text.push_str("\nThe plan:\n");
    text.push_str(&render(plan, context.terminal.colour));
    text.push_str("\nThe steps:\n");
    for step in steps {
        let title = printable(&format!("{} {}", step.planned.capability, step.planned.step.resource));
        let state = match step.state {
            StepState::Intended => "begun, and nobody knows how far it came",
            StepState::Done => "done",
            StepState::Failed => "failed",
            StepState::Undone => "taken back",
        };
        let error = step.error.as_deref().map(|error| format!(": {}", printable(error))).unwrap_or_default();
        text.push_str(&format!("{:>5}  {title}: {state}{error}\n", step.seq));
    }
    text
}

/// The word that serde gives a unit variant.
fn json_word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
