//! What all policies together want of each package and repository, and what is given up.

use std::collections::BTreeMap;

use super::{Action, Install, Package, Packages, Presence, RepositoryName, Spec, Target};
use crate::capability::{Declared, Desired, PlanError};

/// Every change that could be needed, whether the machine is as wanted or not.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    pub packages: BTreeMap<Package, Wish>,
    /// The content of each file that is declared.
    pub repositories: BTreeMap<RepositoryName, String>,
    /// The content that each file goes back to.
    pub released: BTreeMap<RepositoryName, Option<String>>,
}

/// What is wanted of one package.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub target: Target,
    /// Whether recommended packages come along.
    pub recommends: bool,
    /// Whether nobody declares it any more.
    pub released: bool,
}

impl Wishes {
    /// Merges what the policies declare, and adds what is no longer declared.
    ///
    /// # Errors
    /// When two policies contradict each other.
    pub(super) fn of(desired: &Desired<'_, Packages>) -> Result<Self, PlanError> {
        let mut wishes = Self::default();
        let mut first = BTreeMap::new();
        for declared in desired.specs {
            let resource = declared.spec.resource();
            let conflict = |earlier: &str, reason: String| PlanError::Conflict {
                resource: format!("package {resource}"),
                first: earlier.to_owned(),
                second: declared.policy.clone(),
                reason,
            };
            let earlier = *first.entry(resource.clone()).or_insert(declared.policy.as_str());
            wishes.add(declared).map_err(|reason| conflict(earlier, reason))?;
        }
        desired.pruned().filter_map(|(_, release)| release.as_ref()).for_each(|release| wishes.release(release));
        Ok(wishes)
    }

    fn add(&mut self, declared: &Declared<Spec>) -> Result<(), String> {
        match &declared.spec {
            Spec::Repository(repository) => self.repository(repository.name.clone(), repository.text()),
            Spec::Remove(name) => {
                self.package(name, Wish { target: Target::absent(false), recommends: false, released: false })
            }
            Spec::Install(Install { name, version, hold, recommends }) => {
                // Marked as wanted for itself: it must not go when what pulled it in goes.
                let presence = Presence::Installed(version.clone());
                let target = Target { presence, held: *hold, automatic: Some(false) };
                self.package(name, Wish { target, recommends: *recommends, released: false })
            }
        }
    }

    fn repository(&mut self, name: RepositoryName, text: String) -> Result<(), String> {
        match self.repositories.insert(name, text.clone()) {
            Some(earlier) if earlier != text => Err("they give it different contents".to_owned()),
            _ => Ok(()),
        }
    }

    fn package(&mut self, name: &Package, wish: Wish) -> Result<(), String> {
        let merged = match self.packages.get(name) {
            Some(earlier) => Wish {
                target: merge(&earlier.target, &wish.target)?,
                recommends: earlier.recommends || wish.recommends,
                released: false,
            },
            None => wish,
        };
        self.packages.insert(name.clone(), merged);
        Ok(())
    }

    fn release(&mut self, release: &Action) {
        match release {
            Action::Repository { name, to, .. } => {
                self.released.insert(name.clone(), to.clone());
            }
            Action::Packages(batch) => {
                let wish =
                    |target: &Target| Wish { target: target.clone(), recommends: batch.recommends, released: true };
                let released = batch.to.iter().map(|(name, target)| (name.clone(), wish(target)));
                self.packages.extend(released);
            }
        }
    }
}

fn merge(first: &Target, second: &Target) -> Result<Target, String> {
    use Presence::{Absent, Installed};
    let presence = match (&first.presence, &second.presence) {
        (Installed(Some(a)), Installed(Some(b))) if a != b => return Err(format!("version {a} and version {b}")),
        (Installed(a), Installed(b)) => Installed(a.clone().or_else(|| b.clone())),
        (Absent { .. }, Absent { .. }) => Absent { sweep: false },
        _ => return Err("one wants it installed, the other removed".to_owned()),
    };
    match (first.held, second.held) {
        (Some(a), Some(b)) if a != b => Err("one wants it held, the other not".to_owned()),
        (a, b) => Ok(Target { presence, held: a.or(b), automatic: first.automatic }),
    }
}
