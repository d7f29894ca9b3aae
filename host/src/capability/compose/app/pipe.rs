//! Runs a command in a container with its standard input or output in a pipe, and says how it ended.
//!
//! Nothing is taken for an end that is none: a command whose exit code Docker does not say has failed.

use bollard::container::LogOutput;
use bollard::exec::{CreateExecOptions, StartExecResults};
use futures::StreamExt;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

use super::{AppError, Apps, Exec, refused};
use crate::capability::compose::docker::exec_ended;

/// How much of its words is kept, from the end.
const TAIL: usize = 2048;

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// `None`: Docker does not say.
    pub code: Option<i64>,
    /// The end of what it wrote to standard error.
    pub words: String,
}

impl Apps<'_> {
    /// Runs the command to its end, with all of `input`; its standard output goes to `output`.
    ///
    /// # Errors
    /// When no such container runs, Docker refuses, or `output` takes no more.
    pub async fn pipe(
        &self,
        exec: &Exec,
        input: impl AsyncRead,
        output: &mut (impl AsyncWrite + Unpin),
    ) -> Result<Ended, AppError> {
        let container = self.running(exec).await?;
        let program = exec.command.first().map(String::as_str).unwrap_or_default();
        let cannot = || refused(format!("run {program} in {}", exec.app));
        let broken = |error: std::io::Error| AppError::Refused {
            what: format!("pass on what {program} in {} says", exec.app),
            words: error.to_string(),
        };
        let options = CreateExecOptions {
            attach_stdin: Some(true),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            env: Some(exec.environment.clone()),
            cmd: Some(exec.command.clone()),
            user: exec.user.clone(),
            ..CreateExecOptions::default()
        };
        let made = self.docker.create_exec(&container, options).await.map_err(cannot())?;
        let begun = self.docker.start_exec(&made.id, None).await.map_err(cannot())?;
        let mut words = Vec::new();
        if let StartExecResults::Attached { output: mut said, input: mut typed } = begun {
            let feeding = async {
                let mut input = std::pin::pin!(input);
                // A command that does not read all of its input says by its exit code whether that is an error.
                let _ = tokio::io::copy(&mut input, &mut typed).await;
                let _ = typed.shutdown().await;
                std::future::pending::<()>().await
            };
            let reading = async {
                while let Some(said) = said.next().await {
                    match said.map_err(cannot())? {
                        LogOutput::StdErr { message } => keep(&mut words, &message),
                        other => output.write_all(other.as_ref()).await.map_err(broken)?,
                    }
                }
                Ok::<_, AppError>(())
            };
            tokio::select! {
                read = reading => read?,
                () = feeding => {}
            }
        }
        output.flush().await.map_err(broken)?;
        let words = String::from_utf8_lossy(words.trim_ascii()).into_owned();
        let code = exec_ended(&self.docker, &made.id).await.map_err(refused("ask how a command ended"))?;
        Ok(Ended { code, words })
    }
}

fn keep(words: &mut Vec<u8>, more: &[u8]) {
    words.extend_from_slice(more);
    let surplus = words.len().saturating_sub(TAIL);
    words.drain(..surplus);
}
