//! What is made from the command line: manual pages and completions.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};
use stead_tests::run::run_with_input;

use crate::repo::Repo;

const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn every_command_has_a_page_that_its_parent_names() -> Result<()> {
    let repo = Repo::without_policy()?;
    repo.stead("man pages", 0)?;
    let pages: Vec<_> = fs::read_dir(repo.path("pages"))?.map(|entry| Ok(entry?.file_name())).collect::<Result<_>>()?;
    ensure!(pages.len() > 30, "{pages:?}");
    for (page, words) in
        [("stead.1", "stead\\-apply(1)"), ("stead-apply.1", "\\-\\-unguarded"), ("stead-job-run.1", "")]
    {
        let text = fs::read_to_string(repo.path("pages").join(page))?;
        ensure!(text.contains(words), "{words} in {page}: {text}");
    }
    // What is for stead itself is no command of the operator.
    ensure!(!repo.path("pages/stead-agent.1").exists());
    repo.stead("man stead.toml", 65)?;
    Ok(())
}

#[test]
fn bash_completes_commands() -> Result<()> {
    let repo = Repo::without_policy()?;
    let script = repo.stead("completions bash", 0)?;
    let script = script + "\nCOMP_WORDS=(stead app lo); COMP_CWORD=2; _stead stead lo app; echo \"${COMPREPLY[@]}\"\n";
    let said = run_with_input(Command::new("bash").args(["--norc", "-s"]), script.as_bytes(), LIMIT)?.ended_with(0)?;
    assert_eq!(said.trim(), "logs");
    repo.stead("completions tcsh", 64)?;
    Ok(())
}
