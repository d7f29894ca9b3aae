//! Commands that are run in a container after it started, and before it is stopped.

use bollard::exec::{CreateExecOptions, StartExecResults};
use futures::TryStreamExt;

use super::Up;
use super::body::environment;
use crate::capability::ApplyError;
use crate::capability::compose::model::Hook;

impl Up<'_> {
    /// Runs them one after the other; the first that fails ends it.
    ///
    /// # Errors
    /// When a command cannot be run or does not end with success: its words are in the message.
    pub(super) async fn hooks(&self, key: &str, hooks: &[Hook], id: &str, name: &str) -> Result<(), ApplyError> {
        for hook in hooks {
            let (code, words) = self.run_hook(hook, id).await.map_err(self.failed(format!("run {key} in {name}")))?;
            if code != 0 {
                let command = hook.command.join(" ");
                let words = self.variables.hide(words.trim_end());
                return Err(self.refused(format!("{key} in {name}: `{command}` ended with exit code {code}: {words}")));
            }
        }
        Ok(())
    }

    async fn run_hook(&self, hook: &Hook, id: &str) -> Result<(i64, String), bollard::errors::Error> {
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
        let exec = self.docker.create_exec(id, options).await?.id;
        let mut words = String::new();
        if let StartExecResults::Attached { mut output, .. } = self.docker.start_exec(&exec, None).await? {
            while let Some(line) = output.try_next().await? {
                words.push_str(&line.to_string());
                words = super::gate::tail(&words).to_owned();
            }
        }
        let ended = self.docker.inspect_exec(&exec).await?;
        Ok((ended.exit_code.unwrap_or_default(), words))
    }
}
