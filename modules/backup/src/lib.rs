//! Backups by restic: its package, and every `[backup.NAME]` of `stead.toml` that names this host.

use stead_guest::{Error, backup, info, package};

stead_guest::policy!(configure);

fn configure() -> Result<(), Error> {
    let names = backup::schedule()?;
    if names.is_empty() {
        info!("stead.toml has no [backup.NAME] for this host");
        return Ok(());
    }
    let options = package::Options { recommends: Some(false), ..package::Options::default() };
    Ok(package::install("restic", &options)?)
}
