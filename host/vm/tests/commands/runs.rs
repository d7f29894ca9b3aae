//! Commands as transient units.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use stead_vm::access::{AccessError, Credential, Outcome, RunId};

use super::place::{Collected, NO_LIMIT, Place, still_there};

fn id(text: &str) -> RunId {
    text.parse().expect("an id")
}

pub(crate) async fn output_and_status_are_kept(place: &Place) -> Result<()> {
    let (access, run) = (&place.access, id("kept"));
    access.start(&run, "echo out; echo err >&2; printf %s \"$HOME\"; pwd; exit 7", &[]).await?;
    let (output, ended) = place.whole(&run).await?;
    assert_eq!(output, "out\nerr\n/root/root\n");
    assert_eq!(ended.outcome, Outcome::Exited(7));
    // And again, long after the unit is gone.
    assert_eq!(place.whole(&run).await?, (output, ended));
    Ok(())
}

/// Lines appear while they are written, and the second reader begins in the middle of one.
pub(crate) async fn a_new_process_reads_on_where_the_old_one_died(place: &Place) -> Result<()> {
    let (access, run) = (&place.access, id("long"));
    let script = "i=0; while [ $i -lt 3000 ]; do echo line $i; [ $((i % 300)) = 0 ] && sleep 0.1; i=$((i + 1)); done";
    access.start(&run, script, &[]).await?;
    let (mut all, mut deaths) = (Vec::new(), 0);
    for enough in [1, 100, 3_000, 5_000, usize::MAX] {
        let mut reader = Collected { enough: Some(enough), ..Collected::default() };
        let from = all.len() as u64;
        let followed = access.follow(&run, from, NO_LIMIT, &mut reader, still_there).await;
        deaths += usize::from(followed.is_err());
        all.append(&mut reader.bytes);
    }
    ensure!(deaths == 4, "only {deaths} readers died");
    let expected: String = (0..3000).map(|line| format!("line {line}\n")).collect();
    assert_eq!(String::from_utf8(all)?, expected);
    Ok(())
}

/// Output comes over the connection that started the command, and over another one when that breaks.
pub(crate) async fn what_was_begun_is_read_on_when_its_connection_breaks(place: &Place) -> Result<()> {
    let long = format!(": {}", "ü".repeat(100_000));
    let script = format!("{long}\ni=0; while [ $i -lt 30 ]; do echo line $i; sleep 0.1; i=$((i + 1)); done; exit 3");
    let begun = place.access.start(&id("begun"), &script, &[]).await?;
    let mut collected = Collected::default();
    let cut = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        place.container.inside("pkill -f 'root[@]notty'")?.ok()
    };
    let followed = place.access.follow_begun(begun, NO_LIMIT, &mut collected, still_there);
    let (ended, cut) = tokio::join!(followed, cut);
    cut?;
    let expected: String = (0..30).map(|line| format!("line {line}\n")).collect();
    assert_eq!((String::from_utf8(collected.bytes)?, ended?.outcome), (expected, Outcome::Exited(3)));
    // A machine in which it cannot run says so.
    let broken = "mv /usr/bin/systemd-run /usr/bin/systemd-run.away";
    place.container.inside(broken)?.ok()?;
    let refused = place.access.start(&id("nowhere"), "echo ran", &[]).await;
    place.container.inside("mv /usr/bin/systemd-run.away /usr/bin/systemd-run")?.ok()?;
    assert!(
        matches!(&refused, Err(AccessError::Refused { words, .. }) if words.contains("systemd-run")),
        "{refused:?}"
    );
    Ok(())
}

pub(crate) async fn starting_twice_starts_once(place: &Place) -> Result<()> {
    let (access, run) = (&place.access, id("once"));
    let script = "echo x >> /root/count; sleep 1; echo done";
    let (one, two, three) =
        tokio::join!(access.start(&run, script, &[]), access.start(&run, script, &[]), access.start(&run, script, &[]));
    one.and(two).and(three)?;
    let (output, _) = place.whole(&run).await?;
    access.start(&run, script, &[]).await?;
    assert_eq!((output.as_str(), place.whole(&run).await?.0.as_str()), ("done\n", "done\n"));
    assert_eq!(place.container.inside("cat /root/count")?.ok()?, "x\n");
    Ok(())
}

/// Only the command itself can read it, it is in no file that stays, and in no argument.
pub(crate) async fn a_credential_is_there_for_its_command_alone(place: &Place) -> Result<()> {
    let (access, run, value) = (&place.access, id("secret"), "hunter2 \n$(reboot)");
    let credentials = [Credential::new("db.password", value)?, Credential::new("empty", "")?];
    let script = "sleep 2; cat \"$CREDENTIALS_DIRECTORY/db.password\"; ls \"$CREDENTIALS_DIRECTORY\"";
    access.start(&run, script, &credentials).await?;
    let found = "grep -rls hunter[2] /run/stead /var/lib/stead /run/systemd/transient /proc/[0-9]*/cmdline /proc/[0-9]*/environ";
    assert_eq!(place.container.inside(&format!("{found}; ls -A /run/stead/credentials"))?.stdout, "");
    let (output, _) = place.whole(&run).await?;
    assert_eq!(output, format!("{value}db.password\nempty\n"));
    // A second start brings it again, and nothing is left of it either.
    access.start(&run, script, &credentials).await?;
    assert_eq!(place.container.inside("ls -A /run/stead/credentials")?.stdout, "");
    Ok(())
}

pub(crate) async fn every_end_has_its_name(place: &Place) -> Result<()> {
    let cases = [
        ("zero", "true", Outcome::Exited(0)),
        ("missing", "no-such-program-here 2> /dev/null", Outcome::Exited(127)),
        ("killed", "kill -KILL $$", Outcome::Killed("KILL".into())),
        // A child that lives on writes no more than the command does.
        ("child", "(while :; do echo tick; sleep 0.05; done) & sleep 0.3", Outcome::Exited(0)),
    ];
    for (name, script, expected) in cases {
        let run = id(name);
        place.access.start(&run, script, &[]).await?;
        let (output, ended) = place.whole(&run).await?;
        assert_eq!(ended.outcome, expected, "{name}");
        assert_eq!(place.access.status(&run).await?.written, output.len() as u64, "{name}");
    }
    Ok(())
}

pub(crate) async fn a_cancelled_command_stops_with_all_its_children(place: &Place) -> Result<()> {
    let (access, run) = (&place.access, id("cancelled"));
    access.start(&run, "sleep 4711 & echo started; sleep 4711", &[]).await?;
    assert_eq!(access.status(&run).await?.outcome, None);
    access.cancel(&run).await?;
    access.cancel(&run).await?;
    let (output, ended) = place.whole(&run).await?;
    assert_eq!((output.as_str(), ended.outcome), ("started\n", Outcome::Cancelled));
    let left = place.container.inside("cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -c '[s]leep 4711 '")?;
    assert_eq!(left.stdout, "0\n");
    let never = id("never");
    access.cancel(&never).await?;
    access.start(&never, "echo ran", &[]).await?;
    assert_eq!(place.whole(&never).await?.0, "");
    // What had ended before it was cancelled keeps its own end.
    access.cancel(&id("zero")).await?;
    assert_eq!(place.whole(&id("zero")).await?.1.outcome, Outcome::Exited(0));
    Ok(())
}

pub(crate) async fn a_flood_ends_at_the_limit(place: &Place) -> Result<()> {
    let (access, run, began) = (&place.access, id("flood"), Instant::now());
    access.start(&run, "exec yes", &[]).await?;
    let mut collected = Collected::default();
    let followed = access.follow(&run, 0, 1 << 20, &mut collected, still_there).await;
    let error = followed.expect_err("a flood without an end").downcast::<AccessError>()?;
    assert!(matches!(error, AccessError::TooLarge { .. }), "{error}");
    ensure!(collected.bytes.len() <= 1 << 20);
    access.cancel(&run).await?;
    ensure!(began.elapsed() < Duration::from_secs(30));
    place.container.inside("rm -r /var/lib/stead/run/flood")?.ok().map(drop)
}

pub(crate) async fn a_command_that_is_gone_is_lost(place: &Place) -> Result<()> {
    let run = id("gone");
    place.access.start(&run, "sleep 4712", &[]).await?;
    place
        .container
        .inside("systemctl kill -s KILL stead-run-gone; sleep 0.5; rm -f /var/lib/stead/run/gone/status")?
        .ok()?;
    let status = place.access.status(&run).await;
    assert!(matches!(status, Err(AccessError::Lost { .. })), "{status:?}");
    Ok(())
}

/// As in a template. It serves one command, once, and one without credentials; to whoever looks it is like any other.
pub(crate) async fn one_that_was_started_ahead_takes_the_first_command(place: &Place) -> Result<()> {
    let (access, waits) = (&place.access, "systemctl is-active stead-ahead");
    access.start_ahead().await?;
    let secret = [Credential::new("key", "hunter2")?];
    access.start(&id("own"), "cat \"$CREDENTIALS_DIRECTORY/key\"", &secret).await?;
    assert_eq!(place.whole(&id("own")).await?.0, "hunter2");
    assert_eq!(place.container.inside(waits)?.stdout, "active\n");

    let script = "echo x >> /root/ahead; cat /proc/self/cgroup; pwd; echo err >&2; sleep 1; exit 7";
    let run = id("first");
    let (one, two) = tokio::join!(access.start(&run, script, &[]), access.start(&run, script, &[]));
    let mut collected = Collected::default();
    let ended = access.follow_begun(one?, NO_LIMIT, &mut collected, still_there).await?;
    let said = String::from_utf8(collected.bytes)?;
    ensure!(said.contains("/stead-ahead.service\n") && said.ends_with("/root\nerr\n"), "{said}");
    two.map(drop)?;
    assert_eq!(
        (ended.outcome, place.container.inside("cat /root/ahead")?.stdout.as_str()),
        (Outcome::Exited(7), "x\n")
    );

    access.start(&id("second"), "cat /proc/self/cgroup", &[]).await?;
    let (said, _) = place.whole(&id("second")).await?;
    ensure!(said.contains("/stead-run-second.service"), "{said}");

    // Another template, of which the first command is cancelled with all its children.
    place.container.inside("rm -f /run/stead-ahead*")?.ok()?;
    access.start_ahead().await?;
    access.start(&id("third"), "sleep 4713 & sleep 4713", &[]).await?;
    assert_eq!(access.status(&id("third")).await?.outcome, None);
    access.cancel(&id("third")).await?;
    assert_eq!(place.whole(&id("third")).await?.1.outcome, Outcome::Cancelled);
    assert_eq!(place.container.inside("pgrep -fc '^sleep 4713'")?.stdout, "0\n");
    Ok(())
}
