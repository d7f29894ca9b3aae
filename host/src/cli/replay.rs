//! `stead replay`: what policies would ask for now, given what an earlier run gave them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;

use super::Context;
use super::asking::{ask, unexpected};
use super::progress::Progress;
use super::targets::{anywhere, number};
use crate::error::{Blame, Failure};
use crate::event::Event;
use crate::exit::Exit;
use crate::plan::Plan;
use crate::policy::{Policy, Recorded, Runtime, printable, printable_lines};
use crate::repo::{self, Repo};
use crate::session::Request;

/// Show what the policies would ask for now, given the facts and the config of an earlier run.
///
/// Each policy of the run is run again, as the repo has it now, with the grants of the repo, and its calls are compared with
/// those of then. No machine is looked at or changed. Exits with 0 when they are the same, and with 2 when they are not.
#[derive(Debug, Args)]
pub(super) struct Replay {
    /// The run, as in `stead log`; then the host, this machine when there is none.
    #[arg(value_name = "RUN [TARGET]", required = true, num_args = 1..=2)]
    words: Vec<String>,
    /// The component to run instead of the repo's, for the only policy of the run or for the one that is named.
    #[arg(long, value_name = "[NAME=]FILE")]
    policy: Option<String>,
}

impl Replay {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let (Some(run), targets) = number(&self.words) else {
            return Err(usage("which run? `stead log` lists them"));
        };
        let repo = Repo::open(&context.repo)?;
        let machine = anywhere(context, targets.first().map(String::as_str))?;
        let answer = ask(&machine, Request::Log { run: Some(run) }, Progress::new(context.terminal, None)).await?;
        let Event::Run { plan, .. } = answer else { return Err(unexpected()) };
        let names: BTreeSet<&str> = plan.calls.iter().map(|(policy, _)| policy.as_str()).collect();
        if names.is_empty() {
            return Err(usage(&format!("run {run} ran no policy: it led to an earlier revision")));
        }
        let other = self.policy.as_deref().map(|words| named(words, &names)).transpose()?;
        let runtime = Runtime::open(&repo.folder().join(".stead/compiled"))?;
        let mut same = true;
        for name in names {
            let other = other.as_ref().filter(|(of, _)| of == name).map(|(_, path)| path.as_path());
            let now = again(&repo, &runtime, &plan, name, other).await?;
            let then: String =
                plan.calls.iter().filter(|(policy, _)| policy == name).filter_map(|(_, call)| line(call)).collect();
            same &= now == then;
            context.terminal.print(&difference(name, run, &then, &now));
        }
        Ok(if same { Exit::Done } else { Exit::Changes })
    }
}

/// What a policy asks for now, a line a call.
async fn again(
    repo: &Repo,
    runtime: &Runtime,
    plan: &Plan,
    name: &str,
    other: Option<&Path>,
) -> Result<String, Failure> {
    let Some(known) = repo.policies().find(|policy| policy.name.as_str() == name) else { return Ok(String::new()) };
    let path = other.map_or_else(|| repo.component(known), PathBuf::from);
    let component = std::fs::read(&path).map_err(|error| {
        let failure = Failure::new(Blame::Operator, Exit::Input, &format!("{}: {error}", path.display()));
        failure.help(format!("run `stead build {name}`"))
    })?;
    let host = repo.host(&plan.host);
    let policy = Policy {
        name,
        component: &component,
        grants: &known.grants,
        config: &config(plan, known),
        meshes: &host.map(|host| repo.meshes_on(host)).unwrap_or_default(),
        engines: repo.engines(),
        backups: &host.map(|host| repo.backups_on(host)).unwrap_or_default(),
        limits: known.limits,
    };
    Ok(match runtime.configure(&policy, &plan.facts).await {
        Ok(run) => run.calls.iter().filter_map(line).collect(),
        Err(error) => format!("ends: {}\n", printable(&error.to_string())),
    })
}

/// What the policy read then; that of the repo, if it read none.
fn config(plan: &Plan, known: &repo::Policy) -> Value {
    let mut read =
        plan.calls.iter().filter(|(policy, call)| policy == known.name.as_str() && call.capability == "config");
    let answer = read.next().and_then(|(_, call)| call.answer.clone());
    answer.unwrap_or_else(|| Value::Object(known.config.clone()))
}

/// A call, unless it only asked what was given, or said something.
fn line(call: &Recorded) -> Option<String> {
    if matches!(call.capability.as_str(), "facts" | "config" | "log") {
        return None;
    }
    let refused = call.refused.as_ref().map(|refused| format!(" refused: {}", printable(refused))).unwrap_or_default();
    // JSON is one line; all of it is compared, and a part of it shown where it is long.
    Some(format!("{} {}{refused}\n", call.capability, call.spec))
}

fn difference(name: &str, run: u64, then: &str, now: &str) -> String {
    if then == now {
        return format!("{name} asks for the same as in run {run}\n");
    }
    let (before, after) = (format!("{name}, run {run}"), format!("{name}, now"));
    let differs = similar::TextDiff::from_lines(then, now).unified_diff().header(&before, &after).to_string();
    format!("{}\n", printable_lines(&differs))
}

/// A policy of the run, and the file of a component.
fn named(words: &str, names: &BTreeSet<&str>) -> Result<(String, PathBuf), Failure> {
    let known = || names.iter().copied().collect::<Vec<_>>().join(", ");
    match words.split_once('=') {
        Some((name, file)) if names.contains(name) => Ok((name.to_owned(), file.into())),
        Some((name, _)) => Err(usage(&format!("the run had no policy {name}, but {}", known()))),
        None => match names.first().filter(|_| names.len() == 1) {
            Some(only) => Ok(((*only).to_owned(), words.into())),
            None => Err(usage(&format!("instead of which policy? --policy NAME={words}, one of {}", known()))),
        },
    }
}

fn usage(message: &str) -> Failure {
    Failure::new(Blame::Operator, Exit::Usage, &message)
}
