//! The log of a job: its end on the page of the job, where a script lets it grow, and all of it page by page.

use maud::{Markup, html};
use serde::Deserialize;
use stead_queue::Job;

use super::super::body::Answer;
use super::super::call::Call;
use super::super::log::{follow_from, last_event, lines};
use super::super::problem::Problem;
use super::super::view::{LineView, Lines};
use super::frame::Frame;
use super::shown::word;

/// How many lines are on the page of the job.
const TAIL: u64 = 200;
/// How many on a page of its own.
const PAGE: u32 = 500;

#[derive(Default, Deserialize)]
#[serde(default)]
struct From {
    from: u64,
}

#[derive(Deserialize)]
struct After {
    after: Option<u64>,
}

/// The end of it, and where the script goes on.
pub(super) async fn tail(call: &Call, job: &Job) -> Result<Markup, Problem> {
    let from = job.next_line.saturating_sub(TAIL);
    let log = lines(call, &Lines { from, limit: PAGE }).await?;
    let stream = (!job.state.has_ended()).then(|| match log.next {
        0 => format!("/jobs/{}/log/stream", job.id),
        next => format!("/jobs/{}/log/stream?after={}", job.id, next - 1),
    });
    Ok(html! {
        p {
            a href={ "/jobs/" (job.id) "/log" } { "All of it" }
            @if from > 0 { "; here the last " (TAIL) " lines" }
            @if stream.is_some() {
                ". " span #live role="status" { "Load the page again to see what came since." }
            }
        }
        (text(&log.lines, stream.as_deref()))
    })
}

/// One page of it.
pub(super) async fn page(call: Call) -> Result<Answer, Problem> {
    let From { from } = call.query()?;
    let wanted = Lines { from: from.min(i64::MAX.unsigned_abs()), limit: PAGE };
    let (job, log) = (call.job().await?, lines(&call, &wanted).await?);
    let page = |from: u64| format!("/jobs/{}/log?from={from}", job.id);
    let content = html! {
        p { a href={ "/jobs/" (job.id) } { "Job " (job.id) } ", " (job.next_line) " lines" }
        (text(&log.lines, None))
        nav aria-label="More lines" {
            @if wanted.from > 0 { a href=(page(wanted.from.saturating_sub(PAGE.into()))) rel="prev" { "Earlier" } " " }
            @if log.next < job.next_line { a href=(page(log.next)) rel="next" { "Later" } }
        }
    };
    Ok(Frame::of(&call).page(&format!("Log of job {}", job.id), content))
}

/// What comes after a line, as server-sent events. A browser that comes back says itself where it was.
pub(super) async fn follow(call: Call) -> Result<Answer, Problem> {
    let After { after } = call.query()?;
    let after = after.filter(|after| i64::try_from(*after).is_ok());
    let last = last_event(&call)?;
    follow_from(call, last.or(after), last.is_some()).await
}

fn text(lines: &[LineView], stream: Option<&str>) -> Markup {
    html! {
        div .log tabindex="0" role="region" aria-label="Log" data-stream=[stream] {
            @for line in lines { (self::line(line)) }
            @if lines.is_empty() { p .quiet { "No line yet." } }
        }
    }
}

/// The script makes others like it.
fn line(line: &LineView) -> Markup {
    let time = line.at.get(11..19).unwrap_or_default();
    html! {
        div class={ "line " (word(&line.level)) } {
            span .number { (line.number) } " "
            time datetime=(line.at) { (time) } " "
            span .source { (line.source) } " "
            span .text { (line.text) }
        }
    }
}
