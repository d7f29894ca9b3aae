//! Day to day with the apps of this machine.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Place, SessionError, Tidy};
use crate::capability::Capability;
use crate::capability::compose::{self, App, Apps, Compose, Exec, Lines, Needs, Streams, Waste};
use crate::event::{Event, Events};
use crate::journal::Journal;
use crate::lock::Lock;
use crate::machine::Machine;

/// How far back it is asked what stead brought here.
const RUNS: u32 = 500;

pub(super) async fn list(place: &Place, events: &Events) -> Result<(), SessionError> {
    events.tell(Event::Apps { apps: all(place).await? });
    Ok(())
}

/// All apps of this machine.
pub(super) async fn all(place: &Place) -> Result<Vec<App>, SessionError> {
    let machine = Machine::open(&place.root, &place.state)?;
    let latest = Journal::open(machine.state())?.latest()?;
    let owned = latest.and_then(|mut revision| revision.ownership.remove(Compose::NAME)).unwrap_or_default();
    let owned: BTreeSet<String> = owned.into_keys().collect();
    Ok(Apps::open(&machine).await?.list(&owned).await?)
}

pub(super) async fn logs(place: &Place, app: &str, lines: &Lines, events: &Events) -> Result<(), SessionError> {
    let machine = Machine::open(&place.root, &place.state)?;
    let apps = Apps::open(&machine).await?;
    let telling = apps.logs(app, lines, async |line| events.line(line).await);
    tokio::select! {
        told = telling => told?,
        () = events.unheard() => {}
    }
    events.tell(Event::AllSaid);
    Ok(())
}

pub(super) async fn restart(
    place: &Place,
    (app, services): (&str, &[String]),
    limit: Duration,
    operator: &str,
    events: &Events,
) -> Result<(), SessionError> {
    let machine = Machine::open(&place.root, &place.state)?;
    let _lock = Lock::take(machine.state(), operator, "app restart")?;
    let apps = Apps::open(&machine).await?;
    let resource = [&[app.to_owned()], services].concat().join(" ");
    let containers = recorded(&machine, ("app restart", &resource), operator, async {
        Ok(apps.restart(app, services, limit).await?)
    });
    events.tell(Event::Restarted { containers: containers.await? });
    Ok(())
}

pub(super) async fn waste(place: &Place, tidy: Tidy, events: &Events) -> Result<(), SessionError> {
    let machine = Machine::open(&place.root, &place.state)?;
    let needs = needs(&Journal::open(machine.state())?, tidy.keep)?;
    let waste = Apps::open(&machine).await?.waste(&needs, tidy.unused_for).await?;
    events.tell(Event::Waste { waste });
    Ok(())
}

pub(super) async fn clean(
    place: &Place,
    tidy: Tidy,
    agreed: &Waste,
    operator: &str,
    events: &Events,
) -> Result<(), SessionError> {
    let machine = Machine::open(&place.root, &place.state)?;
    let _lock = Lock::take(machine.state(), operator, "app clean")?;
    let needs = needs(&Journal::open(machine.state())?, tidy.keep)?;
    let apps = Apps::open(&machine).await?;
    let what: Vec<_> = agreed.images.iter().map(compose::shown).collect();
    let what = what.join(" ");
    let cleaned = recorded(&machine, ("app clean", &what), operator, async {
        Ok(apps.clean(&needs, tidy.unused_for, agreed).await?)
    });
    events.tell(Event::Cleaned { cleaned: cleaned.await? });
    Ok(())
}

/// What the journal knows of images: all of them, and those of the last revisions.
fn needs(journal: &Journal, keep: u32) -> Result<Needs, SessionError> {
    let mut needs = Needs::default();
    let fact = |run: u64| Ok::<_, SessionError>(journal.plan(run)?.observed.remove(Compose::NAME).unwrap_or_default());
    for run in journal.runs(RUNS)? {
        needs.known.extend(compose::mentioned(&fact(run.id)?));
    }
    for run in journal.runs_of_revisions(keep)? {
        needs.kept.extend(compose::wanted(&fact(run)?));
    }
    Ok(needs)
}

/// Runs a command in a container of this machine; answers with its exit code.
///
/// # Errors
/// When there is no such container, or Docker refuses.
pub async fn exec(
    place: &Place,
    exec: &Exec,
    streams: Streams<impl FnMut(bool, &[u8])>,
    operator: &str,
) -> Result<i64, SessionError> {
    let machine = Machine::open(&place.root, &place.state)?;
    let apps = Apps::open(&machine).await?;
    // Arguments may hold what is nobody's business.
    let program = exec.command.first().map(String::as_str).unwrap_or_default();
    let resource = format!("{} {}: {program}", exec.app, exec.service);
    recorded(&machine, ("app exec", &resource), operator, async { Ok(apps.exec(exec, streams).await?) }).await
}

/// Does what the journal then knows of.
pub(super) async fn recorded<T>(
    machine: &Machine,
    (what, resource): (&str, &str),
    operator: &str,
    doing: impl Future<Output = Result<T, SessionError>>,
) -> Result<T, SessionError> {
    let journal = Journal::open(machine.state())?;
    let id = journal.begin_operation(what, resource, operator)?;
    let done = doing.await;
    journal.end_operation(id, done.as_ref().err().map(ToString::to_string).as_deref())?;
    done
}
