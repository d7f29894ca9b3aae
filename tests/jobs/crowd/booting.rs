//! Machines of a crowd that really run a kernel of their own, resumed from a template of this test alone.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use stead_tests::run::run;
use stead_tests::vm::store;
use stead_vm::name::Installation;
use stead_vm::provider::qemu::{Qemu, Settings};
use stead_vm::request::Size;

use crate::place::{HTTP, Place};

const STEAD: &str = r#"
[policy.works]
component = "works.wasm"

[policy.works.grant.http]
@HTTP@
[policy.works.grant.vm]
providers = ["qemu"]
images = ["@IMAGE@"]
machines = 1
lifetime = "60 min"
"#;

/// In the folder of the place: what the provider keeps.
const STORE: &str = "qemu";
/// As jobs ask for it that say nothing.
const SIZE: Size = Size::Measured { cpus: 1, memory_mib: 1024, disk_gib: 10 };

/// Ends what a test that failed has left.
pub(super) struct Machines(PathBuf);

impl Drop for Machines {
    fn drop(&mut self) {
        for machine in fs::read_dir(&self.0).into_iter().flatten().flatten() {
            if let Ok(pid) = fs::read_to_string(machine.path().join("qemu.pid")) {
                let _ = run(Command::new("kill").arg("-9").arg(pid.trim()), Duration::from_secs(5));
            }
        }
    }
}

/// A place whose jobs ask for machines of this image.
pub(super) async fn place() -> Result<(Place, Machines, String)> {
    let (images, image) = store(|source, store| {
        let qemu = Qemu::new(installation(), settings(store))?;
        Ok(qemu.images().import(source, None)?.as_str().to_owned())
    })?;
    let place = Place::with("works", "tests/jobs/policy", &STEAD.replace("@HTTP@", HTTP).replace("@IMAGE@", &image))?;
    let folder = place.folder.path();
    // QEMU is nobody, and opens its disk once more when it resumes.
    fs::set_permissions(folder, Permissions::from_mode(0o711))?;
    fs::create_dir(folder.join(STORE))?;
    symlink(images.join("images"), folder.join(STORE).join("images"))?;
    Qemu::new(installation(), settings(&folder.join(STORE)))?.prepare(&image, &SIZE).await?;
    let machines = Machines(folder.join(STORE).join("machines"));
    Ok((place, machines, image))
}

/// The provider of such a place.
pub(super) fn qemu(folder: &Path) -> Result<Option<Qemu>> {
    let store = folder.join(STORE);
    Ok(store.exists().then(|| Qemu::new(installation(), settings(&store))).transpose()?)
}

fn installation() -> Installation {
    "crowd".parse().expect("a name")
}

fn settings(folder: &Path) -> Settings {
    Settings { folder: folder.to_owned(), accelerator: None, memory_mib: None, user: None }
}
