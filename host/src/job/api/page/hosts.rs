//! All hosts, as `stead follow` saw them last.

use std::path::Path;

use maud::{Markup, html};
use tokio::task::spawn_blocking;

use super::super::body::Answer;
use super::super::call::Call;
use super::super::problem::Problem;
use super::component;
use super::frame::Frame;
use super::shown::{ROWS, commit, since, state, table};
use crate::follow::{Followee, Record, Standing, Watched};
use crate::policy::printable;

/// What is known of a host.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) name: String,
    pub(super) followee: Followee,
    pub(super) watched: Result<Watched, String>,
}

pub(super) async fn list(call: Call) -> Result<Answer, Problem> {
    let (record, seen) = read(&call, None).await?;
    let frame = Frame::of(&call);
    if record == Record::default() {
        return Ok(frame.page("Hosts", nothing(call.api.service.repo().follow().is_some())));
    }
    let rows: Vec<_> = seen.iter().map(row).collect();
    let heads = ["Host", "State", "Revision", "Commit", "Applied", "Drift", "Seen"];
    let content = html! {
        dl .facts {
            dt { "Commit" } dd { (commit(record.commit.as_ref().map(|commit| commit.as_str()))) }
            @if let Some(why) = &record.refused {
                dt { "Refused" } dd .bad { (printable(why)) }
            }
        }
        (table("Hosts that are followed", &heads, &rows, "No host is followed yet."))
        @if record.hosts.len() > ROWS {
            p .quiet { "and " (record.hosts.len() - ROWS) " more: " code { "stead follow show" } }
        }
    };
    Ok(frame.page("Hosts", content))
}

/// What `stead follow` keeps: of all hosts, or of one.
pub(super) async fn read(call: &Call, only: Option<&str>) -> Result<(Record, Vec<Seen>), Problem> {
    let (folder, only) = (call.api.followed.clone(), only.map(str::to_owned));
    let read =
        spawn_blocking(move || Record::open(&folder).map(|record| (seen(&folder, &record, only.as_deref()), record)));
    let unreadable = || Problem::unavailable("what stead follow keeps cannot be read");
    let (seen, record) = read.await.map_err(|_| unreadable())?.map_err(|_| unreadable())?;
    Ok((record, seen))
}

fn seen(folder: &Path, record: &Record, only: Option<&str>) -> Vec<Seen> {
    let wanted = record.hosts.iter().filter(|(name, _)| only.is_none_or(|only| only == name.as_str()));
    let one = |(name, followee): (&String, &Followee)| {
        // Its words may name a path.
        let watched = Watched::open(folder, name).map_err(|_| "what was seen of it cannot be read".to_owned());
        Seen { name: name.clone(), followee: followee.clone(), watched }
    };
    wanted.take(ROWS).map(one).collect()
}

/// What is missing, and how to get it.
fn nothing(is_declared: bool) -> Markup {
    html! {
        @if is_declared {
            p { "Nothing has been seen yet: " code { "[follow]" } " is in stead.toml, but " code { "stead follow" } " has not looked." }
        } @else {
            p { "Hosts are shown as " code { "stead follow" } " sees them, and nothing is followed here: stead.toml has no table "
                code { "[follow]" } "." }
            pre tabindex="0" role="region" aria-label="Lines for stead.toml" { "[follow]\nremote = \"git@HOST:PATH\"\nsigned-by = [\"ssh-ed25519 …\"]\n" }
        }
        p { "It is a service of its own, with the same state folder as this one:" }
        pre tabindex="0" role="region" aria-label="Commands" { "stead follow --print-unit > /etc/systemd/system/stead-follow.service\nsystemctl enable --now stead-follow\n" }
    }
}

fn row(seen: &Seen) -> Markup {
    let look = seen.watched.as_ref().ok().and_then(|watched| watched.look.as_ref());
    let revision = look.and_then(|look| look.revision.as_ref());
    html! {
        th scope="row" { a href={ "/hosts/" (component(&seen.name)) } { (printable(&seen.name)) } }
        td { (standing(&seen.followee.standing)) }
        td { @match revision { Some(revision) => (revision.id), None => "–" } }
        td { (commit(revision.and_then(|revision| revision.commit.as_deref()))) }
        td { @match revision { Some(revision) => (since(revision.at)), None => "–" } }
        td { (drift(&seen.followee)) }
        td { (age(&seen.watched)) }
    }
}

pub(super) fn standing(standing: &Standing) -> Markup {
    match standing {
        Standing::New => state("to be planned"),
        Standing::Applied { .. } => state("as declared"),
        Standing::Waiting { .. } => state("waiting"),
        Standing::Failed { .. } => state("failed"),
        Standing::Away { .. } => state("not reached"),
    }
}

fn drift(followee: &Followee) -> Markup {
    match followee.drift.as_ref().map(|drift| &drift.found) {
        None => state("not looked at"),
        Some(Err(_)) => state("not seen"),
        Some(Ok(found)) if found.is_empty() => state("none"),
        Some(Ok(found)) => html! { span .bad { (found.len()) " resource" @if found.len() > 1 { "s" } } },
    }
}

fn age(watched: &Result<Watched, String>) -> Markup {
    match watched {
        Err(why) => html! { (why) },
        Ok(Watched { look: None, unseen: None, .. }) => html! { "not yet" },
        Ok(Watched { look, at, unseen, .. }) => html! {
            @if look.is_some() { (since(*at)) } @else { "never" }
            @if unseen.is_some() { " " (state("not reached")) }
        },
    }
}
