//! A server that cannot be reached, or that refuses.

use std::fs;

use anyhow::{Result, ensure};
use stead_tests::program;
use stead_tests::run::run;

#[test]
fn a_server_that_is_not_there_is_named() -> Result<()> {
    let folder = tempfile::tempdir()?;
    fs::write(
        folder.path().join("stead.toml"),
        "[host.gone]\naddress = \"root@127.0.0.1\"\npolicies = [\"p\"]\n\n[policy.p]\ncomponent = \"p.wasm\"\n",
    )?;
    fs::write(folder.path().join("p.wasm"), "")?;
    // Nothing listens on port 1 of loopback.
    let config = folder.path().join("ssh_config");
    fs::write(&config, "Host *\n  Port 1\n  ConnectTimeout 5\n  BatchMode yes\n")?;
    let mut command = std::process::Command::new(program::stead()?);
    command.args(["status", "gone"]).current_dir(folder.path()).env("STEAD_SSH_CONFIG", &config);
    let output = run(&mut command, std::time::Duration::from_secs(60))?;
    ensure!(output.status.code() == Some(68), "{}: {}{}", output.status, output.stdout, output.stderr);
    ensure!(output.stderr.contains("root@127.0.0.1"), "{}", output.stderr);
    Ok(())
}
