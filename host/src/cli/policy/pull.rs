//! `stead policy pull`: from references to components, and to what stead.lock says of them.

use clap::Args;

use super::super::build::size;
use super::super::compiled::Compiler;
use super::super::registries::Registries;
use super::Context;
use crate::author;
use crate::digest::Digest;
use crate::error::{Blame, Failure};
use crate::exit::Exit;
use crate::registry::{self, Reference, RegistryError, with_algorithm};
use crate::repo::{Origin, PINS_FILE, Pin, Pins, Policy, Repo, nearest};

/// Pull the policies that stead.toml gives by `source = "oci://HOST/REPOSITORY:TAG"`.
///
/// The first time, stead.lock is given what each reference is now; from then on that is what is pulled and what runs, until
/// --update. What is pulled lies in .stead/pulled, so that plan and apply need no registry, and neither do servers.
///
/// Where `signed-by` is in stead.toml, one of its keys must have signed the component, as `stead policy push --sign` and
/// `cosign sign --key` do. Credentials are those of `docker login`, or the secret that [registry."HOST"] names.
#[derive(Debug, Args)]
pub(in crate::cli) struct Pull {
    /// The policies; all when there is none.
    #[arg(value_name = "POLICY")]
    policies: Vec<String>,
    /// Ask again what the references are now, and pin that.
    #[arg(long)]
    update: bool,
    /// Do not compile them for this machine.
    #[arg(long)]
    no_compile: bool,
}

/// A policy and its component.
struct Had {
    component: Vec<u8>,
    pin: Pin,
    how: &'static str,
}

impl Pull {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let repo = Repo::open(&context.repo)?;
        let chosen = self.chosen(&repo)?;
        author::keep_out_of_git(repo.folder())?;
        let compiler = Compiler::open(context, self.no_compile)?;
        let (mut registries, mut pins) = (Registries::default(), repo.pins().clone());
        for (policy, reference) in chosen {
            let had = self.have(&repo, &mut registries, &pins, policy, reference).await?;
            compiler.compile(policy, &had.component).await?;
            let Pin { manifest, component } = &had.pin;
            let line = format!("{}  {}  {}  {}", policy.name, size(had.component.len()), component.short(), had.how);
            context.terminal.print(&format!("{line}\n"));
            let (manifest, new) = (manifest.clone(), had.pin);
            if let Some(before) = pins.set(reference.clone(), new).filter(|before| before.manifest != manifest) {
                context.terminal.say(&moved(reference, &before.manifest, &manifest));
            }
        }
        save(&repo, pins)?;
        Ok(Exit::Done)
    }

    /// The policies that come from a registry, and from where.
    fn chosen<'r>(&self, repo: &'r Repo) -> Result<Vec<(&'r Policy, &'r Reference)>, Failure> {
        let all = repo.policies().filter_map(|policy| match &policy.origin {
            Origin::Registry(reference) => Some((policy, reference)),
            _ => None,
        });
        let all: Vec<_> = all.collect();
        if self.policies.is_empty() {
            return Ok(all);
        }
        let named = |name: &String| {
            let found = all.iter().find(|(policy, _)| policy.name.as_str() == name);
            found.copied().ok_or_else(|| unknown(repo, name, &all))
        };
        self.policies.iter().map(named).collect()
    }

    /// What is there already is taken, as long as it is what the lock and the keys want.
    async fn have(
        &self,
        repo: &Repo,
        registries: &mut Registries,
        pins: &Pins,
        policy: &Policy,
        reference: &Reference,
    ) -> Result<Had, Failure> {
        let pinned = pins.of(reference).filter(|_| !self.update);
        if let (Some(pin), Ok(component)) = (pinned, repo.read_component(policy)) {
            return Ok(Had { component, pin: pin.clone(), how: "is there" });
        }
        let wanted = pinned.map_or_else(|| reference.clone(), |pin| reference.at(&pin.manifest));
        let pulled = registry::pull(registries.of(Some(repo), reference)?, &wanted, &policy.signed_by).await?;
        let component = Digest::public(&pulled.component);
        if let Some(pin) = pinned.filter(|pin| pin.component != component) {
            let (expected, found) = (with_algorithm(&pin.component), with_algorithm(&component));
            let what = "the component";
            let replaced = RegistryError::Replaced { what, reference: reference.clone(), expected, found };
            return Err(replaced.into());
        }
        author::package::is_policy(&pulled.component).map_err(|error| RegistryError::NotAComponent {
            reference: reference.clone(),
            reason: error.to_string(),
        })?;
        repo.keep_pulled(&pulled).map_err(|error| {
            let message = format!("cannot keep what was pulled in {}: {error}", repo.component(policy).display());
            Failure::new(Blame::Operator, Exit::Input, &message)
        })?;
        let how = if policy.signed_by.is_empty() { "pulled" } else { "pulled, signed" };
        Ok(Had { component: pulled.component, pin: Pin { manifest: pulled.digest, component }, how })
    }
}

/// What no policy names any more goes out of the lock.
fn save(repo: &Repo, mut pins: Pins) -> Result<(), Failure> {
    let named = repo.policies().filter_map(|policy| match &policy.origin {
        Origin::Registry(reference) => Some(reference),
        _ => None,
    });
    pins.keep(&named.collect::<Vec<_>>());
    if pins == *repo.pins() { Ok(()) } else { Ok(pins.save(repo.folder())?) }
}

fn moved(reference: &Reference, before: &Digest, now: &Digest) -> String {
    format!("{reference} was {} and is {}: {PINS_FILE} has it now\n", before.short(), now.short())
}

fn unknown(repo: &Repo, name: &str, all: &[(&Policy, &Reference)]) -> Failure {
    let wrong = |message: String| Failure::new(Blame::Operator, Exit::Usage, &message);
    match repo.policies().find(|policy| policy.name.as_str() == name) {
        Some(_) => wrong(format!("policy {name} comes from no registry: its source is not oci://HOST/REPOSITORY:TAG")),
        None => {
            let meant = nearest(name, all.iter().map(|(policy, _)| policy.name.as_str()));
            wrong(format!("no policy is called `{name}`"))
                .maybe_help(meant.map(|meant| format!("did you mean `{meant}`?")))
        }
    }
}
