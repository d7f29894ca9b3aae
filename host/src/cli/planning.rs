//! From the repo to one plan for each machine: pack, ask, show.

use std::collections::BTreeMap;

use super::asking::{Asked, ask_all, first_failure, unexpected};
use super::targets::{Machine, of_repo};
use super::{Context, prompt};
use crate::error::Failure;
use crate::event::Event;
use crate::exit::Exit;
use crate::plan::{Plan, render};
use crate::repo::{Bundle, Host, Identity, Repo, Secrets};
use crate::secret::Secret;
use crate::session::{Goal, Request};

/// A machine, what it was sent, and its plan.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) machine: Machine,
    pub(super) bundle: Bundle,
    pub(super) plan: Plan,
    /// Whether the last revision already says all that the plan says; `None`: the machine was not asked.
    pub(super) recorded: Option<bool>,
}

/// A machine and the bundle of its host.
pub(super) type Packed = (Machine, Bundle);

/// The bundles for the machines that `words` stand for.
///
/// # Errors
/// When the repo cannot be used, or a word stands for no host.
pub(super) async fn pack(context: &Context, words: &[String]) -> Result<Vec<Packed>, Failure> {
    let repo = Repo::open(&context.repo)?;
    let machines = of_repo(context, &repo, words)?;
    let hosts: Vec<&Host> = machines.iter().filter_map(|(_, host)| repo.host(host)).collect();
    let secrets = secrets(&repo, &hosts)?;
    let mut packed = Vec::new();
    for ((machine, _), host) in machines.iter().zip(hosts) {
        packed.push((machine.clone(), Bundle::pack(&repo, host, &secrets).await?));
    }
    Ok(packed)
}

/// Asks each machine for its plan.
///
/// # Errors
/// The exit code of the first failure; all failures have then been shown.
pub(super) async fn plan(context: &Context, packed: Vec<Packed>, goals: &[Goal]) -> Result<Vec<Planned>, Exit> {
    let request = |((machine, bundle), goal): (&Packed, &Goal)| {
        (machine.clone(), Request::Plan { bundle: Box::new(bundle.clone()), goal: *goal })
    };
    let requests = packed.iter().zip(goals).map(request).collect();
    let answers: Vec<Asked<(Plan, bool)>> = ask_all(context, requests).await.into_iter().map(plan_of).collect();
    let machines: Vec<&Machine> = packed.iter().map(|(machine, _)| machine).collect();
    if let Some(exit) = first_failure(context, &machines, &answers) {
        return Err(exit);
    }
    let planned = |((machine, bundle), answer): (Packed, Asked<(Plan, bool)>)| {
        let (plan, recorded) = answer.ok()?;
        Some(Planned { machine, bundle, plan, recorded: Some(recorded) })
    };
    Ok(packed.into_iter().zip(answers).filter_map(planned).collect())
}

/// Shows the plans for people, each under the name of its machine when there are several.
pub(super) fn show(context: &Context, planned: &[Planned]) {
    for one in planned {
        let text = render(&one.plan, context.terminal.colour);
        let heading = if planned.len() > 1 { format!("── {}\n", one.machine.label) } else { String::new() };
        context.terminal.print(&format!("{heading}{text}"));
    }
}

/// Shows the plans for machines: one JSON document a line, in the order of the targets.
pub(super) fn show_json(context: &Context, planned: &[Planned]) {
    for one in planned {
        // Maps with string keys and no floats: this always has a JSON form.
        let line = serde_json::to_string(&one.plan).unwrap_or_default();
        context.terminal.print(&format!("{line}\n"));
    }
}

/// The secrets, when some policy of these hosts may use any: a plan without them asks for no key.
pub(super) fn secrets(repo: &Repo, hosts: &[&Host]) -> Result<BTreeMap<String, Secret<String>>, Failure> {
    let wanted = |host: &&Host| repo.policies_of(host).iter().any(|policy| !policy.secrets.is_empty());
    if !Secrets::exist(repo) || !hosts.iter().any(wanted) {
        return Ok(BTreeMap::new());
    }
    let identity = Identity::find(&Identity::places(), prompt::hidden)?;
    Ok(Secrets::open(repo, &identity)?.values())
}

fn plan_of(answer: Asked<Event>) -> Asked<(Plan, bool)> {
    match answer? {
        Event::Plan { plan, recorded } => Ok((*plan, recorded)),
        _ => Err(unexpected()),
    }
}
