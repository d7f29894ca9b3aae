//! Looks at this machine for whoever only watches.

use jiff::Timestamp;

use super::serve::{rules, runs, status, tunnels};
use super::{Place, SessionError, apps};
use crate::capability::firewall::{doors, table};
use crate::event::{Event, Events, Status};
use crate::look::{AtRevision, Look, Part, Rules, shown};

/// How many runs are shown.
const RUNS: u32 = 20;

/// What cannot be seen does not hide the rest.
///
/// # Errors
/// When there is no record here that could be read.
pub(super) async fn look(place: &Place, events: &Events) -> Result<(), SessionError> {
    let Status { version, revision, open_run, holder, backups, .. } = status(place)?;
    let held = holder.map(|holder| format!("{} by {}", holder.what, holder.operator));
    let (runs, last_plan) = runs(place, RUNS)?;
    let look = Look {
        at: Timestamp::now().as_millisecond(),
        version,
        revision: revision.map(|revision| AtRevision {
            id: revision.id,
            commit: revision.commit,
            at: revision.at,
            policies: revision.policies.into_keys().collect(),
        }),
        at_work: held.or_else(|| open_run.map(|run| format!("run {} is open", run.id))),
        apps: part(apps::all(place).await),
        firewall: part(firewall(place).await),
        tunnels: part(tunnels(place).await),
        backups,
        runs,
        last_plan: last_plan.as_ref().map(shown),
    };
    events.tell(Event::Look { look: Box::new(look) });
    Ok(())
}

fn part<T>(seen: Result<T, SessionError>) -> Part<T> {
    seen.map_err(|error| error.to_string())
}

async fn firewall(place: &Place) -> Result<Rules, SessionError> {
    let (specs, listening) = rules(place).await?;
    Ok(Rules { sections: table(&specs)?, doors: doors(&specs, &listening)? })
}
