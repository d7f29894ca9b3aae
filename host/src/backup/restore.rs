//! Brings back what a snapshot holds, without losing what is there until it has come up.

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::make::{exec, short};
use super::stopped::Stopped;
use super::swap::Swap;
use super::{Backup, BackupError, Part, Restoration, Snapshot};
use crate::capability::backup::{Database, Volume};
use crate::capability::compose::Apps;
use crate::machine::{Machine, create_private_folder};

/// How it is brought back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bringing {
    /// Do not keep what a database holds now.
    pub discard: bool,
    /// How long containers may take to be up again.
    pub limit: Duration,
}

/// Brings one part back; answers with what was done.
///
/// # Errors
/// When it cannot be: a volume or a path is then as it was.
pub async fn restore(machine: &Machine, what: &Restoration, how: Bringing) -> Result<String, BackupError> {
    let backup = Backup::all(machine, Some(&what.backup))?.pop().ok_or(BackupError::None)?;
    let part = backup.parts().into_iter().find(|part| part.label() == what.what);
    let unknown = || BackupError::Nothing { what: what.what.clone(), known: backup.spec.contents.labels() };
    let part = part.ok_or_else(unknown)?;
    let id = &what.snapshot.short;
    if let Some(folder) = &what.to {
        backup.fetch(&what.snapshot, Path::new(folder)).await?;
        return Ok(format!("{}: snapshot {id} is in {folder}", what.what));
    }
    match &part {
        Part::Path(path) => backup.path(&machine.path(path.as_str()), &what.snapshot).await?,
        Part::Volume(volume) => backup.volume(volume, &what.snapshot, how).await?,
        Part::Database(database) => return backup.database(&part, database, &what.snapshot, how).await,
    }
    Ok(format!("{}: is as in snapshot {id}", what.what))
}

impl Backup<'_> {
    async fn fetch(&self, snapshot: &Snapshot, to: &Path) -> Result<(), BackupError> {
        let target = format!("--target={}", to.display());
        self.restic.run(["restore", "--verify", &target, &snapshot.id]).await.map(drop)
    }

    async fn fetch_beside(&self, place: &Path, snapshot: &Snapshot) -> Result<Swap, BackupError> {
        let swap = Swap::beside(place, snapshot.paths.first().map(String::as_str).unwrap_or_default())?;
        match self.fetch(snapshot, swap.folder()).await {
            Ok(()) => Ok(swap),
            Err(error) => swap.discard().and(Err(error)),
        }
    }

    async fn path(&self, place: &Path, snapshot: &Snapshot) -> Result<(), BackupError> {
        let swap = self.fetch_beside(place, snapshot).await?;
        match swap.forth() {
            Ok(()) => swap.discard(),
            Err(error) => swap.discard().and(Err(error)),
        }
    }

    async fn volume(&self, volume: &Volume, snapshot: &Snapshot, how: Bringing) -> Result<(), BackupError> {
        let apps = Apps::open(self.machine).await?;
        let found = apps.volume(volume.app.as_str(), &volume.name).await?;
        let swap = self.fetch_beside(&found.folder, snapshot).await?;
        let stopped = match Stopped::stop(self.machine, apps.users_of(&found.name).await?).await {
            Ok(stopped) => stopped,
            Err(error) => return swap.discard().and(Err(error)),
        };
        let came_up = async {
            swap.forth()?;
            stopped.start(how.limit).await
        };
        let Err(error) = came_up.await else { return swap.discard() };
        let source = Box::new(error);
        stopped.again().await?;
        swap.back()?;
        stopped.start(how.limit).await?;
        swap.discard()?;
        Err(BackupError::SwappedBack { what: volume.label(), source })
    }

    async fn database(
        &self,
        part: &Part,
        database: &Database,
        snapshot: &Snapshot,
        how: Bringing,
    ) -> Result<String, BackupError> {
        // All of it is here, and verified, before the database hears of it.
        let folder = self.machine.state().join("backup/restore");
        create_private_folder(&folder).map_err(BackupError::files("make a folder for the dump"))?;
        let came = tempfile::tempdir_in(&folder).map_err(BackupError::files("make a folder for the dump"))?;
        self.fetch(snapshot, came.path()).await?;
        let before = match how.discard {
            true => None,
            false => Some(
                self.keep(part)
                    .await
                    .map_err(|source| BackupError::Keep { what: database.label(), source: Box::new(source) })?,
            ),
        };
        let stopped = Stopped::stop(self.machine, self.users(&database.stop).await?).await?;
        let read_back = self.read_back(database, &came.path().join(database.file()), before.as_deref()).await;
        stopped.start(how.limit).await?;
        read_back?;
        let kept = before.map(|id| format!("; what it held is snapshot {}", short(&id))).unwrap_or_default();
        Ok(format!("{}: is as in snapshot {}{kept}", database.label(), snapshot.short))
    }

    async fn read_back(&self, database: &Database, dump: &Path, before: Option<&str>) -> Result<(), BackupError> {
        let dump = tokio::fs::File::open(dump).await.map_err(BackupError::files("read the dump"))?;
        let apps = Apps::open(self.machine).await?;
        let ended = apps.pipe(&exec(database, &database.restore), dump, &mut tokio::io::sink()).await?;
        let what = database.label();
        match ended.code {
            Some(0) => Ok(()),
            Some(code) => Err(BackupError::Database { what, code, words: ended.words, before: before.map(short) }),
            None => Err(BackupError::NoCode { what, words: ended.words }),
        }
    }
}
