//! Runs a command in a container, with the operator's input, output and terminal.

use std::pin::Pin;

use bollard::container::LogOutput;
use bollard::exec::{CreateExecOptions, ResizeExecOptions, StartExecOptions, StartExecResults};
use futures::StreamExt;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc::Receiver;

use super::{AppError, Apps, Instance, refused};
use crate::capability::compose::docker::exec_ended;

/// A command, and where it is to run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exec {
    pub app: String,
    pub service: String,
    /// The number of the container; `None`: the first that runs.
    pub number: Option<u32>,
    pub command: Vec<String>,
    pub user: Option<String>,
    pub folder: Option<String>,
    /// `NAME=value`.
    pub environment: Vec<String>,
    /// Whether it gets a terminal.
    pub tty: bool,
}

/// Where its input comes from and its output goes.
#[derive(Debug)]
pub struct Streams<O> {
    /// Ends with the input.
    pub input: Receiver<Vec<u8>>,
    /// Columns and rows of the terminal: at once, then each time they change.
    pub sizes: Receiver<(u16, u16)>,
    /// Takes what the command writes; `true`: to standard error.
    pub output: O,
}

impl Apps<'_> {
    /// Runs the command to its end; answers with its exit code.
    ///
    /// # Errors
    /// When no such container runs, or Docker refuses.
    pub async fn exec(&self, exec: &Exec, streams: Streams<impl FnMut(bool, &[u8])>) -> Result<i64, AppError> {
        let container = self.running(exec).await?;
        let program = exec.command.first().map(String::as_str).unwrap_or_default();
        let cannot = || refused(format!("run {program} in {}", exec.app));
        let options = CreateExecOptions {
            attach_stdin: Some(true),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            tty: Some(exec.tty),
            env: Some(exec.environment.clone()),
            cmd: Some(exec.command.clone()),
            user: exec.user.clone(),
            working_dir: exec.folder.clone(),
            ..CreateExecOptions::default()
        };
        let made = self.docker.create_exec(&container, options).await.map_err(cannot())?;
        let start = StartExecOptions { tty: exec.tty, ..StartExecOptions::default() };
        let begun = self.docker.start_exec(&made.id, Some(start)).await.map_err(cannot())?;
        if let StartExecResults::Attached { mut output, input } = begun {
            let Streams { input: typed, sizes, output: mut write } = streams;
            let reading = async {
                while let Some(said) = output.next().await {
                    let said = said.map_err(cannot())?;
                    write(matches!(said, LogOutput::StdErr { .. }), said.as_ref());
                }
                Ok::<_, AppError>(())
            };
            // The command may end before its input does.
            tokio::select! {
                read = reading => read?,
                () = async { tokio::join!(feed(typed, input), self.resize(&made.id, sizes)); std::future::pending().await } => {}
            }
        }
        let code = exec_ended(&self.docker, &made.id).await.map_err(cannot())?;
        code.ok_or_else(|| AppError::Refused {
            what: format!("tell how {program} in {} ended", exec.app),
            words: "the engine does not know".to_owned(),
        })
    }

    /// The id of the container that is meant.
    pub(super) async fn running(&self, exec: &Exec) -> Result<String, AppError> {
        let app = self.find(&exec.app, std::slice::from_ref(&exec.service)).await?;
        let meant = |one: &&Instance| exec.number.is_none_or(|number| number == one.number) && !one.one_off;
        let one = app.instances.iter().filter(meant).find(|one| one.state == "running");
        one.and_then(Instance::id).map(str::to_owned).ok_or_else(|| AppError::NotRunning {
            app: exec.app.clone(),
            service: exec.service.clone(),
            number: exec.number.unwrap_or(1),
        })
    }

    async fn resize(&self, id: &str, mut sizes: Receiver<(u16, u16)>) {
        while let Some((width, height)) = sizes.recv().await {
            // Of a command that has just ended.
            let _ = self.docker.resize_exec(id, ResizeExecOptions { height, width }).await;
        }
    }
}

/// A command that does not read its input is no error.
async fn feed(mut typed: Receiver<Vec<u8>>, mut input: Pin<Box<dyn AsyncWrite + Send>>) {
    while let Some(bytes) = typed.recv().await {
        if input.write_all(&bytes).await.is_err() || input.flush().await.is_err() {
            return;
        }
    }
    let _ = input.shutdown().await;
}
