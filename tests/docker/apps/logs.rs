//! `stead app logs`: all containers in the order of time, and what they say from now on.

use std::fs::File;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Result, ensure};
use stead_tests::wait;

use super::repo::{Repo, in_order};

const TALK: &str = "
services:
  one: { image: '{image}', stop_grace_period: 0s, command: [sh, -c, 'echo one a; sleep 1; echo one b >&2; sleep 1000'] }
  two: { image: '{image}', stop_grace_period: 0s, command: [sh, -c, 'sleep 0.5; echo two a; sleep 1; echo two b; sleep 1000'] }
";

#[test]
fn lines_are_in_the_order_of_time_with_their_service() -> Result<()> {
    let repo = Repo::new("stead-app-logs", TALK)?;
    repo.up()?;
    wait::until("four lines", Duration::from_secs(20), || {
        Ok((repo.stead("app logs stead-app-logs", 0)?.lines().count() == 4).then_some(()))
    })?;
    let all = repo.stead("app logs stead-app-logs", 0)?;
    in_order(&all, &["one-1  | one a", "two-1  | two a", "one-1  | one b", "two-1  | two b"])?;
    let last = repo.stead("app logs --tail 1 stead-app-logs two", 0)?;
    assert_eq!(last, "two-1  | two b\n");
    let timed = repo.stead("app logs -t --tail 1 stead-app-logs one", 0)?;
    ensure!(timed.starts_with("one-1  | 20") && timed.ends_with("Z one b\n"), "{timed}");
    let none = repo.stead("app logs --since 2100-01-01T00:00:00Z stead-app-logs", 0)?;
    assert_eq!(none, "");
    ensure!(repo.stead("app logs --since 1h stead-app-logs", 0)?.lines().count() == 4);
    let json = repo.stead("app logs --json --tail 1 stead-app-logs one", 0)?;
    ensure!(json.contains("\"error\":true") && json.contains("\"text\":\"one b\""), "{json}");
    let coloured = repo.stead("--color always app logs stead-app-logs", 0)?;
    ensure!(coloured.contains("\u{1b}[36mone-1  | ") && coloured.contains("\u{1b}[33mtwo-1  | "), "{coloured:?}");
    ensure!(repo.stead("app logs stead-app-nowhere", 64)?.contains("no app is called `stead-app-nowhere`"));
    let wrong = repo.stead("app logs stead-app-logs three", 64)?;
    ensure!(wrong.contains("no service `three`; there is one, two"), "{wrong}");
    Ok(())
}

#[test]
fn following_goes_on_through_a_restart() -> Result<()> {
    let repo = Repo::new("stead-app-follow", TALK)?;
    repo.up()?;
    let path = repo.path("followed");
    let mut command = repo.command();
    command.args(["app", "logs", "-f", "stead-app-follow", "one"]).stdout(File::create(&path)?).stdin(Stdio::null());
    let mut following = command.spawn()?;
    let lines = |count: usize| {
        wait::until("lines", Duration::from_secs(20), || {
            let text = std::fs::read_to_string(&path)?;
            Ok((text.lines().count() >= count).then_some(text))
        })
    };
    lines(2)?;
    repo.engine.docker(["restart", "-t", "0", "stead-app-follow-one-1"])?.ok()?;
    lines(4)?;
    std::thread::sleep(Duration::from_secs(1));
    let ended = following.try_wait()?;
    following.kill()?;
    following.wait()?;
    ensure!(ended.is_none(), "it ended by itself");
    let text = std::fs::read_to_string(&path)?;
    assert_eq!(text, "one-1  | one a\none-1  | one b\none-1  | one a\none-1  | one b\n");
    Ok(())
}
