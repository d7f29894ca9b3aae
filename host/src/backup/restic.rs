//! Runs restic(1), and says what went wrong in words of its own.
//!
//! Secrets are in its environment and in a file that only root reads: never in an argument. It ends when stead does.

use std::process::ExitStatus;
use std::time::Duration;

use tokio::process::Command;

use super::{BackupError, Snapshot};
use crate::capability::backup::{Spec, Variables, password_file};
use crate::machine::{Machine, Program, ProgramError};

/// A first backup over a slow line takes a day; what takes longer hangs.
const LONGEST: Duration = Duration::from_secs(48 * 60 * 60);
/// A secret shorter than that is part of ordinary words.
const SHORTEST_SECRET: usize = 4;

/// restic, for one repository.
#[derive(Debug)]
pub(super) struct Restic {
    variables: Variables,
    repository: String,
}

impl Restic {
    pub(super) fn new(machine: &Machine, spec: &Spec, mut variables: Variables) -> Self {
        let mut set = |name: &str, value: String| {
            variables.insert(name.to_owned(), crate::secret::Secret::new(value));
        };
        // Of a machine that is a tree of files, too.
        set("RESTIC_PASSWORD_FILE", machine.path(password_file(spec.name.as_str())).to_string_lossy().into_owned());
        set("RESTIC_CACHE_DIR", machine.path("/var/cache/restic").to_string_lossy().into_owned());
        // Else it tells of its progress many times a second.
        set("RESTIC_PROGRESS_FPS", "0.01".to_owned());
        Self { variables, repository: spec.repository.as_str().to_owned() }
    }

    /// Runs it to its end; answers with what it wrote.
    ///
    /// # Errors
    /// When it fails.
    pub(super) async fn run<S: Into<String>>(
        &self,
        words: impl IntoIterator<Item = S>,
    ) -> Result<Vec<u8>, BackupError> {
        let words: Vec<String> = words.into_iter().map(Into::into).collect();
        let command = words.first().cloned().unwrap_or_default();
        let (program, arguments) = wrapped();
        let mut program = Program::new(program).args(arguments).args(words).bare().env("HOME", "/root");
        for (name, value) in &self.variables {
            program = program.env(name, value.reveal().clone());
        }
        match program.timeout(LONGEST).run().await {
            Ok(output) => Ok(output.stdout),
            Err(ProgramError::Failed { status, words, .. }) => Err(self.failed(&command, status, &words)),
            Err(error) => Err(BackupError::Program(error)),
        }
    }

    /// The same as a command to be started, with nothing of stead's own environment.
    pub(super) fn command(&self, words: &[String]) -> Command {
        let (program, arguments) = wrapped();
        let mut command = Command::new(program);
        command.args(arguments).args(words).env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command.env("HOME", "/root").env("LC_ALL", "C.UTF-8").current_dir("/").kill_on_drop(true);
        command.envs(self.variables.iter().map(|(name, value)| (name, value.reveal())));
        command
    }

    /// Takes away what processes that have died have left locked, and nothing else.
    pub(super) async fn unlock(&self) -> Result<(), BackupError> {
        self.run(["unlock"]).await.map(drop)
    }

    /// The snapshots of a backup of this host, the oldest first.
    pub(super) async fn snapshots(&self, spec: &Spec) -> Result<Vec<Snapshot>, BackupError> {
        let (host, tag) = (format!("--host={}", spec.host), format!("--tag={}", spec.name));
        let said = self.run(["snapshots", "--json", &host, &tag]).await?;
        let mut all = Snapshot::parse(&said).map_err(|error| strange("snapshots", &error))?;
        // A tag may be that of a part of another backup.
        all.retain(|snapshot| snapshot.tags.first().is_some_and(|tag| tag == spec.name.as_str()));
        all.sort_by(|a, b| a.time.cmp(&b.time));
        Ok(all)
    }

    /// How many bytes a snapshot is when it is restored.
    pub(super) async fn size(&self, id: &str) -> Result<Option<u64>, BackupError> {
        let said = self.run(["stats", "--json", "--mode=restore-size", id]).await?;
        let stats: serde_json::Value = serde_json::from_slice(&said).map_err(|error| strange("stats", &error))?;
        Ok(stats.get("total_size").and_then(serde_json::Value::as_u64))
    }

    /// What a failure means.
    pub(super) fn failed(&self, command: &str, status: ExitStatus, words: &str) -> BackupError {
        let (words, repository) = (self.without_secrets(words), self.repository.clone());
        let said = |part: &str| words.contains(part);
        // restic(1): the codes 10, 11 and 12 are those of 0.17 and later.
        let nowhere = said("Is there a repository at the following location?")
            && (said("no such file") || said("does not exist") || said("404"));
        match status.code() {
            Some(127 | 1) if said("failed to execute restic") => BackupError::NotInstalled,
            Some(10) => BackupError::NoRepository { repository, words: short(&words) },
            Some(_) if nowhere => BackupError::NoRepository { repository, words: short(&words) },
            Some(11) => BackupError::InUse { repository, words: short(&words) },
            Some(_) if said("already locked") => BackupError::InUse { repository, words: short(&words) },
            Some(12) => BackupError::Password { repository },
            Some(_) if said("wrong password or no key found") => BackupError::Password { repository },
            _ => BackupError::Restic { command: command.to_owned(), words: short(&words) },
        }
    }

    /// restic does not tell secrets. Should a server that it speaks to do so, nobody sees them.
    pub(super) fn without_secrets(&self, words: &str) -> String {
        let ours = |name: &&String| !name.starts_with("RESTIC_") || name.contains("REST_");
        let secrets = self.variables.iter().filter(|(name, _)| ours(name)).map(|(_, value)| value.reveal());
        secrets
            .filter(|value| value.len() >= SHORTEST_SECRET)
            .fold(words.to_owned(), |words, value| words.replace(value.as_str(), "…"))
    }
}

/// restic, which is killed when stead is: what stead feeds it must not outlive it.
fn wrapped() -> (&'static str, [&'static str; 4]) {
    ("setpriv", ["--pdeathsig", "KILL", "--", "restic"])
}

/// The last of its lines, as one.
fn short(words: &str) -> String {
    let lines: Vec<_> = words.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.get(lines.len().saturating_sub(4)..).unwrap_or_default().join("; ")
}

pub(super) fn strange(command: &str, error: &serde_json::Error) -> BackupError {
    BackupError::Restic { command: command.to_owned(), words: format!("it does not say what was asked: {error}") }
}
