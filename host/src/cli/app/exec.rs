//! `stead app exec`: run a command in a container of an app.

use std::io::{IsTerminal, Read, Write};

use clap::Args;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{Receiver, channel};

use crate::capability::compose::{Exec as Command, Streams};
use crate::cli::Context;
use crate::cli::targets::anywhere;
use crate::error::{Blame, Failure};
use crate::exit::Exit;
use crate::remote::{Target, operator};
use crate::session;

/// Run a command in a container of an app.
///
/// It gets your input and, when you are at one, your terminal. stead ends with the exit code of the command. That it
/// ran is recorded, without its arguments: `stead log` shows it.
#[derive(Debug, Args)]
pub(in crate::cli) struct Exec {
    /// The app.
    app: String,
    /// The service.
    service: String,
    /// The command and its arguments.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<String>,
    /// The host; this machine when there is none.
    #[arg(long, short = 'H', value_name = "TARGET")]
    host: Option<String>,
    /// The number of the container, where the service has several; the first that runs when it is not given.
    #[arg(long, value_name = "NUMBER")]
    index: Option<u32>,
    /// The user, or the user and group, as which it runs.
    #[arg(long, short, value_name = "USER[:GROUP]")]
    user: Option<String>,
    /// The folder in which it runs.
    #[arg(long, short, value_name = "DIR")]
    workdir: Option<String>,
    /// Variables of its environment.
    #[arg(long, short, value_name = "NAME=VALUE")]
    env: Vec<String>,
    /// Give it no terminal, though you are at one.
    #[arg(long, short = 'T')]
    no_tty: bool,
    /// Who runs it, when that is not known from the session.
    #[arg(long, hide = true)]
    operator: Option<String>,
}

impl Exec {
    pub(in crate::cli) async fn run(self, context: &Context) -> Result<u8, Failure> {
        let machine = anywhere(context, self.host.as_deref())?;
        let tty = !self.no_tty && std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
        match &machine.target {
            Target::Ssh(ssh) => Ok(ssh.run(&self.arguments(tty), tty).await?),
            Target::Local(place) => {
                let operator = self.operator.clone().unwrap_or_else(operator);
                self.here(place, tty, &operator).await
            }
        }
    }

    async fn here(self, place: &session::Place, tty: bool, operator: &str) -> Result<u8, Failure> {
        let Self { app, service, command, index, user, workdir, env, .. } = self;
        let command = Command { app, service, number: index, command, user, folder: workdir, environment: env, tty };
        let broken = |error: std::io::Error| Failure::new(Blame::Host, Exit::Unavailable, &error);
        let sizes = sizes(tty).map_err(broken)?;
        let raw = if tty { Some(Raw::enter().map_err(broken)?) } else { None };
        let ended = session::exec(place, &command, Streams { input: typed(), sizes, output }, operator).await;
        drop(raw);
        Ok(u8::try_from(ended?).unwrap_or(u8::MAX))
    }

    /// The same command line for the host itself.
    fn arguments(self, tty: bool) -> Vec<String> {
        let mut words = vec!["app".to_owned(), "exec".to_owned(), "--operator".to_owned(), operator()];
        let mut option = |name: &str, value: Option<String>| {
            words.extend(value.into_iter().flat_map(|value| [format!("--{name}"), value]));
        };
        option("index", self.index.map(|index| index.to_string()));
        option("user", self.user);
        option("workdir", self.workdir);
        self.env.into_iter().for_each(|variable| option("env", Some(variable)));
        words.extend((!tty).then(|| "--no-tty".to_owned()));
        words.extend(["--".to_owned(), self.app, self.service]);
        words.extend(self.command);
        words
    }
}

/// What comes on standard input. The thread that reads it is left behind when the command ends before its input does.
fn typed() -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel(16);
    std::thread::spawn(move || {
        let mut stdin = std::io::stdin().lock();
        let mut bytes = [0; 8192];
        while let Ok(count @ 1..) = stdin.read(&mut bytes) {
            if sender.blocking_send(bytes[..count].to_vec()).is_err() {
                break;
            }
        }
    });
    receiver
}

fn output(error: bool, bytes: &[u8]) {
    // A reader who has gone away does not stop the command.
    let _ = match error {
        true => std::io::stderr().write_all(bytes),
        false => std::io::stdout().write_all(bytes).and_then(|()| std::io::stdout().flush()),
    };
}

/// Columns and rows of the terminal, at once and each time they change.
fn sizes(tty: bool) -> std::io::Result<Receiver<(u16, u16)>> {
    let (sender, receiver) = channel(1);
    if tty {
        let mut changes = signal(SignalKind::window_change())?;
        tokio::spawn(async move {
            loop {
                let Ok(size) = tcgetwinsize(std::io::stdout()) else { return };
                if sender.send((size.ws_col, size.ws_row)).await.is_err() || changes.recv().await.is_none() {
                    return;
                }
            }
        });
    }
    Ok(receiver)
}

/// A terminal that passes every key on, until this is dropped.
struct Raw(Termios);

impl Raw {
    fn enter() -> std::io::Result<Self> {
        let before = tcgetattr(std::io::stdin())?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(std::io::stdin(), OptionalActions::Now, &raw)?;
        Ok(Self(before))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // Of a terminal that has gone away.
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &self.0);
    }
}
