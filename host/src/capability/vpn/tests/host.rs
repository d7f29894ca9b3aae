//! A host with a temporary root, in the namespace of the test.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::capability::vpn::{Fact, Set, Vpn, backend};
use crate::capability::{Capability, Desired, Owned};
use crate::machine::Machine;
use crate::plan::{Deferred, Step, Undo};
use crate::secret::Secret;

pub(super) struct Host {
    folder: tempfile::TempDir,
    pub(super) vpn: Vpn,
    pub(super) owned: Owned<Set>,
}

/// What a plan for some specs says.
pub(super) struct Planned {
    pub(super) fact: Fact,
    pub(super) steps: Vec<Step<Set>>,
    pub(super) deferred: Vec<Deferred>,
}

impl Host {
    pub(super) fn new(secrets: &[(&str, &str)]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let secrets = secrets.iter().map(|(name, value)| ((*name).to_owned(), Secret::new((*value).to_owned())));
        std::fs::create_dir_all(folder.path().join("root/etc"))?;
        let machine = Machine::open(&folder.path().join("root"), &folder.path().join("state"))?;
        let vpn = Vpn::open(Arc::new(machine.with_secrets(secrets.collect())));
        Ok(Self { folder, vpn, owned: Owned::new() })
    }

    pub(super) fn write(&self, path: &str, content: &str) -> Result<()> {
        Ok(std::fs::write(self.folder.path().join("root").join(path), content)?)
    }

    /// The mode and group of a file.
    pub(super) fn access(&self, path: &str) -> Result<(u32, u32)> {
        use std::os::unix::fs::MetadataExt;
        let file = self.folder.path().join("root").join(path).metadata()?;
        Ok((file.mode() & 0o7777, file.gid()))
    }

    pub(super) fn expose(&self, path: &str) -> Result<()> {
        let path = self.folder.path().join("root").join(path);
        Ok(std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644))?)
    }

    pub(super) fn read(&self, path: &str) -> Result<String> {
        std::fs::read_to_string(self.folder.path().join("root").join(path)).with_context(|| path.to_owned())
    }

    pub(super) fn networkd_files(&self) -> Result<Vec<String>> {
        let folder = self.folder.path().join("root/etc/systemd/network");
        let Ok(entries) = std::fs::read_dir(folder) else { return Ok(Vec::new()) };
        let mut names: Vec<_> =
            entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect::<Result<_>>()?;
        names.sort();
        Ok(names)
    }

    pub(super) async fn plan(&self, declared: &[Value]) -> Result<Planned> {
        let specs = super::specs(declared)?;
        let fact = self.vpn.observe(&specs, &self.owned).await?;
        let diff = Vpn::diff(&fact, &Desired { specs: &specs, owned: &self.owned, changed: &Default::default() })?;
        Ok(Planned { fact, steps: diff.steps, deferred: diff.deferred })
    }

    /// Applies what is declared, each step twice; then there is nothing left to do.
    pub(super) async fn apply(&mut self, declared: &[Value]) -> Result<Step<Set>> {
        let planned = self.plan(declared).await?;
        ensure!(planned.deferred.is_empty(), "{:?}", planned.deferred);
        let [step] = planned.steps.as_slice() else { anyhow::bail!("not one step: {:#?}", planned.steps) };
        self.vpn.apply(&step.action).await?;
        let once = self.plan(declared).await?;
        ensure!(once.steps.is_empty(), "left: {:#?}", once.steps);
        self.vpn.apply(&step.action).await?;
        let twice = self.plan(declared).await?;
        ensure!(once.fact == twice.fact, "{:#?} became {:#?}", once.fact, twice.fact);
        for (resource, release) in &step.releases {
            self.owned.entry(resource.clone()).or_insert(Some(release.clone()));
        }
        Ok(step.clone())
    }

    pub(super) async fn undo(&self, step: &Step<Set>) -> Result<()> {
        let Undo::Action(action) = &step.undo else { anyhow::bail!("no undo") };
        self.vpn.apply(action).await?;
        Ok(self.vpn.apply(action).await?)
    }
}

/// Runs a program in the namespace of the test.
pub(super) fn run(line: &str) -> Result<String> {
    let (program, arguments) = line.split_once(' ').context("no arguments")?;
    let output = Command::new(program).args(arguments.split(' ')).output().with_context(|| line.to_owned())?;
    ensure!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// Where the kernel has no WireGuard, a program that serves the interface.
pub(super) fn serve(name: &str) -> Result<()> {
    if backend::kernel_has_wireguard() { Ok(()) } else { program(&["wireguard-go", "-f", name], name) }
}

/// An interface made by hand, in a namespace made by `ip netns add`.
pub(super) fn by_hand(namespace: &str, name: &str) -> Result<()> {
    if backend::kernel_has_wireguard() {
        return run(&format!("ip -n {namespace} link add {name} type wireguard")).map(drop);
    }
    program(&["ip", "netns", "exec", namespace, "wireguard-go", "-f", name], name)
}

fn program(line: &[&str], name: &str) -> Result<()> {
    // It ends with the namespace of processes.
    Command::new(line[0]).args(&line[1..]).env("LOG_LEVEL", "error").spawn().context("package wireguard-go")?;
    until(|| std::path::Path::new(&format!("/run/wireguard/{name}.sock")).exists())
}

pub(super) fn until(done: impl Fn() -> bool) -> Result<()> {
    let start = Instant::now();
    while !done() {
        ensure!(start.elapsed() < Duration::from_secs(30), "it did not happen within 30 s");
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

/// `wg show` on what is printed for each peer, by public key.
pub(super) fn shown(interface: &str, what: &str) -> Result<BTreeMap<String, String>> {
    let text = run(&format!("wg show {interface} {what}"))?;
    Ok(text.lines().filter_map(|line| line.split_once('\t')).map(|(a, b)| (a.to_owned(), b.to_owned())).collect())
}
