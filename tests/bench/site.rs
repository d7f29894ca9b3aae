//! The repo that all figures are about: the shipped policy `baseline` with all that it can declare, and one app.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use stead_tests::program;
use stead_tests::run::{run, words};
use tempfile::TempDir;

const BUILD_LIMIT: Duration = Duration::from_secs(600);
const LIMIT: Duration = Duration::from_secs(60);

/// A repo under git whose policy is built, and the program that is measured.
pub(crate) struct Site {
    folder: TempDir,
    pub(crate) stead: PathBuf,
}

impl Site {
    pub(crate) fn make() -> Result<Self> {
        let site = Self { folder: tempfile::tempdir()?, stead: program::stead()? };
        site.copy("tests/bench/repo/.", ".")?;
        for part in ["Cargo.toml", "Cargo.lock", "src", "wit"] {
            site.copy(&format!("modules/baseline/{part}"), "policies/baseline/")?;
        }
        site.shell("sed -i 's,../../guest-sdk/rust,../../.stead/sdk/rust,' policies/baseline/Cargo.toml")?;
        let mut build = Command::new(&site.stead);
        // The policy is no program of this machine.
        build.args(["build", "--no-compile"]).current_dir(site.path()).env_remove("CARGO_BUILD_TARGET");
        run(&mut build, BUILD_LIMIT)?.ok()?;
        site.shell(
            "git init --quiet && git add --all && git -c user.name=bench -c user.email= commit --quiet -m begin",
        )?;
        Ok(site)
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Changes the one kernel parameter that a bench changes.
    pub(crate) fn set_swappiness(&self, value: u32) -> Result<()> {
        let path = self.path().join("stead.toml");
        let text = std::fs::read_to_string(&path)?;
        let line = |line: &str| match line.starts_with("sysctl = ") {
            true => format!("sysctl = {{ \"vm.swappiness\" = \"{value}\" }}\n"),
            false => format!("{line}\n"),
        };
        Ok(std::fs::write(path, text.lines().map(line).collect::<String>())?)
    }

    fn copy(&self, from: &str, to: &str) -> Result<()> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(from);
        let target = self.path().join(to);
        std::fs::create_dir_all(&target)?;
        run(words("cp -r").arg(source).arg(target), LIMIT)?.ok().map(drop)
    }

    fn shell(&self, line: &str) -> Result<()> {
        run(Command::new("sh").args(["-c", line]).current_dir(self.path()), LIMIT)?.ok().map(drop)
    }
}
