//! A machine in a folder whose Docker is the tests' engine, with one project.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use stead::capability::{self, AnyCapability, ApplyError, Declared, Owned};
use stead::machine::{Doing, Machine};
use stead::plan::{Change, Diff, Undo};
use stead::secret::Secret;
use stead_tests::docker::Engine;

pub(crate) struct Host {
    pub(crate) engine: Engine,
    pub(crate) project: String,
    pub(crate) owned: Owned<Value>,
    folder: tempfile::TempDir,
    secrets: BTreeMap<String, Secret<String>>,
    /// What steps said that they were at work on.
    pub(crate) told: Arc<Mutex<Vec<String>>>,
}

impl Host {
    /// A host whose repo has `apps/NAME/compose.yaml`; `{image}` in it stands for an image of the project's own.
    pub(crate) fn new(project: &str, compose: &str) -> Result<Self> {
        Self::on(Engine::start()?, project, compose)
    }

    /// The same on another engine.
    pub(crate) fn on(engine: Engine, project: &str, compose: &str) -> Result<Self> {
        let host = Self::bare_on(engine, project)?;
        host.engine.import_busybox(&format!("{project}:1"))?;
        host.write("compose.yaml", compose)?;
        Ok(host)
    }

    /// A host whose repo has no file for the project yet.
    pub(crate) fn bare(project: &str) -> Result<Self> {
        Self::bare_on(Engine::start()?, project)
    }

    fn bare_on(engine: Engine, project: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        engine.put_in(&folder.path().join("root"))?;
        let host = Self {
            engine,
            project: project.to_owned(),
            owned: Owned::new(),
            folder,
            secrets: BTreeMap::new(),
            told: Arc::default(),
        };
        std::fs::create_dir_all(host.staged())?;
        host.clean()?;
        Ok(host)
    }

    /// Puts a file in `apps/NAME`.
    pub(crate) fn write(&self, name: &str, content: &str) -> Result<()> {
        let path = self.staged().join(name);
        std::fs::create_dir_all(path.parent().context("no parent")?)?;
        Ok(std::fs::write(path, content.replace("{image}", &format!("{}:1", self.project)))?)
    }

    pub(crate) fn with_secret(mut self, name: &str, value: &str) -> Self {
        self.secrets.insert(name.to_owned(), Secret::new(value.to_owned()));
        self
    }

    pub(crate) fn staged(&self) -> PathBuf {
        self.folder.path().join("repo/apps").join(&self.project)
    }

    pub(crate) fn lasting(&self) -> PathBuf {
        self.state().join("apps").join(&self.project)
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    pub(crate) fn machine(&self) -> Result<Arc<Machine>> {
        let machine = Machine::open(&self.folder.path().join("root"), &self.state())?;
        let told = Arc::clone(&self.told);
        let doing = Doing::new(move |words| told.lock().expect("nobody panicked").push(words));
        let machine = machine.with_apps(self.folder.path().join("repo/apps")).with_secrets(self.secrets.clone());
        Ok(Arc::new(machine.with_doing(doing)))
    }

    pub(crate) fn spec(&self) -> Value {
        json!({"project": self.project, "health_timeout": 20})
    }

    pub(crate) async fn observe(&self, specs: &[Value]) -> Result<Value> {
        Ok(compose()?.observe(self.machine()?, &declared(specs), &self.owned).await?)
    }

    pub(crate) async fn plan(&self, specs: &[Value]) -> Result<Diff<Value>> {
        let fact = self.observe(specs).await?;
        Ok(compose()?.diff(&fact, &declared(specs), &self.owned, &Default::default())?)
    }

    pub(crate) async fn act(&self, action: &Value) -> Result<(), ApplyError> {
        let machine = self.machine().map_err(|error| ApplyError::Record(error.to_string()))?;
        let compose = compose().map_err(|error| ApplyError::Record(error.to_string()))?;
        compose.apply(machine, action).await
    }

    /// Plans and applies; the notes of the one step, none when there is nothing to do.
    pub(crate) async fn apply(&mut self, specs: &[Value]) -> Result<Vec<String>> {
        let diff = self.plan(specs).await?;
        ensure!(diff.deferred.is_empty() && diff.steps.len() <= 1, "{diff:#?}");
        let Some(step) = diff.steps.into_iter().next() else { return Ok(Vec::new()) };
        let notes = notes(&step.detail);
        self.act(&step.action).await?;
        match step.change {
            Change::Delete => self.owned.clear(),
            _ => {
                let release = step.releases.get(&self.project).cloned();
                self.owned.entry(self.project.clone()).or_insert(release);
            }
        }
        Ok(notes)
    }

    pub(crate) async fn up(&mut self) -> Result<Vec<String>> {
        self.apply(&[self.spec()]).await
    }

    /// Plans a change and fails to do it, then takes it back as the engine would.
    pub(crate) async fn fail(&self) -> Result<ApplyError> {
        let diff = self.plan(&[self.spec()]).await?;
        let step = diff.steps.first().context("there is nothing to do")?;
        let Err(error) = self.act(&step.action).await else { bail!("it did not fail") };
        let Undo::Action(undo) = &step.undo else { bail!("it cannot be undone: {:?}", step.undo) };
        self.act(undo).await?;
        Ok(error)
    }

    /// What a change fails with, before anything is taken back.
    pub(crate) async fn failed(&self) -> Result<ApplyError> {
        let diff = self.plan(&[self.spec()]).await?;
        let step = diff.steps.first().context("there is nothing to do")?;
        self.act(&step.action).await.err().context("it did not fail")
    }

    /// The ids of the project's containers, by name.
    pub(crate) fn ids(&self) -> Result<BTreeMap<String, String>> {
        let filter = format!("label=com.docker.compose.project={}", self.project);
        let format = "{{.Names}} {{.ID}} {{.State}}";
        let text = self.engine.docker(["ps", "--all", "--filter", &filter, "--format", format])?.ok()?;
        let pair = |line: &str| line.split_once(' ').map(|(name, id)| (name.to_owned(), id.to_owned()));
        Ok(text.lines().filter_map(pair).collect())
    }

    pub(crate) fn inspect(&self, container: &str) -> Result<Value> {
        let text = self.engine.docker(["inspect", container])?.ok()?;
        let mut found: Value = serde_json::from_str(&text)?;
        Ok(found[0].take())
    }

    /// Runs docker compose in the project's folder.
    pub(crate) fn compose<const N: usize>(&self, arguments: [&str; N]) -> Result<String> {
        self.compose_in(&self.lasting(), arguments)?.ok()
    }

    /// Runs docker compose in a folder.
    pub(crate) fn compose_in<const N: usize>(
        &self,
        folder: &std::path::Path,
        arguments: [&str; N],
    ) -> Result<stead_tests::run::Output> {
        let mut command = std::process::Command::new("docker");
        command.args(["compose", "--project-name", &self.project]).args(arguments);
        command.current_dir(folder).envs(self.engine.environment());
        stead_tests::run::run(&mut command, std::time::Duration::from_secs(120))
    }

    pub(crate) fn lists<const N: usize>(&self, arguments: [&str; N]) -> Result<Vec<String>> {
        let filter = format!("label=com.docker.compose.project={}", self.project);
        let [what, format] = [arguments[0], "{{.Name}}"];
        let text = self.engine.docker([what, "ls", "--filter", &filter, "--format", format])?.ok()?;
        Ok(text.lines().map(str::to_owned).collect())
    }

    /// Leaves nothing of the project in the engine.
    pub(crate) fn clean(&self) -> Result<()> {
        let filter = format!("label=com.docker.compose.project={}", self.project);
        let script = format!(
            "docker ps -aq --filter {filter} | xargs -r docker rm -fv; \
             docker network ls -q --filter {filter} | xargs -r docker network rm; \
             docker volume ls -q --filter {filter} | xargs -r docker volume rm"
        );
        self.engine.exec(&script)?.ok().map(drop)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.clean();
    }
}

pub(crate) fn compose() -> Result<&'static dyn AnyCapability> {
    capability::by_name("compose").context("no capability compose")
}

pub(crate) fn declared(specs: &[Value]) -> Vec<Declared<Value>> {
    specs.iter().map(|spec| Declared { policy: "base".to_owned(), spec: spec.clone() }).collect()
}

fn notes(detail: &[stead::plan::Detail]) -> Vec<String> {
    let note = |detail: &stead::plan::Detail| match detail {
        stead::plan::Detail::Note(note) => Some(note.clone()),
        _ => None,
    };
    detail.iter().filter_map(note).collect()
}

/// Runs a test on its own runtime.
pub(crate) fn block<T>(test: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(test)
}
