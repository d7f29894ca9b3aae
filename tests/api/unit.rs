//! The unit of systemd that runs `stead serve`, put there by the shipped policy and run by a real systemd.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use stead_tests::container::Container;
use stead_tests::wait;
use stead_tests::{policy, program};

use crate::service::{Repo, token};

const LIMIT: Duration = Duration::from_secs(60);

/// The repo of those who run the server.
const OPS: &str = r#"
[host.serve]
policies = ["serve"]

[policy.serve]
component = "serve.wasm"

[policy.serve.config]
credentials = ["api-token"]

[policy.serve.grant.service]
units = ["stead.service"]
unit-files = ["stead.service"]

[policy.serve.grant.file]
paths = ["/etc/stead", "/etc/stead/*"]
secrets = ["api-token"]
"#;

#[test]
fn it_runs_and_what_it_started_outlives_it() -> Result<()> {
    let container = Container::start("serve")?;
    let table = "[serve.token.api]\nsecret = \"api-token\"\nscopes = [\"read\"]\njobs = [\"*\"]\n";
    let repo = Repo::with(&[table.to_owned()])?;
    let put = |from: &std::path::Path, to: &str| -> Result<()> {
        let mut tee = container.command("tee")?;
        tee.arg(to).stdin(std::fs::File::open(from)?).stdout(std::process::Stdio::null());
        ensure!(tee.status()?.success());
        Ok(())
    };
    let inside = |line: &str| -> Result<String> { container.inside(line)?.ok() };
    // systemd hands credentials over by a mount that has to get from one namespace to another; in a container, mounts are private.
    inside("mount --make-rshared / && mkdir /srv/stead /srv/ops")?;
    put(&program::stead()?, "/usr/local/bin/stead")?;
    put(&repo.path().join("works.wasm"), "/srv/stead/works.wasm")?;
    put(&repo.path().join("stead.toml"), "/srv/stead/stead.toml")?;
    put(&policy::component("serve", "modules/serve")?, "/srv/ops/serve.wasm")?;
    std::fs::write(repo.path().join("ops.toml"), OPS)?;
    put(&repo.path().join("ops.toml"), "/srv/ops/stead.toml")?;
    inside("chmod +x /usr/local/bin/stead && stead --repo /srv/stead serve --print-unit > /run/stead.service")?;
    ensure!(inside("systemd-analyze verify /run/stead.service 2>&1")?.trim().is_empty());
    let token = token("api");
    inside(&format!(
        "export STEAD_IDENTITY=/root/identity; cd /srv/ops; stead secret keygen && printf %s {token} | stead secret set api-token && stead apply --yes"
    ))?;
    let answers = || {
        let ask = format!("GET /v1/jobs HTTP/1.0\\r\\nauthorization: Bearer {}\\r\\n\\r\\n", token);
        let asking = format!("bash -c 'exec 3<>/dev/tcp/127.0.0.1/8383; printf \"{ask}\" >&3; cat <&3'");
        let said = container.inside(&asking)?.ok()?;
        ensure!(said.starts_with("HTTP/1.0 200"), "{said}");
        Ok(Some(()))
    };
    let journal =
        || container.inside("journalctl -u stead --no-pager -n 40").map(|said| said.stdout).unwrap_or_default();
    wait::until("the service", LIMIT, answers).with_context(journal)?;
    // As a machine of QEMU would lie there: in its control group, but not its main process.
    inside(
        "sh -c 'sleep 1000 & echo $! > /run/bystander; echo $! > /sys/fs/cgroup/system.slice/stead.service/cgroup.procs'",
    )?;
    inside("systemctl restart stead")?;
    wait::until("the service", LIMIT, answers).with_context(journal)?;
    inside("grep -q sleep /proc/$(cat /run/bystander)/comm")?;
    inside("systemctl stop stead && grep -q sleep /proc/$(cat /run/bystander)/comm && kill $(cat /run/bystander)")?;
    ensure!(inside("systemctl show -P Result stead")?.trim() == "success", "{}", journal());
    ensure!(!journal().contains(&token), "a token in the journal");
    Ok(())
}

#[test]
fn it_names_this_program_and_this_repo() -> Result<()> {
    let repo = Repo::with(&[])?;
    let printed = repo.stead()?.args(["serve", "--print-unit"]).output()?;
    let unit = String::from_utf8(printed.stdout)?;
    let (program, folder) = (program::stead()?, repo.path());
    let line = format!("ExecStart={} --repo {1} --state {1}/state serve", program.display(), folder.display());
    ensure!(unit.lines().any(|said| said == line) && unit.contains("\nKillMode=process\n"), "{line}\n{unit}");
    Ok(())
}
