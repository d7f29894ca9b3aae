//! What must hold for every capability on a real back-end, whatever it manages.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use stead::apply::{Apply, ApplyFailed, undo};
use stead::capability::{self, Declared};
use stead::digest::Digest;
use stead::event::{Events, Report};
use stead::guard::Guard;
use stead::journal::{Journal, Kind, NewRun, StepState};
use stead::machine::{Facts, Machine};
use stead::observe::observe;
use stead::plan::{Inputs, Observed, Ownership, Plan, Specs, Undo, make};

/// Two things that a policy may declare of one capability, and where.
pub(crate) struct Subject {
    pub(crate) capability: &'static str,
    pub(crate) machine: Arc<Machine>,
    pub(crate) first: Vec<Value>,
    pub(crate) second: Vec<Value>,
}

/// Runs all of it.
pub(crate) fn hold(subject: &Subject) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        plan_after_apply_is_empty(subject).await.context("plan after apply is empty")?;
        undo_restores(subject).await.context("undo restores the facts, and undoing twice is harmless")?;
        actions_are_idempotent(subject).await.context("an action done twice is the same as once")?;
        prune_restores(subject).await.context("what is no longer declared goes back to before stead")?;
        empty_grant_denies(subject)
    })
}

async fn plan_after_apply_is_empty(subject: &Subject) -> Result<()> {
    let before = subject.observed(&subject.both()).await?;
    for declared in [&subject.first, &subject.second, &subject.first] {
        let plan = subject.plan(declared).await?;
        ensure!(!plan.steps.is_empty(), "there is nothing to do, so this shows nothing");
        subject.apply(&plan).await?;
        let again = subject.plan(declared).await?;
        ensure!(again.is_empty(), "left: {:#?}", again.steps);
    }
    subject.back_to_nothing(&before).await
}

async fn undo_restores(subject: &Subject) -> Result<()> {
    let all = subject.both();
    let nothing = subject.observed(&all).await?;
    subject.apply(&subject.plan(&subject.first).await?).await?;
    let before = subject.observed(&all).await?;
    let plan = subject.plan(&subject.second).await?;
    // Dies after each step in turn, having done it but not said so.
    for done in 1..=plan.steps.len() {
        let journal = subject.journal()?;
        let run = journal.begin(NewRun { kind: Kind::Apply, plan: &plan, operator: "the kit" })?;
        for planned in &plan.steps[..done] {
            journal.intend(run, planned)?;
            subject.act(&planned.step.action).await?;
        }
        for _ in 0..2 {
            let undone = undo(&subject.machine, &journal, &silent(), run, "the kit").await?;
            ensure!(undone.failed.is_empty(), "{:?}", undone.failed);
            same(&before, &subject.observed(&all).await?).with_context(|| format!("after {done} steps"))?;
            for step in journal.steps(run)? {
                journal.set_step(run, step.seq, StepState::Done, None)?;
            }
        }
    }
    subject.back_to_nothing(&nothing).await
}

async fn actions_are_idempotent(subject: &Subject) -> Result<()> {
    let nothing = subject.observed(&subject.both()).await?;
    let plan = subject.plan(&subject.first).await?;
    for planned in &plan.steps {
        subject.act(&planned.step.action).await?;
        subject.act(&planned.step.action).await?;
    }
    let again = subject.plan(&subject.first).await?;
    ensure!(again.is_empty(), "left: {:#?}", again.steps);
    for planned in plan.steps.iter().rev() {
        if let Undo::Action(action) = &planned.step.undo {
            subject.act(action).await?;
            subject.act(action).await?;
        }
    }
    same(&nothing, &subject.observed(&subject.both()).await?)
}

async fn prune_restores(subject: &Subject) -> Result<()> {
    let nothing = subject.observed(&subject.both()).await?;
    subject.apply(&subject.plan(&subject.first).await?).await?;
    subject.apply(&subject.plan(&subject.second).await?).await?;
    subject.back_to_nothing(&nothing).await
}

fn empty_grant_denies(subject: &Subject) -> Result<()> {
    let known = capability::by_name(subject.capability).context("no such capability")?;
    let empty = toml::de::ValueDeserializer::parse("{}")?;
    // Most capabilities do not even take an empty table.
    let Ok(scope) = known.scope(empty) else { return Ok(()) };
    for spec in &subject.first {
        if known.check(scope.as_ref(), spec)?.is_err() {
            return Ok(());
        }
    }
    bail!("an empty grant allows {:#?}", subject.first)
}

impl Subject {
    fn both(&self) -> Vec<Value> {
        self.first.iter().chain(&self.second).cloned().collect()
    }

    fn specs(&self, declared: &[Value]) -> Specs {
        let one = |spec: &Value| Declared { policy: "kit".to_owned(), spec: spec.clone() };
        BTreeMap::from([(self.capability.to_owned(), declared.iter().map(one).collect())])
    }

    async fn act(&self, action: &Value) -> Result<()> {
        let known = capability::by_name(self.capability).context("no such capability")?;
        Ok(known.apply(Arc::clone(&self.machine), action).await?)
    }

    fn journal(&self) -> Result<Journal> {
        Ok(Journal::open(self.machine.state())?)
    }

    async fn observed(&self, declared: &[Value]) -> Result<Observed> {
        Ok(observe(&self.machine, &self.specs(declared), &Ownership::new()).await?)
    }

    async fn plan(&self, declared: &[Value]) -> Result<Plan> {
        let latest = self.journal()?.latest()?;
        let base = latest.as_ref().map(|revision| revision.id);
        let (before, owned) = latest.map(|revision| (revision.specs, revision.ownership)).unwrap_or_default();
        let specs = self.specs(declared);
        let observed = observe(&self.machine, &specs, &owned).await?;
        Ok(make(Inputs {
            host: "kit".to_owned(),
            commit: None,
            policies: BTreeMap::from([("kit".to_owned(), Digest::public(b"kit"))]),
            apps: Digest::public(b""),
            facts: Facts::default(),
            specs,
            calls: Vec::new(),
            observed,
            base,
            before,
            owned,
            changed: BTreeSet::new(),
        })?)
    }

    async fn apply(&self, plan: &Plan) -> Result<Report, ApplyFailed> {
        let mut journal = Journal::open(self.machine.state()).map_err(|error| ApplyFailed {
            run: 0,
            cause: error.into(),
            undone: Ok(stead::apply::Undone::default()),
        })?;
        let events = silent();
        let apply =
            Apply { machine: &self.machine, journal: &mut journal, events: &events, guard: Guard::off(), grants: None };
        apply.run(plan, Kind::Apply, "the kit").await
    }

    /// Declares nothing any more: all is as it was.
    async fn back_to_nothing(&self, before: &Observed) -> Result<()> {
        self.apply(&self.plan(&[]).await?).await?;
        same(before, &self.observed(&self.both()).await?)
    }
}

fn same(before: &Observed, after: &Observed) -> Result<()> {
    let moved = stead::plan::moved(before, after);
    ensure!(moved.is_empty(), "these are not as before: {moved:?}\nbefore: {before:#?}\nafter: {after:#?}");
    Ok(())
}

fn silent() -> Events {
    Events::channel().0
}

/// A machine in a temporary folder, with what is needed to look like one.
pub(crate) fn machine(folder: &Path) -> Result<Arc<Machine>> {
    let root = folder.join("root");
    for path in ["etc/sysctl.d", "etc/sudoers.d", "proc/sys/net/ipv4", "proc/sys/vm", "home", "var/lib"] {
        std::fs::create_dir_all(root.join(path))?;
    }
    Ok(Arc::new(Machine::open(&root, &folder.join("state"))?))
}
