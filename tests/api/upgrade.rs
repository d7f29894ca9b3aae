//! Upgrades of stead on a server by stead: the service gets the program of whoever applies, and its jobs go on.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use stead_release::sums::sha256;
use stead_tests::container::Container;
use stead_tests::host::Host;
use stead_tests::run::{Output, run};
use stead_tests::{policy, program, wait};
use tempfile::TempDir;

use crate::service::POLICIES;

const LIMIT: Duration = Duration::from_secs(120);

/// The repo of an operator. The server's own, in `/srv/stead`, is another.
const OPS: &str = r#"
[host.upgraded]
address = "root@upgraded"
policies = ["serve"]

[policy.serve]
component = "serve.wasm"

[policy.serve.grant.service]
units = ["stead.service"]
unit-files = ["stead.service"]

[policy.serve.grant.file]
paths = ["/etc/stead"]
"#;

struct Operator {
    server: Container,
    folder: TempDir,
}

impl Operator {
    fn new() -> Result<Self> {
        let operator = Self { server: Container::start("upgraded")?, folder: tempfile::tempdir()? };
        fs::copy(policy::component("serve", "modules/serve")?, operator.folder.path().join("serve.wasm"))?;
        operator.declare("")?;
        let (server, works) = (&operator.server, policy::component("works", "tests/jobs/policy")?);
        server.inside("mkdir /srv/stead")?.ok()?;
        server.copy_to(&works, "/srv/stead/works.wasm")?;
        let repo = operator.folder.path().join("repo.toml");
        fs::write(&repo, POLICIES)?;
        server.copy_to(&repo, "/srv/stead/stead.toml")?;
        Ok(operator)
    }

    fn declare(&self, config: &str) -> Result<()> {
        Ok(fs::write(self.folder.path().join("stead.toml"), format!("{OPS}{config}"))?)
    }

    /// This stead, as if it were another version: what lies behind a program's own end does not matter to the kernel.
    fn program(&self, version: &str) -> Result<PathBuf> {
        let path = self.folder.path().join("programs").join(version).join("stead");
        fs::create_dir_all(path.parent().context("no parent")?)?;
        fs::copy(program::stead()?, &path)?;
        OpenOptions::new().append(true).open(&path)?.write_all(version.as_bytes())?;
        Ok(path)
    }

    fn run(&self, program: &Path, arguments: &str) -> Result<Output> {
        let mut command = Command::new(program);
        command.args(arguments.split(' ')).current_dir(self.folder.path());
        run(command.env("STEAD_SSH_CONFIG", self.server.ssh_config()), LIMIT)
    }

    fn there(&self, line: &str) -> Result<String> {
        Ok(self.server.inside(line)?.ok()?.trim().to_owned())
    }

    /// The program of the service's process.
    fn runs(&self) -> Result<String> {
        self.there("readlink /proc/$(systemctl show -P MainPID stead)/exe")
    }

    fn programs(&self) -> Result<Vec<String>> {
        Ok(self.there("ls /usr/local/lib/stead")?.lines().map(str::to_owned).collect())
    }

    fn job(&self) -> Result<String> {
        self.there("stead --repo /srv/stead job show 1")
    }
}

fn place(program: &Path) -> Result<String> {
    Ok(format!("/usr/local/lib/stead/{}", sha256(program)?))
}

#[test]
fn an_apply_brings_the_service_its_program_and_jobs_go_on() -> Result<()> {
    let operator = Operator::new()?;
    let (old, new) = (operator.program("old")?, operator.program("new")?);
    operator.run(&old, "apply --yes upgraded")?.ended_with(0)?;
    assert_eq!(operator.runs()?, place(&old)?);
    operator
        .there("echo '{\"seconds\":8}' > /run/input && stead --repo /srv/stead job submit works --input /run/input")?;
    let is = |state: &'static str| {
        wait::until(state, LIMIT, || {
            let job = operator.job()?;
            ensure!(job.contains(state), "{job}");
            Ok(Some(job))
        })
    };
    is("running")?;

    // To look changes nothing that runs.
    let plan = operator.run(&new, "plan upgraded")?.ended_with(2)?;
    ensure!(plan.contains(&place(&old)?) && plan.contains(&place(&new)?) && plan.contains("restart"), "{plan}");
    assert_eq!((operator.runs()?, operator.there("readlink /usr/local/bin/stead")?), (place(&old)?, place(&old)?));
    operator.run(&new, "drift upgraded")?.ended_with(0)?;

    operator.run(&new, "apply --yes upgraded")?.ended_with(0)?;
    assert_eq!((operator.runs()?, operator.there("readlink /usr/local/bin/stead")?), (place(&new)?, place(&new)?));
    let job = is("succeeded")?;
    ensure!(job.matches("\"artifacts\"").count() == 1, "{job}");
    let log = operator.there("stead --repo /srv/stead job logs 1")?;
    assert_eq!((log.matches("it begins").count(), log.matches("it ends").count()), (1, 1), "{log}");
    let again = operator.run(&new, "apply --yes upgraded")?.ended_with(0)?;
    ensure!(again.contains("Nothing to do"), "{again}");

    a_service_that_does_not_start_is_taken_back(&operator, &new)?;
    what_nobody_needs_goes(&operator, &old, &new)?;
    another_processor_gets_its_own_program(&operator, &new)
}

fn a_service_that_does_not_start_is_taken_back(operator: &Operator, new: &Path) -> Result<()> {
    operator.declare("[policy.serve.config]\nprogram = \"/bin/false\"\n")?;
    let said = operator.run(new, "apply --yes upgraded")?.ended_with(79)?;
    ensure!(said.contains("stead.service"), "{said}");
    wait::until("the service", LIMIT, || Ok((operator.runs()? == place(new)?).then_some(())))?;
    operator.declare("")
}

fn what_nobody_needs_goes(operator: &Operator, old: &Path, new: &Path) -> Result<()> {
    for version in ["third", "fourth"] {
        let program = operator.program(version)?;
        operator.run(&program, "status upgraded")?.ended_with(0)?;
        fs::remove_file(program)?;
    }
    let left = operator.programs()?;
    ensure!(left.len() == 3 && left.contains(&sha256(new)?) && !left.contains(&sha256(old)?), "{left:?}");
    // The program of the first revision is not there any more: the service keeps what it has.
    operator.run(new, "rollback 1 --yes upgraded")?.ended_with(0)?;
    assert_eq!(operator.runs()?, place(new)?);
    Ok(())
}

/// A server whose kernel says so; it runs what is made for this one.
fn another_processor_gets_its_own_program(operator: &Operator, new: &Path) -> Result<()> {
    operator.there("printf '#!/bin/sh\\necho riscv64\\n' > /usr/bin/uname")?;
    operator.there(&format!("chmod -x {}", place(new)?))?;
    let said = operator.run(new, "status upgraded")?.ended_with(69)?;
    ensure!(said.contains("root@upgraded is a riscv64 machine") && said.contains("as stead-riscv64"), "{said}");
    let beside = new.with_file_name("stead-riscv64");
    fs::copy(new, &beside)?;
    let said = operator.run(new, "status upgraded")?.ended_with(69)?;
    ensure!(said.contains("stead-riscv64 is not stead 0."), "{said}");
    let mark = format!("stead-program {} for riscv64;", env!("CARGO_PKG_VERSION"));
    OpenOptions::new().append(true).open(&beside)?.write_all(mark.as_bytes())?;
    operator.run(new, "status upgraded")?.ended_with(0)?;
    ensure!(operator.programs()?.contains(&sha256(&beside)?));
    Ok(())
}
