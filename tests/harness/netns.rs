//! Network namespaces for tests: hosts with networks of their own, on one machine, gone at the end of the test.

use std::path::Path;
use std::process::{self, Command};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::run::{Output, run, words};

const LIMIT: Duration = Duration::from_secs(60);
const PREFIX: &str = "stead-test-";

/// A namespace in which only `lo` is up; dropping it kills what runs in it and deletes it with its interfaces.
#[derive(Debug)]
pub struct Netns {
    name: String,
}

impl Netns {
    /// Makes an empty namespace, named after this process; removes those of test processes that were killed.
    ///
    /// # Errors
    /// Without root, or without iproute2.
    pub fn new() -> Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        sweep()?;
        let name = format!("{PREFIX}{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        ip(&format!("netns add {name}")).context("network namespaces need root and iproute2")?;
        let namespace = Self { name };
        ip(&format!("-n {} link set lo up", namespace.name))?;
        Ok(namespace)
    }

    /// The name for `ip -n` and `ip netns exec`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Joins two namespaces by a cable: on either side an interface, with an address in CIDR notation.
    ///
    /// # Errors
    /// When an interface of that name exists already.
    pub fn connect(&self, here: (&str, &str), other: &Self, there: (&str, &str)) -> Result<()> {
        let (near, far) = (&self.name, &other.name);
        ip(&format!("link add {} netns {near} type veth peer name {} netns {far}", here.0, there.0))?;
        for (namespace, (interface, address)) in [(near, here), (far, there)] {
            ip(&format!("-n {namespace} address add {address} dev {interface}"))?;
            ip(&format!("-n {namespace} link set {interface} up"))?;
        }
        Ok(())
    }

    /// Runs a shell command inside.
    ///
    /// # Errors
    /// When it is still running after a minute.
    pub fn exec(&self, command: &str) -> Result<Output> {
        run(self.command("sh").args(["-c", command]), LIMIT)
    }

    /// A command that will run inside.
    pub fn command(&self, program: &str) -> Command {
        let mut command = words("ip netns exec");
        command.args([&self.name, program]);
        command
    }
}

impl Drop for Netns {
    fn drop(&mut self) {
        let _ = remove(&self.name);
    }
}

fn sweep() -> Result<()> {
    let list = run(&mut words("ip netns list"), LIMIT)?.ok()?;
    let names = list.lines().filter_map(|line| line.split(' ').next());
    names.filter(|name| is_orphan(name)).try_for_each(remove)
}

fn is_orphan(name: &str) -> bool {
    let maker = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
    maker.is_some_and(|pid| !Path::new("/proc").join(pid).exists())
}

fn remove(name: &str) -> Result<()> {
    for pid in run(&mut words(&format!("ip netns pids {name}")), LIMIT)?.stdout.lines() {
        run(&mut words(&format!("kill -9 {pid}")), LIMIT)?;
    }
    // Two test processes may sweep the same orphan.
    run(&mut words(&format!("ip netns delete {name}")), LIMIT).map(drop)
}

fn ip(arguments: &str) -> Result<()> {
    run(&mut words(&format!("ip {arguments}")), LIMIT)?.ok().map(drop)
}
