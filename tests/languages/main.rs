//! One suite for every language that policies are written in: what a policy asks for, what it is told, and how it ends do
//! not depend on its language. Rust is the measure.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

mod baseline;
mod door;
mod guest;
mod probe;
mod probe_job;
mod released;
mod words;

use anyhow::Result;
use stead_tests::{language, policy};

use guest::Guest;

const SOURCES: [(&str, &str); 5] = [
    ("rust", "src/lib.rs"),
    ("python", "policy.py"),
    ("javascript", "policy.js"),
    ("go", "policy.go"),
    ("c", "policy.c"),
];

/// One test for each language, because each has four components to build.
async fn holds(language: &str) -> Result<()> {
    let component = |folder: String| Guest::open(&language::component(language, &folder)?);
    let rust = |folder: &str| Guest::open(&language::component("rust", folder)?);

    let measure = rust("tests/languages/probe/rust")?;
    let probe = component(format!("tests/languages/probe/{language}"))?;
    let source = SOURCES.iter().find(|(name, _)| *name == language).unwrap().1;
    probe::calls_and_answers_are_the_same(&probe, &measure).await?;
    probe::backups_are_scheduled(&probe).await?;
    probe::errors_keep_their_shape(&probe).await?;
    probe::a_crash_has_a_place(&probe, source).await?;
    probe::no_door_is_open(&probe).await?;
    if matches!(language, "python" | "javascript") {
        probe::a_number_that_does_not_fit_is_refused(&probe).await?;
    }

    let measure = rust("tests/languages/probe-job/rust")?;
    let probe = component(format!("tests/languages/probe-job/{language}"))?;
    probe_job::calls_and_answers_are_the_same(&probe, &measure).await?;
    probe_job::failures_end_it(&probe, &measure).await?;
    probe_job::commands_end_it(&probe, &measure).await?;
    probe_job::causes_are_given(&probe, &measure).await?;
    probe_job::a_crash_has_a_place(&probe, source).await?;
    probe_job::no_door_is_open(&probe).await?;
    if matches!(language, "python" | "javascript") {
        probe_job::a_number_that_does_not_fit_is_refused(&probe).await?;
    }

    let measure = rust("guest-sdk/rust/examples/words")?;
    let words = component(format!("guest-sdk/{language}/examples/words"))?;
    words::calls_and_result_are_the_same(&words, &measure).await?;
    words::a_lost_machine_is_worth_another_attempt(&words).await?;

    if language != "rust" {
        let measure = Guest::open(&policy::component("baseline", "modules/baseline")?)?;
        let baseline = component(format!("guest-sdk/{language}/examples/baseline"))?;
        baseline::asks_for_the_same(&baseline, &measure).await?;
    }
    Ok(())
}

#[tokio::test]
async fn rust() -> Result<()> {
    holds("rust").await
}

#[tokio::test]
async fn python() -> Result<()> {
    holds("python").await
}

#[tokio::test]
async fn javascript() -> Result<()> {
    holds("javascript").await
}

#[tokio::test]
async fn go() -> Result<()> {
    holds("go").await
}

#[tokio::test]
async fn c() -> Result<()> {
    holds("c").await
}
