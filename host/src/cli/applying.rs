//! From reviewed plans to machines that are as planned: ask the operator, then the machines, and report.

use std::time::Duration;

use clap::Args;

use super::asking::{Asked, ask, ask_all, first_failure, unexpected};
use super::planning::Planned;
use super::progress::{Progress, count};
use super::targets::Machine;
use super::vpn::keys;
use super::{Context, prompt};
use crate::error::{Blame, Failure};
use crate::event::{Event, Report};
use crate::exit::Exit;
use crate::repo::Repo;
use crate::session::{ApplyOptions, Request};

/// How to apply.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Do not ask.
    #[arg(long, short)]
    pub(super) yes: bool,
    /// Apply even a plan that closes the port by which you are connected now.
    #[arg(long)]
    pub(super) force: bool,
    /// How long you have to get in over a new connection, when the plan touches what lets you in.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(5..=3600))]
    pub(super) window: u64,
    /// Keep the change even if you cannot get in any more.
    #[arg(long)]
    pub(super) unguarded: bool,
}

impl Options {
    /// Refuses to begin when there is nobody to ask.
    ///
    /// # Errors
    /// When the operator has to be asked and there is no terminal.
    pub(super) fn somebody_can_be_asked(&self) -> Result<(), Failure> {
        if self.yes || prompt::somebody() {
            return Ok(());
        }
        let failure = Failure::new(Blame::Operator, Exit::Usage, &"there is no terminal to ask you on");
        Err(failure.help("pass --yes, or save a plan with `stead plan --out FILE` and apply that"))
    }

    fn request(&self, rollback: bool) -> ApplyOptions {
        let window = Duration::from_secs(self.window);
        ApplyOptions { window, force: self.force, unguarded: self.unguarded, rollback }
    }
}

/// Asks whether to apply what has been shown. Without a change there is nothing to ask.
pub(super) fn agreed(options: &Options, planned: &[Planned]) -> bool {
    let hosts = planned.iter().filter(|one| !one.plan.is_empty()).count();
    let question = match hosts {
        0 => return true,
        1 => "Apply this plan?".to_owned(),
        hosts => format!("Apply these plans to {hosts} hosts?"),
    };
    options.yes || prompt::yes(&question) == Some(true)
}

/// Applies the plans, all at the same time, and reports.
///
/// # Errors
/// When a machine cannot be asked what it is at.
pub(super) async fn apply(
    context: &Context,
    planned: Vec<Planned>,
    options: &Options,
    rollback: bool,
) -> Result<Exit, Failure> {
    let repo = Repo::open(&context.repo)?;
    // Before anything is done with an address, it is on record whose it is.
    repo.directory().save(repo.folder())?;
    let mut unsure = keys::unsure(&repo, &planned);
    let mut requests = Vec::new();
    for one in planned {
        if one.plan.is_empty() && is_recorded(context, &one).await? {
            continue;
        }
        let Planned { machine, bundle, plan, .. } = one;
        let (bundle, plan) = (Box::new(bundle), Box::new(plan));
        requests.push((machine, Request::Apply { bundle, plan, options: options.request(rollback) }));
    }
    let machines: Vec<Machine> = requests.iter().map(|(machine, _)| machine.clone()).collect();
    let reports: Vec<Asked<Report>> = ask_all(context, requests).await.into_iter().map(report_of).collect();
    for (machine, report) in machines.iter().zip(&reports) {
        if let Ok(report) = report {
            context.terminal.print(&said(&machine.label, report));
        }
    }
    let failed =
        |machine: &Machine| machines.iter().zip(&reports).any(|(one, report)| one == machine && report.is_err());
    unsure.retain(|(machine, _)| !failed(machine));
    let failure = first_failure(context, &machines.iter().collect::<Vec<_>>(), &reports);
    let ungathered = keys::gather(context, &repo, &unsure).await?;
    Ok(failure.or(ungathered).unwrap_or(Exit::Done))
}

/// Whether the last revision already says all that an empty plan says. What is declared anew and was as declared all
/// along has to be recorded, or its drift would go unseen.
async fn is_recorded(context: &Context, planned: &Planned) -> Result<bool, Failure> {
    if let Some(recorded) = planned.recorded {
        return Ok(recorded);
    }
    match ask(&planned.machine, Request::Status, Progress::new(context.terminal, None)).await? {
        Event::Status { status } => Ok(status.revision.is_some_and(|revision| revision.records(&planned.plan))),
        _ => Err(unexpected()),
    }
}

fn said(label: &str, report: &Report) -> String {
    let revision = report.revision.map(|revision| format!("; now at revision {revision}")).unwrap_or_default();
    let mut text = format!("{label}: {} done and verified{revision}\n", count(report.steps, "step"));
    for left in &report.left {
        text.push_str(&format!("  stays: {}\n", crate::policy::printable(left)));
    }
    text
}

fn report_of(answer: Asked<Event>) -> Asked<Report> {
    match answer? {
        Event::Report { report } => Ok(report),
        _ => Err(unexpected()),
    }
}
