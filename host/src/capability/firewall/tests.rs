//! The real nft(8) and the real kernel, in network namespaces that no packet of this machine ever enters.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};

use super::{Fact, Firewall, Set, Spec};
use crate::capability::{Capability, Declared, Desired, Owned};
use crate::machine::Machine;
use crate::plan::{Diff, Step, Undo};

mod backend;
mod decisions;
mod examples;
mod grants;
mod lab;
mod named;
mod packets;
mod pairs;
mod property;
mod table;
mod text;
mod translation;

/// A machine of files in a temporary folder; its kernel is that of the namespace that the thread is in.
struct Host {
    _folder: tempfile::TempDir,
    firewall: Firewall,
    machine: Arc<Machine>,
}

impl Host {
    fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let root = folder.path().join("root");
        std::fs::create_dir(&root)?;
        let machine = Arc::new(Machine::open(&root, &folder.path().join("state"))?);
        Ok(Self { _folder: folder, firewall: Firewall::open(machine.clone()), machine })
    }

    async fn plan(&self, specs: &[Declared<Spec>], owned: &Owned<Set>) -> Result<Diff<Set>> {
        let fact = self.firewall.observe(specs, owned).await?;
        Ok(diff(&fact, specs, owned)?)
    }

    /// The one step to what is declared.
    async fn step(&self, specs: &[Declared<Spec>]) -> Result<Step<Set>> {
        let mut steps = self.plan(specs, &Owned::new()).await?.steps;
        let step = steps.pop().context("there is no step")?;
        ensure!(steps.is_empty() && step.guarded);
        Ok(step)
    }

    /// Applies what is declared, and sees that nothing is left to do.
    async fn apply(&self, specs: &[Declared<Spec>]) -> Result<Step<Set>> {
        let step = self.step(specs).await?;
        self.firewall.apply(&step.action).await?;
        self.is_as_declared(specs).await?;
        Ok(step)
    }

    async fn is_as_declared(&self, specs: &[Declared<Spec>]) -> Result<()> {
        let left = self.plan(specs, &Owned::new()).await?;
        ensure!(left.steps.is_empty() && left.deferred.is_empty(), "left to do: {left:#?}");
        Ok(())
    }

    async fn undo(&self, step: &Step<Set>) -> Result<()> {
        let Undo::Action(undo) = &step.undo else { bail!("no undo") };
        Ok(self.firewall.apply(undo).await?)
    }
}

fn diff(fact: &Fact, specs: &[Declared<Spec>], owned: &Owned<Set>) -> Result<Diff<Set>, crate::capability::PlanError> {
    Firewall::diff(fact, &Desired { specs, owned, changed: &BTreeSet::new() })
}

/// Specs as `cases/*.toml` write them, of the policy `base`.
fn specs(toml: &str) -> Result<Vec<Declared<Spec>>> {
    #[derive(serde::Deserialize)]
    struct Document {
        specs: Vec<Spec>,
    }
    let document: Document = toml::from_str(toml)?;
    Ok(document.specs.into_iter().map(|spec| Declared { policy: "base".to_owned(), spec }).collect())
}

/// A server that lets in SSH and a published web port.
fn server() -> Result<Vec<Declared<Spec>>> {
    specs(
        r#"specs = [
            { default = { chain = "input", verdict = "drop" } },
            { open = { protocol = "tcp", port = 22 } },
            { open = { protocol = "tcp", port = 8443, source = ["10.9.0.0/24"] } },
        ]"#,
    )
}
