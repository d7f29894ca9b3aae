//! Commands that are run in a container after it started, and before it is stopped.

use bollard::Docker;
use bollard::errors::Error;
use bollard::exec::{CreateExecOptions, StartExecResults};
use futures::TryStreamExt;

use super::body::environment;
use super::said;
use crate::capability::compose::docker::exec_ended;
use crate::capability::compose::loader::Variables;
use crate::capability::compose::model::Hook;

/// Runs them one after the other; the first that fails ends it.
///
/// # Errors
/// When a command cannot be run or does not end with success: its words are in the message.
pub(super) async fn run(
    (docker, variables): (&Docker, &Variables),
    key: &str,
    hooks: &[Hook],
    (id, name): (&str, &str),
) -> Result<(), String> {
    for hook in hooks {
        let ran = run_one(docker, hook, id).await;
        let (code, words) =
            ran.map_err(|error| format!("cannot run {key} in {name}: {}", variables.hide(&said(error))))?;
        if code != Some(0) {
            let how = code.map_or_else(
                || "in a way that the engine does not know".to_owned(),
                |code| format!("with exit code {code}"),
            );
            let command = hook.command.join(" ");
            let words = variables.hide(words.trim_end());
            return Err(format!("{key} in {name}: `{command}` ended {how}: {words}"));
        }
    }
    Ok(())
}

async fn run_one(docker: &Docker, hook: &Hook, id: &str) -> Result<(Option<i64>, String), Error> {
    let options = CreateExecOptions {
        cmd: Some(hook.command.clone()),
        user: hook.user.clone(),
        privileged: Some(hook.privileged),
        working_dir: hook.working_dir.clone(),
        env: Some(environment(&hook.environment)),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        ..CreateExecOptions::default()
    };
    let exec = docker.create_exec(id, options).await?.id;
    let mut words = String::new();
    if let StartExecResults::Attached { mut output, .. } = docker.start_exec(&exec, None).await? {
        while let Some(line) = output.try_next().await? {
            words.push_str(&line.to_string());
            words = super::gate::tail(&words).to_owned();
        }
    }
    Ok((exec_ended(docker, &exec).await?, words))
}
