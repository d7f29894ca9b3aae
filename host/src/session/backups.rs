//! Backups of this machine, and what is brought back of them.

use std::collections::BTreeSet;

use super::apps::recorded;
use super::{Deed, Place, SessionError};
use crate::backup::{self, Backup, BackupError, Bringing, Hold, Restoration, Wish};
use crate::event::{Event, Events, Snapshots};
use crate::lock::Lock;
use crate::machine::Machine;

pub(super) async fn deed(
    place: &Place,
    name: Option<&str>,
    deed: Deed,
    operator: &str,
    events: &Events,
) -> Result<(), SessionError> {
    let machine = Machine::open(&place.root, &place.state)?;
    let word = match deed {
        Deed::Init => "backup init",
        Deed::Run => "backup run",
        Deed::Check { .. } => "backup check",
    };
    let _hold = Hold::take(&machine, operator, word)?;
    backup::mend(&machine).await?;
    let mut lines = Vec::new();
    for backup in Backup::all(&machine, name)? {
        let doing = async {
            Ok(match deed {
                Deed::Init => vec![backup.init().await?],
                Deed::Check { read_data } => vec![backup.check(read_data).await?],
                Deed::Run => made(&backup, events).await?,
            })
        };
        lines.extend(recorded(&machine, (word, backup.name()), operator, doing).await?);
    }
    events.tell(Event::BackedUp { lines });
    Ok(())
}

async fn made(backup: &Backup<'_>, events: &Events) -> Result<Vec<String>, BackupError> {
    backup.make(|line| events.note(format!("{}: {line}", backup.name()))).await?;
    Ok(vec![format!("{}: made", backup.name())])
}

pub(super) async fn snapshots(place: &Place, name: Option<&str>, events: &Events) -> Result<(), SessionError> {
    let machine = Machine::open(&place.root, &place.state)?;
    let mut backups = Vec::new();
    for backup in Backup::all(&machine, name)? {
        let state = backup::states(&machine).into_iter().find(|state| state.name == backup.name());
        let last = state.map(|state| state.last).unwrap_or_default();
        backups.push(Snapshots {
            state: backup::State { name: backup.name().to_owned(), last },
            repository: backup.repository().to_owned(),
            snapshots: backup.snapshots().await?,
        });
    }
    events.tell(Event::Snapshots { backups });
    Ok(())
}

pub(super) async fn restorable(place: &Place, wish: &Wish, events: &Events) -> Result<(), SessionError> {
    let machine = Machine::open(&place.root, &place.state)?;
    let (found, lacking) = backup::plan(&machine, wish).await?;
    events.tell(Event::Restorable { found, lacking });
    Ok(())
}

pub(super) async fn restore(
    place: &Place,
    agreed: &[Restoration],
    how: Bringing,
    operator: &str,
    events: &Events,
) -> Result<(), SessionError> {
    let machine = Machine::open(&place.root, &place.state)?;
    let _lock = Lock::take(machine.state(), operator, "restore")?;
    let _hold = Hold::take(&machine, operator, "restore")?;
    backup::mend(&machine).await?;
    let mut restored = Vec::new();
    let backups: BTreeSet<&str> = agreed.iter().map(|one| one.backup.as_str()).collect();
    for name in backups {
        for backup in Backup::all(&machine, Some(name))? {
            backup.unlock().await?;
        }
    }
    for one in agreed {
        let resource = format!("{} {}", one.what, one.snapshot.short);
        let doing = async { Ok(backup::restore(&machine, one, how).await?) };
        let line = recorded(&machine, ("restore", &resource), operator, doing).await?;
        events.note(line);
        restored.push(one.what.clone());
    }
    events.tell(Event::Restored { what: restored });
    Ok(())
}

/// Makes the backup of this name as its timer asks for: once no other is at work. `tell` hears of each part.
///
/// # Errors
/// When it was not made.
pub async fn now(place: &Place, name: &str, tell: impl FnMut(String)) -> Result<(), SessionError> {
    let machine = Machine::open(&place.root, &place.state)?;
    let _hold = Hold::wait(&machine, "the timer", "backup run").await?;
    backup::mend(&machine).await?;
    let backup = Backup::all(&machine, Some(name))?.pop().ok_or(BackupError::None)?;
    recorded(&machine, ("backup run", name), "the timer", async { Ok(backup.make(tell).await?) }).await
}

/// Starts the containers that a backup which has died left stopped; nothing when one is at work.
///
/// # Errors
/// When they do not come up.
pub async fn mend(place: &Place) -> Result<bool, SessionError> {
    let machine = Machine::open(&place.root, &place.state)?;
    match Hold::take(&machine, "the timer", "backup mend") {
        Ok(_hold) => Ok(backup::mend(&machine).await?),
        Err(BackupError::Lock(crate::lock::LockError::Held(_))) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
