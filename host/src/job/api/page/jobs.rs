//! The jobs that the token may touch, the newest first.

use maud::{Markup, html};
use serde::Deserialize;

use super::super::body::Answer;
use super::super::call::Call;
use super::super::jobs::listed;
use super::super::problem::Problem;
use super::super::view::{JobState, JobView, Wanted};
use super::component;
use super::frame::Frame;
use super::shown::{instant, state, table, word};
use crate::policy::printable;

/// How many on a page.
const PAGE: u32 = 50;
const STATES: [JobState; 6] =
    [JobState::Queued, JobState::Running, JobState::Succeeded, JobState::Failed, JobState::Cancelled, JobState::Dead];

/// As the form has it: a field that nothing was put into is there, and empty.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Filter {
    state: String,
    policy: String,
    before: String,
}

pub(super) async fn list(call: Call) -> Result<Answer, Problem> {
    let filter: Filter = call.query()?;
    let wrong = |field: &str| Problem::invalid(format!("{field} cannot be read"));
    let set = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let state = set(&filter.state).map(|text| serde_json::from_value(text.into())).transpose();
    let before = set(&filter.before).map(|text| text.parse()).transpose().ok();
    let wanted = Wanted {
        policy: set(&filter.policy).map(|text| text.parse()).transpose().map_err(|_| wrong("policy"))?,
        state: state.map_err(|_| wrong("state"))?,
        before: before
            .filter(|before| before.is_none_or(|number: u64| i64::try_from(number).is_ok()))
            .ok_or_else(|| wrong("before"))?,
        limit: PAGE,
    };
    let jobs = listed(&call, &wanted).await?;
    let rows: Vec<_> = jobs.jobs.iter().map(row).collect();
    let heads = ["Job", "Policy", "State", "Progress", "Submitted (UTC)", "Ended (UTC)", "Tries"];
    let content = html! {
        (fields(&filter))
        (table("Jobs, the newest first", &heads, &rows, "No job."))
        (ways(&filter, jobs.next))
    };
    Ok(Frame::of(&call).page("Jobs", content))
}

fn fields(filter: &Filter) -> Markup {
    html! {
        form .filter role="search" aria-label="Jobs" action="/jobs" {
            label for="state" { "State" }
            select #state name="state" {
                option value="" { "all" }
                @for state in STATES.iter().map(word) {
                    option value=(state) selected[state == filter.state] { (state) }
                }
            }
            label for="policy" { "Policy" }
            input #policy name="policy" value=(filter.policy) autocomplete="off" spellcheck="false";
            button { "Show" }
        }
    }
}

fn ways(filter: &Filter, next: Option<u64>) -> Markup {
    let page = |before: &str| {
        format!("/jobs?state={}&policy={}&before={before}", component(&filter.state), component(&filter.policy))
    };
    html! {
        @if next.is_some() || !filter.before.is_empty() {
            nav aria-label="More jobs" {
                @if !filter.before.is_empty() { a href=(page("")) { "The newest" } " " }
                @if let Some(next) = next { a href=(page(&next.to_string())) rel="next" { "Older ones" } }
            }
        }
    }
}

fn row(job: &JobView) -> Markup {
    html! {
        th scope="row" { a href={ "/jobs/" (job.id) } { (job.id) } }
        td { (printable(&job.policy)) }
        td { (state(&word(&job.state))) @if job.cancelling { ", " (state("cancelling")) } }
        td { @if let Some(progress) = &job.progress { (progress.permille / 10) " %, " (progress.message) } }
        td { (instant(&job.submitted)) }
        td { @if let Some(ended) = &job.ended { (instant(ended)) } }
        td { (job.tries) " of " (job.attempts) }
    }
}
