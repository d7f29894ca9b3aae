//! Runs programs of the machine: always with a timeout and an end to what they may write, without a shell, and with
//! what they said when they failed.

use std::ffi::OsString;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::Child;
use tokio::sync::oneshot;

use super::bounded;

/// How much of a program's words an error carries, from the end.
const TAIL: usize = 4096;
/// How much a program may write to standard output: many times what any of them has a reason to.
const MOST: usize = 64 << 20;

/// A program to run.
#[derive(Debug)]
pub struct Program {
    name: String,
    arguments: Vec<OsString>,
    environment: Vec<(String, OsString)>,
    inherits: bool,
    input: Input,
    timeout: Duration,
}

/// What it has to read.
#[derive(Debug)]
enum Input {
    None,
    Now(Vec<u8>),
    Later(oneshot::Receiver<Vec<u8>>),
}

/// What a program that succeeded wrote to standard output.
#[derive(Debug)]
pub struct Output {
    pub stdout: Vec<u8>,
}

/// A program did not do what it was run for.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    #[error("{program} is not installed")]
    Missing { program: String },
    #[error("cannot run {program}: {source}")]
    Start { program: String, source: std::io::Error },
    #[error("{program} did not end within {timeout:?}")]
    Timeout { program: String, timeout: Duration },
    #[error("{program} wrote more than {} MiB, and was stopped", most >> 20)]
    TooMuch { program: String, most: usize },
    #[error("{program} ended with {status}: {words}")]
    Failed { program: String, status: ExitStatus, words: String },
}

impl Program {
    /// A program by its name, which is looked up in `PATH`.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            inherits: true,
            input: Input::None,
            timeout: super::READ_TIMEOUT,
        }
    }

    /// Adds an argument. Secrets never go here: every user of the machine can read arguments.
    #[must_use]
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<S: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// Gives it no environment but `PATH` and what is set by [`Program::env`].
    #[must_use]
    pub fn bare(mut self) -> Self {
        self.inherits = false;
        self
    }

    /// Gives it something to read.
    #[must_use]
    pub fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = Input::Now(input.into());
        self
    }

    /// Gives it something to read that comes while it is starting; when nothing comes, it reads nothing.
    #[must_use]
    pub fn input_later(mut self, input: oneshot::Receiver<Vec<u8>>) -> Self {
        self.input = Input::Later(input);
        self
    }

    /// Sets how long it may take.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// When it cannot be started, takes too long or writes too much (it is then killed), or fails.
    pub async fn run(self) -> Result<Output, ProgramError> {
        let program = self.name.clone();
        let timeout = self.timeout;
        let ended = tokio::time::timeout(timeout, self.run_to_end()).await;
        let (status, stdout, stderr) =
            ended.map_err(|_| ProgramError::Timeout { program: program.clone(), timeout })??;
        if status.success() {
            return Ok(Output { stdout });
        }
        let words = if stderr.trim_ascii().is_empty() { stdout } else { stderr };
        Err(ProgramError::Failed { program, status, words: tail(&words) })
    }

    async fn run_to_end(mut self) -> Result<(ExitStatus, Vec<u8>, Vec<u8>), ProgramError> {
        let mut child = self.start()?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let input = std::mem::replace(&mut self.input, Input::None);
        let write = async {
            let input = match input {
                Input::None => None,
                Input::Now(input) => Some(input),
                Input::Later(input) => input.await.ok(),
            };
            if let (Some(mut stdin), Some(input)) = (stdin, input) {
                // A program may end before it has read everything; its exit status tells the rest.
                let _ = stdin.write_all(&input).await;
            }
            Ok(())
        };
        let stdout = async {
            let Some(stdout) = stdout else { return Ok(Vec::new()) };
            let all = bounded::all(stdout, MOST).await.map_err(self.unusable())?;
            all.ok_or_else(|| ProgramError::TooMuch { program: self.name.clone(), most: MOST })
        };
        let stderr = async {
            let Some(stderr) = stderr else { return Ok(Vec::new()) };
            bounded::tail(stderr, TAIL).await.map_err(self.unusable())
        };
        // The first that fails ends the others; the program is killed when the child is dropped.
        let ((), stdout, stderr) = tokio::try_join!(write, stdout, stderr)?;
        Ok((child.wait().await.map_err(self.unusable())?, stdout, stderr))
    }

    fn start(&self) -> Result<Child, ProgramError> {
        let mut command = tokio::process::Command::new(&self.name);
        if !self.inherits {
            command.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        }
        let command = command
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env("LC_ALL", "C.UTF-8")
            // Where stead was started may be gone, or closed to whom a program becomes.
            .current_dir("/")
            .stdin(if matches!(self.input, Input::None) { Stdio::null() } else { Stdio::piped() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command.spawn().map_err(self.unusable())
    }

    fn unusable(&self) -> impl Fn(std::io::Error) -> ProgramError {
        let program = self.name.clone();
        move |source| match source.kind() {
            std::io::ErrorKind::NotFound => ProgramError::Missing { program: program.clone() },
            _ => ProgramError::Start { program: program.clone(), source },
        }
    }
}

impl Output {
    /// What it wrote to standard output, as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
}

fn tail(words: &[u8]) -> String {
    let words = words.trim_ascii();
    let start = words.len().saturating_sub(TAIL);
    String::from_utf8_lossy(words.get(start..).unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use anyhow::Result;

    use super::*;

    async fn sh(script: &str) -> Result<Output, ProgramError> {
        Program::new("sh").args(["-c", script]).run().await
    }

    #[tokio::test]
    async fn a_program_without_an_end_is_stopped() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let id = folder.path().join("id");
        let script = format!("echo $$ > {}; exec yes", id.display());
        let error = sh(&script).await.err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some("sh wrote more than 64 MiB, and was stopped"));
        let process = std::path::PathBuf::from(format!("/proc/{}/cmdline", std::fs::read_to_string(&id)?.trim()));
        // It is killed, and somebody else may have its number by now.
        while std::fs::read(&process).is_ok_and(|line| line == b"yes\0") {
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    #[tokio::test]
    async fn of_what_it_says_the_end_is_kept() -> Result<()> {
        let output = sh("head -c 9000000 /dev/zero | tr '\\0' x >&2; echo out").await?;
        assert_eq!(output.text(), "out\n");
        let failed = sh("head -c 9000000 /dev/zero | tr '\\0' x >&2; printf 'the end' >&2; exit 3").await;
        let Err(ProgramError::Failed { words, .. }) = failed else { anyhow::bail!("{failed:?}") };
        assert_eq!((words.len(), words.ends_with("xthe end")), (TAIL, true));
        Ok(())
    }
}
