//! Makes a backup: a snapshot of each of its parts, then room for those to come.

use std::time::Duration;

use serde::Deserialize;

use super::restic::strange;
use super::snapshot::{BEFORE_RESTORE, INCOMPLETE};
use super::stopped::Stopped;
use super::{Backup, BackupError, Hold, Part};
use crate::capability::backup::Database;
use crate::capability::compose::{Apps, Exec};

/// How long containers that were stopped for a backup may take to be up again.
const UP: Duration = Duration::from_secs(180);

impl Backup<'_> {
    /// Makes it, and notes how it went. `tell` hears of each part that is done.
    ///
    /// # Errors
    /// When a part could not be made: the others are made nevertheless.
    pub async fn make(&self, mut tell: impl FnMut(String)) -> Result<(), BackupError> {
        let made = self.make_all(&mut tell).await;
        self.note(made.as_ref().copied())?;
        made
    }

    async fn make_all(&self, tell: &mut impl FnMut(String)) -> Result<(), BackupError> {
        self.restic.unlock().await?;
        let mut failed = Vec::new();
        for part in self.parts() {
            match self.make_part(&part, &[]).await {
                Ok(snapshot) => tell(format!("{} {}: snapshot {}", part.kind(), part.label(), short(&snapshot))),
                Err(error) => failed.push(error),
            }
        }
        // What is old goes only when all that is new is there.
        if failed.is_empty() {
            failed.extend(self.forget().await.err());
        }
        match failed.len() {
            0 => Ok(()),
            1 => failed.pop().map_or(Ok(()), Err),
            _ => Err(BackupError::Several(failed.iter().map(ToString::to_string).collect())),
        }
    }

    /// A snapshot of one part, with these tags as well; its id.
    pub(super) async fn make_part(&self, part: &Part, tags: &[&str]) -> Result<String, BackupError> {
        let mut words: Vec<String> = ["backup", "--json"].map(str::to_owned).into();
        words.push(format!("--host={}", self.spec.host));
        for tag in [self.name(), &part.label()].into_iter().chain(tags.iter().copied()) {
            words.push(format!("--tag={tag}"));
        }
        match part {
            Part::Path(path) => {
                words.extend(["--".to_owned(), self.machine.path(path.as_str()).to_string_lossy().into_owned()]);
                self.snapshot(part, &words).await
            }
            Part::Volume(volume) => {
                let apps = Apps::open(self.machine).await?;
                let found = apps.volume(volume.app.as_str(), &volume.name).await?;
                words.extend(["--".to_owned(), found.folder.to_string_lossy().into_owned()]);
                if !volume.stop {
                    return self.snapshot(part, &words).await;
                }
                let _held = Hold::apps(self.machine, "backup").await?;
                let stopped = Stopped::stop(self.machine, apps.users_of(&found.name).await?).await?;
                let made = self.snapshot(part, &words).await;
                stopped.start(UP).await?;
                made
            }
            Part::Database(database) => {
                words.extend(["--stdin".to_owned(), format!("--stdin-filename=/{}", database.file())]);
                self.dump(database, &words).await
            }
        }
    }

    /// What a database was before a restore takes its place.
    pub(super) async fn keep(&self, part: &Part) -> Result<String, BackupError> {
        self.make_part(part, &[BEFORE_RESTORE]).await
    }

    async fn snapshot(&self, part: &Part, words: &[String]) -> Result<String, BackupError> {
        let mut command = self.restic.command(words);
        command.stdin(std::process::Stdio::null());
        let output = command.output().await.map_err(BackupError::files("run restic"))?;
        let said = String::from_utf8_lossy(&output.stderr);
        match output.status.code() {
            Some(0) => snapshot_of(&output.stdout),
            // restic-backup(1): there is a snapshot, without what could not be read.
            Some(3) => {
                let id = snapshot_of(&output.stdout)?;
                self.restic.run(["tag", &format!("--add={INCOMPLETE}"), &id]).await?;
                let words = self.restic.without_secrets(last_errors(&said).as_str());
                Err(BackupError::Incomplete { what: part.label(), snapshot: short(&id), words })
            }
            _ => Err(self.restic.failed("backup", output.status, &said)),
        }
    }

    async fn dump(&self, database: &Database, words: &[String]) -> Result<String, BackupError> {
        let apps = Apps::open(self.machine).await?;
        let exec = exec(database, &database.dump);
        self.restic
            .stream(words, async |to| {
                let ended = apps.pipe(&exec, tokio::io::empty(), to).await?;
                match ended.code {
                    Some(0) => Ok(()),
                    Some(code) => Err(BackupError::Dump { what: database.label(), code, words: ended.words }),
                    None => Err(BackupError::NoCode { what: database.label(), words: ended.words }),
                }
            })
            .await
    }

    /// Forgets what is not to be kept, and gives its room back.
    async fn forget(&self) -> Result<(), BackupError> {
        let keep = self.spec.keep.options();
        if keep.is_empty() {
            return Ok(());
        }
        let ours = [format!("--host={}", self.spec.host), format!("--tag={}", self.name())];
        let words = ["forget".to_owned(), "--prune".to_owned(), "--group-by=host,tags".to_owned()];
        self.restic.run(words.into_iter().chain(ours).chain(keep)).await.map(drop)
    }
}

/// A command of a database.
pub(super) fn exec(database: &Database, command: &[String]) -> Exec {
    Exec {
        app: database.app.to_string(),
        service: database.service.clone(),
        command: command.to_vec(),
        ..Exec::default()
    }
}

#[derive(Deserialize)]
struct Line {
    message_type: String,
    snapshot_id: Option<String>,
}

/// The id in the last line of what `restic backup --json` says.
pub(super) fn snapshot_of(said: &[u8]) -> Result<String, BackupError> {
    let lines = said.split(|byte| *byte == b'\n').rev().filter(|line| !line.is_empty());
    let mut read = lines.filter_map(|line| serde_json::from_slice::<Line>(line).ok());
    let id = read.find(|line| line.message_type == "summary").and_then(|line| line.snapshot_id);
    id.ok_or_else(|| strange("backup", &<serde_json::Error as serde::de::Error>::custom("no snapshot_id")))
}

pub(super) fn short(id: &str) -> String {
    id.get(..8).unwrap_or(id).to_owned()
}

/// What could not be read; restic says it as JSON.
fn last_errors(said: &str) -> String {
    let message = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).ok()?;
        Some(line.pointer("/error/message")?.as_str()?.to_owned())
    };
    let all: Vec<_> = said.lines().map(|line| message(line).unwrap_or_else(|| line.to_owned())).collect();
    all.get(all.len().saturating_sub(3)..).unwrap_or_default().join("; ")
}
