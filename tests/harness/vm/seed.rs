//! What a provider hands to a new machine: who may log in, under which host key. One NoCloud disk.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use crate::keys::{self, HOST_KEY, PublicKeys};
use crate::run::run;

pub(crate) const DISK: &str = "seed.img";

const LIMIT: Duration = Duration::from_secs(30);

/// Writes keys and the seed disk into `folder`.
pub(crate) fn write(folder: &Path) -> Result<()> {
    let PublicKeys { client, host } = keys::write(folder)?;
    let private = fs::read_to_string(folder.join(HOST_KEY))?;
    fs::write(folder.join("user-data"), user_data(&client, &private, &host))?;
    fs::write(folder.join("meta-data"), "instance-id: stead-test\nlocal-hostname: stead-test\n")?;
    pack(folder)
}

/// Two ways in, as providers differ: as root, and as a user with sudo and no password.
fn user_data(client: &str, host_private: &str, host_public: &str) -> String {
    let private = host_private.replace('\n', "\n    ");
    format!(
        "#cloud-config
disable_root: false
ssh_authorized_keys: [ '{client}' ]
users:
- name: root
  lock_passwd: true
  ssh_authorized_keys: [ '{client}' ]
- name: admin
  shell: /bin/bash
  lock_passwd: true
  sudo: 'ALL=(ALL) NOPASSWD:ALL'
  ssh_authorized_keys: [ '{client}' ]
ssh_keys:
  ed25519_private: |
    {private}
  ed25519_public: '{host_public}'
package_update: false
package_upgrade: false
"
    )
}

fn pack(folder: &Path) -> Result<()> {
    let disk = folder.join(DISK);
    fs::File::create(&disk)?.set_len(2 << 20)?;
    run(Command::new("mkfs.vfat").args(["-n", "CIDATA"]).arg(&disk), LIMIT)?.ok()?;
    let mut copy = Command::new("mcopy");
    copy.arg("-i").arg(&disk).args(["user-data", "meta-data"].map(|file| folder.join(file))).arg("::");
    run(&mut copy, LIMIT)?.ok()?;
    Ok(())
}
