//! Hooks: commands that run in a container after its start and before its stop.
//!
//! The Compose plugin of Debian is older than hooks, so here stands one that gives the answers of a later one. All
//! that follows from them is real.

use anyhow::{Result, ensure};

use super::host::{Host, block};

const PLUGIN: &str = r#"
#include <string.h>
#include <stdio.h>
int main(int count, char **words) {
    if (strcmp(words[1], "version") == 0) return puts("2.32.4") < 0;
    for (int i = 1; i < count; i++)
        if (strcmp(words[i], "--hash") == 0) return puts("web HASH") < 0;
    return puts("MODEL") < 0;
}
"#;

const MODEL: &str = r#"{"name": "PROJECT", "networks": {"default": {"name": "PROJECT_default", "ipam": {}}},
"volumes": {"data": {"name": "PROJECT_data"}}, "services": {"web": {"image": "PROJECT:1", "entrypoint": null,
"command": ["sleep", "1000"], "networks": {"default": null}, "stop_grace_period": "0s",
"volumes": [{"type": "volume", "source": "data", "target": "/data", "volume": {}}],
"post_start": [{"command": ["sh", "-c", "echo $$WORD >> /data/said; COMMAND"], "environment": {"WORD": "up"}}],
"pre_stop": [{"command": ["sh", "-c", "echo down >> said"], "working_dir": "/data"}]}}}"#;

/// A plugin that reads this and nothing else, whatever the files say.
fn reads(host: &Host, project: &str, hash: &str, command: &str) -> Result<()> {
    let plugin = host.machine()?.path("/usr/libexec/docker/cli-plugins/docker-compose");
    std::fs::remove_file(&plugin)?;
    let model = MODEL.replace("PROJECT", project).replace("COMMAND", command).replace('\n', " ").replace('"', "\\\"");
    let folder = tempfile::tempdir()?;
    let source = folder.path().join("plugin.c");
    std::fs::write(&source, PLUGIN.replace("HASH", hash).replace("MODEL", &model))?;
    ensure!(std::process::Command::new("cc").arg("-o").args([&plugin, &source]).status()?.success());
    Ok(())
}

#[test]
fn commands_run_after_a_start_and_before_a_stop() -> Result<()> {
    let project = "stead-hook";
    block(async {
        let mut host = Host::new(project, "services: { web: { image: '{image}' } }")?;
        reads(&host, project, "one", "true")?;
        host.up().await?;
        let said = |host: &Host| host.engine.docker(["exec", "stead-hook-web-1", "cat", "/data/said"])?.ok();
        assert_eq!(said(&host)?, "up\n");
        reads(&host, project, "two", "true")?;
        host.up().await?;
        let said = said(&host)?;
        ensure!(said == "up\nup\ndown\n" || said == "up\ndown\nup\n", "{said}");

        let before = host.ids()?;
        reads(&host, project, "three", "echo no room; exit 3")?;
        let error = host.failed().await?.to_string();
        ensure!(
            error.contains("post_start in stead-hook-web-1: `sh -c") && error.contains("code 3: no room"),
            "{error}"
        );
        ensure!(before != host.ids()? || before["stead-hook-web-1"].ends_with("running"), "{before:?}");

        // When the whole project goes, too: what is to be saved then is in the volume.
        host.apply(&[]).await?;
        let volume = format!("{project}_data:/data");
        let said = host.engine.docker(["run", "--rm", "-v", &volume, &format!("{project}:1"), "cat", "/data/said"])?;
        let said = said.ok()?;
        ensure!(said.ends_with("down\n") && said.matches("down").count() > 1, "{said}");
        Ok(())
    })
}
