//! One transaction of apt: wait, finish what was interrupted, look what it would do, refuse what nobody asked
//! for, write down what comes along, do it, mark, and look again.

use std::collections::{BTreeMap, BTreeSet};

use super::apt::{Apt, Words};
use super::lists::Lists;
use super::pulled::Pulled;
use super::simulation::Simulation;
use super::status::Status;
use super::{Batch, Package, Packages, Presence, State, Target, wait};
use crate::capability::{ApplyError, ObserveError};
use crate::machine::{Machine, ProgramError};

/// What apt says when newer lists may help.
const LISTS_MAY_HELP: &[&str] = &[
    "Unable to locate package",
    "has no installation candidate",
    "was not found",
    "unmet dependencies",
    "Failed to fetch",
    "Unable to fetch",
];

impl Packages {
    pub(super) async fn transact(&self, batch: &Batch) -> Result<(), ApplyError> {
        wait::until_quiet(&self.machine).await?;
        let apt = Apt::new(&self.machine)?;
        if is_interrupted(&self.machine)? {
            apt.configure_pending().await?;
        }
        let transaction = Transaction { machine: &self.machine, apt, batch };
        transaction.run().await
    }
}

struct Transaction<'a> {
    machine: &'a Machine,
    apt: Apt<'a>,
    batch: &'a Batch,
}

impl Transaction<'_> {
    async fn run(&self) -> Result<(), ApplyError> {
        let before = self.states()?;
        let words = self.words(&before);
        let installs = self.open(&before).any(|(_, target)| matches!(target.presence, Presence::Installed(_)));
        let mut updated = None;
        if installs && Lists::of(self.machine).are_stale() {
            updated = Some(self.apt.update().await);
        }
        let mut done = self.change(&words).await;
        if updated.is_none() && installs && done.as_ref().is_err_and(lists_may_help) {
            updated = Some(self.apt.update().await);
            done = self.change(&words).await;
        }
        done.map_err(|error| self.explain(error, updated))?;
        self.mark(&before).await?;
        self.verify()
    }

    /// One attempt, which ends before anything has changed when it would change what nobody named.
    async fn change(&self, words: &Words) -> Result<(), ApplyError> {
        let mut words = words.clone();
        let swept = self.swept(&words).await?;
        words.words.extend(swept.iter().map(|name| format!("{name}-")));
        if words.words.is_empty() {
            return Ok(());
        }
        let simulation = self.apt.simulate(&words, false).await?;
        self.refuse_surprises(&simulation, &swept)?;
        self.refuse_virtual(&simulation)?;
        let pulled = Pulled::of(self.machine);
        pulled.add(&simulation.new.iter().filter(|name| !self.batch.to.contains_key(*name)).cloned().collect())?;
        self.apt.run(&words).await?;
        pulled.forget(&simulation.removed)
    }

    /// What came along with something that stead installed, and that nothing needs after this transaction.
    async fn swept(&self, words: &Words) -> Result<BTreeSet<Package>, ApplyError> {
        let sweeps = self.batch.to.values().any(|target| target.presence == Presence::Absent { sweep: true });
        let pulled = if sweeps { Pulled::of(self.machine).read()? } else { BTreeSet::new() };
        if pulled.is_empty() {
            return Ok(pulled);
        }
        let removed = self.apt.simulate(words, true).await?.removed;
        Ok(removed.into_iter().filter(|name| pulled.contains(name) && !self.batch.to.contains_key(name)).collect())
    }

    fn refuse_surprises(&self, simulation: &Simulation, swept: &BTreeSet<Package>) -> Result<(), ApplyError> {
        let leaves = |name: &Package| {
            let target = self.batch.to.get(name).map(|target| &target.presence);
            matches!(target, Some(Presence::Absent { .. })) || swept.contains(name)
        };
        let surprises: Vec<_> =
            simulation.removed.iter().filter(|name| !leaves(name)).map(Package::to_string).collect();
        if surprises.is_empty() {
            return Ok(());
        }
        let reason = format!("it would also remove {}: declare that these are removed, too", surprises.join(", "));
        Err(ApplyError::Refused { resource: self.resource(), reason })
    }

    /// apt takes the name of what several packages provide, and picks one of them.
    fn refuse_virtual(&self, simulation: &Simulation) -> Result<(), ApplyError> {
        let states = self.states()?;
        let missing = |(name, _): &(&Package, &Target)| {
            !simulation.changed.contains(*name) && !simulation.removed.contains(*name)
        };
        let Some((name, _)) = self.open(&states).find(missing) else { return Ok(()) };
        let provided: Vec<_> = simulation.new.iter().map(Package::as_str).collect();
        let reason = format!("no package has this name, but apt would install {}: name that", provided.join(", "));
        Err(ApplyError::Refused { resource: format!("package {name}"), reason })
    }

    fn resource(&self) -> String {
        let names: Vec<_> = self.batch.to.keys().map(Package::as_str).collect();
        format!("package {}", names.join(", "))
    }

    async fn mark(&self, before: &BTreeMap<Package, State>) -> Result<(), ApplyError> {
        let states = self.states()?;
        let (mut marks, held_before) =
            (BTreeMap::<&str, Vec<&Package>>::new(), |name| before.get(name).map(|is| is.held));
        for (name, target) in &self.batch.to {
            let Some(is) = states.get(name).filter(|is| is.version.is_some()) else { continue };
            // apt drops the hold of a package that it changes.
            if let Some(held) = target.held.or(held_before(name)).filter(|held| *held != is.held) {
                marks.entry(if held { "hold" } else { "unhold" }).or_default().push(name);
            }
            if let Some(automatic) = target.automatic.filter(|automatic| *automatic != is.automatic) {
                marks.entry(if automatic { "auto" } else { "manual" }).or_default().push(name);
            }
        }
        for (mark, names) in marks {
            self.apt.mark(mark, &names).await.map_err(|error| refused("packages", error))?;
        }
        Ok(())
    }

    /// What apt calls success is not always what was asked for.
    fn verify(&self) -> Result<(), ApplyError> {
        let states = self.states()?;
        let unmet = |(name, target): &(&Package, &Target)| !states.get(name).is_some_and(|is| target.is_met(is));
        let Some((name, _)) = self.batch.to.iter().find(unmet) else { return Ok(()) };
        let reason = "apt reported success, but the package is not as declared";
        Err(ApplyError::Refused { resource: format!("package {name}"), reason: reason.to_owned() })
    }

    fn words(&self, before: &BTreeMap<Package, State>) -> Words {
        let word = |(name, target): (&Package, &Target)| match &target.presence {
            Presence::Installed(Some(version)) => format!("{name}={version}"),
            Presence::Installed(None) => name.to_string(),
            Presence::Absent { .. } => format!("{name}-"),
        };
        let held = |name| before.get(name).is_some_and(|is: &State| is.held);
        Words {
            words: self.open(before).map(word).collect(),
            recommends: self.batch.recommends,
            held: self.open(before).any(|(name, _)| held(name)),
        }
    }

    fn open<'b>(&'b self, before: &'b BTreeMap<Package, State>) -> impl Iterator<Item = (&'b Package, &'b Target)> {
        let met = |name, target: &Target| before.get(name).is_some_and(|is| target.presence.is_met(is));
        self.batch.to.iter().filter(move |(name, target)| !met(name, target))
    }

    fn states(&self) -> Result<BTreeMap<Package, State>, ApplyError> {
        Ok(status(self.machine)?.states(&self.batch.to.keys().cloned().collect()))
    }

    fn explain(&self, error: ApplyError, updated: Option<Result<(), ProgramError>>) -> ApplyError {
        let ApplyError::Program(error) = error else { return error };
        let mut explained = refused(&self.resource(), error);
        if let (ApplyError::Refused { reason, .. }, Some(Err(error))) = (&mut explained, updated) {
            reason.push_str(&format!("; and the lists of apt could not be updated: {}", said(&error)));
        }
        explained
    }
}

/// What apt complained of, without what it did before.
pub(super) fn refused(resource: &str, error: ProgramError) -> ApplyError {
    match error {
        ProgramError::Failed { .. } => ApplyError::Refused { resource: resource.to_owned(), reason: said(&error) },
        other => ApplyError::Program(other),
    }
}

/// The lines that name the cause: those of apt, and before them dpkg's on a package, which go over two lines.
fn said(error: &ProgramError) -> String {
    let ProgramError::Failed { words, .. } = error else { return error.to_string() };
    let mut causes: Vec<&str> = Vec::new();
    let mut lines = words.lines();
    while let Some(line) = lines.next() {
        if let Some(of_apt) = line.strip_prefix("E: ") {
            causes.push(of_apt);
        } else if let Some(of_dpkg) = line.strip_prefix("dpkg: error processing ") {
            causes.extend([of_dpkg.trim_end_matches(':'), lines.next().unwrap_or_default().trim()]);
        }
    }
    if causes.is_empty() { error.to_string() } else { causes.join("; ") }
}

fn lists_may_help(error: &ApplyError) -> bool {
    let ApplyError::Program(ProgramError::Failed { words, .. }) = error else { return false };
    LISTS_MAY_HELP.iter().any(|phrase| words.contains(phrase))
}

fn is_interrupted(machine: &Machine) -> Result<bool, ApplyError> {
    let journal = std::fs::read_dir(machine.path("/var/lib/dpkg/updates"));
    Ok(journal.is_ok_and(|mut entries| entries.next().is_some()) || status(machine)?.is_interrupted())
}

fn status(machine: &Machine) -> Result<Status, ApplyError> {
    Status::read(machine).map_err(|error| match error {
        ObserveError::File { path, source } => ApplyError::File { path, source },
        other => ApplyError::Refused { resource: "packages".to_owned(), reason: other.to_string() },
    })
}
