//! The ssh keys of test servers: one pair for whoever logs in and one for the host, made for this cache and no other.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use crate::run::run;

pub(crate) const CLIENT_KEY: &str = "client_key";
pub(crate) const HOST_KEY: &str = "host_key";
pub(crate) const KNOWN_HOSTS: &str = "known_hosts";
/// The name under which the host key is known, whatever address and port a machine has.
pub(crate) const HOST_KEY_ALIAS: &str = "stead-test";

/// The public halves.
pub(crate) struct PublicKeys {
    pub(crate) client: String,
    pub(crate) host: String,
}

/// Writes both pairs and `known_hosts` into `folder`.
pub(crate) fn write(folder: &Path) -> Result<PublicKeys> {
    let keys = PublicKeys { client: pair(folder, CLIENT_KEY)?, host: pair(folder, HOST_KEY)? };
    fs::write(folder.join(KNOWN_HOSTS), format!("{HOST_KEY_ALIAS} {}\n", keys.host))?;
    Ok(keys)
}

/// Makes a pair of files `name`, `name.pub` and gives the public half.
fn pair(folder: &Path, name: &str) -> Result<String> {
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-t", "ed25519", "-N", "", "-C", "stead-test", "-f"]).arg(folder.join(name));
    run(&mut command, Duration::from_secs(30))?.ok()?;
    Ok(fs::read_to_string(folder.join(name).with_extension("pub"))?.trim().to_owned())
}
