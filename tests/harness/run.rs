//! Runs a program of the build machine with a time limit, so that no test can hang on one.
//!
//! Output goes to unlinked files, not pipes: a daemon that a command leaves behind cannot keep the test waiting for
//! the end of a pipe.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// What a finished command left.
#[derive(Debug)]
pub struct Output {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
    what: String,
}

impl Output {
    /// The standard output of a command that succeeded.
    ///
    /// # Errors
    /// When the exit status is not 0; the message carries both streams.
    pub fn ok(self) -> Result<String> {
        let Self { status, stdout, stderr, what } = self;
        ensure!(status.success(), "`{what}` ended with {status}\n{stdout}{stderr}");
        Ok(stdout)
    }

    /// Both streams of a command that ended with this exit code.
    ///
    /// # Errors
    /// When it ended otherwise; the message carries both streams.
    pub fn ended_with(self, code: i32) -> Result<String> {
        let Self { status, stdout, stderr, what } = self;
        ensure!(status.code() == Some(code), "`{what}` ended with {status}, not with {code}\n{stdout}{stderr}");
        Ok(format!("{stdout}{stderr}"))
    }
}

/// Runs `command` to its end with an empty standard input.
///
/// # Errors
/// When it cannot start, or is still running after `limit` (it is killed then).
pub fn run(command: &mut Command, limit: Duration) -> Result<Output> {
    run_with_input(command, b"", limit)
}

/// Runs `command` to its end, feeding it `input`.
///
/// # Errors
/// As [`run`].
pub fn run_with_input(command: &mut Command, input: &[u8], limit: Duration) -> Result<Output> {
    let what = describe(command);
    let (mut stdout, mut stderr) = (tempfile::tempfile()?, tempfile::tempfile()?);
    command.stdin(input_file(input)?).stdout(stdout.try_clone()?).stderr(stderr.try_clone()?);
    let mut child = command.spawn().with_context(|| format!("starting `{what}`: is it installed?"))?;
    let status = await_end(&mut child, limit)?;
    let (stdout, stderr) = (text(&mut stdout)?, text(&mut stderr)?);
    match status {
        Some(status) => Ok(Output { status, stdout, stderr, what }),
        None => {
            bail!("`{what}` was still running after {limit:?} and was killed\n{stdout}{stderr}")
        }
    }
}

/// A program in the background, killed when this goes.
#[derive(Debug)]
pub struct Background(Child);

impl Background {
    /// # Errors
    /// When it cannot start.
    pub fn start(command: &mut Command) -> Result<Self> {
        let what = describe(command);
        Ok(Self(command.spawn().with_context(|| format!("starting `{what}`: is it installed?"))?))
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Splits a plain command line at its spaces: enough for the fixed commands of the harness, which quote nothing.
pub fn words(line: &str) -> Command {
    let mut words = line.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words);
    command
}

fn describe(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    command.get_args().fold(program.into_owned(), |line, arg| format!("{line} {}", arg.to_string_lossy()))
}

fn input_file(input: &[u8]) -> Result<Stdio> {
    if input.is_empty() {
        return Ok(Stdio::null());
    }
    let mut file = tempfile::tempfile()?;
    file.write_all(input)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file.into())
}

/// The status, or nothing when the time was up and the child had to be killed.
fn await_end(child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>> {
    let deadline = Instant::now() + limit;
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

fn text(file: &mut File) -> Result<String> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
