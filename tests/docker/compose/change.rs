//! Changes of a project: only what changed is touched, and each can be taken back.

use anyhow::{Context, Result, ensure};
use serde_json::json;
use stead::plan::Undo;

use super::host::{Host, block};

const TWO: &str = "
services:
  web:
    image: {image}
    command: [httpd, -f, -p, '80', -h, /srv]
    volumes: [./srv:/srv:ro, data:/data, /anonymous]
    stop_grace_period: 0s
  db:
    image: {image}
    command: [sleep, '1000']
    environment: { LEVEL: \"${LEVEL:-low}\" }
    deploy: { replicas: 1 }
    stop_grace_period: 0s
volumes:
  data: {}
";

fn two(project: &str) -> Result<Host> {
    let host = Host::new(project, TWO)?;
    host.write("srv/index.html", "one\n")?;
    Ok(host)
}

#[test]
fn only_what_changed_is_recreated() -> Result<()> {
    block(async {
        let mut host = two("stead-change")?;
        let notes = host.up().await?;
        ensure!(notes.contains(&"service web: create from stead-change:1".to_owned()), "{notes:?}");
        let before = host.ids()?;
        let with_level = json!({"project": "stead-change", "health_timeout": 20, "environment": {"LEVEL": "high"}});
        let notes = host.apply(std::slice::from_ref(&with_level)).await?;
        assert_eq!(notes, ["service db: recreate, because of environment; started first"]);
        let after = host.ids()?;
        assert_eq!(before["stead-change-web-1"], after["stead-change-web-1"]);
        ensure!(before["stead-change-db-1"] != after["stead-change-db-1"]);
        ensure!(host.apply(&[with_level]).await?.is_empty());
        Ok(())
    })
}

#[test]
fn a_changed_file_reaches_the_service_that_mounts_it() -> Result<()> {
    block(async {
        let mut host = two("stead-mounted")?;
        host.up().await?;
        let before = host.ids()?;
        let volume = anonymous(&host)?;
        host.write("srv/index.html", "two\n")?;
        let notes = host.up().await?;
        assert_eq!(
            notes,
            [
                "file srv/index.html: change",
                "service web: recreate, because of files that it mounts; stopped first: it writes to /data"
            ]
        );
        assert_eq!(before["stead-mounted-db-1"], host.ids()?["stead-mounted-db-1"]);
        let seen = host.engine.docker(["exec", "stead-mounted-web-1", "cat", "/srv/index.html"])?.ok()?;
        assert_eq!(seen, "two\n");
        assert_eq!(volume, anonymous(&host)?, "what is in an anonymous volume goes on");
        Ok(())
    })
}

fn anonymous(host: &Host) -> Result<String> {
    let found = host.inspect(&format!("{}-web-1", host.project))?;
    let mounts = found["Mounts"].as_array().context("no mounts")?;
    let mount = mounts.iter().find(|mount| mount["Destination"] == "/anonymous").context("not mounted")?;
    Ok(mount["Name"].to_string())
}

#[test]
fn undo_brings_the_former_version_back() -> Result<()> {
    block(async {
        let mut host = two("stead-undo")?;
        host.up().await?;
        let before = host.observe(&[]).await?;
        host.write("srv/index.html", "two\n")?;
        host.write("srv/new.html", "new\n")?;
        host.write("compose.yaml", &TWO.replace("LEVEL:-low", "LEVEL:-high").replace("  db:", "  store:"))?;
        let diff = host.plan(&[host.spec()]).await?;
        let step = diff.steps.first().context("nothing to do")?;
        let Undo::Action(undo) = &step.undo else { anyhow::bail!("no undo") };
        for _ in 0..2 {
            host.act(&step.action).await?;
        }
        ensure!(host.ids()?.contains_key("stead-undo-store-1") && !host.ids()?.contains_key("stead-undo-db-1"));
        ensure!(host.lasting().join("srv/new.html").exists());
        for _ in 0..2 {
            host.act(undo).await?;
            assert_eq!(before, host.observe(&[]).await?);
        }
        ensure!(!host.lasting().join("srv/new.html").exists());
        assert_eq!(std::fs::read_to_string(host.lasting().join("srv/index.html"))?, "one\n");
        Ok(())
    })
}

#[test]
fn drift_is_mended() -> Result<()> {
    block(async {
        let mut host = two("stead-drift")?;
        host.up().await?;
        host.engine.docker(["stop", "-t", "0", "stead-drift-db-1"])?.ok()?;
        assert_eq!(host.up().await?, ["service db: start"]);
        host.engine.docker(["rm", "-f", "stead-drift-web-1"])?.ok()?;
        assert_eq!(host.up().await?, ["service web: create from stead-drift:1"]);
        std::fs::write(host.lasting().join("compose.yaml"), "services: {}\n")?;
        assert_eq!(host.up().await?, ["file compose.yaml: change"]);
        ensure!(host.up().await?.is_empty());
        Ok(())
    })
}

#[test]
fn services_scale_and_go_and_volumes_stay() -> Result<()> {
    block(async {
        let mut host = two("stead-scale")?;
        host.up().await?;
        let before = host.ids()?;
        host.write("compose.yaml", &TWO.replace("replicas: 1", "replicas: 3"))?;
        assert_eq!(host.up().await?, ["file compose.yaml: change", "service db: scale from 1 to 3"]);
        assert_eq!(before["stead-scale-db-1"], host.ids()?["stead-scale-db-1"]);
        assert_eq!(host.ids()?.len(), 4);
        let web_only = TWO.split("  db:").next().context("no db")?.to_owned() + "volumes:\n  data: {}\n";
        host.write("compose.yaml", &web_only)?;
        assert_eq!(host.up().await?, ["file compose.yaml: change", "service db: remove"]);
        assert_eq!(host.ids()?.len(), 1);
        let notes = host.apply(&[]).await?;
        assert_eq!(
            notes,
            ["service web: remove", "network stead-scale_default: remove", "volume stead-scale_data: stays"]
        );
        ensure!(host.ids()?.is_empty() && host.lists(["network"])?.is_empty());
        assert_eq!(host.lists(["volume"])?, ["stead-scale_data"]);
        ensure!(!host.lasting().exists());
        ensure!(host.apply(&[]).await?.is_empty());
        Ok(())
    })
}

#[test]
fn a_policy_scales_whatever_the_file_says() -> Result<()> {
    block(async {
        let mut host = two("stead-scaled")?;
        host.up().await?;
        let before = host.ids()?;
        let scaled = |service: &str, containers: u32| {
            let mut spec = host.spec();
            spec["scale"] = json!({ service: containers });
            [spec]
        };
        let (three, none, unknown) = (scaled("web", 3), scaled("web", 0), scaled("wbe", 1));
        assert_eq!(host.apply(&three).await?, ["service web: scale from 1 to 3"]);
        assert_eq!(before["stead-scaled-web-1"], host.ids()?["stead-scaled-web-1"]);
        assert_eq!(host.ids()?.len(), 4);
        ensure!(host.apply(&three).await?.is_empty());
        assert_eq!(host.apply(&none).await?, ["service web: scale from 3 to 0"]);
        assert_eq!(host.up().await?, ["service web: create from stead-scaled:1"]);
        let error = host.plan(&unknown).await.err().context("nothing was wrong")?.to_string();
        ensure!(error.contains("cannot scale wbe: the project has no such service"), "{error}");
        Ok(())
    })
}

#[test]
fn what_containers_wrote_stays_and_links_are_not_followed() -> Result<()> {
    block(async {
        let mut host = two("stead-links")?;
        host.up().await?;
        let outside = tempfile::tempdir()?;
        std::fs::write(host.lasting().join("srv/theirs"), "theirs\n")?;
        std::os::unix::fs::symlink(outside.path(), host.lasting().join("srv/sub"))?;
        host.write("srv/sub/page.html", "ours\n")?;
        let diff = host.plan(&[host.spec()]).await;
        let refused = match diff {
            Err(error) => format!("{error:#}"),
            Ok(diff) => host.act(&diff.steps[0].action).await.expect_err("it followed a link").to_string(),
        };
        ensure!(!outside.path().join("page.html").exists(), "{refused}");
        std::fs::remove_file(host.lasting().join("srv/sub"))?;
        host.up().await?;
        ensure!(host.lasting().join("srv/sub/page.html").exists() && host.lasting().join("srv/theirs").exists());
        Ok(())
    })
}

#[test]
fn a_network_with_other_settings_is_made_anew() -> Result<()> {
    block(async {
        let mut host = two("stead-net")?;
        host.up().await?;
        host.write("compose.yaml", &(TWO.to_owned() + "networks:\n  default: { internal: true }\n"))?;
        let notes = host.up().await?;
        ensure!(notes.iter().any(|note| note.starts_with("network stead-net_default: recreate")), "{notes:?}");
        let text =
            host.engine.docker(["network", "inspect", "--format", "{{.Internal}}", "stead-net_default"])?.ok()?;
        assert_eq!(text.trim(), "true");
        ensure!(host.up().await?.is_empty() && host.ids()?.len() == 2);
        Ok(())
    })
}

#[test]
fn a_run_with_nothing_to_do_starts_no_process() -> Result<()> {
    block(async {
        let mut host = two("stead-cached")?;
        host.up().await?;
        // The same plugin for all that can be seen, but one that cannot be started.
        let plugin = host.machine()?.path("/usr/libexec/docker/cli-plugins/docker-compose");
        let real = plugin.canonicalize()?;
        std::fs::remove_file(&plugin)?;
        ensure!(std::process::Command::new("cp").args(["-p"]).args([&real, &plugin]).status()?.success());
        std::fs::set_permissions(&plugin, std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
        ensure!(host.up().await?.is_empty());
        host.write("srv/index.html", "two\n")?;
        ensure!(host.plan(&[host.spec()]).await.is_err(), "what changed must be read again");
        Ok(())
    })
}
