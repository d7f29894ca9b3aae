//! One job: its attempts, its log as it grows, what it left, and what can be done about it.

use maud::{Markup, html};
use stead_queue::{Artifact, Cancelled, Job, Spent};

use super::super::artifacts::of_last_run;
use super::super::body::Answer;
use super::super::call::Call;
use super::super::jobs::details;
use super::super::problem::Problem;
use super::super::view::{AttemptView, JobDetails};
use super::file::{self, Picture};
use super::frame::Frame;
use super::shown::{instant, state, table, word};
use super::{component, form, logs, see};
use crate::job::{Amount, costs};
use crate::policy::{printable, printable_lines};
use crate::repo::Scope;
use crate::size::bytes;

/// How many pictures are on the page at most.
const PICTURES: usize = 12;
/// The most that is shown of a result.
const RESULT: usize = 64 << 10;

pub(super) async fn show(call: Call) -> Result<Answer, Problem> {
    let (job, details) = details(&call).await?;
    let artifacts = of_last_run(&call).await?;
    let spent = call.api.service.store.queue.spent(job.id).await?;
    let log = logs::tail(&call, &job).await?;
    let frame = Frame::of(&call);
    let content = html! {
        (facts(&details, &spent))
        (actions(&frame, &job))
        h2 { "Log" }
        (log)
        (files(&job, &artifacts))
        (result(&details))
        h2 { "Attempts" }
        (attempts(&details.history))
    };
    Ok(frame.page(&format!("Job {}", job.id), content))
}

fn facts(details: &JobDetails, spent: &[Spent]) -> Markup {
    let job = &details.job;
    let cost = |(currency, (micros, grows)): (&str, (u64, bool))| {
        let amount = Amount { micros, currency: currency.to_owned() };
        format!("{}{amount}", if grows { "at most " } else { "" })
    };
    let costs: Vec<_> = costs(spent).into_iter().map(cost).collect();
    html! {
        dl .facts {
            dt { "Policy" } dd { (printable(&job.policy)) }
            dt { "State" }
            dd { span #state { (state(&word(&job.state))) } @if job.cancelling { ", " (state("cancelling")) } }
            @if let Some(progress) = &job.progress {
                dt #progress-name { "Progress" }
                dd { progress aria-labelledby="progress-name" max="1000" value=(progress.permille) {} " "
                    (progress.permille / 10) " %, " (progress.message) }
            }
            dt { "Submitted" } dd { (instant(&job.submitted)) " UTC" }
            @if let Some(ended) = &job.ended { dt { "Ended" } dd { (instant(ended)) " UTC" } }
            dt { "Tries" } dd { (job.tries) " of " (job.attempts) ", run " (job.run) ", priority " (job.priority) }
            @if let Some(key) = &job.idempotency_key { dt { "Key" } dd { (printable(key)) } }
            @if !costs.is_empty() { dt { "Cost" } dd { (costs.join(", ")) } }
        }
    }
}

/// What the token may do about it, and the job lets itself be done.
fn actions(frame: &Frame, job: &Job) -> Markup {
    let can_retry = matches!(job.state, stead_queue::State::Failed | stead_queue::State::Dead);
    let path = |verb: &str| format!("/jobs/{}/{verb}", job.id);
    html! {
        div .actions {
            @if !job.state.has_ended() && !job.is_cancelled && frame.covers(Scope::Cancel, job.name.as_str()) {
                (frame.action(&path("cancel"), "Cancel the job"))
            }
            @if can_retry && frame.covers(Scope::Retry, job.name.as_str()) {
                (frame.action(&path("retry"), "Try it again"))
            }
        }
    }
}

fn files(job: &Job, artifacts: &[Artifact]) -> Markup {
    let address = |artifact: &Artifact| format!("/jobs/{}/files/{}", job.id, component(artifact.name.as_str()));
    let row = |artifact: &Artifact| {
        html! {
            th scope="row" { a href=(address(artifact)) { (printable(artifact.name.as_str())) } }
            td { (bytes(artifact.size)) }
            td { code { (hex::encode(artifact.digest).get(..12).unwrap_or_default()) } }
        }
    };
    let pictures =
        artifacts.iter().filter(|artifact| file::is_shown(artifact) && Picture::of(artifact.name.as_str()).is_some());
    html! {
        h2 { "Files" }
        (table("What the job left", &["Name", "Size", "SHA-256"], &artifacts.iter().map(row).collect::<Vec<_>>(), "No file."))
        div .pictures {
            @for artifact in pictures.take(PICTURES) {
                figure {
                    a href=(address(artifact)) { img src=(address(artifact)) alt=(printable(artifact.name.as_str())) loading="lazy"; }
                    figcaption { (printable(artifact.name.as_str())) }
                }
            }
        }
    }
}

fn result(details: &JobDetails) -> Markup {
    let Some(result) = &details.result else { return html! {} };
    let text = match result.as_str() {
        Some(text) => text.to_owned(),
        None => serde_json::to_string_pretty(result).unwrap_or_default(),
    };
    let end = (0..=RESULT.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    html! {
        h2 { "Result" }
        pre tabindex="0" role="region" aria-label="Result" {
            @for line in text[..end].lines() { (printable(line)) "\n" }
        }
        @if end < text.len() { p .quiet { "It is longer; the API has all of it." } }
    }
}

fn attempts(history: &[AttemptView]) -> Markup {
    let row = |attempt: &AttemptView| {
        html! {
            th scope="row" { (attempt.attempt) }
            td { (attempt.run) }
            td { (printable(&attempt.worker)) }
            td { (instant(&attempt.started)) }
            td { @if let Some(ended) = &attempt.ended { (instant(ended)) } }
            td { (state(&attempt.outcome.as_ref().map_or_else(|| "running".to_owned(), word))) }
            td { @if let Some(message) = &attempt.message { (printable_lines(message)) } }
        }
    };
    let heads = ["Attempt", "Run", "Worker", "Begun (UTC)", "Ended (UTC)", "Outcome", "Message"];
    table(
        "Attempts, the first one first",
        &heads,
        &history.iter().map(row).collect::<Vec<_>>(),
        "Nobody has begun yet.",
    )
}

pub(super) async fn cancel(mut call: Call) -> Result<Answer, Problem> {
    form::prove(&mut call).await?;
    let job = call.job().await?;
    match call.api.service.store.queue.cancel(job.id).await? {
        Cancelled::AtOnce | Cancelled::Asked => Ok(see(&format!("/jobs/{}", job.id))),
        Cancelled::TooLate(state) => {
            let detail = format!("job {} is {state} already", job.id);
            Err(Problem::new(hyper::StatusCode::CONFLICT, "already-ended", detail))
        }
    }
}

pub(super) async fn retry(mut call: Call) -> Result<Answer, Problem> {
    form::prove(&mut call).await?;
    let job = call.job().await?;
    call.api.service.store.queue.retry(job.id).await?;
    Ok(see(&format!("/jobs/{}", job.id)))
}
