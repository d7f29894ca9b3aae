//! Guests that a generator made: valid, and without any sense. See `tests/smith`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::programs::of_module;
use super::*;

/// Those of the repo, or of the folder `STEAD_SMITH`.
fn modules() -> Result<Vec<PathBuf>> {
    let committed = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/smith/modules");
    let folder = std::env::var_os("STEAD_SMITH").map_or_else(committed, PathBuf::from);
    let entries: std::io::Result<Vec<_>> = std::fs::read_dir(folder)?.collect();
    let mut paths: Vec<_> = entries?.into_iter().map(|entry| entry.path()).collect();
    paths.sort();
    Ok(paths)
}

#[tokio::test]
async fn what_makes_no_sense_harms_nobody() -> Result<()> {
    let (grants, mut ends) = (granted(EVERYTHING)?, BTreeMap::new());
    let paths = modules()?;
    for path in &paths {
        let component = of_module(std::fs::read(path)?, "stead:host/bootstrap@0.1.0", &[])?;
        let began = Instant::now();
        let end = match run_with(&component, &grants, QUICK).await? {
            Ok(_) => "well".to_owned(),
            Err(PolicyError::Run { error: RunError::Trapped(trap), .. }) => trap.cause,
            Err(PolicyError::Run { error, .. }) => error.to_string().lines().next().unwrap_or_default().to_owned(),
            Err(error) => anyhow::bail!("{} did not run: {error}", path.display()),
        };
        // Compiling included; the limit is the guest's own time.
        ensure!(began.elapsed() < Duration::from_secs(20), "{}: {:?}", path.display(), began.elapsed());
        *ends.entry(end).or_insert(0_usize) += 1;
    }
    println!("{ends:#?}");
    // Nothing would be shown if they all ended before they did anything.
    ensure!(paths.len() >= 40 && ends.len() > 2, "{ends:?}");
    Ok(())
}

const EVERYTHING: &str = "
    [sysctl]\nkeys = [\"net.*\"]
    [package]\nremove = [\"nginx\"]
    [user]\nusers = [\"*\"]
    [file]\npaths = [\"/srv/*\"]
    [service]\nunits = [\"*.service\"]
    [firewall]\nchains = [\"input\"]\nports = [\"1-65535\"]
    [vpn]\ninterfaces = [\"wg0\"]\nlisten-ports = [51820]\n";
