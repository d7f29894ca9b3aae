//! The real apt and dpkg on a temporary root, with packages made here and a repository in a folder.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::apt::Apt;
use super::pulled::Pulled;
use super::*;
use crate::plan::Undo;

mod lab;

use lab::Lab;

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
    Apt::new(&lab.packages.machine)?.update().await?;
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
    lab.owned.clear();
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

/// Scripts of packages run outside of the root, which has no shell.
const CHROOTLESS: &str = "APT::Sandbox::User \"root\";\nDPkg::Options:: \"--force-script-chrootless\";\n";

#[tokio::test]
async fn an_installation_that_fails_half_way_is_undone() -> Result<()> {
    let mut lab = Lab::new()?;
    lab.write("etc/apt/apt.conf.d/lab", CHROOTLESS)?;
    lab.build("other", "1", "")?;
    lab.apply(&[install("other")?]).await?;
    lab.build("liba", "1", "")?;
    lab.build_with("app", "1", "Depends: liba\n", &[("postinst", "exit 7")])?;
    let (_, diff) = lab.diff(&[install("other")?, install("app")?]).await?;
    let step = diff.steps.first().context("no step")?;
    let error = lab.packages.apply(&step.action).await.err().context("it did not fail")?;
    assert!(error.to_string().contains("post-installation script subprocess returned error exit status 7"), "{error}");
    let (fact, _) = lab.diff(&[install("app")?]).await?;
    assert!(fact.packages.get(&"app".parse()?).is_some_and(|state| state.interrupted), "{fact:#?}");
    lab.undo(&diff.steps).await?;
    assert_eq!(lab.installed()?, ["other 1"]);
    assert!(!Pulled::of(&lab.packages.machine).read()?.contains(&"liba".parse()?));
    Ok(())
}

#[tokio::test]
async fn what_a_killed_apt_left_is_swept_or_finished() -> Result<()> {
    for finish in [false, true] {
        let lab = Lab::new()?;
        lab.write("etc/apt/apt.conf.d/lab", CHROOTLESS)?;
        // dpkg unpacks and configures `liba` before `app`, and its script never returns while the flag is there.
        let (flag, begun) = (lab.folder.path().join("flag"), lab.folder.path().join("begun"));
        std::fs::write(&flag, "")?;
        let script = format!("touch {}; while [ -e {} ]; do sleep 0.1; done", begun.display(), flag.display());
        lab.build_with("liba", "1", "", &[("postinst", &script)])?;
        lab.build("app", "1", "Pre-Depends: liba\n")?;
        let (_, diff) = lab.diff(&[install("app")?]).await?;
        let step = diff.steps.first().context("no step")?;
        let begins = async {
            while !begun.exists() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        // What is dropped is killed.
        tokio::select! {
            done = lab.packages.apply(&step.action) => anyhow::bail!("it was not killed: {done:?}"),
            () = begins => {}
        }
        std::fs::remove_file(&flag)?;
        wait::until_quiet(&lab.packages.machine).await?;
        let status = std::fs::read_to_string(lab.packages.machine.path("/var/lib/dpkg/status"))?;
        assert!(status.contains("Package: liba\n") && !status.contains("Package: app\n"), "not half-way: {status}");
        if finish {
            lab.packages.apply(&step.action).await?;
            assert_eq!(lab.installed()?, ["app 1", "liba 1"]);
        }
        lab.undo(&diff.steps).await?;
        assert_eq!(lab.installed()?, Vec::<String>::new(), "finish: {finish}");
    }
    Ok(())
}
