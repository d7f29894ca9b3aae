//! `stead plan --facts`: a plan for a machine that is not there.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Result, ensure};
use stead_tests::policy::copy;

use crate::repo::Repo;

const DECLARED: &str = "forward = \"1\"\nmotd = \"hello\\n\"";

/// Every file below a folder, with when it was changed.
fn files(folder: &Path) -> Result<Vec<(String, i64)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let (path, metadata) = {
            let entry = entry?;
            (entry.path(), entry.metadata()?)
        };
        found.push((path.display().to_string(), metadata.ctime_nsec()));
        if metadata.is_dir() {
            found.extend(files(&path)?);
        }
    }
    found.sort();
    Ok(found)
}

#[test]
fn of_a_machine_without_files_all_is_new() -> Result<()> {
    let repo = Repo::new()?;
    repo.declare(DECLARED)?;
    let facts = repo.stead("facts", 0)?;
    ensure!(
        facts.contains("[facts]") && facts.contains("host-name = \"box\"") && facts.contains("[facts.os]"),
        "{facts}"
    );
    fs::write(repo.path("box.toml"), facts)?;
    repo.stead("apply --yes", 0)?;
    let plan = repo.stead("plan --facts box.toml", 2)?;
    ensure!(
        plan.contains("+ file /etc/motd") && plan.contains("+hello") && plan.contains("net.ipv4.ip_forward"),
        "{plan}"
    );
    Ok(())
}

#[test]
fn of_recorded_files_what_differs_is_planned_and_nothing_is_written() -> Result<()> {
    let repo = Repo::new()?;
    repo.declare(DECLARED)?;
    fs::write(repo.path("box.toml"), repo.stead("facts", 0)?)?;
    repo.stead("apply --yes", 0)?;
    let tree = repo.path("tree");
    copy(&repo.path("root"), &tree)?;
    copy(&repo.path("state"), &tree.join("var/lib/stead"))?;
    let before = files(&tree)?;
    fs::write(repo.path("root/etc/motd"), "the real machine is not asked\n")?;
    let recorded = "plan --facts box.toml --tree tree";
    repo.stead(recorded, 0)?;
    repo.declare("forward = \"1\"\nmotd = \"good evening\\n\"")?;
    let plan = repo.stead(recorded, 2)?;
    ensure!(plan.contains("~ file /etc/motd") && plan.contains("-hello") && plan.contains("+good evening"), "{plan}");
    repo.declare("forward = \"1\"")?;
    ensure!(repo.stead(recorded, 2)?.contains("- file /etc/motd"), "what stead's record in the tree owns is given up");
    ensure!(files(&tree)? == before, "a plan writes nothing into the files");
    Ok(())
}

#[test]
fn what_is_missing_is_said_with_its_place() -> Result<()> {
    let repo = Repo::new()?;
    fs::write(repo.path("box.toml"), "[facts]\nhost-name = \"other\"\n")?;
    let said = repo.stead("plan --facts box.toml", 64)?;
    ensure!(said.contains("no [host.other]") && said.contains("stead plan HOST --facts FILE"), "{said}");
    repo.stead("plan box --facts box.toml", 0)?;
    ensure!(repo.stead("plan box --facts none.toml", 65)?.contains("none.toml"));
    ensure!(repo.stead("plan box --facts box.toml --tree none", 65)?.contains("none"));
    fs::write(repo.path("box.toml"), "[facts]\nhostname = \"box\"\n")?;
    let said = repo.stead("plan box --facts box.toml", 65)?;
    ensure!(said.contains("box.toml") && said.contains("hostname"), "{said}");
    ensure!(repo.stead("plan box --facts box.toml --out x.stead", 64)?.contains("cannot be used with"));
    Ok(())
}

#[test]
fn a_case_may_expect_a_plan() -> Result<()> {
    let repo = Repo::with_source()?;
    let case = repo.path("policies/asks/cases/fresh.toml");
    fs::create_dir_all(repo.path("policies/asks/cases"))?;
    let given = "[config]\nforward = \"1\"\nmotd = \"hello\\n\"\n\n[expect]\n";
    fs::write(&case, format!("{given}plan = [\"+ file /etc/motd\", \"+ sysctl net.ipv4.ip_forward\"]\n"))?;
    repo.stead("policy test", 0)?;
    fs::write(&case, format!("{given}plan = [\"+ file /etc/motd\"]\n"))?;
    let said = repo.stead("policy test", 67)?;
    ensure!(said.contains("+    \"+ sysctl net.ipv4.ip_forward\"") && said.contains("1 cases, 1 differ"), "{said}");
    repo.stead("policy test --accept", 0)?;
    ensure!(fs::read_to_string(&case)?.contains("\"+ sysctl net.ipv4.ip_forward\",\n]"));
    // Calls and a plan, where both are expected.
    fs::write(&case, format!("{given}calls = []\nplan = []\n"))?;
    repo.stead("policy test --accept", 0)?;
    let accepted = fs::read_to_string(&case)?;
    ensure!(accepted.contains("calls = [\n    { ") && accepted.contains("plan = [\n    \"+ file"), "{accepted}");
    repo.stead("policy test", 0)?;
    Ok(())
}
