//! A machine's life: plan, apply, drift, prune, rollback, log.

use std::fs;

use anyhow::{Result, ensure};

use crate::repo::Repo;

const MOTD: &str = "root/etc/motd";

#[test]
fn from_the_first_plan_to_the_last_rollback() -> Result<()> {
    let repo = Repo::new()?;
    repo.declare("forward = \"1\"\nmotd = \"hello\\n\"")?;
    let plan = repo.stead("plan", 2)?;
    ensure!(plan.contains("+ file /etc/motd") && plan.contains("running: 0 → 1"), "{plan}");
    ensure!(!repo.path(MOTD).exists(), "a plan changes nothing");
    let said = repo.stead("apply --yes", 0)?;
    ensure!(said.contains("box: 2 steps done and verified; now at revision 1"), "{said}");
    ensure!(repo.there("etc/motd")? == "hello\n" && repo.there("proc/sys/net/ipv4/ip_forward")?.trim() == "1");
    repo.stead("plan", 0)?;
    let again = repo.stead("apply --yes", 0)?;
    ensure!(again.contains("Nothing to do") && !again.contains("revision"), "{again}");

    repo.stead("drift", 0)?;
    fs::write(repo.path(MOTD), "by hand\n")?;
    let drift = repo.stead("drift", 2)?;
    ensure!(drift.contains("box has drifted from revision 1") && drift.contains("-by hand"), "{drift}");
    repo.stead("apply --yes", 0)?;
    ensure!(repo.there("etc/motd")? == "hello\n");

    repo.declare("forward = \"1\"")?;
    ensure!(repo.stead("apply --yes", 0)?.contains("- file /etc/motd"));
    ensure!(!repo.path(MOTD).exists(), "what is no longer declared is gone");

    let back = repo.stead("rollback 1 --yes", 0)?;
    ensure!(back.contains("now at revision 4") && repo.there("etc/motd")? == "hello\n", "{back}");
    repo.stead("rollback 0 --yes", 0)?;
    ensure!(!repo.path(MOTD).exists() && repo.there("proc/sys/net/ipv4/ip_forward")?.trim() == "0");
    Ok(())
}

#[test]
fn status_and_log_tell_what_was_done() -> Result<()> {
    let repo = Repo::new()?;
    ensure!(repo.stead("log", 0)?.contains("nothing was done here yet"));
    ensure!(repo.stead("status", 0)?.contains("revision  none yet"));
    repo.declare("motd = \"hello\\n\"")?;
    repo.stead("apply --yes", 0)?;
    let status = repo.stead("status", 0)?;
    ensure!(status.contains("revision  1, ") && status.contains("policies  asks"), "{status}");
    ensure!(repo.stead("status --drift", 0)?.contains("drift     none"));
    fs::write(repo.path(MOTD), "by hand\n")?;
    ensure!(repo.stead("status --drift", 0)?.contains("drift     file:/etc/motd"));
    let json = repo.stead("status --drift --json", 0)?;
    ensure!(json.contains(r#""drift":["file:/etc/motd"]"#), "{json}");
    let log = repo.stead("log", 0)?;
    ensure!(log.contains("apply") && log.contains("applied"), "{log}");
    let one = repo.stead("log 1", 0)?;
    ensure!(one.contains("+ file /etc/motd") && one.contains("1  file /etc/motd: done"), "{one}");
    repo.stead("log 2", 64)?;
    ensure!(repo.stead("recover", 0)?.contains("no run is open; it is at revision 1"));
    Ok(())
}

#[test]
fn what_was_as_declared_all_along_is_recorded() -> Result<()> {
    let repo = Repo::new()?;
    repo.declare("forward = \"1\"")?;
    repo.stead("apply --yes", 0)?;
    fs::write(repo.path(MOTD), "hello\n")?;
    repo.declare("forward = \"1\"\nmotd = \"hello\\n\"")?;
    repo.stead("apply --yes", 0)?;
    fs::write(repo.path(MOTD), "by hand\n")?;
    ensure!(repo.stead("drift", 2)?.contains("file /etc/motd"), "its drift is seen");
    Ok(())
}

#[test]
fn what_was_as_declared_all_along_stays_so_when_it_is_given_up() -> Result<()> {
    let repo = Repo::new()?;
    fs::write(repo.path(MOTD), "before stead\n")?;
    repo.declare("motd = \"before stead\\n\"")?;
    repo.stead("apply --yes", 0)?;
    fs::write(repo.path(MOTD), "by hand\n")?;
    repo.stead("apply --yes", 0)?;
    repo.declare("")?;
    repo.stead("apply --yes", 0)?;
    ensure!(repo.there("etc/motd")? == "before stead\n", "{}", repo.there("etc/motd")?);

    repo.declare("motd = \"before stead\\n\"")?;
    repo.stead("apply --yes", 0)?;
    repo.declare("motd = \"something else\\n\"")?;
    repo.stead("apply --yes", 0)?;
    repo.declare("")?;
    repo.stead("apply --yes", 0)?;
    ensure!(repo.there("etc/motd")? == "before stead\n", "{}", repo.there("etc/motd")?);
    Ok(())
}

#[test]
fn answers_for_machines_are_json() -> Result<()> {
    let repo = Repo::new()?;
    repo.declare("forward = \"1\"")?;
    let plan = repo.stead("plan --json", 2)?;
    let line = plan.lines().find(|line| line.starts_with('{')).unwrap_or_default();
    let plan: serde_json::Value = serde_json::from_str(line)?;
    ensure!(plan["host"] == "box" && plan["steps"][0]["resource"] == "net.ipv4.ip_forward", "{plan}");
    repo.stead("apply --yes", 0)?;
    for line in ["status --json", "log --json", "log 1 --json", "drift --json"] {
        let said = repo.stead(line, 0)?;
        serde_json::from_str::<serde_json::Value>(said.trim())?;
    }
    Ok(())
}

#[test]
fn a_run_is_replayed_with_what_the_repo_has_now() -> Result<()> {
    let repo = Repo::new()?;
    repo.declare("forward = \"1\"\nmotd = \"hello\\n\"")?;
    repo.stead("apply --yes", 0)?;
    ensure!(repo.stead("replay 1", 0)?.contains("asks asks for the same as in run 1"));
    // The config is that of then, the grants are those of now.
    repo.write("motd = \"other\\n\"", &crate::repo::GRANTS.replace("net.ipv4.*", "vm.*"))?;
    let said = repo.stead("replay 1", 2)?;
    ensure!(said.contains("-sysctl ") && said.contains("+ends: "), "{said}");
    fs::write(repo.path("damaged.wasm"), "no component")?;
    let said = repo.stead("replay 1 --policy damaged.wasm", 2)?;
    ensure!(said.contains("+ends: "), "{said}");
    repo.stead("replay 1 --policy other=damaged.wasm", 64)?;
    repo.stead("replay 7", 64)?;
    repo.stead("replay box", 64)?;
    ensure!(repo.there("etc/motd")? == "hello\n", "nothing was changed");
    Ok(())
}
