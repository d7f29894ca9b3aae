//! A plan that was saved is applied as it was reviewed, or not at all.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use anyhow::{Result, ensure};

use crate::repo::Repo;

fn saved() -> Result<Repo> {
    let repo = Repo::new()?;
    fs::create_dir_all(repo.path("apps/hello"))?;
    repo.declare("forward = \"1\"\nmotd = \"hello\\n\"")?;
    repo.stead("plan --out web.stead", 2)?;
    Ok(repo)
}

#[test]
fn it_is_applied_without_asking() -> Result<()> {
    let repo = saved()?;
    ensure!(fs::metadata(repo.path("web.stead"))?.permissions().mode() & 0o777 == 0o600, "it shows contents of files");
    let said = repo.stead("apply web.stead", 0)?;
    ensure!(said.contains("2 steps done and verified") && repo.there("etc/motd")? == "hello\n", "{said}");
    repo.stead("apply web.stead", 76)?;
    Ok(())
}

#[test]
fn a_fact_that_moved_is_named() -> Result<()> {
    let repo = saved()?;
    fs::write(repo.path("root/proc/sys/net/ipv4/ip_forward"), "2\n")?;
    let said = repo.stead("apply web.stead", 76)?;
    ensure!(said.contains("sysctl.net.ipv4.ip_forward.running"), "{said}");
    ensure!(!repo.path("root/etc/motd").exists(), "nothing was changed");
    Ok(())
}

#[test]
fn a_repo_that_changed_is_refused() -> Result<()> {
    let repo = saved()?;
    let text = fs::read_to_string(repo.path("stead.toml"))?;
    fs::write(repo.path("stead.toml"), format!("{text}\n# reviewed by nobody\n"))?;
    ensure!(repo.stead("apply web.stead", 76)?.contains("stead.toml has changed since"));
    fs::write(repo.path("stead.toml"), text)?;
    fs::write(repo.path("apps/hello/compose.yaml"), "services: {}\n")?;
    ensure!(repo.stead("apply web.stead", 76)?.contains("apps/ has changed since"));
    fs::remove_file(repo.path("apps/hello/compose.yaml"))?;
    repo.stead("apply web.stead", 0)?;
    Ok(())
}

#[test]
fn a_file_that_is_no_plan_is_refused() -> Result<()> {
    let repo = saved()?;
    let text = fs::read_to_string(repo.path("web.stead"))?;
    fs::write(repo.path("web.stead"), text.replace("hello", "hullo"))?;
    ensure!(repo.stead("apply web.stead", 65)?.contains("the plan is damaged"));
    fs::write(repo.path("web.stead"), &text[..text.len() / 2])?;
    repo.stead("apply web.stead", 65)?;
    fs::write(repo.path("web.stead"), text.replacen("\"format\":1", "\"format\":99", 1))?;
    ensure!(repo.stead("apply web.stead", 65)?.contains("version 99"));
    repo.stead("apply none.stead", 65)?;
    repo.stead("apply web.stead box", 64)?;
    ensure!(!repo.path("root/etc/motd").exists(), "nothing was changed");
    Ok(())
}
