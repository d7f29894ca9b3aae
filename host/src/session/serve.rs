//! One function for each request.

use std::collections::BTreeSet;
use std::time::Duration;

use super::planning::Planning;
use super::{ApplyOptions, Envelope, Goal, Place, Request, SessionError, apps, backups, look};
use crate::apply::{Apply, recover};
use crate::capability::firewall::{self, Firewall, Listening, Transport};
use crate::capability::vpn::{self, Vpn};
use crate::capability::{self, Capability, Declared};
use crate::event::{Event, Events, Report, Status};
use crate::guard::Guard;
use crate::installed;
use crate::journal::{Journal, Kind, Run};
use crate::lock::{Lock, LockError};
use crate::machine::{Facts, Machine, SshSession};
use crate::plan::Plan;
use crate::repo::Bundle;

/// How many runs a log lists.
const RUNS: u32 = 50;

/// How long the guard waits for an apply that is still at work.
const WATCH: Duration = Duration::from_secs(6 * 3600);

/// What was declared of the firewall, and who listens.
type Rules = (Vec<Declared<firewall::Spec>>, BTreeSet<Listening>);

/// Serves one request; everything worth knowing is told as events.
///
/// # Errors
/// When it could not be served.
pub async fn serve(place: &Place, envelope: Envelope, events: &Events) -> Result<(), SessionError> {
    let operator = envelope.operator;
    match envelope.request {
        Request::Plan { bundle, goal } => plan(place, *bundle, goal, events).await,
        Request::Apply { bundle, plan, options } => apply(place, *bundle, &plan, options, &operator, events).await,
        Request::Facts { host } => {
            let facts = Facts::read(&place.machine()?, &host).await?;
            events.tell(Event::Facts { facts });
            Ok(())
        }
        Request::Status => {
            events.tell(Event::Status { status: Box::new(status(place)?) });
            Ok(())
        }
        Request::Look => look::look(place, events).await,
        Request::Log { run } => log(place, run, events),
        Request::Firewall => {
            let (specs, listening) = rules(place).await?;
            events.tell(Event::Firewall { specs, listening });
            Ok(())
        }
        Request::Vpn => {
            events.tell(Event::Vpn { tunnels: tunnels(place).await? });
            Ok(())
        }
        Request::NextKey { interface } => next_key(place, &interface, &operator, events),
        Request::Apps => apps::list(place, events).await,
        Request::AppLogs { app, lines } => apps::logs(place, &app, &lines, events).await,
        Request::RestartApp { app, services, limit } => {
            apps::restart(place, (&app, &services), limit, &operator, events).await
        }
        Request::AppWaste { tidy } => apps::waste(place, tidy, events).await,
        Request::CleanApps { tidy, agreed } => apps::clean(place, tidy, &agreed, &operator, events).await,
        Request::Backup { name, deed } => backups::deed(place, name.as_deref(), deed, &operator, events).await,
        Request::Snapshots { name } => backups::snapshots(place, name.as_deref(), events).await,
        Request::Restorable { wish } => backups::restorable(place, &wish, events).await,
        Request::Restore { agreed, how } => backups::restore(place, &agreed, how, &operator, events).await,
        Request::Recover => take_back(place, &operator, events).await,
        Request::Confirm { run } => {
            journal(place)?.confirm(run)?;
            events.tell(Event::Confirmed { run });
            Ok(())
        }
    }
}

async fn plan(place: &Place, bundle: Bundle, goal: Goal, events: &Events) -> Result<(), SessionError> {
    let planning = Planning::for_goal(place, bundle, goal, events)?;
    if let Some(run) = planning.journal.open_run()? {
        events.note(format!("run {} by {} was left open; the next apply takes it back first", run.id, run.operator));
    }
    let plan = Box::new(planning.plan(goal).await?);
    let recorded = planning.journal.latest()?.is_some_and(|revision| revision.records(&plan));
    // An apply without a step still makes this program the one of the machine.
    let recorded = recorded && installed::own().is_ok_and(|own| installed::has_name(&place.root, &own));
    events.tell(Event::Plan { plan, recorded });
    Ok(())
}

async fn apply(
    place: &Place,
    bundle: Bundle,
    plan: &Plan,
    options: ApplyOptions,
    operator: &str,
    events: &Events,
) -> Result<(), SessionError> {
    let mut planning = Planning::for_plan(place, bundle, plan, events)?;
    let _lock = Lock::take(planning.machine.state(), operator, "apply")?;
    if let Some((run, undone)) = recover(&planning.machine, &planning.journal, events, "left open").await?
        && !undone.failed.is_empty()
    {
        return Err(SessionError::NotRecovered { run, failed: undone.failed });
    }
    let granted_before = options.rollback && planning.journal.has_declared(&plan.specs)?;
    planning.still_fits(plan, granted_before).await?;
    planning.keep_apps()?;
    if !options.force {
        refuse_cut_off(plan).await?;
    }
    let guarded = planning.machine.is_live() && !options.unguarded;
    let guard = if guarded { Guard::new(options.window, &planning.machine)? } else { Guard::off() };
    let kind = if options.rollback { Kind::Rollback } else { Kind::Apply };
    let grants = planning.grants();
    let grants = (!granted_before).then_some(&grants);
    let apply = Apply { machine: &planning.machine, journal: &mut planning.journal, events, guard, grants };
    let report = apply.run(plan, kind, operator).await.map_err(Box::new)?;
    if let Err(error) = installed::own().and_then(|own| installed::take_name(&place.root, &own)) {
        events.note(format!("`stead` is still another program on this machine: {error}"));
    }
    events.tell(Event::Report { report });
    Ok(())
}

/// Refuses a plan that closes the way by which the operator's own session came in.
async fn refuse_cut_off(plan: &Plan) -> Result<(), SessionError> {
    let Some(session) = SshSession::current().await else { return Ok(()) };
    for capability in capability::ALL {
        let name = capability.name();
        let steps: Vec<_> = plan.steps.iter().filter(|planned| planned.capability == name).collect();
        if steps.is_empty() {
            continue;
        }
        for planned in steps {
            if let Some(reason) = capability.action_cuts_off(&planned.step.action, &session)? {
                return Err(SessionError::CutOff(reason));
            }
        }
        let specs = plan.specs.get(name).map(Vec::as_slice).unwrap_or_default();
        if let Some(reason) = capability.cuts_off(specs, &session)? {
            return Err(SessionError::CutOff(reason));
        }
    }
    Ok(())
}

pub(super) fn status(place: &Place) -> Result<Status, SessionError> {
    let journal = journal(place)?;
    Ok(Status {
        host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        revision: journal.latest()?,
        open_run: journal.open_run()?,
        backups: crate::backup::states(&Machine::open(&place.root, &place.state)?),
        holder: match Lock::take(&place.state, "status", "status") {
            Err(LockError::Held(holder)) => Some(holder),
            _ => None,
        },
    })
}

/// What the last revision declared of the firewall, and who listens.
pub(super) async fn rules(place: &Place) -> Result<Rules, SessionError> {
    let mut specs = journal(place)?.latest()?.map(|revision| revision.specs).unwrap_or_default();
    let mut listening = firewall::listening()?;
    // The kernel itself listens for these, so no process does.
    let tunnels = vpn::status(&specs.remove(Vpn::NAME).unwrap_or_default()).await?;
    let ports = tunnels.iter().filter_map(|tunnel| tunnel.listen_port);
    listening.extend(ports.map(|port| Listening::everywhere(Transport::Udp, port, "wireguard")));
    let specs = firewall::recorded(specs.remove(Firewall::NAME).unwrap_or_default())?;
    Ok((specs, listening))
}

pub(super) async fn tunnels(place: &Place) -> Result<Vec<vpn::Tunnel>, SessionError> {
    let mut specs = journal(place)?.latest()?.map(|revision| revision.specs).unwrap_or_default();
    Ok(vpn::status(&specs.remove(Vpn::NAME).unwrap_or_default()).await?)
}

/// The last runs, the newest first, and the plan of that one.
pub(super) fn runs(place: &Place, most: u32) -> Result<(Vec<Run>, Option<Plan>), SessionError> {
    let journal = journal(place)?;
    let runs = journal.runs(most)?;
    // One of another version of stead is not shown.
    let plan = runs.first().and_then(|run| journal.plan(run.id).ok());
    Ok((runs, plan))
}

fn next_key(place: &Place, interface: &vpn::Name, operator: &str, events: &Events) -> Result<(), SessionError> {
    let machine = Machine::open(&place.root, &place.state)?;
    let _lock = Lock::take(machine.state(), operator, "vpn rotate")?;
    let public_key = Vpn::open(machine.into()).next_key(interface).map_err(SessionError::NextKey)?;
    events.tell(Event::NextKey { public_key });
    Ok(())
}

fn log(place: &Place, run: Option<u64>, events: &Events) -> Result<(), SessionError> {
    let journal = journal(place)?;
    match run {
        None => {
            events.tell(Event::Runs { runs: journal.runs(RUNS)?, operations: journal.operations(RUNS)? });
        }
        Some(id) => events.tell(Event::Run {
            run: Box::new(journal.run(id)?),
            steps: journal.steps(id)?,
            plan: Box::new(journal.plan(id)?),
        }),
    }
    Ok(())
}

async fn take_back(place: &Place, operator: &str, events: &Events) -> Result<(), SessionError> {
    let machine = Machine::open(&place.root, &place.state)?;
    let _lock = Lock::take(machine.state(), operator, "recover")?;
    let journal = Journal::open(machine.state())?;
    let taken = recover(&machine.into(), &journal, events, &format!("recovered by {operator}")).await?;
    let revision = journal.latest()?.map(|revision| revision.id);
    let report = match taken {
        None => Report { revision, ..Report::default() },
        Some((run, undone)) if undone.failed.is_empty() => {
            Report { run: Some(run), revision, steps: undone.steps, left: undone.left }
        }
        Some((run, undone)) => return Err(SessionError::NotRecovered { run, failed: undone.failed }),
    };
    events.tell(Event::Report { report });
    Ok(())
}

/// What the guard's timer starts: waits until the apply has ended or died, and takes an open run back.
///
/// # Errors
/// When the run cannot be taken back.
pub async fn watch(place: &Place, run: u64, events: &Events) -> Result<(), SessionError> {
    let until = tokio::time::Instant::now() + WATCH;
    loop {
        match Lock::take(&place.state, "the guard", &format!("take back run {run}")) {
            Ok(lock) => {
                drop(lock);
                break;
            }
            Err(LockError::Held(_)) if tokio::time::Instant::now() < until => {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
    match journal(place)?.open_run()? {
        Some(open) if open.id == run => take_back(place, "the guard", events).await,
        _ => Ok(()),
    }
}

fn journal(place: &Place) -> Result<Journal, SessionError> {
    let machine = Machine::open(&place.root, &place.state)?;
    Ok(Journal::open(machine.state())?)
}
