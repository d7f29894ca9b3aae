//! The job `probe-job`, which is the same program in every language.

use anyhow::{Context, Result, ensure};
use serde_json::json;
use stead::policy::job::{Answer, Ended, Failure, JobEnd, JobError, Outcome, http};
use stead::policy::{PolicyError, RunError};

use crate::door::{Done, Script};
use crate::guest::Guest;
use crate::probe;
use crate::words::{result, said};

const EDGE: &str = "ü☃🦀";

/// A job that is asked for one thing, with these answers.
struct Asked<'a> {
    guest: &'a Guest,
    answers: Vec<(&'static str, Vec<Answer>)>,
}

impl Asked<'_> {
    async fn run(&self, mode: &str, about: &str) -> Result<(JobEnd, Done), JobError> {
        let config = json!({ "word": EDGE, "most": u32::MAX });
        let input = json!({ "mode": mode, "about": about });
        self.guest.run_job(&input, &config, Script::new(self.answers.clone())).await
    }
}

fn asked(guest: &Guest) -> Asked<'_> {
    Asked { guest, answers: Vec::new() }
}

/// The ways in which a call fails: all have words at the edge, and the last one has no name.
fn failures() -> Vec<Answer> {
    let words = || format!("{EDGE} 100 %s \"a\"\n\\b");
    let denied = |capability: &str, asked: &str, grant: &str| Failure::Denied {
        capability: capability.to_owned(),
        asked: asked.to_owned(),
        grant: grant.to_owned(),
    };
    let failures = [
        denied("vm", EDGE, "[policy.x.grant.vm]\nimages = [\"☃\"]"),
        denied("", "", ""),
        Failure::invalid("lifetime", words()),
        Failure::invalid("", ""),
        Failure::NoCapacity(words()),
        Failure::Lost(words()),
        Failure::Preempted(String::new()),
        Failure::TooLarge(words()),
        Failure::Unreachable(words()),
        Failure::Other(words()),
    ];
    failures.map(Answer::Failed).into()
}

/// Answers, and then the failures up to the first that has no name for the interface.
fn then_failures(call: &'static str, mut answers: Vec<Answer>) -> (&'static str, Vec<Answer>) {
    let is_named = |failure: &Answer| match failure {
        Answer::Failed(Failure::NoCapacity(_)) => call.starts_with("vm."),
        Answer::Failed(Failure::Lost(_) | Failure::Preempted(_)) => call.starts_with("vm.") || call.starts_with("cont"),
        Answer::Failed(Failure::TooLarge(_)) => !call.starts_with("artifact."),
        Answer::Failed(Failure::Unreachable(_)) => call.starts_with("http."),
        Answer::Failed(Failure::Other(_)) => false,
        _ => true,
    };
    let last = Answer::Failed(Failure::Other(format!("{EDGE} is all")));
    answers.extend(failures().into_iter().filter(is_named).chain([last]));
    (call, answers)
}

fn outcomes() -> Vec<Answer> {
    let ended = |outcome, output: &str| Answer::Ended(Ended { outcome, output: output.to_owned() });
    vec![
        ended(Outcome::Exited(0), ""),
        ended(Outcome::Exited(u8::MAX), EDGE),
        ended(Outcome::Killed("KILL".to_owned()), "a\nb"),
        ended(Outcome::Killed(String::new()), "***"),
        ended(Outcome::OutOfMemory, &"9".repeat(64 << 10)),
        ended(Outcome::TimedOut, "\u{1b}[2J"),
    ]
}

fn responses(count: usize) -> Vec<Answer> {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let response =
        |status, headers, body: &[u8]| Answer::Response(http::Response { status, headers, body: body.into() });
    let full = response(u16::MAX, vec![header("etag", "\"☃\""), header("etag", ""), header("x", EDGE)], &[0, 128, 255]);
    (0..count)
        .map(|_| full.clone())
        .chain([response(0, Vec::new(), &[]), response(404, Vec::new(), &[0; 2000])])
        .collect()
}

/// What a job is answered that calls everything.
fn answers() -> Vec<(&'static str, Vec<Answer>)> {
    let text = |words: &str| Answer::Text(words.to_owned());
    let names = |names: &[&str]| Answer::Names(names.iter().map(|name| (*name).to_owned()).collect());
    let done = |count| vec![Answer::Done; count];
    let numbers = || [0, 0x7fff_ffff, 0x8000_0000, u32::MAX].map(Answer::Number).to_vec();
    let files = [&[][..], &[0, 128, 255], EDGE.as_bytes()].map(|bytes| Answer::Bytes(bytes.to_vec()));
    vec![
        ("clock.now", vec![text("2026-11-26T12:00:00Z"), text("")]),
        ("artifact.names", vec![names(&[]), names(&["", "a", EDGE])]),
        then_failures("artifact.put", done(3)),
        then_failures("artifact.get", files.to_vec()),
        then_failures("vm.launch", done(2)),
        then_failures("vm.launch-any", numbers()),
        then_failures("vm.wait-ready", done(2)),
        then_failures("vm.start", numbers()),
        then_failures("vm.start-with-secrets", numbers()),
        then_failures("vm.wait", outcomes()),
        then_failures("vm.wait-any", numbers()),
        then_failures("vm.upload", done(4)),
        then_failures("vm.download", done(1)),
        then_failures("vm.destroy", done(1)),
        then_failures("container.start", numbers()),
        then_failures("container.wait", outcomes()),
        then_failures("container.wait-any", numbers()),
        then_failures("container.download", done(1)),
        then_failures("container.remove", done(1)),
        then_failures("http.send", responses(10)),
        then_failures("http.download", responses(1)),
    ]
}

pub(crate) async fn calls_and_answers_are_the_same(guest: &Guest, measure: &Guest) -> Result<()> {
    let all = |guest| Asked { guest, answers: answers() };
    let (theirs, expected) = all(measure).run("calls", "").await.map_err(said)?;
    let (ours, did) = all(guest).run("calls", "").await.map_err(said)?;
    let given: usize = answers().iter().map(|(_, answers)| answers.len()).sum();
    // Those that sleep have no list.
    ensure!(expected.calls.len() == given + 2, "{} of {given} answers", expected.calls.len());
    for (ours, theirs) in did.calls.iter().zip(&expected.calls) {
        assert_eq!(ours, theirs);
    }
    for (ours, theirs) in did.said.iter().zip(&expected.said) {
        assert_eq!(ours, theirs);
    }
    assert_eq!(did, expected);
    assert_eq!(result(&ours)?, result(&theirs)?);
    assert_eq!(result(&ours)?, json!({ "word": EDGE, "most": u32::MAX, "none": null }));
    Ok(())
}

/// What a job does not catch ends it, in the same words and with the same cause.
pub(crate) async fn failures_end_it(guest: &Guest, measure: &Guest) -> Result<()> {
    let calls =
        [("vm", "vm.launch"), ("container", "container.remove"), ("http", "http.send"), ("artifact", "artifact.put")];
    let mut again = 0;
    for (about, call) in calls {
        for failure in failures() {
            let fails = |guest| Asked { guest, answers: vec![(call, vec![failure.clone()])] };
            again += usize::from(same(fails(guest), fails(measure), "fails", about).await?);
        }
    }
    ensure!(again == 6, "{again} of all failures are worth another attempt");
    Ok(())
}

/// The same of what the SDK does with a command from its start to its end.
pub(crate) async fn commands_end_it(guest: &Guest, measure: &Guest) -> Result<()> {
    for outcome in outcomes().into_iter().skip(1) {
        for (about, start, wait) in
            [("script", "vm.start", "vm.wait"), ("command", "container.start", "container.wait")]
        {
            let answers = vec![(start, vec![Answer::Number(u32::MAX)]), (wait, vec![outcome.clone()])];
            let fails = |guest| Asked { guest, answers: answers.clone() };
            ensure!(!same(fails(guest), fails(measure), "fails", about).await?, "another attempt");
        }
    }
    Ok(())
}

pub(crate) async fn causes_are_given(guest: &Guest, measure: &Guest) -> Result<()> {
    for cause in ["temporary", "vm-lost", "no-capacity", "preempted"] {
        ensure!(same(asked(guest), asked(measure), "again", cause).await?, "no other attempt for {cause}");
        ensure!(!same(asked(guest), asked(measure), "because", cause).await?, "another attempt for {cause}");
    }
    let (end, _) = asked(guest).run("because", "preempted").await.map_err(said)?;
    ensure!(matches!(end, JobEnd::Failed { because: Some(stead::policy::job::Cause::Preempted), .. }), "{end:?}");
    Ok(())
}

/// Both fail, and in the same way; whether that is worth another attempt.
async fn same(ours: Asked<'_>, theirs: Asked<'_>, mode: &str, about: &str) -> Result<bool> {
    let (ours, theirs) = (ours.run(mode, about).await.map_err(said)?, theirs.run(mode, about).await.map_err(said)?);
    let JobEnd::Failed { retry, .. } = theirs.0 else { anyhow::bail!("{mode} {about}: {theirs:?}") };
    assert_eq!(ours, theirs, "{mode} {about}");
    Ok(retry)
}

pub(crate) async fn a_crash_has_a_place(guest: &Guest, source: &str) -> Result<()> {
    probe::has_a_place(&crashes(guest, "crash").await?, source)
}

async fn crashes(guest: &Guest, mode: &str) -> Result<PolicyError> {
    match asked(guest).run(mode, "").await {
        Err(JobError::Policy(error)) => Ok(error),
        other => anyhow::bail!("{mode}: {other:?}"),
    }
}

pub(crate) async fn no_door_is_open(guest: &Guest) -> Result<()> {
    let (_, first) = asked(guest).run("wasi", "").await.map_err(said)?;
    let (_, second) = asked(guest).run("wasi", "").await.map_err(said)?;
    probe::says_that_no_door_is_open(&first.said.last().context("it said nothing")?.1)?;
    assert_eq!(first, second, "what is random is the same in every run");
    Ok(())
}

/// As in [`probe`], also where the number is not in a record.
pub(crate) async fn a_number_that_does_not_fit_is_refused(guest: &Guest) -> Result<()> {
    for (mode, words) in [
        ("negative", "-1 is not a whole number from 0 to 4294967295"),
        ("large", "4294967296 is not a whole number from 0 to 4294967295"),
        ("short", "70000 is not a whole number from 0 to 65535"),
        ("permille", "65536 is not a whole number from 0 to 65535"),
    ] {
        let error = crashes(guest, mode).await?;
        let refused = error.to_string();
        ensure!(refused.contains(words) && refused.contains("policy."), "{mode}: {refused}");
        let PolicyError::Run { error, .. } = error else { anyhow::bail!("it did not run") };
        ensure!(matches!(error, RunError::Trapped(_)), "{error:?}");
    }
    Ok(())
}
