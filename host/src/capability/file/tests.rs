//! The capability on a temporary root, with the real file system under it.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use super::*;
use crate::machine::inode::{Inode, Mode};
use crate::plan::{Change, Step, Undo};
use crate::secret::Secret;

mod changes;
mod failures;
mod links;
mod secrets;

/// A machine in a temporary folder.
struct Rig {
    folder: tempfile::TempDir,
    machine: Arc<Machine>,
}

impl Rig {
    fn new() -> Result<Self> {
        Self::with_secrets(&[])
    }

    fn with_secrets(secrets: &[(&str, &str)]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        for made in ["root/etc", "root/srv"] {
            std::fs::create_dir_all(folder.path().join(made))?;
        }
        std::fs::write(
            folder.path().join("root/etc/passwd"),
            "root:x:0:0::/root:/bin/sh\nalice:x:1000:1000:::\nalias:x:1000:1000:::\n",
        )?;
        std::fs::write(folder.path().join("root/etc/group"), "root:x:0:\nalice:x:1000:\nweb:x:33:alice\n")?;
        Self::at(folder, secrets)
    }

    fn at(folder: tempfile::TempDir, secrets: &[(&str, &str)]) -> Result<Self> {
        let secrets = secrets.iter().map(|(name, value)| ((*name).to_owned(), Secret::new((*value).to_owned())));
        let machine = Machine::open(&folder.path().join("root"), &folder.path().join("state"))?;
        Ok(Self { machine: Arc::new(machine.with_secrets(secrets.collect())), folder })
    }

    fn path(&self, path: &str) -> PathBuf {
        self.machine.path(path)
    }

    fn read(&self, path: &str) -> Result<String> {
        Ok(std::fs::read_to_string(self.path(path))?)
    }

    /// Mode, user id and group id.
    fn stat(&self, path: &str) -> Result<(u32, u32, u32)> {
        let stat = std::fs::symlink_metadata(self.path(path))?;
        Ok((stat.mode() & 0o7777, stat.uid(), stat.gid()))
    }

    async fn observe(&self, specs: &[Declared<Spec>], owned: &Owned<Set>) -> Result<Fact> {
        Ok(File::open(self.machine.clone()).observe(specs, owned).await?)
    }

    async fn steps(&self, specs: &[Declared<Spec>], owned: &Owned<Set>) -> Result<Vec<Step<Set>>> {
        let fact = self.observe(specs, owned).await?;
        Ok(File::diff(&fact, &Desired { specs, owned, changed: &Default::default() })?.steps)
    }

    async fn apply(&self, set: &Set) -> Result<(), ApplyError> {
        File::open(self.machine.clone()).apply(set).await
    }

    /// Applies every step twice, checks that nothing is left to do, and gives the steps and what is owned then.
    async fn converge(&self, specs: &[Declared<Spec>], owned: &Owned<Set>) -> Result<(Vec<Step<Set>>, Owned<Set>)> {
        let steps = self.steps(specs, owned).await?;
        for step in &steps {
            self.apply(&step.action).await?;
            self.apply(&step.action).await.context("a second time")?;
        }
        let mut after = Owned::new();
        for declared in specs {
            let path = declared.spec.path.to_string();
            let first = steps.iter().find_map(|step| step.releases.get(&path));
            after.insert(path.clone(), owned.get(&path).cloned().flatten().or_else(|| first.cloned()));
        }
        ensure!(self.steps(specs, &after).await?.is_empty(), "not converged");
        Ok((steps, after))
    }

    async fn undo(&self, steps: &[Step<Set>]) -> Result<()> {
        for step in steps.iter().rev() {
            let Undo::Action(undo) = &step.undo else { anyhow::bail!("no undo") };
            self.apply(undo).await?;
            self.apply(undo).await.context("a second time")?;
        }
        Ok(())
    }
}

fn declared(spec: Result<Spec, crate::policy::Invalid>) -> Result<Declared<Spec>> {
    Ok(Declared { policy: "base".to_owned(), spec: spec? })
}

fn text(path: &str, text: &str) -> Result<Declared<Spec>> {
    file(path, &[Part::Text(text.to_owned())], None, None, None, &[])
}

fn file(
    path: &str,
    parts: &[Part],
    mode: Option<u32>,
    owner: Option<&str>,
    group: Option<&str>,
    validate: &[&str],
) -> Result<Declared<Spec>> {
    let name = |name: Option<&str>| name.map(str::to_owned);
    let validate = validate.iter().map(|argument| (*argument).to_owned()).collect();
    let form = Form::file(Content::new(parts.iter().cloned()), mode, name(owner), name(group), validate)?;
    declared(Spec::parse(path, form))
}

fn directory(path: &str, mode: u32, owner: Option<&str>) -> Result<Declared<Spec>> {
    declared(Spec::parse(path, Form::directory(Some(mode), owner.map(str::to_owned), None)?))
}

fn symlink(path: &str, target: &str) -> Result<Declared<Spec>> {
    declared(Spec::parse(path, Form::symlink(target.to_owned())?))
}

fn absent(path: &str) -> Result<Declared<Spec>> {
    declared(Spec::parse(path, Form::Absent {}))
}
