//! Runs programs of the machine: always with a timeout, without a shell, and with what they said when they failed.

use std::ffi::OsString;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt;

/// How much of a program's words an error carries, from the end.
const TAIL: usize = 4096;

/// A program to run.
#[derive(Debug)]
pub struct Program {
    name: String,
    arguments: Vec<OsString>,
    environment: Vec<(String, OsString)>,
    inherits: bool,
    input: Vec<u8>,
    timeout: Duration,
}

/// What a program that succeeded wrote.
#[derive(Debug)]
pub struct Output {
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
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
    #[error("{program} ended with {status}: {words}")]
    Failed { program: String, status: std::process::ExitStatus, words: String },
}

impl Program {
    /// A program by its name, which is looked up in `PATH`.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            inherits: true,
            input: Vec::new(),
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
        self.input = input.into();
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
    /// When it cannot be started, takes too long (it is then killed), or fails.
    pub async fn run(self) -> Result<Output, ProgramError> {
        let program = self.name.clone();
        let timeout = self.timeout;
        let output = tokio::time::timeout(timeout, self.run_unbounded())
            .await
            .map_err(|_| ProgramError::Timeout { program: program.clone(), timeout })??;
        if output.status.success() {
            return Ok(Output { stdout: output.stdout, stderr: output.stderr });
        }
        let mut words = output.stderr;
        if words.trim_ascii().is_empty() {
            words = output.stdout;
        }
        Err(ProgramError::Failed { program, status: output.status, words: tail(&words) })
    }

    async fn run_unbounded(self) -> Result<std::process::Output, ProgramError> {
        let start = |source: std::io::Error| match source.kind() {
            std::io::ErrorKind::NotFound => ProgramError::Missing { program: self.name.clone() },
            _ => ProgramError::Start { program: self.name.clone(), source },
        };
        let mut command = tokio::process::Command::new(&self.name);
        if !self.inherits {
            command.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        }
        let mut child = command
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env("LC_ALL", "C.UTF-8")
            .stdin(if self.input.is_empty() { Stdio::null() } else { Stdio::piped() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(start)?;
        let stdin = child.stdin.take();
        let write = async {
            if let Some(mut stdin) = stdin {
                // A program may end before it has read everything; its exit status tells the rest.
                let _ = stdin.write_all(&self.input).await;
            }
        };
        let ((), output) = tokio::join!(write, child.wait_with_output());
        output.map_err(start)
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
