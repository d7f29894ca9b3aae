//! A temporary root for apt and dpkg, and a repository in a folder.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};

use super::super::*;
use crate::plan::{Step, Undo};

/// A root for apt and dpkg, and a repository.
pub(super) struct Lab {
    pub(super) folder: tempfile::TempDir,
    pub(super) packages: Packages,
    pub(super) owned: Owned<Action>,
}

impl Lab {
    /// An empty root that knows an empty repository.
    pub(super) fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let root = folder.path().join("root");
        for path in [
            "etc/apt/apt.conf.d",
            "etc/apt/preferences.d",
            "etc/apt/sources.list.d",
            "etc/apt/trusted.gpg.d",
            "var/cache/apt/archives/partial",
            "var/lib/apt/lists/partial",
            "var/lib/dpkg/info",
            "var/lib/dpkg/triggers",
            "var/lib/dpkg/updates",
            "var/log/apt",
        ] {
            std::fs::create_dir_all(root.join(path))?;
        }
        std::fs::write(root.join("var/lib/dpkg/status"), "")?;
        // apt's own user cannot enter a private folder.
        std::fs::write(root.join("etc/apt/apt.conf.d/lab"), "APT::Sandbox::User \"root\";\n")?;
        std::fs::create_dir(folder.path().join("repo"))?;
        let machine = Machine::open(&root, &folder.path().join("state"))?;
        let lab = Self { folder, packages: Packages::open(Arc::new(machine)), owned: Owned::new() };
        lab.publish()?;
        lab.write("etc/apt/sources.list.d/lab.sources", &lab.sources())?;
        Ok(lab)
    }

    fn sources(&self) -> String {
        format!("Types: deb\nURIs: file:{}\nSuites: ./\nTrusted: yes\n", self.folder.path().join("repo").display())
    }

    pub(super) fn write(&self, path: &str, text: &str) -> Result<()> {
        Ok(std::fs::write(self.packages.machine.path(path), text)?)
    }

    /// Builds a package into the repository; `fields` are further fields of its control file.
    pub(super) fn build(&self, name: &str, version: &str, fields: &str) -> Result<()> {
        self.build_with(name, version, fields, &[])
    }

    pub(super) fn build_with(&self, name: &str, version: &str, fields: &str, scripts: &[(&str, &str)]) -> Result<()> {
        use std::os::unix::fs::PermissionsExt;
        let tree = tempfile::tempdir_in(self.folder.path())?;
        std::fs::set_permissions(tree.path(), std::fs::Permissions::from_mode(0o755))?;
        let control = tree.path().join("DEBIAN");
        std::fs::create_dir_all(&control)?;
        std::fs::create_dir_all(tree.path().join("usr/share"))?;
        std::fs::write(tree.path().join("usr/share").join(name), version)?;
        let text = format!(
            "Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: Lab <lab@example.org>\n\
             {fields}Description: {name}\n"
        );
        std::fs::write(control.join("control"), text)?;
        for (script, text) in scripts {
            std::fs::write(control.join(script), format!("#!/bin/sh\n{text}\n"))?;
            std::fs::set_permissions(control.join(script), std::fs::Permissions::from_mode(0o755))?;
        }
        let deb = self.folder.path().join("repo").join(format!("{name}_{version}.deb"));
        run(Command::new("dpkg-deb").arg("--build").arg(tree.path()).arg(deb))?;
        self.publish()
    }

    /// Writes the repository's index.
    fn publish(&self) -> Result<()> {
        let repo = self.folder.path().join("repo");
        let mut index = String::new();
        for entry in std::fs::read_dir(&repo)? {
            let path = entry?.path();
            if path.extension().is_none_or(|extension| extension != "deb") {
                continue;
            }
            let control = run(Command::new("dpkg-deb").arg("--field").arg(&path))?;
            let bytes = std::fs::read(&path)?;
            let name = path.file_name().context("no name")?.display().to_string();
            let digest = crate::digest::Digest::public(&bytes);
            write!(index, "{control}Filename: ./{name}\nSize: {}\nSHA256: {digest}\n\n", bytes.len())?;
        }
        // Compressed, so that apt keeps a copy instead of a link: lists must be able to be old.
        std::fs::write(repo.join("Packages"), index)?;
        run(Command::new("gzip").args(["--force", "--no-name"]).arg(repo.join("Packages")))?;
        Ok(())
    }

    pub(super) async fn diff(&self, specs: &[Spec]) -> Result<(Fact, Diff<Action>)> {
        let declared = |spec: &Spec| Declared { policy: "base".to_owned(), spec: spec.clone() };
        let specs: Vec<_> = specs.iter().map(declared).collect();
        let fact = self.packages.observe(&specs, &self.owned).await?;
        let desired = Desired { specs: &specs, owned: &self.owned, changed: &BTreeSet::new() };
        let diff = Packages::diff(&fact, &desired)?;
        Ok((fact, diff))
    }

    /// Plans and applies; afterwards nothing is left to do. Gives the steps back.
    pub(super) async fn apply(&mut self, specs: &[Spec]) -> Result<Vec<Step<Action>>> {
        let (_, diff) = self.diff(specs).await?;
        for step in &diff.steps {
            self.packages.apply(&step.action).await?;
        }
        let declared: BTreeSet<_> = specs.iter().map(Spec::resource).collect();
        self.owned.retain(|resource, _| declared.contains(resource));
        for resource in declared {
            let release = diff.steps.iter().find_map(|step| step.releases.get(&resource)).cloned();
            self.owned.entry(resource).or_insert(release);
        }
        let (_, again) = self.diff(specs).await?;
        ensure!(again.steps.is_empty(), "not a no-op: {again:#?}");
        Ok(diff.steps)
    }

    pub(super) async fn undo(&self, steps: &[Step<Action>]) -> Result<()> {
        for step in steps.iter().rev() {
            let Undo::Action(undo) = &step.undo else { anyhow::bail!("no undo: {step:#?}") };
            self.packages.apply(undo).await?;
        }
        Ok(())
    }

    /// `NAME VERSION` of all that is installed.
    pub(super) fn installed(&self) -> Result<Vec<String>> {
        let status = std::fs::read_to_string(self.packages.machine.path("/var/lib/dpkg/status"))?;
        let field = |stanza: &str, name: &str| {
            stanza.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().to_owned()
        };
        let there = status.split("\n\n").filter(|stanza| stanza.contains(" ok installed\n"));
        let mut names: Vec<_> =
            there.map(|stanza| format!("{} {}", field(stanza, "Package: "), field(stanza, "Version: "))).collect();
        names.sort();
        Ok(names)
    }
}

fn run(command: &mut Command) -> Result<String> {
    let output = command.output()?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}
