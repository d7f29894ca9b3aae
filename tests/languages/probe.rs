//! The policy `probe`, which is the same program in every language.

use anyhow::{Context, Result, ensure};
use serde_json::json;
use stead::policy::{PolicyError, Run, RunError};

use crate::guest::Guest;

async fn run(guest: &Guest, mode: &str) -> Result<Run, PolicyError> {
    guest.configure(&json!({ "mode": mode })).await
}

/// The names of the backups of a host with some, of one without, and what is denied on another one.
pub(crate) async fn backups_are_scheduled(guest: &Guest) -> Result<()> {
    let config = json!({ "mode": "backup" });
    for (host, words, calls) in [
        ("kept", "backup.schedule: nightly,weekly", (2, 2)),
        ("bare", "backup.schedule: ", (0, 0)),
        ("apart", "backup.schedule: backup: back up to /srv/elsewhere is not granted; what would allow it:", (1, 0)),
    ] {
        let run = guest.configure_on(host, &config).await?;
        let said = &run.log.last().context("it said nothing")?.message;
        ensure!(said == words || (host == "apart" && said.starts_with(words)), "{said}");
        let asked: Vec<_> = run.calls.iter().filter(|call| call.capability == "backup").collect();
        let staged = asked.iter().filter(|call| call.refused.is_none()).count();
        assert_eq!((asked.len(), staged), calls, "{asked:?}");
    }
    Ok(())
}

async fn fails(guest: &Guest, mode: &str) -> Result<PolicyError> {
    run(guest, mode).await.err().with_context(|| format!("{mode} did not fail"))
}

pub(crate) async fn calls_and_answers_are_the_same(guest: &Guest, measure: &Guest) -> Result<()> {
    let (ours, theirs) = (run(guest, "calls").await?, run(measure, "calls").await?);
    let refused = |part: &str| {
        theirs.calls.iter().filter_map(|call| call.refused.as_ref()).filter(|words| words.contains(part)).count()
    };
    ensure!(refused("is not granted") > 3 && refused("") - refused("is not granted") > 10, "{:?}", theirs.calls);
    ensure!(theirs.calls.iter().filter(|call| call.refused.is_none()).count() > 20, "{:?}", theirs.calls);
    for (ours, theirs) in ours.calls.iter().zip(&theirs.calls) {
        assert_eq!(ours.capability, theirs.capability);
        // The settings are read first in some languages and twice in none.
        assert_eq!(ours, theirs);
    }
    assert_eq!(ours.calls.len(), theirs.calls.len());
    let lines = |run: &Run| run.log.iter().map(|line| (line.level, line.message.clone())).collect::<Vec<_>>();
    assert_eq!(lines(&ours), lines(&theirs));
    Ok(())
}

pub(crate) async fn errors_keep_their_shape(guest: &Guest) -> Result<()> {
    let PolicyError::Run { error, .. } = fails(guest, "denied").await? else { anyhow::bail!("it did not run") };
    ensure!(matches!(&error, RunError::Denied { grant, .. } if grant.contains("not-granted")), "{error:?}");
    let PolicyError::Run { error, .. } = fails(guest, "invalid").await? else { anyhow::bail!("it did not run") };
    ensure!(matches!(&error, RunError::Invalid { argument, call: Some(_), .. } if argument == "key"), "{error:?}");
    let PolicyError::Run { error, .. } = fails(guest, "other").await? else { anyhow::bail!("it did not run") };
    assert_eq!(error, RunError::Failed { message: "no ☃ today".to_owned() });
    Ok(())
}

/// The author's own file with its line, and who called whom.
pub(crate) async fn a_crash_has_a_place(guest: &Guest, source: &str) -> Result<()> {
    let crashed = fails(guest, "crash").await?;
    has_a_place(&crashed, source)
}

pub(crate) fn has_a_place(crashed: &PolicyError, source: &str) -> Result<()> {
    let PolicyError::Run { error, .. } = crashed else { anyhow::bail!("it did not run") };
    ensure!(matches!(error, RunError::Trapped(_) | RunError::Exited { .. }), "{error:?}");
    let words = crashed.to_string();
    let line = |text: &str| {
        text.trim_start_matches([':', '"', ',']).trim_start_matches(" line ").starts_with(|c: char| c.is_ascii_digit())
    };
    ensure!(words.match_indices(source).any(|(at, _)| line(&words[at + source.len()..])), "{words}");
    ensure!(words.contains("crash"), "the function is not named: {words}");
    Ok(())
}

pub(crate) async fn no_door_is_open(guest: &Guest) -> Result<()> {
    let (first, second) = (run(guest, "wasi").await?, run(guest, "wasi").await?);
    let said = |run: &Run| run.log.iter().map(|line| line.message.clone()).collect::<Vec<_>>();
    let line = said(&first).pop().context("it said nothing")?;
    says_that_no_door_is_open(&line)?;
    assert_eq!(said(&first), said(&second), "what is random is the same in every run");
    Ok(())
}

pub(crate) fn says_that_no_door_is_open(line: &str) -> Result<()> {
    ensure!(line.starts_with("files: none, environment: 0, network: none, time: "), "{line}");
    ensure!(!line.contains("moves"), "{line}");
    Ok(())
}

/// Languages without unsigned numbers: what does not fit must never become another number.
pub(crate) async fn a_number_that_does_not_fit_is_refused(guest: &Guest) -> Result<()> {
    let refused = fails(guest, "negative").await?.to_string();
    ensure!(refused.contains("-1 is not a whole number") && refused.contains("policy."), "{refused}");
    let PolicyError::Run { error, .. } = fails(guest, "large").await? else { anyhow::bail!("it did not run") };
    ensure!(matches!(error, RunError::Trapped(_)), "{error:?}");
    Ok(())
}
