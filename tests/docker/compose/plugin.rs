//! A Compose plugin that does not do what it should: it costs a clear error, and neither memory nor time without end.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::host::{Host, block};

/// Says a version as the real one does; then it does `WORST` in place of reading files.
const PLUGIN: &str = r#"
#include <string.h>
#include <stdio.h>
#include <unistd.h>
int main(int count, char **words) {
    if (strcmp(words[1], "version") == 0) return puts("2.26.1") < 0;
    WORST
}
"#;

/// What a plan says with such a plugin, and how long it takes.
fn said(project: &str, worst: &str) -> Result<(String, Duration)> {
    block(async {
        let host = Host::new(project, "services: { web: { image: '{image}' } }")?;
        let plugin = host.machine()?.path("/usr/libexec/docker/cli-plugins/docker-compose");
        std::fs::remove_file(&plugin)?;
        let folder = tempfile::tempdir()?;
        let source = folder.path().join("plugin.c");
        std::fs::write(&source, PLUGIN.replace("WORST", worst))?;
        ensure!(std::process::Command::new("cc").arg("-o").args([&plugin, &source]).status()?.success());
        let began = Instant::now();
        let error = host.plan(&[host.spec()]).await.err().map(|error| error.to_string()).unwrap_or_default();
        Ok((error, began.elapsed()))
    })
}

#[test]
fn one_that_hangs_is_stopped() -> Result<()> {
    let (error, took) = said("stead-hangs", "for (;;) sleep(1000);")?;
    ensure!(error.contains("compose stead-hangs") && error.contains("was stopped"), "{error}");
    ensure!(took < Duration::from_secs(50), "{took:?}");
    Ok(())
}

#[test]
fn one_that_prints_a_gigabyte_is_stopped() -> Result<()> {
    let print = "static char much[1 << 20]; memset(much, 'x', sizeof much); \
                 for (int i = 0; i < 1024; i++) if (write(1, much, sizeof much) < 0) return 1; return 0;";
    let (error, took) = said("stead-prints", print)?;
    ensure!(error.contains("compose stead-prints") && error.contains("printed more than 64 MiB"), "{error}");
    ensure!(took < Duration::from_secs(20), "{took:?}");
    Ok(())
}

#[test]
fn one_that_says_no_json_is_said_to() -> Result<()> {
    let (error, _) = said("stead-nojson", "return puts(\"hello\") < 0;")?;
    ensure!(error.contains("did not print JSON"), "{error}");
    Ok(())
}
