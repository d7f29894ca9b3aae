//! The same as a whole: from the start of `stead apply` to its exit, with policy, plan, journal and all.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, ensure};
use stead_tests::docker::Engine;
use stead_tests::{policy, program};
use tempfile::TempDir;

use super::{PROJECT, Times, file, levels};
use crate::sample::output;

pub(super) struct Repo {
    folder: TempDir,
    stead: PathBuf,
}

impl Repo {
    pub(super) fn measure(&self, size: usize, run: usize, times: &mut Times) -> Result<()> {
        for (number, (level, into)) in levels(run, times).into_iter().enumerate() {
            let app = self.folder.path().join("apps").join(PROJECT);
            fs::create_dir_all(&app)?;
            fs::write(app.join("compose.yaml"), file(size, &level))?;
            self.declare(&format!("{PROJECT:?}"))?;
            let (took, said) = output(&mut self.apply())?;
            ensure!(said.contains("Nothing to do") == (number == 1), "{said}");
            into.push(took);
        }
        self.declare("")?;
        times.down.push(output(&mut self.apply())?.0);
        Ok(())
    }

    /// With the policy compiled, as it is on any server after its first apply.
    pub(super) fn make(engine: &Engine) -> Result<Self> {
        let repo = Self { folder: tempfile::tempdir()?, stead: program::stead()? };
        engine.put_in(&repo.folder.path().join("root"))?;
        fs::copy(policy::component("all", "tests/e2e/policy")?, repo.folder.path().join("all.wasm"))?;
        repo.declare("")?;
        output(&mut repo.apply())?;
        Ok(repo)
    }

    fn declare(&self, apps: &str) -> Result<()> {
        let grants = include_str!("../../e2e/all.toml").replace("\"hello\"", "\"*\"").replace("busybox:*", "*");
        let text = format!("[host.box]\npolicies = [\"all\"]\n{grants}\n[policy.all.config]\napps = [{apps}]\n");
        Ok(fs::write(self.folder.path().join("stead.toml"), text)?)
    }

    fn apply(&self) -> Command {
        let mut command = Command::new(&self.stead);
        let path = |name: &str| self.folder.path().join(name);
        command.arg("--root").arg(path("root")).arg("--state").arg(path("state"));
        command.args(["apply", "--yes"]).current_dir(self.folder.path());
        command.env("HOME", self.folder.path()).env_remove("STEAD_IDENTITY").env_remove("SSH_CONNECTION");
        command
    }
}
