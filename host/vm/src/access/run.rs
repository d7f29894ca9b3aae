//! Runs a command in a machine as a transient systemd unit whose output goes to a file. The connection may break and the
//! process that began it may die: another one finds the unit by its name and reads on from the byte that it had reached.

use std::str::FromStr;

use super::follow::FOLLOW;
use super::stream::Stream;
use super::{Access, AccessError, ssh};

const START: &str = include_str!("run/start.sh");
/// How those find the unit that ask for it.
const UNIT: &str = include_str!("run/unit.sh");
const AHEAD: &str = include_str!("run/ahead.sh");
/// What a unit runs when all of it has ended, as words of printf(1).
const FINISH: &str =
    r#"'printf "%s %s %s\n" "$SERVICE_RESULT" "$EXIT_CODE" "$EXIT_STATUS" > status.new' 'mv status.new status'"#;
const CREDENTIAL: &str = include_str!("run/credential.sh");
const STATUS: &str = include_str!("run/status.sh");
const CANCEL: &str = include_str!("run/cancel.sh");
/// What the script says when the command has been started; its output follows.
const STARTED: &[u8] = b"started\n";
const LONGEST_ID: usize = 40;
const LONGEST_NAME: usize = 63;

/// The name of one command run in one machine, given by whoever starts it: starting it twice starts it once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunId(String);

/// What a command alone may read, as a file of this name in `$CREDENTIALS_DIRECTORY` (systemd.exec(5)). Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    name: String,
    value: Vec<u8>,
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Exited(i32),
    /// By a signal, named without `SIG`.
    Killed(String),
    /// The kernel ran out of memory for it.
    OutOfMemory,
    /// By [`Access::cancel`].
    Cancelled,
}

/// A command run at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// None while it runs.
    pub outcome: Option<Outcome>,
    /// How many bytes it has written so far; all of them, when there is an outcome.
    pub written: u64,
}

/// A command that was started, with the connection that started it: its output comes over that one.
#[derive(Debug)]
pub struct Begun {
    pub(super) run: RunId,
    pub(super) stream: Stream,
}

impl RunId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Credential {
    /// # Errors
    /// When it cannot be called so: a name has letters, digits and `-_.`, and begins with a letter or digit.
    pub fn new(name: &str, value: impl Into<Vec<u8>>) -> Result<Self, AccessError> {
        let of_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let begins = name.starts_with(|first: char| first.is_ascii_alphanumeric());
        match begins && name.len() <= LONGEST_NAME && name.bytes().all(of_name) {
            true => Ok(Self { name: name.to_owned(), value: value.into() }),
            false => Err(AccessError::Credential { name: name.chars().take(80).collect() }),
        }
    }
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Credential({})", self.name)
    }
}

impl FromStr for RunId {
    type Err = AccessError;

    fn from_str(text: &str) -> Result<Self, AccessError> {
        let of_id = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        match !text.is_empty() && text.len() <= LONGEST_ID && text.bytes().all(of_id) {
            true => Ok(Self(text.to_owned())),
            false => Err(AccessError::RunId { text: text.chars().take(80).collect() }),
        }
    }
}

impl Access {
    /// Starts `script` for sh(1), as root, with both outputs going to one file; nothing happens when a command of this name
    /// was started before. Only the input of ssh(1) and the memory of the machine ever hold the credentials.
    ///
    /// # Errors
    /// When the machine cannot be reached, or systemd does not start it.
    pub async fn start(&self, run: &RunId, script: &str, credentials: &[Credential]) -> Result<Begun, AccessError> {
        for credential in credentials {
            let mut input = format!("{}\n", credential.value.len()).into_bytes();
            input.extend(&credential.value);
            self.ask(&line(CREDENTIAL, run).replace("@NAME@", &credential.name), &input).await?;
        }
        let names: Vec<_> = credentials.iter().map(|credential| credential.name.as_str()).collect();
        let start = START.replace("@SIZE@", &script.len().to_string()).replace("@CREDENTIALS@", &names.join(" "));
        let start = start.replace("@FINISH@", FINISH);
        let line = line(&format!("{start}\n{}", FOLLOW.replace("@NEXT@", "1")), run);
        let stream = ssh::again(async || self.open_after(STARTED, &line, script.as_bytes()).await).await?;
        Ok(Begun { run: run.clone(), stream })
    }

    /// Starts one unit ahead, which waits for the first command without credentials; nothing happens while one waits.
    ///
    /// # Errors
    /// When the machine cannot be reached, or systemd does not start it.
    pub async fn start_ahead(&self) -> Result<(), AccessError> {
        self.ask(&AHEAD.replace("@FINISH@", FINISH), b"").await.map(drop)
    }

    /// Whether it runs, and how it ended.
    ///
    /// # Errors
    /// When the machine cannot be reached, or the command is neither running nor has a status.
    pub async fn status(&self, run: &RunId) -> Result<Status, AccessError> {
        ssh::again(async || self.status_once(run).await).await
    }

    pub(super) async fn status_once(&self, run: &RunId) -> Result<Status, AccessError> {
        let answer = self.ask_once(&line(STATUS, run), b"").await?;
        let machine = self.machine();
        match answer.split_whitespace().collect::<Vec<_>>().as_slice() {
            ["lost"] => Err(AccessError::Lost { machine, run: run.0.clone() }),
            [written, rest @ ..] => {
                let status = written.parse().ok().and_then(|written| Some(Status { written, outcome: outcome(rest)? }));
                status.ok_or(AccessError::NoAnswer { machine, words: answer })
            }
            [] => Err(AccessError::NoAnswer { machine, words: answer }),
        }
    }

    /// Stops it and all that it has started; one that has ended keeps its outcome. It has an outcome then.
    ///
    /// # Errors
    /// When the machine cannot be reached.
    pub async fn cancel(&self, run: &RunId) -> Result<(), AccessError> {
        self.ask(&line(CANCEL, run), b"").await.map(drop)
    }
}

pub(super) fn line(script: &str, run: &RunId) -> String {
    script.replace("@UNIT@", UNIT.trim_end()).replace("@RUN@", run.as_str())
}

/// As systemd puts it into `$SERVICE_RESULT`, `$EXIT_CODE` and `$EXIT_STATUS` (systemd.exec(5)).
fn outcome(words: &[&str]) -> Option<Option<Outcome>> {
    Some(Some(match words {
        ["running"] => return Some(None),
        ["cancelled", ..] => Outcome::Cancelled,
        ["oom-kill", ..] => Outcome::OutOfMemory,
        [_, "exited", status] => Outcome::Exited(status.parse().ok()?),
        [_, "killed" | "dumped", signal] => Outcome::Killed((*signal).to_owned()),
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systemd_says_how_it_ended() {
        let cases: [(&[&str], _); 6] = [
            (&["running"], Some(None)),
            (&["success", "exited", "0"], Some(Some(Outcome::Exited(0)))),
            (&["exit-code", "exited", "3"], Some(Some(Outcome::Exited(3)))),
            (&["signal", "killed", "KILL"], Some(Some(Outcome::Killed("KILL".into())))),
            (&["cancelled", "success", "killed", "TERM"], Some(Some(Outcome::Cancelled))),
            (&["nonsense"], None),
        ];
        for (words, expected) in cases {
            assert_eq!(outcome(words), expected, "{words:?}");
        }
    }

    #[test]
    fn a_credential_cannot_leave_its_folder_and_is_not_shown() {
        for name in ["", ".", "..", "a/b", "a b", "$(id)", "-a", &"a".repeat(64)] {
            assert!(Credential::new(name, "").is_err(), "{name}");
        }
        let shown = Credential::new("db.password", "hunter2").map(|credential| format!("{credential:?}"));
        assert_eq!(shown.ok().as_deref(), Some("Credential(db.password)"));
    }

    #[test]
    fn an_id_cannot_leave_the_folder_of_the_runs() {
        for text in ["", "..", "a/b", "a b", "a;b", "A", &"a".repeat(41)] {
            assert!(text.parse::<RunId>().is_err(), "{text}");
        }
    }
}
