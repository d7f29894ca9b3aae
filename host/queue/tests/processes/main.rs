//! What holds when several processes share a queue, and when they die.

mod crowd;
mod fails;
mod tls;
mod wakes;

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use stead_tests::wait;

const PATIENCE: Duration = Duration::from_secs(100);

/// Another process. It is killed when it is dropped.
struct Process {
    child: Child,
    said: PathBuf,
}

impl Process {
    /// What it prints goes to a file: what it said before it died stays.
    fn start(place: &str, lease: Duration, words: &[&str], said: &Path) -> Result<Self> {
        let own = env::current_exe()?;
        // target/TRIPLE/debug/deps/TEST, and beside it target/TRIPLE/debug/examples/EXAMPLE
        let program = own.ancestors().nth(2).context("no target folder")?.join("examples/queue_process");
        ensure!(program.is_file(), "there is no {}: run `cargo build -p stead-queue --examples`", program.display());
        let output = File::options().create(true).append(true).open(said)?;
        let errors = File::create(said.with_extension("errors"))?;
        let mut command = Command::new(program);
        command
            .arg(place)
            .arg(lease.as_secs().to_string())
            .args(words)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors);
        Ok(Self { child: command.spawn()?, said: said.to_owned() })
    }

    fn wait(mut self) -> Result<()> {
        let status = self.child.wait()?;
        let errors = fs::read_to_string(self.said.with_extension("errors"))?;
        ensure!(status.success(), "the process ended with {status}: {errors}");
        Ok(())
    }

    /// Waits until it has said so many lines.
    fn said(&self, lines: usize) -> Result<()> {
        let said = || Ok((fs::read_to_string(&self.said)?.lines().count() >= lines).then_some(()));
        wait::until("the process to say something", PATIENCE, said)
    }

    /// With SIGKILL.
    fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop).context("waiting for it")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
