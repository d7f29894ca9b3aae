//! The way in: a forwarded port.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail};
use serde_json::json;

use super::{Protocol, Vm};
use crate::host::{CONFIG, Host, ssh_entries};
use crate::wait;

impl Host for Vm {
    fn name(&self) -> &str {
        &self.name
    }

    fn ssh_config(&self) -> PathBuf {
        self.folder.path().join(CONFIG)
    }

    /// What the guest had not flushed is lost.
    fn kill_power(&mut self) -> Result<()> {
        let before = self.boot_id()?;
        self.qemu.qmp.call("system_reset", json!({}))?;
        self.await_other_boot(&before)
    }
}

impl Vm {
    /// Forwards port 22 and writes the configuration that leads there.
    pub(crate) fn write_ssh_config(&mut self) -> Result<()> {
        let port = self.forward(Protocol::Tcp, 22)?;
        let way = format!("HostName 127.0.0.1\n    Port {port}");
        Ok(fs::write(self.ssh_config(), ssh_entries(&self.name, &self.access, &way))?)
    }

    /// Waits until a login works, then sets the guest's clock, which stood still while a saved machine slept.
    pub(crate) fn await_ssh(&mut self, limit: Duration) -> Result<()> {
        let name = self.name.clone();
        let came_up = wait::until(&format!("ssh on the machine {name}"), limit, || match self.qemu.check_alive() {
            Ok(()) => self.logs_in().map(Some),
            Err(ended) => Ok(Some(Err(ended))),
        })
        .flatten();
        if let Err(error) = came_up {
            let console = self.console().unwrap_or_default();
            let tail = console.char_indices().rev().nth(3000).map_or(0, |(at, _)| at);
            bail!("{error:#}; STEAD_VM_ACCEL=tcg rules out KVM; the end of its console:\n{}", &console[tail..]);
        }
        self.open_shared_connection()
    }

    fn logs_in(&self) -> Result<Result<()>> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        self.ssh_alone(&format!("date -s @{now}"))?.ok().map(|_| Ok(()))
    }
}
