//! What is followed, for people.

use std::path::Path;

use super::super::saved;
use super::super::status::{drifted, json};
use super::super::table::table;
use super::super::when::when;
use super::Context;
use crate::digest::Digest;
use crate::error::{Blame, Failure};
use crate::exit::Exit;
use crate::follow::{Followee, Record, Standing};
use crate::plan::render;
use crate::policy::printable;

pub(super) fn record(folder: &Path) -> Result<Record, Failure> {
    Record::open(folder).map_err(|error| Failure::new(Blame::Host, Exit::State, &error))
}

/// All hosts, a line each, and what somebody has to do.
pub(super) fn all(record: &Record) -> String {
    let commit = record.commit.as_ref().map_or("none yet", |commit| commit.as_str());
    let mut text = format!("commit    {commit}\n");
    if let Some(refused) = &record.refused {
        text.push_str(&format!("refused   {}\n", lines(refused)));
    }
    let head = ["HOST", "IS", "SINCE", "DRIFT"].map(str::to_owned);
    let rows: Vec<_> = std::iter::once(head).chain(record.hosts.iter().map(row)).collect();
    if rows.len() > 1 {
        text.push_str(&table(&rows));
    }
    for (host, followee) in &record.hosts {
        match &followee.standing {
            Standing::Waiting { because, .. } => {
                text.push_str(&format!(
                    "{host} waits for you: `stead follow show {host}`, `stead follow approve {host}`\n"
                ));
                because.iter().for_each(|why| text.push_str(&format!("  {}\n", printable(why))));
            }
            Standing::Failed { why, .. } | Standing::Away { why, .. } => {
                text.push_str(&format!("{host}: {}\n", lines(why)));
            }
            Standing::New | Standing::Applied { .. } => {}
        }
    }
    text
}

fn row((host, followee): (&String, &Followee)) -> [String; 4] {
    let (is, since) = match &followee.standing {
        Standing::New => ("to be planned".to_owned(), None),
        Standing::Applied { at, revision: Some(revision) } => (format!("at revision {revision}"), Some(at)),
        Standing::Applied { at, revision: None } => ("as declared".to_owned(), Some(at)),
        Standing::Waiting { at, .. } => ("waiting".to_owned(), Some(at)),
        Standing::Failed { at, .. } => ("failed".to_owned(), Some(at)),
        Standing::Away { at, .. } => ("not reached".to_owned(), Some(at)),
    };
    let drift = match followee.drift.as_ref().map(|drift| &drift.found) {
        None => "not looked at".to_owned(),
        Some(Err(_)) => "not seen".to_owned(),
        Some(Ok(found)) => drifted(found),
    };
    let since = since.map(|at| when(*at)).unwrap_or_default();
    [host.clone(), is, since, drift]
}

/// One host, with the plan that waits.
pub(super) fn host(
    context: &Context,
    folder: &Path,
    record: &Record,
    host: &str,
    for_machines: bool,
) -> Result<String, Failure> {
    let followee = known(record, host)?;
    let plan = match &followee.standing {
        Standing::Waiting { .. } => saved::plans(&super::round::plan(folder, host))?.pop(),
        _ => None,
    };
    if for_machines {
        return Ok(json(&serde_json::json!({ "host": followee, "plan": plan })));
    }
    let only = Record { hosts: [(host.to_owned(), followee.clone())].into(), ..record.clone() };
    Ok(all(&only) + &plan.map(|plan| render(&plan, context.terminal.colour)).unwrap_or_default())
}

/// The plan of a host that waits for somebody.
pub(super) fn waiting(record: &Record, host: &str) -> Result<Digest, Failure> {
    match &known(record, host)?.standing {
        Standing::Waiting { plan, .. } => Ok(plan.clone()),
        _ => {
            let failure = Failure::new(Blame::Operator, Exit::Usage, &format!("no plan of {host} waits for you"));
            Err(failure.help("`stead follow show` says what each host is at"))
        }
    }
}

fn known<'a>(record: &'a Record, host: &str) -> Result<&'a Followee, Failure> {
    record.hosts.get(host).ok_or_else(|| {
        let known: Vec<_> = record.hosts.keys().map(String::as_str).collect();
        let failure = Failure::new(Blame::Operator, Exit::Usage, &format!("no host {host} is followed"));
        failure.help(match known.is_empty() {
            true => "`stead follow` has not looked yet".to_owned(),
            false => format!("those that are: {}", known.join(", ")),
        })
    })
}

fn lines(text: &str) -> String {
    text.lines().map(printable).collect::<Vec<_>>().join("\n          ")
}
