//! The WireGuard of all hosts, from the operator's side.

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::repo::Repo;

#[test]
fn the_status_is_by_host() -> Result<()> {
    let repo = Repo::new()?;
    let said = repo.stead("vpn status", 0)?;
    ensure!(said.starts_with("box: "), "{said}");
    let said: Value = serde_json::from_str(repo.stead("vpn status --json", 0)?.trim())?;
    ensure!(said["box"].is_array(), "{said}");
    ensure!(repo.stead("vpn status bix", 64)?.contains("did you mean `box`?"));
    ensure!(repo.stead("vpn status ssh://root@127.0.0.1:1", 68)?.contains("cannot reach"));
    Ok(())
}
