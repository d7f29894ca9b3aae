//! Images from a registry that asks who is there.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use stead_tests::docker::Registry;

use super::host::{Host, block};

fn spec(project: &str) -> Value {
    json!({"project": project, "health_timeout": 20, "secrets": {"DOCKER_AUTH_CONFIG": "registry"}})
}

#[test]
fn a_private_image_is_pulled_by_the_digest_that_was_planned() -> Result<()> {
    block(async {
        let project = "stead-private";
        let host = Host::bare(project)?;
        host.engine.import_busybox(&format!("{project}:1"))?;
        let registry = Registry::start(&host.engine, 18_950)?;
        let image = registry.push(&host.engine, &format!("{project}:1"))?;
        host.write(
            "compose.yaml",
            &format!("services: {{ web: {{ image: '{image}', command: [sleep, '1000'], stop_grace_period: 0s }} }}"),
        )?;
        let error = host.fail().await?.to_string();
        ensure!(error.contains("cannot pull image") && error.contains("DOCKER_AUTH_CONFIG"), "{error}");
        let mut host = host.with_secret("registry", &registry.config());
        let plan = host.plan(&[spec(project)]).await?;
        let text = format!("{plan:?}");
        ensure!(text.contains("pull localhost:18950/stead-private:1 (sha256:"), "{text}");
        let action = plan.steps[0].action.to_string();
        ensure!(action.contains("localhost:18950/stead-private@sha256:"), "the revision has the digest: {action}");
        ensure!(!action.contains("bWU6cGFz"), "{action}");
        host.apply(&[spec(project)]).await?;
        let found = host.inspect("stead-private-web-1")?;
        assert_eq!(found["Config"]["Image"], image, "people find it under its name");
        ensure!(host.apply(&[spec(project)]).await?.is_empty());
        let kept = std::fs::read_to_string(host.state().join("compose/stead-private.json"))?;
        ensure!(kept.contains("stead-private@sha256:"), "{kept}");
        host.clean()?;
        host.engine.docker(["rmi", &image])?.ok().map(drop)
    })
}

#[test]
fn what_is_always_pulled_is_renewed_when_the_registry_has_another() -> Result<()> {
    block(async {
        let project = "stead-renewed";
        let host = Host::bare(project)?;
        let name = format!("{project}:1");
        host.engine.import_busybox(&name)?;
        let registry = Registry::start(&host.engine, 18_951)?;
        let image = registry.push(&host.engine, &name)?;
        host.write(
            "compose.yaml",
            &format!(
                "services: {{ web: {{ image: '{image}', pull_policy: always, command: [sleep, '1000'], \
                 stop_grace_period: 0s }} }}"
            ),
        )?;
        let mut host = host.with_secret("registry", &registry.config());
        host.apply(&[spec(project)]).await?;
        let first = host.inspect("stead-renewed-web-1")?["Image"].clone();
        ensure!(host.apply(&[spec(project)]).await?.is_empty(), "the registry has the same");

        // Somebody pushes another one under the name; here the former one still has it.
        host.engine.docker(["tag", &image, "stead-renewed:kept"])?.ok()?;
        let tar = stead_tests::docker::busybox_tar()?;
        host.engine.docker(["import", "--change", "LABEL n=2", &tar.to_string_lossy(), &name])?.ok()?;
        registry.push(&host.engine, &name)?;
        host.engine.docker(["rmi", &name])?.ok()?;
        host.engine.docker(["tag", "stead-renewed:kept", &image])?.ok()?;
        let notes = host.apply(&[spec(project)]).await?.join("\n");
        ensure!(notes.contains("recreate, because of a new image in its registry (sha256:"), "{notes}");
        let found = host.inspect("stead-renewed-web-1")?;
        ensure!(found["Image"] != first && found["Config"]["Labels"]["n"] == "2", "{found}");
        assert_eq!(found["Config"]["Image"], image, "people find it under its name");
        ensure!(host.apply(&[spec(project)]).await?.is_empty());
        host.clean()?;
        host.engine.docker(["rmi", &image, "stead-renewed:kept"])?.ok().map(drop)
    })
}
