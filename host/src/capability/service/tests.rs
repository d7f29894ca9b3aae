//! The capability on a tree of files, with the real systemctl(1) on it.

use std::os::unix::fs::PermissionsExt;

use anyhow::{Context, Result, ensure};

use super::*;
use crate::plan::{Step, Undo};

/// A machine in a temporary folder, where no manager runs.
struct Rig {
    _folder: tempfile::TempDir,
    machine: Arc<Machine>,
}

const UNIT: &str = "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n";

impl Rig {
    fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let root = folder.path().join("root");
        for made in ["etc/systemd/system", "usr/lib/systemd/system"] {
            std::fs::create_dir_all(root.join(made))?;
        }
        std::fs::write(root.join("usr/lib/systemd/system/there.service"), UNIT)?;
        std::fs::write(root.join("usr/lib/systemd/system/static.service"), "[Service]\nExecStart=/bin/true\n")?;
        let machine = Machine::open(&root, &folder.path().join("state"))?;
        Ok(Self { machine: Arc::new(machine), _folder: folder })
    }

    async fn fact(&self, specs: &[Declared<Spec>], owned: &Owned<Action>) -> Result<Fact> {
        Ok(Service::open(self.machine.clone()).observe(specs, owned).await?)
    }

    async fn steps(&self, specs: &[Declared<Spec>], owned: &Owned<Action>) -> Result<Vec<Step<Action>>> {
        let fact = self.fact(specs, owned).await?;
        Ok(Service::diff(&fact, &Desired { specs, owned, changed: &Default::default() })?.steps)
    }

    async fn apply(&self, action: &Action) -> Result<()> {
        for _ in 0..2 {
            Service::open(self.machine.clone()).apply(action).await?;
        }
        Ok(())
    }

    /// Applies every action twice, checks that nothing is left to do, and gives the steps and what is owned then.
    async fn converge(
        &self,
        specs: &[Declared<Spec>],
        owned: &Owned<Action>,
    ) -> Result<(Vec<Step<Action>>, Owned<Action>)> {
        let steps = self.steps(specs, owned).await?;
        for step in &steps {
            self.apply(&step.action).await?;
        }
        let mut after = Owned::new();
        for declared in specs {
            let resource = Service::resource(&declared.spec);
            let first = steps.iter().find_map(|step| step.releases.get(&resource));
            after.insert(resource.clone(), owned.get(&resource).cloned().flatten().or_else(|| first.cloned()));
        }
        let left = self.steps(specs, &after).await?;
        ensure!(left.is_empty(), "not converged: {left:#?}");
        Ok((steps, after))
    }

    async fn undo(&self, steps: &[Step<Action>]) -> Result<()> {
        for step in steps.iter().rev() {
            if let Undo::Action(undo) = &step.undo {
                self.apply(undo).await?;
            }
        }
        for step in steps.iter().filter(|step| step.undo == Undo::Rerun) {
            self.apply(&step.action).await?;
        }
        Ok(())
    }

    /// All that lies under `/etc/systemd/system`, with what links point to.
    fn tree(&self) -> Result<Vec<String>> {
        let root = self.machine.path("/etc/systemd/system");
        let mut found = Vec::new();
        let mut todo = vec![root.clone()];
        while let Some(folder) = todo.pop() {
            for entry in std::fs::read_dir(folder)? {
                let path = entry?.path();
                let target = std::fs::read_link(&path).map(|target| format!(" -> {}", target.display()));
                found.push(format!("{}{}", path.strip_prefix(&root)?.display(), target.unwrap_or_default()));
                if path.is_dir() && !path.is_symlink() {
                    todo.push(path);
                }
            }
        }
        found.sort();
        Ok(found)
    }
}

fn unit(name: &str, enabled: Option<bool>, masked: Option<bool>) -> Result<Declared<Spec>> {
    let (running, depends_on, on_change) = (Some(true).filter(|_| masked != Some(true)), Vec::new(), OnChange::Restart);
    let unit = Unit { name: name.parse()?, enabled, running, masked, depends_on, on_change };
    Ok(Declared { policy: "base".to_owned(), spec: Spec::Unit(unit.checked()?) })
}

fn file(unit: &str, drop_in: Option<&str>, content: &str) -> Result<Declared<Spec>> {
    let fragment = Fragment::new(unit.parse()?, drop_in.map(str::parse).transpose()?, content.to_owned())?;
    Ok(Declared { policy: "base".to_owned(), spec: Spec::Fragment(fragment) })
}

#[tokio::test]
async fn enables_a_unit_of_its_own_and_gives_it_up() -> Result<()> {
    let rig = Rig::new()?;
    let specs = [
        unit("a@x.service", Some(true), None)?,
        file("a@.service", None, UNIT)?,
        file("a@.service", Some("nice"), "[Service]\nNice=5\n")?,
    ];
    let (steps, owned) = rig.converge(&specs, &Owned::new()).await?;
    let tree = rig.tree()?;
    ensure!(tree.iter().any(|path| path.starts_with("multi-user.target.wants/a@x.service -> ")), "{tree:?}");
    ensure!(tree.contains(&"a@.service.d/nice.conf".to_owned()), "{tree:?}");
    let mode = std::fs::metadata(rig.machine.path("/etc/systemd/system/a@.service"))?.permissions().mode();
    ensure!(mode & 0o7777 == 0o644);
    rig.undo(&steps).await?;
    ensure!(!rig.tree()?.iter().any(|path| path.contains("a@")), "{:?}", rig.tree()?);

    rig.converge(&specs, &Owned::new()).await?;
    rig.converge(&[], &owned).await?;
    ensure!(!rig.tree()?.iter().any(|path| path.contains("a@")), "{:?}", rig.tree()?);
    Ok(())
}

#[tokio::test]
async fn a_drop_in_of_somebody_else_stays() -> Result<()> {
    let rig = Rig::new()?;
    let folder = rig.machine.path("/etc/systemd/system/there.service.d");
    std::fs::create_dir(&folder)?;
    std::fs::write(folder.join("theirs.conf"), "[Service]\nNice=1\n")?;
    std::fs::write(folder.join("ours.conf"), "[Service]\nNice=2\n")?;
    let (_, owned) =
        rig.converge(&[file("there.service", Some("ours"), "[Service]\nNice=3\n")?], &Owned::new()).await?;
    rig.converge(&[], &owned).await?;
    ensure!(std::fs::read_to_string(folder.join("ours.conf"))? == "[Service]\nNice=2\n");
    ensure!(std::fs::read_to_string(folder.join("theirs.conf"))? == "[Service]\nNice=1\n");
    Ok(())
}

#[tokio::test]
async fn a_mask_hides_and_does_not_lose_what_is_enabled() -> Result<()> {
    let rig = Rig::new()?;
    let (_, owned) = rig.converge(&[unit("there.service", Some(true), None)?], &Owned::new()).await?;
    let enabled = rig.tree()?;
    let (steps, _) = rig.converge(&[unit("there.service", None, Some(true))?], &owned).await?;
    ensure!(rig.tree()?.contains(&"there.service -> /dev/null".to_owned()), "{:?}", rig.tree()?);
    rig.undo(&steps).await?;
    ensure!(rig.tree()? == enabled);
    Ok(())
}

#[tokio::test]
async fn links_follow_a_changed_install_section_there_and_back() -> Result<()> {
    let rig = Rig::new()?;
    let specs = |target: &str| -> Result<_> {
        let content = UNIT.replace("multi-user.target", target);
        Ok([unit("a.service", Some(true), None)?, file("a.service", None, &content)?])
    };
    let (_, owned) = rig.converge(&specs("multi-user.target")?, &Owned::new()).await?;
    let before = rig.tree()?;
    let (steps, _) = rig.converge(&specs("timers.target")?, &owned).await?;
    let tree = rig.tree()?;
    ensure!(tree.iter().any(|path| path.starts_with("timers.target.wants/a.service")), "{tree:?}");
    ensure!(!tree.iter().any(|path| path.starts_with("multi-user.target.wants/a.service")), "{tree:?}");
    rig.undo(&steps).await?;
    ensure!(rig.tree()? == before, "{:?} and {before:?}", rig.tree()?);
    Ok(())
}

#[tokio::test]
async fn what_is_not_there_or_cannot_be_enabled_is_named() -> Result<()> {
    let rig = Rig::new()?;
    for (name, reason) in [("missing.service", "there is no such unit"), ("static.service", "no [Install] section")] {
        let error = rig.steps(&[unit(name, Some(true), None)?], &Owned::new()).await.err().context("it was planned")?;
        ensure!(error.to_string().contains(reason), "{error}");
    }
    Ok(())
}
