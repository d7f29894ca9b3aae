//! What holds when several processes share a queue, and when they die.

mod crowd;
mod fails;
mod wakes;

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};

/// Another process. It is killed when it is dropped.
struct Process {
    child: Child,
    said: PathBuf,
}

impl Process {
    /// What it prints goes to a file: what it said before it died stays.
    fn start(place: &str, words: &[&str], said: &Path) -> Result<Self> {
        let own = env::current_exe()?;
        // target/TRIPLE/debug/deps/TEST, and beside it target/TRIPLE/debug/examples/EXAMPLE
        let program = own.ancestors().nth(2).context("no target folder")?.join("examples/queue_process");
        ensure!(program.is_file(), "there is no {}: run `cargo build -p stead-queue --examples`", program.display());
        let output = File::options().create(true).append(true).open(said)?;
        let errors = File::create(said.with_extension("errors"))?;
        let mut command = Command::new(program);
        command.arg(place).args(words).stdin(Stdio::null()).stdout(output).stderr(errors);
        Ok(Self { child: command.spawn()?, said: said.to_owned() })
    }

    fn wait(mut self) -> Result<()> {
        let status = self.child.wait()?;
        let errors = fs::read_to_string(self.said.with_extension("errors"))?;
        ensure!(status.success(), "the process ended with {status}: {errors}");
        Ok(())
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
