//! The engine that other tests stand on.

use anyhow::Result;
use stead_tests::docker::Engine;

#[test]
fn runs_an_image_that_was_made_here() -> Result<()> {
    let engine = Engine::start()?;
    engine.import_busybox("stead-selftest:run")?;
    let said = engine.docker(["run", "--rm", "stead-selftest:run", "/bin/echo", "hello"])?.ok()?;
    assert_eq!(said, "hello\n");
    Ok(())
}

#[test]
fn composes_and_publishes_a_port() -> Result<()> {
    let engine = Engine::start()?;
    engine.import_busybox("stead-selftest:compose")?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("compose.yaml");
    std::fs::write(&file, COMPOSE)?;
    let file = file.to_string_lossy();
    engine.docker(["compose", "-f", &file, "-p", "stead-selftest", "up", "-d", "--wait"])?.ok()?;
    let page = engine.exec("curl -s --retry 5 --retry-all-errors --retry-delay 1 http://127.0.0.1:18080/etc/passwd")?;
    engine.docker(["compose", "-f", &file, "-p", "stead-selftest", "down"])?.ok()?;
    assert!(page.ok()?.starts_with("root:"));
    Ok(())
}

const COMPOSE: &str = "
services:
  web:
    image: stead-selftest:compose
    command: [/bin/httpd, -f, -p, '80', -h, /]
    ports: ['18080:80']
    init: true
";
