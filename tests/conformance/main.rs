//! One kit over every capability, on its real back-end.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

mod kit;

use anyhow::Result;
use serde_json::json;

use kit::{Subject, hold, machine};

#[test]
fn sysctl() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let machine = machine(folder.path())?;
    std::fs::write(machine.path("/proc/sys/net/ipv4/ip_forward"), "0\n")?;
    std::fs::write(machine.path("/proc/sys/vm/swappiness"), "60\n")?;
    hold(&Subject {
        capability: "sysctl",
        machine,
        first: vec![json!({"key": "net.ipv4.ip_forward", "value": "1"}), json!({"key": "vm.swappiness", "value": "5"})],
        second: vec![json!({"key": "vm.swappiness", "value": "10"})],
    })
}

#[test]
fn firewall() -> Result<()> {
    // The kernel's side of this capability is a network namespace: the test runs itself again in one of its own.
    const INSIDE: &str = "STEAD_TEST_IN_NAMESPACE";
    if std::env::var_os(INSIDE).is_none() {
        let mut again = std::process::Command::new("unshare");
        again.arg("--net").arg(std::env::current_exe()?).args(["--exact", "firewall", "--nocapture"]).env(INSIDE, "1");
        anyhow::ensure!(again.status()?.success(), "it failed in its namespace");
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    hold(&Subject {
        capability: "firewall",
        machine: machine(folder.path())?,
        first: vec![
            json!({"default": {"chain": "input", "verdict": "drop"}}),
            json!({"open": {"protocol": "tcp", "port": 22}}),
        ],
        second: vec![
            json!({"rule": {"chain": "forward", "traffic": {"udp": ["53", "8000-8100"]}, "verdict": "reject"}}),
        ],
    })
}
