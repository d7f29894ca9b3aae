//! Does the steps of a plan, one at a time, each journaled before it begins; on failure takes them back.
//!
//! After `run` returns the machine is at the new revision, or as it was, or (when an undo failed) the journal says
//! what is left for `stead recover`.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::capability::{self, ApplyError, ObserveError, PlanError};
use crate::event::{Event, Events, Phase, Report, waiting};
use crate::grant::{GrantTable, Ungranted};
use crate::guard::{Guard, GuardError};
use crate::journal::{Journal, JournalError, Kind, NewRun, RunState, StepState};
use crate::machine::Machine;
use crate::observe::observe;
use crate::plan::{Inputs, Ownership, Plan, PlannedStep, make};

mod undo;

pub use undo::{Undone, undo};

/// How often what was deferred is planned anew before it is given up.
const ROUNDS: u32 = 4;

/// One apply.
#[derive(Debug)]
pub struct Apply<'a> {
    pub machine: &'a Arc<Machine>,
    pub journal: &'a mut Journal,
    pub events: &'a Events,
    pub guard: Guard,
    /// What is deferred is checked once it can be observed. `None`: it was granted to an earlier revision.
    pub grants: Option<&'a GrantTable>,
}

/// Why a run did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    #[error("{capability} {resource}: {source}")]
    Step { capability: String, resource: String, source: ApplyError },
    #[error(transparent)]
    Observe(#[from] ObserveError),
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error("still waiting: {}", .0.join("; "))]
    Waiting(Vec<String>),
    #[error("everything was done, and yet these are not as declared: {}", .0.join(", "))]
    NotConverged(Vec<String>),
    #[error("nobody confirmed over a new connection within {0} seconds")]
    NotConfirmed(u64),
    #[error(transparent)]
    Ungranted(#[from] Ungranted),
    #[error(transparent)]
    Guard(#[from] GuardError),
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// A run that did not come to its end, and what was done about it.
#[derive(Debug, thiserror::Error)]
#[error("{cause}")]
pub struct ApplyFailed {
    pub run: u64,
    pub cause: Cause,
    /// `Err`: the undo itself could not be recorded.
    pub undone: Result<Undone, JournalError>,
}

impl Apply<'_> {
    /// Does what the plan says. The caller holds the lock and has made sure that the plan still fits the machine.
    ///
    /// # Errors
    /// [`ApplyFailed`], after everything that was done has been taken back as far as possible.
    pub async fn run(mut self, plan: &Plan, kind: Kind, operator: &str) -> Result<Report, ApplyFailed> {
        let begun = self.journal.begin(NewRun { kind, plan, operator });
        let run = begun.map_err(|error| ApplyFailed {
            run: 0,
            cause: Cause::Journal(error),
            undone: Ok(Undone::default()),
        })?;
        match self.complete(run, plan).await {
            Ok(report) => Ok(report),
            Err(cause) => {
                self.events.note(format!("taking everything back: {cause}"));
                let undone = undo(self.machine, self.journal, self.events, run, &cause.to_string()).await;
                // The timer is of use as long as something is left to undo.
                if undone.as_ref().is_ok_and(|undone| undone.failed.is_empty()) {
                    self.guard.disarm(run).await;
                }
                Err(ApplyFailed { run, cause, undone })
            }
        }
    }

    async fn complete(&mut self, run: u64, plan: &Plan) -> Result<Report, Cause> {
        self.events.tell(Event::Begun { run, steps: plan.steps.len() });
        let (ownership, steps) = self.rounds(run, plan).await?;
        self.verify(plan, &ownership).await?;
        let revision = self.journal.commit(run, plan, &ownership)?;
        self.guard.disarm(run).await;
        Ok(Report { run: Some(run), revision: Some(revision), steps, left: Vec::new() })
    }

    /// Does the steps, then plans and does what they made possible.
    async fn rounds(&mut self, run: u64, plan: &Plan) -> Result<(Ownership, usize), Cause> {
        self.steps(run, &plan.steps).await?;
        let mut done = plan.steps.len();
        let mut last = plan.clone();
        let mut changed = plan.changed();
        for number in 2..=ROUNDS {
            if last.deferred.is_empty() {
                return Ok((last.ownership, done));
            }
            let next = self.replan(plan, last.ownership, changed.clone()).await?;
            self.events.tell(Event::Round { number, steps: next.steps.len() });
            self.steps(run, &next.steps).await?;
            let in_vain = next.steps.is_empty() && next.deferred == last.deferred;
            done += next.steps.len();
            changed.extend(next.changed());
            last = next;
            if in_vain {
                break;
            }
        }
        match last.deferred.as_slice() {
            [] => Ok((last.ownership, done)),
            deferred => Err(Cause::Waiting(waiting(deferred))),
        }
    }

    async fn steps(&mut self, run: u64, steps: &[PlannedStep]) -> Result<(), Cause> {
        let last_guarded = steps.iter().rposition(|planned| planned.step.guarded);
        if last_guarded.is_some() {
            self.guard.arm(run).await?;
        }
        for (index, planned) in steps.iter().enumerate() {
            self.step(run, planned).await?;
            if last_guarded == Some(index) {
                self.guard.confirm(run, self.journal, self.events).await?;
            }
        }
        Ok(())
    }

    async fn step(&mut self, run: u64, planned: &PlannedStep) -> Result<(), Cause> {
        let seq = self.journal.intend(run, planned)?;
        self.events.step(seq, planned, Phase::Started);
        match act(self.machine, &planned.capability, &planned.step.action).await {
            Ok(()) => {
                self.journal.set_step(run, seq, StepState::Done, None)?;
                self.events.step(seq, planned, Phase::Done);
                Ok(())
            }
            Err(source) => {
                let error = source.to_string();
                // When the journal fails as well, the step stays as intended, which is undone all the same.
                let _ = self.journal.set_step(run, seq, StepState::Failed, Some(&error));
                self.events.step(seq, planned, Phase::Failed { error });
                let PlannedStep { capability, step } = planned;
                Err(Cause::Step { capability: capability.clone(), resource: step.resource.clone(), source })
            }
        }
    }

    /// The plan on what is there now.
    async fn replan(&self, plan: &Plan, owned: Ownership, changed: BTreeSet<String>) -> Result<Plan, Cause> {
        let observed = observe(self.machine, &plan.specs, &owned).await?;
        if let Some(grants) = self.grants {
            grants.check(&plan.specs, &observed)?;
        }
        let before = plan.base.map(|base| self.journal.revision(base)).transpose()?;
        Ok(make(Inputs {
            host: plan.host.clone(),
            commit: plan.commit.clone(),
            policies: plan.policies.clone(),
            apps: plan.apps.clone(),
            facts: plan.facts.clone(),
            specs: plan.specs.clone(),
            calls: Vec::new(),
            observed,
            base: plan.base,
            before: before.map(|revision| revision.specs).unwrap_or_default(),
            owned,
            changed,
        })?)
    }

    async fn verify(&self, plan: &Plan, ownership: &Ownership) -> Result<(), Cause> {
        let left = self.replan(plan, ownership.clone(), BTreeSet::new()).await?;
        if left.is_empty() {
            return Ok(());
        }
        let mut places: Vec<_> = left.changed().into_iter().collect();
        places.extend(waiting(&left.deferred));
        Err(Cause::NotConverged(places))
    }
}

/// Does one recorded action.
async fn act(machine: &Arc<Machine>, capability: &str, action: &serde_json::Value) -> Result<(), ApplyError> {
    let known = capability::by_name(capability);
    let known = known.ok_or_else(|| ApplyError::Record(format!("there is no capability {capability}")))?;
    known.apply(Arc::clone(machine), action).await
}

/// Finishes what an earlier process left open, by taking it back.
///
/// # Errors
/// When the journal cannot be used.
pub async fn recover(
    machine: &Arc<Machine>,
    journal: &Journal,
    events: &Events,
    why: &str,
) -> Result<Option<(u64, Undone)>, JournalError> {
    let Some(run) = journal.open_run()? else { return Ok(None) };
    debug_assert!(run.state != RunState::Applied && run.state != RunState::Undone);
    events.note(format!("run {} by {} was left open: taking it back", run.id, run.operator));
    Ok(Some((run.id, undo(machine, journal, events, run.id, why).await?)))
}
