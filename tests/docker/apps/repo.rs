//! A repo whose policy declares apps, and a tree of files whose Docker is the tests' engine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use stead_tests::docker::Engine;
use stead_tests::run::{run, run_with_input};
use stead_tests::{policy, program};
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(120);
/// The grants of a policy that can ask for something of every capability.
const GRANTS: &str = include_str!("../../e2e/all.toml");

pub(crate) struct Repo {
    pub(crate) engine: Engine,
    pub(crate) app: String,
    folder: TempDir,
    stead: PathBuf,
}

impl Repo {
    /// A repo with `apps/APP/compose.yaml`; `{image}` in it stands for an image of the app's own.
    pub(crate) fn new(app: &str, compose: &str) -> Result<Self> {
        Self::on(Engine::start()?, app, compose)
    }

    /// The same on another engine than the tests' usual one.
    pub(crate) fn on(engine: Engine, app: &str, compose: &str) -> Result<Self> {
        engine.import_busybox(&format!("{app}:1"))?;
        let repo = Self { engine, app: app.to_owned(), folder: tempfile::tempdir()?, stead: program::stead()? };
        repo.clean()?;
        for folder in ["root/etc", "home"] {
            fs::create_dir_all(repo.path(folder))?;
        }
        fs::write(repo.path("root/etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n")?;
        fs::write(repo.path("root/etc/group"), "root:x:0:\n")?;
        repo.engine.put_in(&repo.path("root"))?;
        fs::copy(policy::component("all", "tests/e2e/policy")?, repo.path("all.wasm"))?;
        repo.declare("", "")?;
        repo.write("compose.yaml", compose)?;
        Ok(repo)
    }

    /// What `stead.toml` says of the host, and besides.
    pub(crate) fn declare(&self, host: &str, more: &str) -> Result<()> {
        let grants = GRANTS.replace("\"hello\"", "\"*\"").replace("\"busybox:*\"", "\"*\"");
        let text = format!(
            "[host.box]\npolicies = [\"all\"]\n{host}\n{grants}\n[policy.all.config]\napps = [\"{}\"]\n{more}\n",
            self.app
        );
        Ok(fs::write(self.path("stead.toml"), text)?)
    }

    /// Puts a file in `apps/APP`.
    pub(crate) fn write(&self, name: &str, content: &str) -> Result<()> {
        let path = self.path("apps").join(&self.app).join(name);
        fs::create_dir_all(path.parent().context("no parent")?)?;
        Ok(fs::write(path, content.replace("{image}", &format!("{}:1", self.app)))?)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs stead in the repo; answers all that it said, when it ended with `code`.
    pub(crate) fn stead(&self, line: &str, code: i32) -> Result<String> {
        self.words(&line.split_whitespace().collect::<Vec<_>>(), "", code)
    }

    /// The same with words that hold blanks, and with something to read.
    pub(crate) fn words(&self, words: &[&str], input: &str, code: i32) -> Result<String> {
        run_with_input(self.command().args(words), input.as_bytes(), LIMIT)?.ended_with(code)
    }

    /// Runs stead where there is no terminal to ask on.
    pub(crate) fn alone(&self, line: &str, code: i32) -> Result<String> {
        let own = self.command();
        let mut command = Command::new("setsid");
        command.arg("--wait").arg(own.get_program()).args(own.get_args()).args(line.split_whitespace());
        run(command.current_dir(self.folder.path()).env("HOME", self.path("home")), LIMIT)?.ended_with(code)
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.stead);
        command.arg("--root").arg(self.path("root")).arg("--state").arg(self.path("state"));
        command.current_dir(self.folder.path());
        command.env("HOME", self.path("home")).env_remove("SSH_CONNECTION").env_remove("DOCKER_HOST");
        command
    }

    pub(crate) fn up(&self) -> Result<String> {
        self.stead("apply --yes", 0)
    }

    /// The app as `stead app ls` says it.
    pub(crate) fn listed(&self) -> Result<Value> {
        let said: Value = serde_json::from_str(self.stead("app ls --json", 0)?.trim())?;
        let apps = said["box"].as_array().context("no list of apps")?;
        Ok(apps.iter().find(|app| app["name"] == *self.app).cloned().unwrap_or_default())
    }

    /// A value of a container, by a template of docker(1).
    pub(crate) fn inspect(&self, container: &str, template: &str) -> Result<String> {
        Ok(self.engine.docker(["inspect", "--format", template, container])?.ok()?.trim().to_owned())
    }

    /// Runs docker compose on a file of its own.
    pub(crate) fn compose(&self, project: &str, file: &Path, words: &[&str]) -> Result<String> {
        let mut command = Command::new("docker");
        command.args(["compose", "--project-name", project, "--file"]).arg(file).args(words);
        run(command.envs(self.engine.environment()), LIMIT)?.ok()
    }

    fn clean(&self) -> Result<()> {
        let filter = format!("label=com.docker.compose.project={}", self.app);
        let stack = &self.app;
        let script = format!(
            "docker ps -aq --filter {filter} | xargs -r docker rm -fv; \
             docker stack rm {stack} 2>&1; \
             while docker ps -q --filter label=com.docker.stack.namespace={stack} | grep -q .; do sleep 0.1; done; \
             docker volume ls -q --filter label=com.docker.stack.namespace={stack} | xargs -r docker volume rm -f; \
             docker network ls -q --filter {filter} | xargs -r docker network rm; \
             docker volume ls -q --filter {filter} | xargs -r docker volume rm"
        );
        self.engine.exec(&script)?.ok().map(drop)
    }
}

impl Drop for Repo {
    fn drop(&mut self) {
        let _ = self.clean();
    }
}

/// Whether the words are there, in this order.
pub(crate) fn in_order(text: &str, words: &[&str]) -> Result<()> {
    let mut rest = text;
    for word in words {
        let (_, after) = rest.split_once(word).with_context(|| format!("no {word:?} after the others in:\n{text}"))?;
        rest = after;
    }
    ensure!(!words.is_empty());
    Ok(())
}
