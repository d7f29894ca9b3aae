//! A plan of a host, as `stead plan` shows it.

use maud::{Markup, html};

use super::super::body::Answer;
use super::super::call::Call;
use super::super::problem::Problem;
use super::component;
use super::frame::Frame;
use super::host::one;
use super::shown::since;
use crate::follow::Standing;
use crate::policy::printable;

/// The most lines that are shown of one.
const LINES: usize = 5000;

pub(super) async fn show(call: Call) -> Result<Answer, Problem> {
    let seen = one(&call).await?;
    let watched = seen.watched.map_err(Problem::unavailable)?;
    let (title, plan, at) = match call.arguments.get(1).map_or("", String::as_str) {
        "waiting" => match &seen.followee.standing {
            Standing::Waiting { at, .. } => ("Plan that waits", watched.waiting, *at),
            _ => return Err(Problem::not_found("no plan of this host waits for somebody")),
        },
        "drift" => match &seen.followee.drift {
            Some(drift) => ("What would mend the drift", watched.mending, drift.at),
            None => return Err(Problem::not_found("drift of this host was not looked at yet")),
        },
        "last" => ("Plan of the last run", watched.look.and_then(|look| look.last_plan), watched.at),
        _ => return Err(Problem::not_found("the plans of a host are waiting, drift and last")),
    };
    let plan = plan.ok_or_else(|| Problem::not_found("there is no such plan of this host"))?;
    let content = html! {
        p { a href={ "/hosts/" (component(&seen.name)) } { (printable(&seen.name)) } ", seen " (since(at)) "." }
        (text(&plan))
        @if title == "Plan that waits" {
            p { "To agree: " code { "stead follow approve " (printable(&seen.name)) } " on the server that follows." }
        }
    };
    Ok(Frame::of(&call).page(&format!("{title}, {}", seen.name), content))
}

fn text(plan: &str) -> Markup {
    let more = plan.lines().count().saturating_sub(LINES);
    html! {
        pre .plan tabindex="0" role="region" aria-label="Plan" {
            @for line in plan.lines().take(LINES) { (self::line(line)) "\n" }
        }
        @if more > 0 { p .quiet { "and " (more) " more lines" } }
    }
}

/// What comes and what goes is told by its sign; the colour only helps.
fn line(line: &str) -> Markup {
    let is_step = !line.starts_with(' ');
    let class = match line.trim_start().chars().next() {
        Some('+') => "good",
        Some('-') => "bad",
        Some('~' | '?' | '↻') if is_step => "warn",
        Some('@') => "quiet",
        _ => return html! { (tabbed(line)) },
    };
    html! { @if is_step { b class=(class) { (tabbed(line)) } } @else { span class=(class) { (tabbed(line)) } } }
}

fn tabbed(line: &str) -> String {
    line.split('\t').map(printable).collect::<Vec<_>>().join("\t")
}
