//! Every change on a tree of files of its own, by the real useradd(8) and its kin.

use std::os::unix::fs::{MetadataExt, symlink};
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::*;
use crate::plan::{Step, Undo};

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJvJJ0sNMAPrTGr8A1tYo0d5sLDZHLnjN0J0ZbnXkG6z";

struct Rig {
    folder: tempfile::TempDir,
    machine: Arc<Machine>,
}

impl Rig {
    fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let root = folder.path().join("root");
        std::fs::create_dir_all(root.join("etc"))?;
        std::fs::create_dir_all(root.join("home/alice"))?;
        std::os::unix::fs::chown(root.join("home/alice"), Some(1000), Some(1000))?;
        let write = |file: &str, text: &str| std::fs::write(root.join("etc").join(file), text);
        write("passwd", "root:x:0:0:root:/root:/bin/bash\nalice:x:1000:1000:Alice:/home/alice:/bin/sh\n")?;
        write("group", "root:x:0:\ndocker:x:999:\nweb:x:33:alice\nalice:x:1000:\n")?;
        write("shadow", "root:*:19000:0:99999:7:::\nalice:$6$salt$hash:19000:0:99999:7:::\n")?;
        write("login.defs", "USERGROUPS_ENAB yes\nUID_MIN 1000\nGID_MIN 1000\n")?;
        let machine = Arc::new(Machine::open(&root, &folder.path().join("state"))?);
        Ok(Self { folder, machine })
    }

    fn path(&self, path: &str) -> PathBuf {
        self.machine.path(path)
    }

    /// The line of a file of `/etc` that begins with this name.
    fn line(&self, file: &str, name: &str) -> Result<String> {
        let text = std::fs::read_to_string(self.path("/etc").join(file))?;
        let line = text.lines().find(|line| line.split(':').next() == Some(name));
        line.map(str::to_owned).with_context(|| format!("no {name} in {file}"))
    }

    async fn steps(&self, specs: &[serde_json::Value]) -> Result<Vec<Step<Action>>> {
        let spec = |spec: &serde_json::Value| -> Result<_> {
            Ok(Declared { policy: "base".to_owned(), spec: serde_json::from_value(spec.clone())? })
        };
        let specs = specs.iter().map(spec).collect::<Result<Vec<_>>>()?;
        let owned = Owned::new();
        let fact = User::open(self.machine.clone()).observe(&specs, &owned).await?;
        let facts = serde_json::to_string(&fact)?;
        ensure!(!facts.contains("$6$"), "a fact holds a password: {facts}");
        Ok(User::diff(&fact, &Desired { specs: &specs, owned: &owned, changed: &Default::default() })?.steps)
    }

    async fn converge(&self, specs: &[serde_json::Value]) -> Result<Vec<Step<Action>>> {
        let steps = self.steps(specs).await?;
        for step in &steps {
            User::open(self.machine.clone()).apply(&step.action).await?;
        }
        let left = self.steps(specs).await?;
        ensure!(left.is_empty(), "left: {left:#?}");
        Ok(steps)
    }

    async fn undo(&self, steps: &[Step<Action>]) -> Result<()> {
        for step in steps.iter().rev() {
            let Undo::Action(undo) = &step.undo else { anyhow::bail!("no undo") };
            User::open(self.machine.clone()).apply(undo).await?;
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_new_user_has_keys_and_no_password() -> Result<()> {
    let rig = Rig::new()?;
    let deploy =
        json!({"present": {"name": "deploy", "groups": ["docker"], "authorized_keys": [KEY], "sudo": "all-nopasswd"}});
    let steps = rig.converge(&[deploy]).await?;
    ensure!(rig.line("shadow", "deploy")?.starts_with("deploy:*:"), "{}", rig.line("shadow", "deploy")?);
    ensure!(rig.line("group", "docker")? == "docker:x:999:deploy");
    for (path, mode, uid) in [
        ("/home/deploy/.ssh", 0o700, 1001),
        ("/home/deploy/.ssh/authorized_keys", 0o600, 1001),
        ("/etc/sudoers.d/stead-deploy", 0o440, 0),
    ] {
        let stat = std::fs::symlink_metadata(rig.path(path))?;
        ensure!((stat.mode() & 0o7777, stat.uid(), stat.gid()) == (mode, uid, uid), "{path}: {stat:?}");
    }
    rig.undo(&steps).await?;
    ensure!(rig.line("passwd", "deploy").is_err() && rig.line("group", "deploy").is_err());
    ensure!(!rig.path("/etc/sudoers.d").exists() && !rig.path("/home/deploy/.ssh").exists());
    ensure!(rig.path("/home/deploy").is_dir(), "its home directory stays");
    Ok(())
}

#[tokio::test]
async fn an_undo_takes_out_of_no_other_group() -> Result<()> {
    let rig = Rig::new()?;
    let steps = rig.converge(&[json!({"present": {"name": "alice", "groups": ["docker", "web"]}})]).await?;
    // As an operator may do in the meantime.
    let group = std::fs::read_to_string(rig.path("/etc/group"))?;
    std::fs::write(rig.path("/etc/group"), format!("{group}ops:x:4000:alice\n"))?;
    rig.undo(&steps).await?;
    ensure!(rig.line("group", "docker")? == "docker:x:999:");
    ensure!(rig.line("group", "web")?.ends_with(":alice") && rig.line("group", "ops")?.ends_with(":alice"));
    Ok(())
}

#[tokio::test]
async fn a_removed_user_comes_back_as_it_was() -> Result<()> {
    let rig = Rig::new()?;
    let before = (rig.line("passwd", "alice")?, rig.line("group", "web")?, rig.line("group", "alice")?);
    let steps = rig.converge(&[json!({"absent": "alice"})]).await?;
    ensure!(rig.line("passwd", "alice").is_err() && rig.line("shadow", "alice").is_err());
    rig.undo(&steps).await?;
    ensure!((rig.line("passwd", "alice")?, rig.line("group", "web")?, rig.line("group", "alice")?) == before);
    ensure!(rig.line("shadow", "alice")?.starts_with("alice:$6$salt$hash:"));

    // Whoever is made anew under the name does not get the password.
    rig.converge(&[json!({"absent": "alice"})]).await?;
    rig.converge(&[json!({"present": {"name": "alice"}})]).await?;
    ensure!(rig.line("shadow", "alice")?.starts_with("alice:*:"));
    Ok(())
}

#[tokio::test]
async fn a_group_of_the_same_name_outlives_its_user() -> Result<()> {
    let rig = Rig::new()?;
    let steps = rig.converge(&[json!({"present": {"name": "docker"}})]).await?;
    ensure!(rig.line("passwd", "docker")?.contains(":999:"));
    rig.undo(&steps).await?;
    ensure!(rig.line("group", "docker")? == "docker:x:999:");
    Ok(())
}

#[tokio::test]
async fn no_link_leads_the_keys_astray() -> Result<()> {
    let keys = || json!({"present": {"name": "alice", "authorized_keys": [KEY]}});
    for (link, target) in [(".ssh", "/etc"), (".ssh/authorized_keys", "/etc/shadow")] {
        let rig = Rig::new()?;
        let steps = rig.steps(&[keys()]).await?;
        if link != ".ssh" {
            std::fs::create_dir(rig.path("/home/alice/.ssh"))?;
        }
        symlink(rig.path(target), rig.path("/home/alice").join(link))?;
        let refused = rig.steps(&[keys()]).await.err().context("it was planned")?;
        ensure!(refused.to_string().contains("symbolic link"), "{refused}");
        // As when it was made after the plan: what it leads to stays as it is.
        User::open(rig.machine.clone()).apply(&steps.first().context("no step")?.action).await?;
        ensure!(rig.line("shadow", "root")?.starts_with("root:*:") && !rig.path("/etc/authorized_keys").exists());
        ensure!(!rig.path("/home/alice").join(link).is_symlink());
    }
    Ok(())
}

#[tokio::test]
async fn the_file_of_another_is_not_shown() -> Result<()> {
    let rig = Rig::new()?;
    std::fs::create_dir(rig.path("/home/alice/.ssh"))?;
    std::fs::hard_link(rig.path("/etc/shadow"), rig.path("/home/alice/.ssh/authorized_keys"))?;
    let steps = rig.steps(&[json!({"present": {"name": "alice", "authorized_keys": [KEY]}})]).await?;
    ensure!(!serde_json::to_string(&steps)?.contains("$6$"), "it is shown");
    ensure!(rig.folder.path().exists());
    Ok(())
}
