//! Takes back what a run has done, the last step first.

use std::sync::Arc;

use super::act;
use crate::event::{Events, Phase};
use crate::journal::{Journal, JournalError, JournaledStep, RunState, StepState};
use crate::machine::Machine;
use crate::plan::Undo;

/// What came of taking a run back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Undone {
    /// How many steps were taken back.
    pub steps: usize,
    /// What has no undo, and why.
    pub left: Vec<String>,
    /// What could not be undone now; the run stays open.
    pub failed: Vec<String>,
}

/// Takes back every step that was begun. A step that was begun and not ended is taken back too: nobody knows how much
/// of it happened, and undos are idempotent.
///
/// # Errors
/// When the journal cannot be used. What the machine refuses is in the answer.
pub async fn undo(
    machine: &Arc<Machine>,
    journal: &Journal,
    events: &Events,
    run: u64,
    why: &str,
) -> Result<Undone, JournalError> {
    let mut undone = Undone::default();
    let begun: Vec<_> = journal.steps(run)?.into_iter().filter(|step| step.state != StepState::Undone).collect();
    for step in begun.iter().rev() {
        if let Undo::Action(action) = &step.planned.step.undo {
            take_back(machine, journal, events, run, step, action, &mut undone).await?;
        } else if let Undo::Impossible(reason) = &step.planned.step.undo {
            undone.left.push(format!("{}: {reason}", name(step)));
            journal.set_step(run, step.seq, StepState::Undone, None)?;
        }
    }
    // A restart is undone by restarting with what is there now, so it comes after everything else, in the order of the plan.
    for step in begun.iter().filter(|step| step.planned.step.undo == Undo::Rerun) {
        let again = step.planned.step.action.clone();
        take_back(machine, journal, events, run, step, &again, &mut undone).await?;
    }
    let state = if undone.failed.is_empty() { RunState::Undone } else { RunState::Broken };
    journal.set_state(run, state, Some(why))?;
    Ok(undone)
}

async fn take_back(
    machine: &Arc<Machine>,
    journal: &Journal,
    events: &Events,
    run: u64,
    step: &JournaledStep,
    action: &serde_json::Value,
    undone: &mut Undone,
) -> Result<(), JournalError> {
    match act(machine, &step.planned.capability, action).await {
        Ok(()) => {
            journal.set_step(run, step.seq, StepState::Undone, None)?;
            events.step(step.seq, &step.planned, Phase::Undone);
            undone.steps += 1;
        }
        Err(error) => {
            let error = error.to_string();
            undone.failed.push(format!("{}: {error}", name(step)));
            events.step(step.seq, &step.planned, Phase::UndoFailed { error });
        }
    }
    Ok(())
}

fn name(step: &JournaledStep) -> String {
    format!("{} {}", step.planned.capability, step.planned.step.resource)
}
