//! The real apt and dpkg on a temporary root, with packages made here and a repository in a folder.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::*;
use crate::plan::{Step, Undo};

/// A root for apt and dpkg, and a repository.
struct Lab {
    folder: tempfile::TempDir,
    packages: Packages,
    owned: Owned<Action>,
}

impl Lab {
    /// An empty root that knows an empty repository.
    fn new() -> Result<Self> {
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

    fn write(&self, path: &str, text: &str) -> Result<()> {
        Ok(std::fs::write(self.packages.machine.path(path), text)?)
    }

    /// Builds a package into the repository; `fields` are further fields of its control file.
    fn build(&self, name: &str, version: &str, fields: &str) -> Result<()> {
        self.build_with(name, version, fields, &[])
    }

    fn build_with(&self, name: &str, version: &str, fields: &str, scripts: &[(&str, &str)]) -> Result<()> {
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
        Ok(std::fs::write(repo.join("Packages"), index)?)
    }

    async fn diff(&self, specs: &[Spec]) -> Result<(Fact, Diff<Action>)> {
        let declared = |spec: &Spec| Declared { policy: "base".to_owned(), spec: spec.clone() };
        let specs: Vec<_> = specs.iter().map(declared).collect();
        let fact = self.packages.observe(&specs, &self.owned).await?;
        let desired = Desired { specs: &specs, owned: &self.owned, changed: &BTreeSet::new() };
        let diff = Packages::diff(&fact, &desired)?;
        Ok((fact, diff))
    }

    /// Plans and applies; afterwards nothing is left to do. Gives the steps back.
    async fn apply(&mut self, specs: &[Spec]) -> Result<Vec<Step<Action>>> {
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

    async fn undo(&self, steps: &[Step<Action>]) -> Result<()> {
        for step in steps.iter().rev() {
            let Undo::Action(undo) = &step.undo else { anyhow::bail!("no undo: {step:#?}") };
            self.packages.apply(undo).await?;
        }
        Ok(())
    }

    /// `NAME VERSION` of all that is installed.
    fn installed(&self) -> Result<Vec<String>> {
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

fn install(name: &str) -> Result<Spec> {
    Ok(Spec::Install(Install::parse(name, None, None, None)?))
}

fn pinned(name: &str, version: &str, hold: Option<bool>) -> Result<Spec> {
    Ok(Spec::Install(Install::parse(name, Some(version), hold, None)?))
}

fn remove(name: &str) -> Result<Spec> {
    Ok(Spec::Remove(name.parse()?))
}

#[tokio::test]
async fn an_installation_is_undone_with_all_that_it_pulled_in() -> Result<()> {
    let mut lab = Lab::new()?;
    lab.build("liba", "1", "")?;
    lab.build("extra", "1", "")?;
    lab.build("app", "1", "Depends: liba\nRecommends: extra\n")?;
    lab.build("other", "1", "")?;
    lab.apply(&[install("other")?]).await?;
    let steps = lab.apply(&[install("other")?, install("app")?]).await?;
    assert_eq!(lab.installed()?, ["app 1", "liba 1", "other 1"]);
    lab.undo(&steps).await?;
    assert_eq!(lab.installed()?, ["other 1"]);
    lab.undo(&steps).await?;
    assert_eq!(lab.installed()?, ["other 1"]);
    Ok(())
}

#[tokio::test]
async fn recommended_packages_come_when_asked() -> Result<()> {
    let mut lab = Lab::new()?;
    lab.build("extra", "1", "")?;
    lab.build("app", "1", "Recommends: extra\n")?;
    lab.build("plain", "1", "Recommends: extra\n")?;
    let app = Spec::Install(Install::parse("app", None, None, Some(true))?);
    let steps = lab.apply(&[app, install("plain")?]).await?;
    assert_eq!(steps.len(), 2);
    assert_eq!(lab.installed()?, ["app 1", "extra 1", "plain 1"]);
    Ok(())
}

#[tokio::test]
async fn versions_and_holds_are_set_and_taken_back() -> Result<()> {
    let mut lab = Lab::new()?;
    lab.build("app", "1", "")?;
    lab.build("app", "2", "")?;
    lab.apply(&[install("app")?]).await?;
    assert_eq!(lab.installed()?, ["app 2"]);
    let steps = lab.apply(&[pinned("app", "1", Some(true))?]).await?;
    let (fact, _) = lab.diff(&[install("app")?]).await?;
    assert!(fact.packages.values().all(|state| state.held), "{fact:#?}");
    lab.undo(&steps).await?;
    let (fact, _) = lab.diff(&[install("app")?]).await?;
    assert_eq!(lab.installed()?, ["app 2"]);
    assert!(!fact.packages.values().any(|state| state.held), "{fact:#?}");
    // A held package changes when it is named.
    lab.apply(&[pinned("app", "2", Some(true))?]).await?;
    lab.apply(&[pinned("app", "1", None)?]).await?;
    let (fact, _) = lab.diff(&[install("app")?]).await?;
    assert!(fact.packages.values().all(|state| state.held), "the hold was lost: {fact:#?}");
    Ok(())
}

#[tokio::test]
async fn a_version_that_is_gone_cannot_be_brought_back() -> Result<()> {
    let mut lab = Lab::new()?;
    lab.build("app", "1", "")?;
    lab.apply(&[install("app")?]).await?;
    std::fs::remove_file(lab.folder.path().join("repo/app_1.deb"))?;
    lab.build("app", "2", "")?;
    let steps = lab.apply(&[pinned("app", "2", None)?]).await?;
    let undo = steps.first().map(|step| step.undo.clone());
    assert_eq!(undo, Some(Undo::Impossible("app 1 is in no repository that apt knows".to_owned())));
    Ok(())
}

#[tokio::test]
async fn a_removal_is_undone_and_pruned_to_what_was_there() -> Result<()> {
    let mut lab = Lab::new()?;
    lab.build("liba", "1", "")?;
    lab.build("app", "1", "Depends: liba\n")?;
    lab.apply(&[install("app")?]).await?;
    lab.owned.clear();
    let steps = lab.apply(&[remove("app")?]).await?;
    assert_eq!(lab.installed()?, ["liba 1"]);
    lab.undo(&steps).await?;
    assert_eq!(lab.installed()?, ["app 1", "liba 1"]);
    lab.packages.apply(&steps.first().context("no step")?.action).await?;
    lab.apply(&[]).await?;
    assert_eq!(lab.installed()?, ["app 1", "liba 1"]);
    Ok(())
}

#[tokio::test]
async fn what_stead_installed_is_pruned_and_what_was_there_stays() -> Result<()> {
    let mut lab = Lab::new()?;
    lab.build("liba", "1", "")?;
    lab.build("app", "1", "Depends: liba\n")?;
    lab.build("old", "1", "")?;
    lab.apply(&[install("old")?]).await?;
    lab.owned.clear();
    lab.apply(&[install("old")?, install("app")?]).await?;
    lab.apply(&[]).await?;
    assert_eq!(lab.installed()?, ["old 1"]);
    Ok(())
}

#[tokio::test]
async fn a_dependency_that_is_declared_does_not_go_with_what_needed_it() -> Result<()> {
    let mut lab = Lab::new()?;
    lab.build("liba", "1", "")?;
    lab.build("app", "1", "Depends: liba\n")?;
    lab.apply(&[install("app")?]).await?;
    lab.apply(&[install("app")?, install("liba")?]).await?;
    lab.apply(&[install("liba")?]).await?;
    assert_eq!(lab.installed()?, ["liba 1"]);
    Ok(())
}

#[tokio::test]
async fn nothing_goes_that_nobody_named() -> Result<()> {
    let mut lab = Lab::new()?;
    lab.build("mta-a", "1", "")?;
    lab.build("mta-b", "1", "Conflicts: mta-a\n")?;
    lab.build("needs-a", "1", "Depends: mta-a\n")?;
    lab.apply(&[install("mta-a")?, install("needs-a")?]).await?;
    lab.owned.clear();
    for specs in [vec![remove("mta-a")?], vec![install("mta-b")?, remove("mta-a")?]] {
        let error = lab.apply(&specs).await.err().context("it was not refused")?;
        assert!(error.to_string().contains("it would also remove needs-a"), "{error}");
    }
    assert_eq!(lab.installed()?, ["mta-a 1", "needs-a 1"]);
    // One package takes the place of another in one transaction, and gives it back.
    let steps = lab.apply(&[install("mta-b")?, remove("mta-a")?, remove("needs-a")?]).await?;
    assert_eq!(lab.installed()?, ["mta-b 1"]);
    lab.undo(&steps).await?;
    assert_eq!(lab.installed()?, ["mta-a 1", "needs-a 1"]);
    Ok(())
}

#[tokio::test]
async fn an_unknown_package_is_named() -> Result<()> {
    let mut lab = Lab::new()?;
    lab.build("app", "1", "")?;
    lab.build("provider", "1", "Provides: wanted\n")?;
    lab.apply(&[install("app")?]).await?;
    let refused = async |lab: &mut Lab, spec| Ok(lab.apply(&[spec]).await.err().context("no error")?.to_string());
    let error: Result<String> = refused(&mut lab, install("nosuch")?).await;
    assert_eq!(error?, "package nosuch: Unable to locate package nosuch");
    let error: Result<String> = refused(&mut lab, install("ap.")?).await;
    assert_eq!(error?, "package ap.: Unable to locate package ap.; Couldn't find any package by glob 'ap.'");
    let error: Result<String> = refused(&mut lab, pinned("app", "9", None)?).await;
    assert_eq!(error?, "package app: Version '9' for 'app' was not found");
    let error: Result<String> = refused(&mut lab, install("wanted")?).await;
    assert!(error?.contains("but apt would install provider"));
    assert_eq!(lab.installed()?, ["app 1"]);
    Ok(())
}

#[tokio::test]
async fn lists_are_updated_only_when_they_cannot_serve() -> Result<()> {
    let mut lab = Lab::new()?;
    lab.build("app", "1", "")?;
    lab.apply(&[install("app")?]).await?;
    let lists = lab.packages.machine.path("/var/lib/apt/lists");
    let before = std::fs::metadata(&lists)?.modified()?;
    lab.apply(&[install("app")?, remove("nosuch")?]).await?;
    assert_eq!(std::fs::metadata(&lists)?.modified()?, before);
    // A package that is newer than the lists.
    lab.build("late", "1", "")?;
    lab.apply(&[install("late")?]).await?;
    assert!(std::fs::metadata(&lists)?.modified()? > before);
    Ok(())
}

#[tokio::test]
async fn a_repository_is_proved_when_added_and_goes_when_given_up() -> Result<()> {
    let mut lab = Lab::new()?;
    lab.build("app", "1", "")?;
    std::fs::remove_file(lab.packages.machine.path("/etc/apt/sources.list.d/lab.sources"))?;
    lab.write(
        "etc/apt/apt.conf.d/trust",
        "Acquire::AllowInsecureRepositories true;\nAPT::Get::AllowUnauthenticated true;\n",
    )?;
    let repository = |folder: &Path| -> Result<Spec> {
        Ok(Spec::Repository(
            Repository {
                name: "team".parse()?,
                types: Vec::new(),
                uris: vec![format!("file:{}", folder.display())],
                suites: vec!["./".to_owned()],
                components: Vec::new(),
                architectures: Vec::new(),
                key: None,
            }
            .parse()?,
        ))
    };
    let folder = lab.folder.path().join("repo");
    let steps = lab.apply(&[repository(&folder)?, install("app")?]).await?;
    assert_eq!(steps.iter().map(|step| step.resource.as_str()).collect::<Vec<_>>(), ["repository/team", "app"]);
    assert_eq!(lab.installed()?, ["app 1"]);
    let wrong = lab.apply(&[repository(&lab.folder.path().join("nowhere"))?]).await.err().context("no error")?;
    assert!(wrong.to_string().starts_with("repository team: "), "{wrong}");
    lab.apply(&[]).await?;
    assert!(!lab.packages.machine.path("/etc/apt/sources.list.d/team.sources").exists());
    assert_eq!(lab.installed()?, Vec::<String>::new());
    Ok(())
}

#[tokio::test]
async fn another_apt_is_waited_for() -> Result<()> {
    let mut lab = Lab::new()?;
    lab.build("app", "1", "")?;
    lab.build("theirs", "1", "")?;
    lab.apply(&[install("app")?]).await?;
    lab.apply(&[]).await?;
    // A person's apt, which holds the locks for two seconds.
    let mut theirs = Command::new("apt-get")
        .env("APT_CONFIG", lab.packages.machine.state().join("apt.conf"))
        .args(["-q", "-y", "-o", "DPkg::Pre-Invoke::=sleep 2", "install", "theirs"])
        .stdout(std::process::Stdio::null())
        .spawn()?;
    tokio::time::sleep(Duration::from_millis(700)).await;
    let begin = Instant::now();
    lab.apply(&[install("app")?]).await?;
    let waited = begin.elapsed();
    assert!(theirs.wait()?.success());
    assert_eq!(lab.installed()?, ["app 1", "theirs 1"]);
    assert!(waited > Duration::from_secs(1), "it did not wait: {waited:?}");
    Ok(())
}

#[tokio::test]
async fn cloud_init_is_waited_for() -> Result<()> {
    let mut lab = Lab::new()?;
    lab.build("app", "1", "")?;
    std::fs::create_dir_all(lab.packages.machine.path("/run/cloud-init"))?;
    lab.write("run/cloud-init/enabled", "")?;
    let result = lab.packages.machine.path("/run/cloud-init/result.json");
    let ends = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(1)).await;
        std::fs::write(result, "{}")
    });
    let begin = Instant::now();
    lab.apply(&[install("app")?]).await?;
    ends.await??;
    assert!(begin.elapsed() > Duration::from_secs(1));
    Ok(())
}
