//! Whatever is wrong has a message that says what to do, its exit code, and no effect.

use std::fs;
use std::process::{Command, Stdio};

use anyhow::{Result, ensure};

use crate::repo::{GRANTS, Repo};

/// Fails when `said` lacks one of the words.
fn has(said: &str, words: &[&str]) -> Result<()> {
    for word in words {
        ensure!(said.contains(word), "`{word}` is not in:\n{said}");
    }
    Ok(())
}

#[test]
fn the_command_line() -> Result<()> {
    let repo = Repo::new()?;
    has(&repo.stead("aply", 64)?, &["apply"])?;
    has(&repo.stead("plan --jsn", 64)?, &["--json"])?;
    has(&repo.stead("plan bix", 64)?, &["no host is called `bix`", "did you mean `box`?"])?;
    has(&repo.stead("plan box box", 64)?, &["the same machine"])?;
    has(&repo.stead("apply", 64)?, &["no terminal", "--yes"])?;
    has(&repo.stead("exit-codes", 0)?, &["76", "78"])?;
    repo.stead("help", 0).map(drop)
}

#[test]
fn the_repo() -> Result<()> {
    let repo = Repo::new()?;
    has(&repo.stead("--repo / plan", 65)?, &["there is no stead.toml", "stead init"])?;
    repo.write("", &GRANTS.replace("keys", "kyes"))?;
    has(&repo.stead("plan", 65)?, &["there is no key `kyes` here", "stead.toml:", "did you mean `keys`?"])?;
    repo.write("", "[policy.asks.grant.sysctl]\n")?;
    has(&repo.stead("plan", 65)?, &["is empty", "grants nothing"])?;
    fs::write(repo.path("stead.toml"), "[host.box\n")?;
    has(&repo.stead("plan", 65)?, &["this is not TOML"])
}

#[test]
fn the_component() -> Result<()> {
    let repo = Repo::new()?;
    let good = fs::read(repo.path("asks.wasm"))?;
    fs::write(repo.path("asks.wasm"), &good[..good.len() / 2])?;
    has(&repo.stead("plan", 65)?, &["policy asks", "truncated"])?;
    fs::write(repo.path("asks.wasm"), "not wasm")?;
    has(&repo.stead("plan", 65)?, &["not WebAssembly"])?;
    has(&repo.stead("policy inspect asks.wasm", 65)?, &["not WebAssembly"])?;
    fs::remove_file(repo.path("asks.wasm"))?;
    has(&repo.stead("plan", 65)?, &["not built", "stead build"])
}

#[test]
fn a_component_of_another_source() -> Result<()> {
    let repo = Repo::with_source()?;
    repo.stead("plan", 0)?;
    let source = repo.path("policies/asks/src/lib.rs");
    let text = fs::read_to_string(&source)?;
    fs::write(&source, format!("{text}\n// more\n"))?;
    for line in ["plan", "apply --yes"] {
        let said = repo.stead(line, 65)?;
        has(&said, &["policy asks has changed since it was built", "src/lib.rs", "run `stead build asks`"])?;
    }
    fs::write(&source, text)?;
    repo.stead("plan", 0)?;
    fs::remove_file(repo.path(".stead/build/asks.source"))?;
    has(&repo.stead("plan", 65)?, &["policy asks is not built", "asks.source", "run `stead build`"])
}

#[test]
fn what_the_policy_does() -> Result<()> {
    let repo = Repo::new()?;
    repo.declare("forward = \"1\"\npanic = true")?;
    has(&repo.stead("apply --yes", 67)?, &["as the config says", "asks: asking"])?;
    repo.write("forward = \"1\"", &GRANTS.replace("net.ipv4.*", "vm.*"))?;
    has(&repo.stead("apply --yes", 66)?, &["[policy.asks.grant.sysctl]", "keys = [\"net.ipv4.ip_forward\"]"])?;
    repo.write("forward = \"1\"", "")?;
    has(&repo.stead("apply --yes", 66)?, &["not granted", "[policy.asks.grant."])?;
    repo.declare("forwards = \"1\"")?;
    has(&repo.stead("apply --yes", 67)?, &["forwards"])?;
    ensure!(repo.there("proc/sys/net/ipv4/ip_forward")?.trim() == "0", "nothing was changed");
    Ok(())
}

#[test]
fn the_machine() -> Result<()> {
    let repo = Repo::new()?;
    repo.declare("forward = \"1\"")?;
    fs::write(repo.path("state"), "not a folder")?;
    has(&repo.stead("plan", 71)?, &["cannot use the state folder"])?;
    fs::remove_file(repo.path("state"))?;
    fs::create_dir(repo.path("state"))?;
    fs::write(repo.path("state/journal.sqlite"), "not a database, and longer than its header would be".repeat(9))?;
    has(&repo.stead("plan", 71)?, &["journal"])?;
    fs::remove_file(repo.path("state/journal.sqlite"))?;
    has(&repo.stead("plan ssh://root@127.0.0.1:1", 68)?, &["cannot reach"])
}

#[test]
fn another_apply_at_work() -> Result<()> {
    let repo = Repo::new()?;
    repo.declare("forward = \"1\"")?;
    repo.stead("plan", 2)?;
    let mut holder = Command::new("flock");
    holder.arg(repo.path("state/lock")).args(["sh", "-c", "echo held; exec sleep 60"]).stdout(Stdio::piped());
    let mut holder = holder.spawn()?;
    if let Some(stdout) = &mut holder.stdout {
        std::io::Read::read_exact(stdout, &mut [0; 5])?;
    }
    let said = repo.stead("apply --yes", 74);
    holder.kill()?;
    holder.wait()?;
    has(&said?, &["is at work", "wait"])
}

#[test]
fn a_step_that_fails_is_taken_back() -> Result<()> {
    let repo = Repo::new()?;
    repo.declare("forward = \"1\"\nmotd = \"hello\\n\"")?;
    // sysctl cannot write its file where a folder is.
    fs::remove_dir(repo.path("root/etc/sysctl.d"))?;
    let said = repo.stead("apply --yes", 72)?;
    has(&said, &["everything was taken back"])?;
    ensure!(!repo.path("root/etc/motd").exists() && repo.there("proc/sys/net/ipv4/ip_forward")?.trim() == "0");
    has(&repo.stead("log 1", 0)?, &["undone", "because:"])?;
    fs::create_dir(repo.path("root/etc/sysctl.d"))?;
    repo.stead("apply --yes", 0).map(drop)
}
