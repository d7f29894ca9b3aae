//! The command line, by the real binary.

use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};
use stead_tests::program;
use stead_tests::run::{Output, run};

use crate::place::Place;

const LIMIT: Duration = Duration::from_secs(60);

struct Shell(Place);

impl Shell {
    fn stead(&self, arguments: &[&str], code: i32) -> Result<Output> {
        let folder = self.0.folder.path();
        let mut command = Command::new(program::stead()?);
        command.args(["--state"]).arg(folder.join("state")).arg("--repo").arg(folder).args(arguments);
        let output = run(&mut command, LIMIT)?;
        let (out, err) = (&output.stdout, &output.stderr);
        ensure!(output.status.code() == Some(code), "{arguments:?} ended with {}:\n{out}{err}", output.status);
        Ok(output)
    }
}

#[test]
fn a_job_is_run_looked_at_and_left_behind() -> Result<()> {
    let shell = Shell(Place::new()?);
    std::fs::write(shell.0.folder.path().join("input.json"), "{\"result\": 3}")?;
    let input = shell.0.folder.path().join("input.json").display().to_string();
    // The provider `containers` is none of the binary's, and the policy has a grant for it: nothing asks for a machine here.
    let run = shell.stead(&["job", "run", "works", "--input", &input], 0)?;
    ensure!(run.stdout.contains("\"padding\":\"xxx\"") && run.stdout.lines().count() == 1, "{}", run.stdout);
    ensure!(run.stderr == "job 1\nit begins\nit ends\n", "{}", run.stderr);
    let failed = shell.stead(&["job", "run", "works", "--input", "-"], 64)?;
    ensure!(failed.stderr.contains("the input is a JSON document"), "{}", failed.stderr);
    let failed = shell.stead(&["job", "run", "work"], 64)?;
    ensure!(failed.stderr.contains("did you mean `works`?"), "{}", failed.stderr);

    std::fs::write(&input, "{\"machines\": 1}")?;
    let failed = shell.stead(&["job", "run", "works", "--input", &input], 80)?;
    ensure!(failed.stderr.contains("stead.toml has no [provider.containers]"), "{}", failed.stderr);

    std::fs::write(&input, "{}")?;
    let submitted = shell.stead(&["job", "submit", "works", "--input", &input, "--key", "once"], 0)?;
    ensure!(submitted.stdout == "3\n", "{}", submitted.stdout);
    ensure!(shell.stead(&["job", "submit", "works", "--input", &input, "--key", "once"], 0)?.stdout == "3\n");
    ensure!(shell.stead(&["job", "cancel", "3"], 0)?.stderr.contains("cancelled before it began"));
    let listed = shell.stead(&["job", "ls"], 0)?.stdout;
    let states: Vec<_> = listed.lines().filter_map(|line| line.split_whitespace().nth(2)).collect();
    assert_eq!(states, ["cancelled", "failed", "succeeded"], "{listed}");
    let shown = shell.stead(&["job", "show", "2"], 0)?.stdout;
    ensure!(shown.contains("policy-error") && shown.contains("provider.containers"), "{shown}");
    ensure!(shell.stead(&["job", "logs", "1"], 0)?.stdout == "it begins\nit ends\n");
    let to = shell.0.folder.path().join("out");
    shell.stead(&["job", "artifacts", "1", "--to", &to.display().to_string()], 0)?;
    ensure!(std::fs::read_to_string(to.join("done"))? == "all of it");
    ensure!(shell.stead(&["job", "show", "77"], 64)?.stderr.contains("there is no job 77"));
    ensure!(shell.stead(&["vm", "ls"], 0)?.stdout.is_empty());
    Ok(())
}
