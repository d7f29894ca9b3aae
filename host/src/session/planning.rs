//! From a bundle and a goal to a plan, and back from a saved plan to the certainty that it still fits.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::{Goal, Place, SessionError};
use crate::capability::service;
use crate::digest::Digest;
use crate::event::{Event, Events};
use crate::grant::GrantTable;
use crate::journal::{Journal, Revision};
use crate::machine::{Doing, Facts, Machine, StateError};
use crate::observe::observe;
use crate::plan::{FORMAT, Inputs, Observed, Ownership, Plan, Specs, make, moved};
use crate::policy::{Policy, Recorded, Runtime};
use crate::repo::{self, Bundle, Unpacked};

/// A machine that is looked at for one bundle.
#[derive(Debug)]
pub(super) struct Planning<'a> {
    pub(super) machine: Arc<Machine>,
    pub(super) journal: Journal,
    /// The facts of a machine that was recorded.
    given: Option<Facts>,
    bundle: Unpacked,
    /// Names the archive of the compose files.
    apps: Digest,
    packed: Vec<u8>,
    events: &'a Events,
    /// Holds the bundle's `apps/` as long as they are looked at.
    _folder: tempfile::TempDir,
}

#[derive(Debug, Default)]
struct Declarations {
    specs: Specs,
    calls: Vec<(String, Recorded)>,
    policies: BTreeMap<String, Digest>,
}

impl<'a> Planning<'a> {
    /// Looks at the machine for a goal, with the compose files that belong to it.
    pub(super) fn for_goal(
        place: &Place,
        bundle: Bundle,
        goal: Goal,
        events: &'a Events,
    ) -> Result<Self, SessionError> {
        let machine = place.machine()?;
        let journal = Journal::open(machine.state())?;
        let revision = match goal {
            Goal::Bundle | Goal::Revision(0) => None,
            Goal::LastRevision => journal.latest()?,
            Goal::Revision(id) => Some(journal.revision(id)?),
        };
        let apps = revision.map_or_else(|| Digest::public(&bundle.apps.0), |revision| revision.apps);
        Self::open((machine, journal, place.facts.clone()), bundle, apps, events)
    }

    /// Looks at the machine for a plan that was made earlier.
    pub(super) fn for_plan(
        place: &Place,
        bundle: Bundle,
        plan: &Plan,
        events: &'a Events,
    ) -> Result<Self, SessionError> {
        let machine = place.machine()?;
        let journal = Journal::open(machine.state())?;
        Self::open((machine, journal, place.facts.clone()), bundle, plan.apps.clone(), events)
    }

    fn open(
        (machine, journal, given): (Machine, Journal, Option<Facts>),
        mut bundle: Bundle,
        apps: Digest,
        events: &'a Events,
    ) -> Result<Self, SessionError> {
        let at = |source| StateError { path: machine.state().to_owned(), source };
        if Digest::public(&bundle.apps.0) != apps {
            let kept = machine.blobs().get(&apps).map_err(at)?;
            bundle.apps.0 = kept.ok_or_else(|| SessionError::NoApps { what: apps.short().to_owned() })?;
        }
        let folder = tempfile::Builder::new().prefix("bundle-").tempdir_in(machine.state()).map_err(at)?;
        let packed = bundle.apps.0.clone();
        let bundle = bundle.unpack(folder.path())?;
        let machine = machine.with_secrets(bundle.secrets.clone()).with_apps(bundle.apps.clone());
        let told = events.clone();
        let machine = machine.with_doing(Doing::new(move |text| told.tell(Event::Doing { text })));
        Ok(Self { machine: Arc::new(machine), journal, given, bundle, apps, packed, events, _folder: folder })
    }

    /// Keeps the compose files, so that a later rollback has them.
    pub(super) fn keep_apps(&self) -> Result<(), SessionError> {
        self.machine.blobs().keep(&self.apps, &self.packed).map_err(SessionError::KeepApps)
    }

    /// The grants of the bundle's policies.
    pub(super) fn grants(&self) -> GrantTable {
        let one = |(policy, _): &(repo::Policy, Vec<u8>)| (policy.name.to_string(), policy.grants.clone());
        GrantTable(self.bundle.policies.iter().map(one).collect())
    }

    /// The plan that leads from what is there to the goal.
    pub(super) async fn plan(&self, goal: Goal) -> Result<Plan, SessionError> {
        let latest = self.journal.latest()?;
        let facts = self.facts().await?;
        let declared = self.declare(goal, latest.as_ref(), &facts).await?;
        let before = latest.as_ref().map(|revision| revision.specs.clone()).unwrap_or_default();
        let (base, owned) = at(latest);
        let observed = self.observe(&declared.specs, &owned, goal != Goal::Bundle).await?;
        Ok(make(Inputs {
            host: self.bundle.host.clone(),
            commit: self.bundle.commit.clone(),
            policies: declared.policies,
            apps: self.apps.clone(),
            facts,
            specs: declared.specs,
            calls: declared.calls,
            observed,
            base,
            before,
            owned,
            changed: BTreeSet::new(),
        })?)
    }

    /// Makes sure that a plan made earlier is whole, granted (if it was not `granted_before`), and still what the
    /// machine calls for.
    pub(super) async fn still_fits(&self, plan: &Plan, granted_before: bool) -> Result<(), SessionError> {
        if plan.format != FORMAT {
            return Err(SessionError::PlanFormat { found: plan.format, known: FORMAT });
        }
        if plan.digest() != plan.hash {
            return Err(SessionError::PlanDamaged);
        }
        if plan.host != self.bundle.host {
            return Err(SessionError::OtherHost { planned: plan.host.clone(), here: self.bundle.host.clone() });
        }
        let (base, owned) = at(self.journal.latest()?);
        let observed = self.observe(&plan.specs, &owned, granted_before).await?;
        self.unmoved(plan, base, &observed).await
    }

    /// Looks at what the specs are about, when they are granted; some grants can only be held against what is found.
    /// What an earlier revision declared was `granted_before`, and it is the operator who asks for it again.
    async fn observe(&self, specs: &Specs, owned: &Ownership, granted_before: bool) -> Result<Observed, SessionError> {
        if granted_before {
            return Ok(observe(&self.machine, specs, owned).await?);
        }
        let grants = self.grants();
        grants.check(specs, &Observed::new())?;
        let observed = observe(&self.machine, specs, owned).await?;
        grants.check(specs, &observed)?;
        Ok(observed)
    }

    async fn unmoved(&self, plan: &Plan, base: Option<u64>, observed: &Observed) -> Result<(), SessionError> {
        let mut places = Vec::new();
        if base != plan.base {
            places.push(format!("revision ({} then, {} now)", shown(plan.base), shown(base)));
        }
        places.extend(moved_facts(plan, &self.facts().await?));
        places.extend(moved(&plan.observed, observed));
        if places.is_empty() { Ok(()) } else { Err(SessionError::Moved(places)) }
    }

    async fn facts(&self) -> Result<Facts, SessionError> {
        match &self.given {
            Some(given) => Ok(given.clone()),
            None => Ok(Facts::read(&self.machine, &self.bundle.host).await?),
        }
    }

    async fn declare(
        &self,
        goal: Goal,
        latest: Option<&Revision>,
        facts: &Facts,
    ) -> Result<Declarations, SessionError> {
        let of = |revision: &Revision| Declarations {
            specs: revision.specs.clone(),
            calls: Vec::new(),
            policies: revision.policies.clone(),
        };
        let mut declared = match goal {
            Goal::Bundle => self.run_policies(facts).await?,
            Goal::LastRevision => return Ok(latest.map(of).unwrap_or_default()),
            Goal::Revision(0) => Declarations::default(),
            Goal::Revision(id) => of(&self.journal.revision(id)?),
        };
        service::name_programs(&mut declared.specs, &self.machine);
        Ok(declared)
    }

    async fn run_policies(&self, facts: &Facts) -> Result<Declarations, SessionError> {
        let mut declared = Declarations::default();
        let failed = |policy: &str| {
            let policy = policy.to_owned();
            move |source| SessionError::Policy { policy, source: Box::new(source) }
        };
        let runtime = Runtime::open(&self.machine.state().join("compiled")).map_err(failed("(any)"))?;
        for (known, component) in &self.bundle.policies {
            let name = known.name.as_str();
            let config = Value::Object(known.config.clone());
            let (grants, meshes, limits) = (&known.grants, &self.bundle.meshes, known.limits);
            let (engines, backups) = (&self.bundle.engines, &self.bundle.backups);
            let policy = Policy { name, component, grants, config: &config, meshes, engines, backups, limits };
            let ran = runtime.configure(&policy, facts).await;
            let log = ran.as_ref().map_or_else(|error| error.log(), |run| &run.log);
            for line in log.iter().cloned() {
                self.events.tell(Event::Log { policy: name.to_owned(), line });
            }
            let run = ran.map_err(failed(name))?;
            run.stage.into_specs(name, &mut declared.specs);
            declared.calls.extend(run.calls.into_iter().map(|call| (name.to_owned(), call)));
            declared.policies.insert(name.to_owned(), Digest::public(component));
        }
        Ok(declared)
    }
}

/// The facts that a policy read for the plan and that have changed since; nobody depends on the others.
fn moved_facts(plan: &Plan, now: &Facts) -> Vec<String> {
    let read: BTreeSet<_> = plan
        .calls
        .iter()
        .filter(|(_, call)| call.capability == "facts")
        .filter_map(|(_, call)| call.spec.as_str())
        .collect();
    let moved = [
        ("host-name", plan.facts.host_name != now.host_name),
        ("os", plan.facts.os != now.os),
        ("architecture", plan.facts.architecture != now.architecture),
        ("interfaces", plan.facts.interfaces != now.interfaces),
    ];
    let moved = moved.into_iter().filter(|(name, moved)| *moved && read.contains(name));
    moved.map(|(name, _)| format!("facts.{name}")).collect()
}

/// The number and the ownership of what the machine is at; nothing before the first apply.
fn at(latest: Option<Revision>) -> (Option<u64>, Ownership) {
    match latest {
        Some(revision) => (Some(revision.id), revision.ownership),
        None => (None, Ownership::new()),
    }
}

fn shown(revision: Option<u64>) -> String {
    revision.map_or_else(|| "none".to_owned(), |id| id.to_string())
}
