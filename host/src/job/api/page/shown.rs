//! How points in time, amounts and words look on every page.

use jiff::Timestamp;
use maud::{Markup, html};
use serde::Serialize;

use crate::policy::printable;
use crate::when::{ago, when};

/// The most rows of a table that is not read page by page.
pub(super) const ROWS: usize = 500;

/// How long ago something was, with its date.
pub(super) fn since(milliseconds: i64) -> Markup {
    let seconds = Timestamp::now().as_millisecond().saturating_sub(milliseconds) / 1000;
    let (said, machine) = (when(milliseconds), iso(milliseconds));
    html! { time datetime=(machine) title=(said) { (ago(u64::try_from(seconds).unwrap_or_default())) } }
}

/// The date.
pub(super) fn at(milliseconds: i64) -> Markup {
    html! { time datetime=(iso(milliseconds)) { (when(milliseconds).trim_end_matches(" UTC")) } }
}

/// The date of an instant as the API writes it.
pub(super) fn instant(text: &str) -> Markup {
    match text.parse::<Timestamp>() {
        Ok(instant) => at(instant.as_millisecond()),
        Err(_) => html! { (printable(text)) },
    }
}

/// How long ago such an instant was.
pub(super) fn instant_since(text: &str) -> Markup {
    match text.parse::<Timestamp>() {
        Ok(instant) => since(instant.as_millisecond()),
        Err(_) => html! { (printable(text)) },
    }
}

fn iso(milliseconds: i64) -> String {
    Timestamp::from_millisecond(milliseconds).map(|at| at.to_string()).unwrap_or_default()
}

/// The beginning of a commit's id, and whether the work tree had changes.
pub(super) fn commit(commit: Option<&str>) -> Markup {
    let Some(commit) = commit else { return html! { "–" } };
    let (id, dirty) = commit.split_once('+').unwrap_or((commit, ""));
    let short = id.get(..12).unwrap_or(id);
    html! { code title=(printable(commit)) { (printable(short)) } @if !dirty.is_empty() { "+" (printable(dirty)) } }
}

/// The word that the API has for it.
pub(super) fn word(value: &impl Serialize) -> String {
    // A unit variant is a text.
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// A word that is good, bad or neither, which is said by the word and not by its colour alone.
pub(super) fn state(word: &str) -> Markup {
    let class = match word {
        "succeeded" | "healthy" | "running" | "applied" | "as declared" | "none" | "accept" => "good",
        "failed" | "dead" | "unhealthy" | "missing" | "exited" | "broken" | "stale" | "drifted" | "preempted" => "bad",
        "waiting" | "cancelling" | "starting" | "restarting" | "undone" | "not reached" | "remains" => "warn",
        _ => "quiet",
    };
    html! { span class=(class) { (printable(word)) } }
}

/// A heading and a table, with a name for whoever does not see where it stands; or what is said when it has no row.
pub(super) fn table(caption: &str, heads: &[&str], rows: &[Markup], empty: &str) -> Markup {
    html! {
        @if rows.is_empty() {
            p .quiet { (empty) }
        } @else {
            div .scroll tabindex="0" role="region" aria-label=(caption) {
                table {
                    caption { (caption) }
                    thead { tr { @for head in heads { th scope="col" { (head) } } } }
                    tbody { @for row in rows.iter().take(ROWS) { tr { (row) } } }
                }
            }
            @if rows.len() > ROWS {
                p .quiet { "and " (rows.len() - ROWS) " more" }
            }
        }
    }
}
