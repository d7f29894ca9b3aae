//! `stead app restart` and `exec`.

use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};
use stead_tests::run::run;

use super::repo::{Repo, in_order};

const CHAIN: &str = "
services:
  web:
    image: {image}
    command: [sleep, '1000']
    stop_grace_period: 0s
    depends_on: { db: { condition: service_healthy, restart: true }, cache: { condition: service_started } }
  db:
    image: {image}
    command: [sh, -c, 'rm -f /ready; sleep 1; touch /ready; sleep 1000']
    stop_grace_period: 0s
    healthcheck: { test: ['CMD', 'ls', '/ready'], interval: 1s, retries: 10, start_period: 10s }
  cache: { image: '{image}', command: [sleep, '1000'], stop_grace_period: 0s }
";

#[test]
fn a_restart_heeds_dependencies_and_is_recorded() -> Result<()> {
    let repo = Repo::new("stead-app-again", &CHAIN.replace("rm -f", "busybox rm -f"))?;
    repo.up()?;
    let started = |name: &str| repo.inspect(&format!("stead-app-again-{name}-1"), "{{.State.StartedAt}}");
    let before = [started("web")?, started("db")?, started("cache")?];
    let said = repo.stead("app restart stead-app-again db", 0)?;
    in_order(&said, &["restarted stead-app-again-db-1", "restarted stead-app-again-web-1"])?;
    let after = [started("web")?, started("db")?, started("cache")?];
    ensure!(before[0] < after[0] && before[1] < after[1] && before[2] == after[2], "{before:?} {after:?}");
    // Healthy, which takes a second, before what depends on it.
    let gap = seconds(&after[0])? - seconds(&after[1])?;
    ensure!(gap >= 1.0, "{gap} s between db and web");
    let said = repo.stead("app restart stead-app-again", 0)?;
    in_order(&said, &["stead-app-again-cache-1", "stead-app-again-web-1"])?;
    ensure!(started("cache")? > after[2]);
    let log = repo.stead("log", 0)?;
    in_order(
        &log,
        &["app restart  done        stead-app-again  ", "app restart  done        stead-app-again db  ", "apply"],
    )?;
    repo.stead("drift", 0)?;
    Ok(())
}

#[test]
fn one_that_does_not_come_up_again_is_named() -> Result<()> {
    let file = "services: { web: { image: '{image}', stop_grace_period: 0s, \
                command: [sh, -c, 'test ! -e /once || exit 3; touch /once; sleep 1000'] } }";
    let repo = Repo::new("stead-app-stays", file)?;
    repo.up()?;
    let said = repo.stead("app restart stead-app-stays", 81)?;
    ensure!(said.contains("stead-app-stays-web-1 ended with exit code 3"), "{said}");
    let log = repo.stead("log", 0)?;
    in_order(&log, &["app restart  failed", "ended with exit code 3"])?;
    ensure!(repo.stead("app exec stead-app-stays web true", 69)?.contains("no container 1 of service web runs"));
    Ok(())
}

#[test]
fn a_command_gets_its_input_and_ends_with_its_own_code() -> Result<()> {
    let repo = Repo::new("stead-app-exec", CHAIN.split("    depends_on").next().unwrap_or_default())?;
    repo.up()?;
    let exec = |words: &[&str], input: &str, code: i32| {
        let words = [&["app", "exec", "stead-app-exec", "web"], words].concat();
        repo.words(&words, input, code)
    };
    assert_eq!(exec(&["cat"], "to and fro\n", 0)?, "to and fro\n");
    assert_eq!(exec(&["sh", "-c", "echo out; echo wrong >&2; exit 3"], "", 3)?, "out\nwrong\n");
    assert_eq!(exec(&["true"], &"x".repeat(1 << 20), 0)?, "", "a command need not read its input");
    // As docker exec ends, on this engine.
    ensure!(exec(&["nowhere"], "", 126)?.contains("nowhere"));
    let words = ["app", "exec", "-e", "A=b c", "-w", "/tmp", "stead-app-exec", "web", "sh", "-c", "echo $A; pwd"];
    assert_eq!(repo.words(&words, "", 0)?, "b c\n/tmp\n");
    let log = repo.stead("log", 0)?;
    ensure!(log.contains("app exec  done        stead-app-exec web: sh") && !log.contains("exit 3"), "{log}");
    Ok(())
}

/// script(1) gives it a terminal.
#[test]
fn a_command_gets_the_terminal() -> Result<()> {
    let repo = Repo::new("stead-app-tty", CHAIN.split("    depends_on").next().unwrap_or_default())?;
    repo.up()?;
    let inside = "stty size; test -t 0 && test -t 1 && echo terminal; exit 5";
    let line = format!(
        "stty rows 33 cols 99; {} --root {} --state {} app exec stead-app-tty web busybox sh -c '{inside}'",
        repo.command().get_program().to_string_lossy(),
        repo.path("root").display(),
        repo.path("state").display()
    );
    let mut command = Command::new("script");
    command.args(["--quiet", "--return", "--command", &line.replace("stty size", "sleep 0.5; busybox stty size")]);
    command.arg("/dev/null").current_dir(repo.path("."));
    let said = run(&mut command, Duration::from_secs(60))?.ended_with(5)?;
    in_order(&said, &["33 99", "terminal"])
}

/// Seconds of the minute, in a time that Docker gives; a test does not cross an hour.
fn seconds(at: &str) -> Result<f64> {
    let clock = at.split('T').nth(1).unwrap_or_default().trim_end_matches('Z').split(':');
    clock.map(|part| Ok(part.parse::<f64>()?)).try_fold(0.0, |sum, part: Result<f64>| Ok(sum * 60.0 + part?))
}
