//! Runs a test again, alone, in namespaces of its own: network, mounts (so that `/run` is its own, too) and
//! processes (so that none outlives it).

use std::process::Command;

use anyhow::{Context, Result, ensure};

const INSIDE: &str = "STEAD_VPN_TEST";
const ENTER: &str = "mount -t tmpfs tmpfs /run && mkdir -p /run/netns /run/wireguard && ip link set lo up && \
                     exec \"$0\" --exact \"$1\" --nocapture";

/// Whether this is inside; otherwise the test has run inside already, and passed.
pub(super) fn is_inside(module: &str, test: &str) -> Result<bool> {
    let (_, path) = module.split_once("::").context("no crate")?;
    let test = format!("{path}::{test}");
    if std::env::var(INSIDE).is_ok_and(|inside| inside == test) {
        return Ok(true);
    }
    let output = Command::new("unshare")
        .args(["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", ENTER])
        .arg(std::env::current_exe()?)
        .arg(&test)
        .env(INSIDE, &test)
        .output()?;
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success() && said.contains("1 passed"), "inside, which needs root: {said}");
    println!("{said}");
    Ok(false)
}
