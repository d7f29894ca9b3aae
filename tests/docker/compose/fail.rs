//! What goes wrong is said, and the former state comes back.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use stead::capability::ApplyError;
use stead_tests::wait;

use super::host::{Host, block, compose, declared};

const WELL: &str = "
services:
  web:
    image: {image}
    command: [sh, -c, 'echo ready; sleep 1000']
    stop_grace_period: 0s
    healthcheck: { test: ['CMD', 'true'], interval: 1s, retries: 2 }
";

#[test]
fn an_unhealthy_change_is_taken_back() -> Result<()> {
    block(async {
        let mut host = Host::new("stead-ill", WELL)?.with_secret("token", "s3cr3t-value");
        host.up().await?;
        let ill = WELL.replace("'true'", "'false'").replace("echo ready", "echo cannot open the database");
        host.write("compose.yaml", &ill)?;
        let before = host.observe(&[]).await?;
        let error = host.fail().await?;
        ensure!(matches!(error, ApplyError::Unhealthy { .. }), "{error:?}");
        let words = error.to_string();
        ensure!(words.contains("service web") && words.contains("cannot open the database"), "{words}");
        assert_eq!(before, host.observe(&[]).await?);
        Ok(())
    })
}

#[test]
fn one_that_ends_at_once_is_taken_back_to_nothing() -> Result<()> {
    block(async {
        let host =
            Host::new("stead-ends", &WELL.replace("sleep 1000", "exit 3").replace("    healthcheck", "    x-no"))?;
        let error = host.fail().await?.to_string();
        ensure!(error.contains("ended with exit code 3") && error.contains("ready"), "{error}");
        ensure!(host.ids()?.is_empty() && host.lists(["network"])?.is_empty() && !host.lasting().exists());
        Ok(())
    })
}

#[test]
fn a_one_shot_that_ends_well_is_up() -> Result<()> {
    block(async {
        let file = "
services:
  web: { image: '{image}', command: [sleep, '1000'], stop_grace_period: 0s,
         depends_on: { migrate: { condition: service_completed_successfully } } }
  migrate: { image: '{image}', command: [sleep, '1'] }
  once: { image: '{image}', command: ['true'] }
  later: { image: '{image}', command: [sleep, '1'], stop_grace_period: 0s }
";
        let mut host = Host::new("stead-once", file)?;
        host.up().await?;
        let ids = host.ids()?;
        ensure!(
            ids["stead-once-migrate-1"].ends_with("exited") && ids["stead-once-web-1"].ends_with("running"),
            "{ids:?}"
        );
        assert_eq!(host.up().await?, [""; 0]);
        // One that ends after it was looked at, and that nobody waits for.
        wait::until("later to end", Duration::from_secs(20), || {
            Ok(host.ids()?["stead-once-later-1"].ends_with("exited").then_some(()))
        })?;
        assert_eq!(host.up().await?, [""; 0]);
        host.write("compose.yaml", &file.replacen("[sleep, '1']", "['false']", 1))?;
        let error = host.fail().await?.to_string();
        ensure!(error.contains("migrate") && error.contains("exit code 1"), "{error}");
        Ok(())
    })
}

#[test]
fn a_missing_image_and_a_taken_port_are_named() -> Result<()> {
    block(async {
        let host = Host::new("stead-noimage", "services: { a: { image: 'localhost:1/none:1' } }")?;
        let error = host.fail().await?.to_string();
        ensure!(error.contains("cannot pull image localhost:1/none:1"), "{error}");
        let ports =
            "services: { a: { image: '{image}', command: [sleep, '99'], ports: ['18280:80'], stop_grace_period: 0s } }";
        let mut first = Host::new("stead-port-a", ports)?;
        first.up().await?;
        let second = Host::new("stead-port-b", ports)?;
        let error = second.fail().await?.to_string();
        ensure!(error.contains("cannot start stead-port-b-a-1") && error.contains("18280"), "{error}");
        ensure!(second.ids()?.is_empty());
        Ok(())
    })
}

#[test]
fn secrets_reach_the_container_and_nothing_else() -> Result<()> {
    block(async {
        let file = "
services:
  web:
    image: {image}
    command: [sh, -c, 'echo token is $$TOKEN; sleep 1000']
    environment: { TOKEN: '${TOKEN:?}' }
    stop_grace_period: 0s
";
        const VALUE: &str = "v3ry-s3cr3t-$x-value";
        let mut host = Host::new("stead-secret", file)?.with_secret("token", VALUE);
        let spec = json!({"project": "stead-secret", "health_timeout": 5, "secrets": {"TOKEN": "token"}});
        let fact = host.observe(std::slice::from_ref(&spec)).await?;
        let diff = compose()?.diff(&fact, &declared(std::slice::from_ref(&spec)), &host.owned, &Default::default())?;
        let said = format!("{fact}{diff:?}");
        ensure!(!said.contains("s3cr3t"), "{said}");
        host.apply(std::slice::from_ref(&spec)).await?;
        let environment = host.inspect("stead-secret-web-1")?["Config"]["Env"].to_string();
        ensure!(environment.contains(VALUE), "{environment}");
        let kept = std::process::Command::new("grep").args(["-rl", "s3cr3t"]).arg(host.state()).output()?;
        let kept = String::from_utf8(kept.stdout)?;
        ensure!(kept.lines().all(|path| path.contains("/blobs/")), "{kept}");
        ensure!(host.apply(std::slice::from_ref(&spec)).await?.is_empty());
        host.write("compose.yaml", &file.replace("sleep 1000", "exit 1"))?;
        let diff = host.plan(&[spec]).await?;
        let error =
            host.act(&diff.steps.first().context("nothing to do")?.action).await.expect_err("it ran").to_string();
        ensure!(error.contains("token is •••"), "{error}");
        Ok(())
    })
}

#[test]
fn a_bad_file_is_named() -> Result<()> {
    block(async {
        let host = Host::new("stead-bad", "services: { web: { imag: x } }")?;
        let error = host.plan(&[host.spec()]).await.expect_err("it was read").to_string();
        ensure!(error.contains("compose.yaml") && error.contains("imag"), "{error}");
        host.write("compose.yaml", "services: { web: { image: x, credential_spec: { file: x.json } } }")?;
        let error = host.plan(&[host.spec()]).await.expect_err("it was planned").to_string();
        ensure!(
            error.contains("apps/stead-bad") && error.contains("service web, key credential_spec: is of Windows only"),
            "{error}"
        );
        Ok(())
    })
}
