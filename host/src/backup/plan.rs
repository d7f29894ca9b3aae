//! What a restore is going to bring back, and what it is going to overwrite. It changes nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Backup, BackupError, Part, Snapshot};
use crate::capability::compose::{Apps, Users};
use crate::machine::Machine;

/// What is wished for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// What parts are called; empty: all.
    pub what: Vec<String>,
    /// The backup that they are taken from.
    pub backup: Option<String>,
    /// The snapshot, or the beginning of its id; the latest when it is not given.
    pub snapshot: Option<String>,
    /// The folder that they are put into, instead of where they belong.
    pub to: Option<String>,
}

/// One part that is brought back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restoration {
    pub backup: String,
    pub what: String,
    /// `volume`, `database` or `path`.
    pub kind: String,
    pub snapshot: Snapshot,
    /// What is no longer as it is now.
    pub overwrites: String,
    /// The containers that are stopped meanwhile.
    pub stops: Vec<String>,
    /// The folder that it is put into, instead of where it belongs.
    pub to: Option<String>,
}

/// What is brought back, and what of it there is no snapshot of.
///
/// # Errors
/// When nothing is, or something that was named is not.
pub async fn plan(machine: &Machine, wish: &Wish) -> Result<(Vec<Restoration>, Vec<String>), BackupError> {
    let backups = Backup::all(machine, wish.backup.as_deref())?;
    let mut found = Vec::new();
    let mut lacking = Vec::new();
    let mut known = BTreeMap::new();
    for (backup, part) in named(&backups, &wish.what)? {
        if !known.contains_key(backup.name()) {
            known.insert(backup.name(), backup.restic.snapshots(&backup.spec).await?);
        }
        let snapshots = known.get(backup.name()).cloned().unwrap_or_default();
        match pick(backup, &part, snapshots, wish.snapshot.as_deref()) {
            Ok(snapshot) => found.push(backup.restoration(&part, snapshot, wish.to.clone()).await?),
            Err(_) if wish.what.is_empty() => {
                lacking.push(format!("{} has no snapshot of {}", backup.name(), part.label()))
            }
            Err(error) => return Err(error),
        }
    }
    // Of one that several backups hold the newest is taken.
    found.sort_by(|a, b| (&a.what, &b.snapshot.time).cmp(&(&b.what, &a.snapshot.time)));
    found.dedup_by(|a, b| a.what == b.what);
    found.sort_by_key(|one| ["path", "volume", "database"].iter().position(|kind| *kind == one.kind));
    match found.is_empty() {
        true => Err(BackupError::Several(lacking)),
        false => Ok((found, lacking)),
    }
}

/// The parts that are called so, each with its backup.
fn named<'a, 'm>(backups: &'a [Backup<'m>], what: &[String]) -> Result<Vec<(&'a Backup<'m>, Part)>, BackupError> {
    let all: Vec<_> =
        backups.iter().flat_map(|backup| backup.parts().into_iter().map(move |part| (backup, part))).collect();
    if what.is_empty() {
        return Ok(all);
    }
    let one = |what: &String| {
        let mut holding: Vec<_> = all.iter().filter(|(_, part)| part.label() == *what).cloned().collect();
        match (holding.pop(), holding.is_empty()) {
            (Some(only), true) => Ok(only),
            (Some((last, _)), false) => {
                let others = holding.iter().map(|(backup, _)| backup.name().to_owned());
                let backups = others.chain([last.name().to_owned()]).collect();
                Err(BackupError::Ambiguous { what: what.clone(), backups })
            }
            (None, _) => {
                let known = all.iter().map(|(_, part)| part.label()).collect();
                Err(BackupError::Nothing { what: what.clone(), known })
            }
        }
    };
    what.iter().map(one).collect()
}

fn pick(
    backup: &Backup<'_>,
    part: &Part,
    mut snapshots: Vec<Snapshot>,
    id: Option<&str>,
) -> Result<Snapshot, BackupError> {
    let what = part.label();
    let backup = backup.name().to_owned();
    snapshots.retain(|snapshot| snapshot.what() == what);
    match id.filter(|id| *id != "latest") {
        Some(id) => {
            let found = snapshots.into_iter().find(|snapshot| id.len() >= 4 && snapshot.id.starts_with(id));
            found.ok_or_else(|| BackupError::NotThisSnapshot { backup, what, id: id.to_owned() })
        }
        None => snapshots.into_iter().rfind(Snapshot::is_whole).ok_or(BackupError::NoSnapshot { backup, what }),
    }
}

impl Backup<'_> {
    async fn restoration(
        &self,
        part: &Part,
        snapshot: Snapshot,
        to: Option<String>,
    ) -> Result<Restoration, BackupError> {
        let (overwrites, stops) = match (&to, part) {
            (Some(folder), _) => (format!("files of the same names in {folder}"), Users::default()),
            (None, Part::Path(path)) => (format!("all that is in {path}"), Users::default()),
            (None, Part::Volume(volume)) => {
                let apps = Apps::open(self.machine).await?;
                let found = apps.volume(volume.app.as_str(), &volume.name).await?;
                (format!("all that is in the volume {}", found.name), apps.users_of(&found.name).await?)
            }
            (None, Part::Database(database)) => {
                let command = database.restore.first().map(String::as_str).unwrap_or_default();
                let words = format!("what `{command}` in {} makes of it", database.label());
                (words, self.users(&database.stop).await?)
            }
        };
        Ok(Restoration {
            backup: self.name().to_owned(),
            what: part.label(),
            kind: part.kind().to_owned(),
            snapshot,
            overwrites,
            stops: stops.names().map(str::to_owned).collect(),
            to,
        })
    }

    /// The containers of these apps that run.
    pub(super) async fn users(&self, apps: &[crate::capability::compose::Project]) -> Result<Users, BackupError> {
        let mut users = Users::default();
        if !apps.is_empty() {
            let engine = Apps::open(self.machine).await?;
            for app in apps {
                users = users.and(engine.running_in(app.as_str()).await?);
            }
        }
        Ok(users)
    }
}
