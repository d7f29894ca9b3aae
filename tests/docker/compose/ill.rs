//! An engine in trouble: its disk is full, it restarts half-way, what is to go is in use, memory is short.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use stead::capability::ApplyError;
use stead_tests::docker::Engine;

use super::host::{Host, block};

const WELL: &str = "
services:
  web: { image: '{image}', command: [sleep, '1000'], stop_grace_period: 0s, restart: always, environment: { LEVEL: one } }
  db: { image: '{image}', command: [sleep, '1000'], stop_grace_period: 0s, restart: always }
";

#[test]
fn a_full_disk_is_said_and_the_former_state_stays() -> Result<()> {
    block(async {
        let mut host = Host::on(Engine::alone(Some("48m"))?, "stead-full", WELL)?;
        host.up().await?;
        let before = host.ids()?;
        host.engine.inside("dd if=/dev/zero of=\"$DATA/fill\" bs=64k 2>/dev/null; true")?.ok()?;
        host.write("compose.yaml", &WELL.replace("one", "two"))?;
        let error = host.failed().await?.to_string();
        ensure!(error.contains("no space left on device") && error.contains("docker system df"), "{error}");
        assert_eq!(before, host.ids()?);
        host.engine.inside("rm \"$DATA/fill\"")?.ok()?;
        host.up().await?;
        ensure!(host.up().await?.is_empty() && host.ids()?.len() == 2);
        Ok(())
    })
}

#[test]
fn a_daemon_that_restarts_half_way_loses_nothing() -> Result<()> {
    block(async {
        let mut host = Host::on(Engine::alone(None)?, "stead-again", WELL)?;
        host.up().await?;
        let slow = WELL.replace("one", "two").replace(
            "restart: always, environment",
            "restart: always, healthcheck: { test: [CMD, 'false'], start_period: 60s, interval: 2s }, environment",
        );
        host.write("compose.yaml", &slow)?;
        let diff = host.plan(&[host.spec()]).await?;
        let step = diff.steps.first().context("there is nothing to do")?.clone();
        let (done, restarted) = tokio::join!(host.act(&step.action), async {
            tokio::time::sleep(Duration::from_secs(3)).await;
            host.engine.restart()
        });
        restarted?;
        let error = done.err().context("nothing was interrupted")?.to_string();
        ensure!(error.contains("Docker went away") || error.contains("did not become healthy"), "{error}");
        let stead::plan::Undo::Action(undo) = &step.undo else { anyhow::bail!("no undo") };
        host.act(undo).await?;
        let ids = host.ids()?;
        ensure!(ids.len() == 2 && ids.values().all(|state| state.ends_with("running")), "{ids:?}");
        let level = host.inspect("stead-again-web-1")?["Config"]["Env"].to_string();
        ensure!(level.contains("LEVEL=one"), "{level}");
        host.write("compose.yaml", WELL)?;
        ensure!(host.up().await?.is_empty());
        Ok(())
    })
}

#[test]
fn a_network_that_others_use_stays_and_they_are_named() -> Result<()> {
    block(async {
        let mut host = Host::new("stead-inuse", WELL)?;
        host.up().await?;
        let network = "stead-inuse_default";
        let other =
            ["run", "--detach", "--name", "stead-other", "--network", network, "stead-inuse:1", "sleep", "1000"];
        host.engine.docker(other)?.ok()?;
        let diff = host.plan(&[]).await?;
        let step = diff.steps.first().context("there is nothing to do")?;
        let error = host.act(&step.action).await;
        let removed = host.engine.docker(["rm", "--force", "stead-other"]);
        let error = error.err().context("it was removed")?.to_string();
        removed?.ok()?;
        ensure!(error.contains(network) && error.contains("stead-other") && error.contains("disconnect"), "{error}");
        host.act(&step.action).await?;
        ensure!(host.lists(["network"])?.is_empty() && host.ids()?.is_empty());
        Ok(())
    })
}

#[test]
fn one_that_is_killed_for_want_of_memory_is_taken_back() -> Result<()> {
    block(async {
        let file = "
services:
  web:
    image: {image}
    command: [sh, -c, 'echo filling; x=a; while true; do x=$$x$$x; done']
    mem_limit: 16m
    deploy: { update_config: { monitor: 20s } }
    stop_grace_period: 0s
";
        let mut host = Host::new("stead-oom", &file.replace("x=a; while true; do x=$$x$$x; done", "sleep 1000"))?;
        host.write(
            "compose.yaml",
            &file.replace("x=a; while true; do x=$$x$$x; done", "sleep 1000").replace("20s", "0s"),
        )?;
        host.up().await?;
        let before = host.ids()?;
        host.write("compose.yaml", file)?;
        let error = host.failed().await?;
        ensure!(matches!(error, ApplyError::Unhealthy { .. }), "{error:?}");
        let error = error.to_string();
        ensure!(error.contains("want of memory") && error.contains("mem_limit"), "{error}");
        assert_eq!(before, host.ids()?);
        Ok(())
    })
}

#[test]
fn what_fails_beside_others_leaves_nothing_behind() -> Result<()> {
    block(async {
        let many: String = (0..8)
            .map(|n| format!("  s{n}: {{ image: '{{image}}', command: [sleep, '1000'], stop_grace_period: 0s }}\n"))
            .collect();
        let ill = "  ill: { image: '{image}', command: [/nowhere] }\n";
        let host = Host::new("stead-beside", &format!("services:\n{ill}{many}"))?;
        let error = host.fail().await?.to_string();
        ensure!(error.contains("cannot start stead-beside-ill-1") && error.contains("/nowhere"), "{error}");
        // Nothing comes up later.
        tokio::time::sleep(Duration::from_secs(2)).await;
        ensure!(host.ids()?.is_empty() && host.lists(["network"])?.is_empty(), "{:?}", host.ids()?);
        Ok(())
    })
}

#[test]
fn monitor_is_how_long_a_new_one_is_watched() -> Result<()> {
    block(async {
        let file = "
services:
  web: { image: '{image}', command: [sh, -c, 'echo soon; sleep 2; exit 7'], deploy: { update_config: { monitor: 4s } } }
";
        let host = Host::new("stead-monitor", file)?;
        let error = host.fail().await?.to_string();
        ensure!(error.contains("ended with exit code 7") && error.contains("soon"), "{error}");
        host.write("compose.yaml", &file.replace("monitor: 4s", "failure_action: continue"))?;
        let plan = format!("{:?}", host.plan(&[host.spec()]).await?);
        ensure!(plan.contains("left out: service web, key deploy.update_config.failure_action"), "{plan}");
        Ok(())
    })
}

#[test]
fn two_applies_of_one_project_at_once_end_as_one() -> Result<()> {
    block(async {
        let host = Host::new("stead-twice", WELL)?;
        let diff = host.plan(&[host.spec()]).await?;
        let step = diff.steps.first().context("there is nothing to do")?;
        let (one, other) = tokio::join!(host.act(&step.action), host.act(&step.action));
        // Where both make the same thing, one of them is told; nobody panics and nothing is there twice.
        for said in [one, other].into_iter().filter_map(Result::err) {
            let said = said.to_string();
            ensure!(said.contains("stead-twice"), "{said}");
        }
        host.act(&step.action).await?;
        let ids = host.ids()?;
        ensure!(ids.len() == 2 && ids.values().all(|state| state.ends_with("running")), "{ids:?}");
        Ok(())
    })
}
