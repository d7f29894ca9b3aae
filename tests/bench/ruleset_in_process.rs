//! A large ruleset beside nft(8), in a network namespace of its own: `KIND NANOSECONDS` a line, then what memory took.
//!
//! A program of its own, so that it can be started in the namespace, and so that its memory is its own.

use std::fs;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use stead::capability::firewall::{Firewall, Set, Spec, recorded};
use stead::capability::{Capability, Declared, Desired, Owned};
use stead::machine::Machine;
use stead::plan::Step;

const RUNS: usize = 7;
const RULES: u32 = 10_000;
const ELEMENTS: u32 = 100_000;
const LIST: [&str; 5] = ["--stateless", "list", "table", "inet", "stead"];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let root = folder.path().join("root");
    fs::create_dir(&root)?;
    let subject = Subject { machine: Arc::new(Machine::open(&root, &folder.path().join("state"))?) };
    let (large, one_more, one_rule) = (specs(0, 0)?, specs(1, 0)?, specs(0, 1)?);
    for _ in 0..RUNS {
        nft(&["flush", "ruleset"])?;
        let (planned, step) = timed(subject.step(&large)).await?;
        say("plan", planned);
        say("apply", timed(subject.apply(&step)).await?.0);
        let file = root.join("etc/stead/firewall.nft").display().to_string();
        nft(&["flush", "ruleset"])?;
        say("nft -f", run(&["-f", &file])?);
        say("nft list", run(&LIST)?);
        say("no-op", timed(subject.is_as_declared(&large)).await?.0);
        for (kind, specs) in [("element", &one_more), ("rule", &one_rule)] {
            let step = subject.step(specs).await?;
            say(kind, timed(subject.apply(&step)).await?.0);
            subject.is_as_declared(specs).await?;
            subject.apply(&subject.step(&large).await?).await?;
        }
        say("nft add", run(&["add", "element", "inet", "stead", "large", "{ 192.0.2.1 }"])?);
    }
    println!("memory {}", fs::read_to_string("/proc/self/status")?.lines().find_map(peak).context("no VmHWM")?);
    println!("nft-memory {}", peak_of_nft()?);
    Ok(())
}

fn say(kind: &str, took: Duration) {
    println!("{kind}: {}", took.as_nanos());
}

/// In KiB.
fn peak(line: &str) -> Option<u64> {
    line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok()
}

/// Of `nft list`, in KiB, looked at again and again while it runs.
fn peak_of_nft() -> Result<u64> {
    let mut child = Command::new("nft").args(LIST).stdout(Stdio::null()).spawn()?;
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    while child.try_wait()?.is_none() {
        most = fs::read_to_string(&status)
            .ok()
            .and_then(|text| text.lines().find_map(peak))
            .map_or(most, |now| now.max(most));
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(most)
}

async fn timed<T>(what: impl Future<Output = Result<T>>) -> Result<(Duration, T)> {
    let began = Instant::now();
    let done = what.await?;
    Ok((began.elapsed(), done))
}

fn nft(arguments: &[&str]) -> Result<()> {
    run(arguments).map(drop)
}

fn run(arguments: &[&str]) -> Result<Duration> {
    let began = Instant::now();
    let ended = Command::new("nft").args(arguments).output()?;
    ensure!(ended.status.success(), "nft {arguments:?}: {}", String::from_utf8_lossy(&ended.stderr));
    Ok(began.elapsed())
}

struct Subject {
    machine: Arc<Machine>,
}

impl Subject {
    /// Observed and planned anew, as by a new process.
    async fn steps(&self, specs: &[Declared<Spec>]) -> Result<Vec<Step<Set>>> {
        let owned = Owned::new();
        let fact = Firewall::open(self.machine.clone()).observe(specs, &owned).await?;
        Ok(Firewall::diff(&fact, &Desired { specs, owned: &owned, changed: &Default::default() })?.steps)
    }

    async fn step(&self, specs: &[Declared<Spec>]) -> Result<Step<Set>> {
        self.steps(specs).await?.pop().context("there is nothing to do")
    }

    async fn is_as_declared(&self, specs: &[Declared<Spec>]) -> Result<()> {
        let left = self.steps(specs).await?;
        ensure!(left.is_empty(), "{} steps are left", left.len());
        Ok(())
    }

    async fn apply(&self, step: &Step<Set>) -> Result<()> {
        Ok(Firewall::open(self.machine.clone()).apply(&step.action).await?)
    }
}

/// A set of addresses spread over the whole space, and rules on prefixes and ports.
fn specs(more_elements: u32, more_rules: u32) -> Result<Vec<Declared<Spec>>> {
    let address = |number: u32| std::net::Ipv4Addr::from(0x0b00_0000 + number * 35_999).to_string();
    let elements: Vec<_> = (0..ELEMENTS + more_elements).map(address).collect();
    let set = json!({ "set": { "name": "large", "element-type": "ipv4-addr", "elements": elements } });
    let named = json!({ "rule": { "chain": "input", "source": ["@large"], "traffic": "any", "verdict": "drop" } });
    let rules = (0..RULES + more_rules).map(|number| {
        let source = format!("10.{}.{}.0/24", number >> 8 & 255, number & 255);
        json!({ "rule": { "chain": "input", "source": [source], "traffic": { "tcp": [number + 1] }, "verdict": "accept" } })
    });
    let declared = |spec: Value| Declared { policy: "bench".to_owned(), spec };
    Ok(recorded([set, named].into_iter().chain(rules).map(declared).collect())?)
}
