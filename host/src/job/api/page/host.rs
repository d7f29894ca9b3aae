//! One host: how it stands with the commit, its drift, apps, peers and runs, and the ways to its firewall and plans.

use maud::{Markup, html};

use super::super::body::Answer;
use super::super::call::Call;
use super::super::problem::Problem;
use super::frame::Frame;
use super::hosts::{Seen, read, standing};
use super::shown::{at, commit, instant_since, since, state, table, word};
use super::{component, peers};
use crate::backup::State;
use crate::capability::compose::{App, Instance};
use crate::follow::{Drift, Standing, Watched};
use crate::journal::Run;
use crate::look::Look;
use crate::policy::{printable, printable_lines};

pub(super) async fn show(call: Call) -> Result<Answer, Problem> {
    let seen = one(&call).await?;
    let content = html! {
        (facts(&seen))
        (drift(&seen))
        @match &seen.watched {
            Err(why) => p .bad { (why) },
            Ok(Watched { look: Some(look), .. }) => (parts(&seen, look)),
            Ok(Watched { unseen, .. }) => p {
                "Nothing has been seen of it yet"
                @match unseen { Some(unseen) => { ": " (printable_lines(&unseen.why)) }, None => "." }
            },
        }
    };
    Ok(Frame::of(&call).page(&seen.name, content))
}

/// The host that the path names.
pub(super) async fn one(call: &Call) -> Result<Seen, Problem> {
    let name = call.arguments.first().map_or("", String::as_str);
    let (_, mut seen) = read(call, Some(name)).await?;
    seen.pop().ok_or_else(|| Problem::not_found("no host of this name is followed"))
}

fn facts(seen: &Seen) -> Markup {
    let watched = seen.watched.as_ref().ok();
    let look = watched.and_then(|watched| watched.look.as_ref());
    let plan = |which: &str| format!("/hosts/{}/plans/{which}", component(&seen.name));
    html! {
        dl .facts {
            dt { "State" } dd { (standing(&seen.followee.standing)) (why(&seen.followee.standing)) }
            @if let Standing::Waiting { .. } = &seen.followee.standing {
                dt { "To do" }
                dd { a href=(plan("waiting")) { "Look at the plan" } ", then " code { "stead follow approve " (printable(&seen.name)) } }
            }
            @if let Some(look) = look {
                @if let Some(revision) = &look.revision {
                    dt { "Revision" }
                    dd { (revision.id) ", " (since(revision.at)) ", commit " (commit(revision.commit.as_deref())) }
                    dt { "Policies" } dd { (printable(&revision.policies.join(", "))) }
                } @else {
                    dt { "Revision" } dd { "none yet" }
                }
                @if let Some(work) = &look.at_work {
                    dt { "At work" } dd { (printable(work)) }
                }
                dt { "stead" } dd { (printable(&look.version)) }
            }
            @if let Some(watched) = watched.filter(|watched| watched.look.is_some()) {
                dt { "Seen" }
                dd {
                    (since(watched.at))
                    @if let Some(unseen) = &watched.unseen {
                        "; " (state("not reached")) " " (since(unseen.at)) ": " (printable_lines(&unseen.why))
                    }
                }
            }
        }
    }
}

fn why(standing: &Standing) -> Markup {
    html! {
        @match standing {
            Standing::New => "",
            Standing::Applied { at, .. } => { ", " (since(*at)) }
            Standing::Waiting { at, because, .. } => {
                ", " (since(*at)) ", for somebody to agree:"
                ul { @for one in because { li { (printable(one)) } } }
            }
            Standing::Failed { at, why } => { ", " (since(*at)) ": " (printable_lines(why)) }
            Standing::Away { at, why } => { ", " (since(*at)) ", and is tried again: " (printable_lines(why)) }
        }
    }
}

fn drift(seen: &Seen) -> Markup {
    let plan = format!("/hosts/{}/plans/drift", component(&seen.name));
    let drift = seen.followee.drift.as_ref();
    html! {
        h2 { "Drift" }
        @match drift {
            None => p .quiet { "Not looked at yet." },
            Some(Drift { at, found: Err(why) }) => p { (since(*at)) " it could not be seen: " (printable_lines(why)) },
            Some(Drift { at, found: Ok(found) }) if found.is_empty() => p { (state("none")) ", " (since(*at)) },
            Some(Drift { at, found: Ok(found) }) => {
                p { "Looked at " (since(*at)) ". What differs from what was applied (" a href=(plan) { "what would mend it" } "):" }
                ul { @for one in found.iter().take(super::shown::ROWS) { li .bad { code { (printable(one)) } } } }
            }
        }
    }
}

fn parts(seen: &Seen, look: &Look) -> Markup {
    let firewall = format!("/hosts/{}/firewall", component(&seen.name));
    html! {
        h2 { "Apps" }
        (apps(look))
        h2 { "Firewall" }
        p {
            @match &look.firewall {
                Err(why) => (printable_lines(why)),
                Ok(rules) => {
                    a href=(firewall) { "Rules and who gets to what listens" }
                    ": " (rules.sections.iter().map(|section| section.rows.len()).sum::<usize>()) " rules, "
                    (rules.doors.len()) " ports"
                }
            }
        }
        h2 { "VPN peers" }
        (peers::all(&look.tunnels))
        h2 { "Backups" }
        (backups(&look.backups))
        h2 { "Runs" }
        @if look.last_plan.is_some() {
            p { a href={ "/hosts/" (component(&seen.name)) "/plans/last" } { "Plan of the last run" } }
        }
        (runs(&look.runs))
    }
}

fn apps(look: &Look) -> Markup {
    let apps = match &look.apps {
        Err(why) => return html! { p .quiet { (printable_lines(why)) } },
        Ok(apps) => apps,
    };
    let heads = ["App", "Service", "Container", "Image", "State", "Health", "Ports", "Since"];
    let of_app = |app: &App| match app.instances.as_slice() {
        [] => vec![html! { th scope="row" { (name(app)) } td colspan="7" .quiet { "no container" } }],
        instances => instances.iter().map(|instance| container(app, instance)).collect(),
    };
    table("Containers of compose apps", &heads, &apps.iter().flat_map(of_app).collect::<Vec<_>>(), "No app.")
}

fn name(app: &App) -> Markup {
    html! { (printable(&app.name)) @if !app.owned { " " span .quiet { "not stead's" } } }
}

fn container(app: &App, instance: &Instance) -> Markup {
    let mark = match (instance.orphan, instance.one_off) {
        (true, _) => " orphan",
        (_, true) => " one-off",
        _ => "",
    };
    html! {
        th scope="row" { (name(app)) }
        td { (printable(&instance.service)) span .quiet { (mark) } }
        td { (printable(instance.container.as_ref().map_or("–", |(name, _)| name))) }
        td { (printable(&instance.image)) }
        td { (state(&instance.state)) @if let Some(code) = instance.exit_code { " with " (code) } }
        td { @match &instance.health { Some(health) => (state(health)), None => span .quiet { "no check" } } }
        td { (printable(&instance.ports.join(", "))) }
        td { @if let Some(since) = &instance.since { (instant_since(since)) } }
    }
}

fn backups(backups: &[State]) -> Markup {
    let row = |State { name, last }: &State| {
        html! {
            th scope="row" { (printable(name)) }
            td { @match last.made { Some(at) => (since(at)), None => "never" } }
            td { @if let Some((at, why)) = &last.failed { (state("failed")) " " (since(*at)) ": " (printable_lines(why)) } }
        }
    };
    table(
        "Backups",
        &["Backup", "Made", "Since then"],
        &backups.iter().map(row).collect::<Vec<_>>(),
        "No backup is set up.",
    )
}

fn runs(runs: &[Run]) -> Markup {
    let row = |run: &Run| {
        html! {
            th scope="row" { (run.id) }
            td { (word(&run.kind)) }
            td { (state(&word(&run.state))) }
            td { (commit(run.commit.as_deref())) }
            td { (at(run.started)) }
            td { (printable(&run.operator)) }
            td { @if let Some(error) = &run.error { (printable_lines(error)) } }
        }
    };
    let heads = ["Run", "Kind", "State", "Commit", "Begun (UTC)", "By", "Error"];
    table("The last runs", &heads, &runs.iter().map(row).collect::<Vec<_>>(), "No run yet.")
}
