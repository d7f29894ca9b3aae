//! One machine of the tests' own image.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use stead_tests::run::run;
use stead_tests::vm::store;
use stead_vm::access::{Access, Keys};
use stead_vm::lease::Lease;
use stead_vm::machine::State;
use stead_vm::name::{Installation, VmName};
use stead_vm::provider::Provider;
use stead_vm::provider::qemu::{Qemu, Settings};
use stead_vm::request::{Market, Network, Request, Size};
use stead_vm::user_data::{Identity, user_data};
use tempfile::TempDir;

/// On two cores that others use as well.
const BOOT_LIMIT: Duration = Duration::from_secs(600);
const LIFETIME: Duration = Duration::from_secs(1800);

pub(crate) struct Place {
    pub(crate) name: VmName,
    pub(crate) access: Access,
    pub(crate) address: SocketAddr,
    qemu: Qemu,
    folder: TempDir,
}

impl Place {
    /// Asks for a machine; `size` decides whether there is a template.
    pub(crate) async fn start(job: &str, size: &Size) -> Result<Self> {
        let (qemu, image) = qemu()?;
        reap(&qemu).await?;
        // Several runs of the tests share the store.
        let name: VmName = format!("stead-{job}{}-1-1", std::process::id()).parse()?;
        let folder = tempfile::tempdir()?;
        let keys = Keys::obtain(&folder.path().join("keys"), &name)?;
        let lease = Lease { renewal: Duration::from_secs(600), lifetime: LIFETIME, created: SystemTime::now() };
        let identity = Identity { client: &keys.client, host: &keys.host, host_private: keys.host_private() };
        let request = Request {
            name: name.clone(),
            image,
            size: size.clone(),
            region: None,
            network: Network::Closed,
            market: Market::OnDemand,
            user_data: user_data(&identity, &lease),
            lifetime: LIFETIME,
        };
        let address = qemu.create(&request).await?.address.context("no address")?;
        let access = Access::new(name.clone(), address, &folder.path().join("keys"));
        Ok(Self { name, access, address, qemu, folder })
    }

    pub(crate) async fn ready(&self) -> Result<()> {
        let ready = self.access.ready::<anyhow::Error>(BOOT_LIMIT, async || self.runs().await).await;
        let console = self.qemu.console(&self.name).await?.unwrap_or_default();
        ready.with_context(|| console)
    }

    pub(crate) async fn state(&self) -> Result<Option<State>> {
        Ok(self.qemu.list().await?.iter().find(|vm| vm.name == self.name).map(|vm| vm.state))
    }

    pub(crate) async fn runs(&self) -> Result<()> {
        let state = self.state().await?.context("the machine is gone")?;
        ensure!(state == State::Running, "the machine is {state:?}");
        Ok(())
    }

    pub(crate) async fn leaves_nothing(&self) -> Result<()> {
        self.qemu.destroy(&self.name).await?;
        assert_eq!(self.state().await?, None);
        Ok(())
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // When this does not run, the lease ends the machine, and the next test takes away what is left.
        let pid = imported().map(|(store, _)| store.join(format!("machines/{}/qemu.pid", self.name)));
        if let Ok(pid) = pid.and_then(|pid| Ok(fs::read_to_string(pid)?)) {
            let _ = run(Command::new("kill").arg("-9").arg(pid.trim()), Duration::from_secs(5));
        }
    }
}

fn installation() -> Installation {
    "tests".parse().expect("a name")
}

/// Makes the template of this size, once for all runs.
pub(crate) async fn prepare(size: &Size) -> Result<()> {
    let (qemu, image) = qemu()?;
    Ok(qemu.prepare(&image, size).await?)
}

/// Destroys what tests that were killed have left.
async fn reap(qemu: &Qemu) -> Result<()> {
    for vm in qemu.list().await? {
        let test = vm.owner().job.trim_start_matches(|letter: char| !letter.is_ascii_digit());
        if !Path::new("/proc").join(test).exists() {
            qemu.destroy(&vm.name).await?;
        }
    }
    Ok(())
}

fn qemu() -> Result<(Qemu, String)> {
    let (folder, digest) = imported()?;
    Ok((Qemu::new(installation(), settings(&folder))?, digest))
}

fn settings(folder: &Path) -> Settings {
    Settings { folder: folder.to_owned(), accelerator: None, memory_mib: None, user: None }
}

/// The image of the other tests, as the provider imports it.
fn imported() -> Result<(PathBuf, String)> {
    store(|source, store| {
        let qemu = Qemu::new(installation(), settings(store))?;
        Ok(qemu.images().import(source, None)?.as_str().to_owned())
    })
}
