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
