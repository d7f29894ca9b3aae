//! `stead status`: what hosts are at.

use clap::Args;
use serde::Serialize;

use super::Context;
use super::asking::{Asked, ask_all, first_failure, unexpected};
use super::planning;
use super::table::table;
use super::targets::{Machine, of_all};
use super::when::when;
use crate::backup::State;
use crate::error::Failure;
use crate::event::{Event, Status as Answer};
use crate::exit::Exit;
use crate::policy::printable;
use crate::session::{Goal, Request};

/// Show what hosts are at.
///
/// The commit and the revision that they are at, a run that was left open, and who is at work.
#[derive(Debug, Args)]
pub(super) struct Status {
    /// The hosts; all hosts of the repo when there is none, or this machine without a repo.
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    /// Compare them with what was applied, too. Needs the repo.
    #[arg(long)]
    drift: bool,
    /// Print for machines: one JSON document a line, in the order of the hosts.
    #[arg(long)]
    json: bool,
}

/// What a host is at.
#[derive(Debug, Serialize)]
struct Said {
    #[serde(flatten)]
    status: Answer,
    /// `CAPABILITY:RESOURCE`; `None`: nobody asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    drift: Option<Vec<String>>,
}

impl Status {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let machines = of_all(context, &self.targets)?;
        let mut answers = asked(context, &machines).await;
        if self.drift {
            for (machine, answer) in machines.iter().zip(&mut answers) {
                if let Ok(said) = answer {
                    match drift(context, machine).await {
                        Ok(drift) => said.drift = Some(drift),
                        Err(failure) => *answer = Err(failure),
                    }
                }
            }
        }
        let said: Vec<_> =
            machines.iter().zip(&answers).filter_map(|(one, said)| Some((one, said.as_ref().ok()?))).collect();
        let text = match (&said[..], self.json) {
            (all, true) => all.iter().map(|(_, said)| json(said)).collect(),
            ([(_, said)], false) if machines.len() == 1 => text(said),
            (all, false) => rows(all),
        };
        context.terminal.print(&text);
        Ok(first_failure(context, &machines.iter().collect::<Vec<_>>(), &answers).unwrap_or(Exit::Done))
    }
}

async fn asked(context: &Context, machines: &[Machine]) -> Vec<Asked<Said>> {
    let requests = machines.iter().map(|machine| (machine.clone(), Request::Status)).collect();
    let said = |answer: Asked<Event>| match answer? {
        Event::Status { status } => Ok(Said { status: *status, drift: None }),
        _ => Err(unexpected()),
    };
    ask_all(context, requests).await.into_iter().map(said).collect()
}

async fn drift(context: &Context, machine: &Machine) -> Asked<Vec<String>> {
    let (_, bundle) =
        planning::pack(context, std::slice::from_ref(&machine.label)).await?.pop().ok_or_else(unexpected)?;
    let request = Request::Plan { bundle: Box::new(bundle), goal: Goal::LastRevision };
    match ask_all(context, vec![(machine.clone(), request)]).await.pop().ok_or_else(unexpected)?? {
        Event::Plan { plan, .. } => Ok(plan.changed().into_iter().collect()),
        _ => Err(unexpected()),
    }
}

/// One line of JSON.
pub(super) fn json(answer: &impl Serialize) -> String {
    // Answers are plain data with string keys, which always have a JSON form.
    format!("{}\n", serde_json::to_string(answer).unwrap_or_default())
}

/// Several hosts, a line each.
fn rows(all: &[(&Machine, &Said)]) -> String {
    let head = ["HOST", "REVISION", "COMMIT", "SINCE", "DRIFT", "AT WORK"].map(str::to_owned);
    let rows: Vec<_> = std::iter::once(head).chain(all.iter().map(|(machine, said)| row(machine, said))).collect();
    table(&rows)
}

fn row(machine: &Machine, Said { status, drift }: &Said) -> [String; 6] {
    let revision = status.revision.as_ref();
    let commit = revision.and_then(|revision| revision.commit.as_deref()).unwrap_or("-");
    let (id, dirty) = commit.split_once('+').map_or((commit, ""), |(id, _)| (id, "+dirty"));
    let at_work = match (&status.holder, &status.open_run) {
        (Some(holder), _) => format!("{} by {}", holder.what, printable(&holder.operator)),
        (None, Some(run)) => format!("run {} is open", run.id),
        (None, None) => failed(&status.backups),
    };
    [
        machine.label.clone(),
        revision.map_or_else(|| "none yet".to_owned(), |revision| revision.id.to_string()),
        format!("{}{dirty}", id.get(..12).unwrap_or(id)),
        revision.map(|revision| when(revision.at)).unwrap_or_default(),
        drift.as_deref().map(drifted).unwrap_or_default(),
        at_work,
    ]
}

/// The backups that failed last, in few words.
fn failed(backups: &[State]) -> String {
    let failed = backups.iter().filter(|backup| backup.last.failed.is_some());
    failed.map(|backup| format!("backup {} failed", printable(&backup.name))).collect::<Vec<_>>().join(", ")
}

/// How a backup went last.
pub(super) fn backup(State { name, last }: &State) -> String {
    let made = last.made.map_or_else(|| "never made".to_owned(), |at| format!("last made {}", when(at)));
    match &last.failed {
        Some((at, words)) => format!("{}: failed {}: {}; {made}", printable(name), when(*at), printable(words)),
        None => format!("{}: {made}", printable(name)),
    }
}

/// How a host drifted, in few words.
pub(super) fn drifted(drift: &[String]) -> String {
    match drift {
        [] => "none".to_owned(),
        found => found.iter().map(|resource| printable(resource)).collect::<Vec<_>>().join(", "),
    }
}

fn text(Said { status, drift }: &Said) -> String {
    let mut text = format!("host      {}\nstead     {}\n", printable(&status.host), status.version);
    match &status.revision {
        Some(revision) => {
            let commit = revision.commit.as_deref().unwrap_or("no commit");
            let policies: Vec<_> = revision.policies.keys().map(String::as_str).collect();
            text.push_str(&format!("revision  {}, {}, {commit}\n", revision.id, when(revision.at)));
            text.push_str(&format!("policies  {}\n", policies.join(", ")));
        }
        None => text.push_str("revision  none yet\n"),
    }
    if let Some(drift) = drift {
        text.push_str(&format!("drift     {}\n", drifted(drift)));
    }
    for backup in &status.backups {
        text.push_str(&format!("backup    {}\n", self::backup(backup)));
    }
    match (&status.holder, &status.open_run) {
        (Some(holder), _) => {
            text.push_str(&format!("at work   {} by {}\n", holder.what, printable(&holder.operator)));
        }
        (None, Some(run)) => text.push_str(&format!(
            "open      run {} by {}: `stead recover` takes it back, and so does the next apply\n",
            run.id,
            printable(&run.operator)
        )),
        (None, None) => {}
    }
    text
}
