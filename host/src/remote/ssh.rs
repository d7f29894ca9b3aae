//! Runs this program at the far end of ssh(1), with the user's own configuration, agent and jump hosts.

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWriteExt, BufReader};
use tokio::process::{ChildStdin, Command};

use super::RemoteError;
use super::ship::{self, NOT_THERE, OTHER_PROCESSOR};
use crate::event::Event;
use crate::machine::bounded;
use crate::session::{Envelope, Request};

/// What ssh(1) itself ends with when it cannot connect.
const SSH_FAILED: i32 = 255;
/// How much of what a command says is shown, from the end.
const WORDS: usize = 16 << 10;
/// How long the line of one event may be: many times the largest plan.
const LONGEST_EVENT: usize = 256 << 20;

/// A machine that ssh(1) reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ssh {
    /// Anything that ssh(1) accepts as a destination.
    pub address: String,
}

enum Answer {
    Complete,
    NotThere,
    /// The machine has this one.
    OtherProcessor(String),
}

/// How a command at the far end ended, and the end of its complaints.
pub(super) struct Said {
    pub(super) status: ExitStatus,
    pub(super) stderr: String,
}

impl Ssh {
    /// Asks the machine, after putting this program there when it is not there yet.
    pub(super) async fn ask(&self, envelope: &Envelope, told: &mut impl FnMut(Event)) -> Result<(), RemoteError> {
        let mut program = ship::Program::current()?;
        let request = serde_json::to_vec(envelope)?;
        let mut answer = self.talk(&program, &request, told).await?;
        if let Answer::OtherProcessor(processor) = answer {
            program = ship::Program::for_processor(&processor, &self.address)?;
            answer = self.talk(&program, &request, told).await?;
        }
        if let Answer::NotThere = answer {
            told(Event::Note { text: format!("putting stead on {}", self.address) });
            program.ship(self).await?;
            answer = self.talk(&program, &request, told).await?;
        }
        match answer {
            Answer::Complete => Ok(()),
            Answer::NotThere | Answer::OtherProcessor(_) => {
                let words = "it is not there although it was copied".to_owned();
                Err(RemoteError::Ship { address: self.address.clone(), words })
            }
        }
    }

    /// Runs this program there with the operator's own input, output and, when `tty`, terminal; answers with its exit
    /// code.
    ///
    /// # Errors
    /// When the machine cannot be reached, or the program cannot be put there.
    pub async fn run(&self, arguments: &[String], tty: bool) -> Result<u8, RemoteError> {
        let program = self.provide().await?;
        let words: Vec<_> = arguments.iter().map(|word| quoted(word)).collect();
        let mut command = self.with(&[if tty { "-t" } else { "-T" }], &program.command(&words.join(" ")));
        command.stdin(Stdio::inherit()).stdout(Stdio::inherit()).stderr(Stdio::inherit());
        let status = command.status().await.map_err(RemoteError::Ssh)?;
        Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX))
    }

    /// The program that this machine runs, which is there then. Not by the exit code of the command as in `ask`: input would be
    /// lost, and a command may end with the same code.
    async fn provide(&self) -> Result<ship::Program, RemoteError> {
        let own = ship::Program::current()?;
        let program = match self.look(&own).await? {
            Answer::Complete => return Ok(own),
            Answer::NotThere => own,
            Answer::OtherProcessor(processor) => {
                let other = ship::Program::for_processor(&processor, &self.address)?;
                if let Answer::Complete = self.look(&other).await? {
                    return Ok(other);
                }
                other
            }
        };
        program.ship(self).await?;
        Ok(program)
    }

    async fn look(&self, program: &ship::Program) -> Result<Answer, RemoteError> {
        let said = run_to_end(self.command(&program.is_there()), &[]).await.map_err(RemoteError::Ssh)?;
        match said.status.code() {
            Some(0) => Ok(Answer::Complete),
            Some(OTHER_PROCESSOR) => Ok(Answer::OtherProcessor(last_word(&said.stderr))),
            Some(SSH_FAILED) | None => {
                Err(RemoteError::Unreachable { address: self.address.clone(), words: said.stderr })
            }
            Some(_) => Ok(Answer::NotThere),
        }
    }

    async fn talk(
        &self,
        program: &ship::Program,
        request: &[u8],
        told: &mut impl FnMut(Event),
    ) -> Result<Answer, RemoteError> {
        let mut child = self.command(&program.command("agent")).spawn().map_err(RemoteError::Ssh)?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let write = async {
            write(stdin, request).await;
            Ok(())
        };
        let words = async { Ok(words(stderr).await) };
        let read = async {
            let Some(stdout) = stdout else { return Ok::<_, RemoteError>(()) };
            let mut stdout = BufReader::new(stdout);
            while let Some(line) =
                bounded::line(&mut stdout, LONGEST_EVENT).await.map_err(|error| self.unread(error))?
            {
                self.event(&line, program, told).await?;
            }
            Ok(())
        };
        // What is no event ends the conversation, whatever else the far end writes or waits for.
        let ((), words, ()) = tokio::try_join!(write, words, read)?;
        let status = child.wait().await.map_err(RemoteError::Ssh)?;
        let address = self.address.clone();
        match status.code() {
            Some(0) => Ok(Answer::Complete),
            Some(NOT_THERE) => Ok(Answer::NotThere),
            Some(OTHER_PROCESSOR) => Ok(Answer::OtherProcessor(last_word(&words))),
            Some(SSH_FAILED) => Err(RemoteError::Unreachable { address, words }),
            _ => Err(RemoteError::Broken { address, words }),
        }
    }

    async fn event(
        &self,
        line: &[u8],
        program: &ship::Program,
        told: &mut impl FnMut(Event),
    ) -> Result<(), RemoteError> {
        let event = serde_json::from_slice(line).map_err(|_| RemoteError::NotAnEvent {
            address: self.address.clone(),
            line: String::from_utf8_lossy(line).chars().take(200).collect(),
        })?;
        let asked = match &event {
            Event::Confirm { run, window_seconds } => Some((*run, Duration::from_secs(*window_seconds))),
            _ => None,
        };
        told(event);
        if let Some((run, window)) = asked {
            // When it does not get in, the far end reverts and says so: that is the answer, not this error.
            let _ = tokio::time::timeout(window, self.confirm(run, program)).await;
        }
        Ok(())
    }

    fn unread(&self, error: std::io::Error) -> RemoteError {
        match error.kind() {
            std::io::ErrorKind::FileTooLarge => {
                RemoteError::TooLong { address: self.address.clone(), most: LONGEST_EVENT }
            }
            _ => RemoteError::Ssh(error),
        }
    }

    /// Gets in over a connection of its own, again and again until it does.
    async fn confirm(&self, run: u64, program: &ship::Program) -> Result<(), RemoteError> {
        let envelope = Envelope { operator: super::operator(), request: Request::Confirm { run } };
        let request = serde_json::to_vec(&envelope)?;
        loop {
            let said = run_to_end(self.fresh(&program.command("agent")), &request).await;
            if said.map_err(RemoteError::Ssh)?.status.success() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    /// A command at the far end.
    pub(super) fn command(&self, line: &str) -> Command {
        self.with(&["-T"], line)
    }

    /// The same over a connection that no master process shares.
    fn fresh(&self, line: &str) -> Command {
        self.with(&["-T", "-oControlMaster=no", "-oControlPath=none", "-oConnectTimeout=5", "-oBatchMode=yes"], line)
    }

    fn with(&self, options: &[&str], line: &str) -> Command {
        let mut command = Command::new("ssh");
        if let Some(config) = std::env::var_os("STEAD_SSH_CONFIG") {
            command.arg("-F").arg(Path::new(&config));
        }
        command.args(["-oServerAliveInterval=15", "-oServerAliveCountMax=4"]).args(options);
        command.arg("--").arg(&self.address).arg(line);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }
}

/// A word for sh(1), whatever it holds.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// What the far end said last: before it, ssh(1) may show a banner.
fn last_word(words: &str) -> String {
    words.split_ascii_whitespace().next_back().unwrap_or_default().to_owned()
}

/// Runs a command to its end.
pub(super) async fn run_to_end(mut command: Command, input: &[u8]) -> std::io::Result<Said> {
    let mut child = command.spawn()?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let ((), _, stderr) = tokio::join!(write(stdin, input), words(stdout), words(stderr));
    Ok(Said { status: child.wait().await?, stderr })
}

async fn write(stdin: Option<ChildStdin>, input: &[u8]) {
    if let Some(mut stdin) = stdin {
        // When the far end does not read, its exit status says why.
        let _ = stdin.write_all(input).await;
    }
}

async fn words(from: Option<impl AsyncRead + Unpin>) -> String {
    let Some(from) = from else { return String::new() };
    let words = bounded::tail(from, WORDS).await.unwrap_or_default();
    String::from_utf8_lossy(&words).trim().to_owned()
}
