//! The Compose plugin as the reader of compose files: nothing else reads all of them as their authors mean them.
//!
//! Relative paths must come out as those of the project's lasting folder, and includes and variable files must be
//! found in it, while the shipped files still lie elsewhere. So the plugin runs in a room of its own, in which the
//! shipped folder lies at the lasting place, and no other file can be read. Nothing is written.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::oneshot;

use self::probe::Probe;
use self::room::Room;
use super::credentials;
use super::spec::Project;
use crate::machine::{Machine, Program, ProgramError};
use crate::secret::Secret;

mod probe;
mod room;

/// Where the docker command line looks for plugins.
const FOLDERS: &[&str] = &[
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
];
const NAME: &str = "docker-compose";
/// What is said of files that the plugin comes to no end with.
const ENDLESS: &str = "the Compose plugin took more memory or time than reading files may take, and was stopped: look for \
                       anchors that name each other many times over, and whether `docker compose version` answers";
/// Longer than the processor time that it gets, for a machine that is busy.
const LONGEST: Duration = Duration::from_secs(30);
/// What becomes of a secret in an error message.
const HIDDEN: &str = "•••";

/// The installed plugin.
#[derive(Debug)]
pub(super) struct Plugin {
    path: PathBuf,
    room: Room,
    /// Where what it said of itself is kept.
    kept: PathBuf,
    /// Changes when the plugin does.
    pub(super) identity: String,
}

/// The variables that a project is read with.
#[derive(Debug, Default)]
pub(super) struct Variables {
    pub(super) public: BTreeMap<String, String>,
    pub(super) secret: BTreeMap<String, Secret<String>>,
}

/// A project as the plugin reads it. It may hold values of secrets, so it is never kept or shown.
pub(super) struct Resolved {
    /// With `$` as itself.
    pub(super) model: Value,
    /// The config hash of each service.
    pub(super) hashes: BTreeMap<String, String>,
    /// The variables that configs and secrets are made of, as far as they are set.
    pub(super) variables: BTreeMap<String, Secret<String>>,
    pub(super) version: String,
}

impl Plugin {
    pub(super) fn find(machine: &Machine) -> Option<Self> {
        let own = std::env::var_os("DOCKER_CONFIG")
            .filter(|_| machine.is_live())
            .map(|folder| PathBuf::from(folder).join("cli-plugins"));
        let folders = own.into_iter().chain(FOLDERS.iter().map(|folder| machine.path(folder)));
        folders.map(|folder| folder.join(NAME)).find_map(|path| {
            let metadata = path.metadata().ok().filter(std::fs::Metadata::is_file)?;
            let path_and_time = (path.display(), metadata.mtime(), metadata.mtime_nsec());
            let identity = format!("{}:{path_and_time:?}", metadata.len());
            let kept = machine.state().join("compose").join("plugin.json");
            Some(Self { path, room: Room::of(machine), kept, identity })
        })
    }

    /// Reads the files in `folder` as if they lay in `lasting`.
    ///
    /// # Errors
    /// When the plugin cannot read them, or what is to be scaled is not there.
    pub(super) async fn resolve(
        &self,
        project: &Project,
        (folder, lasting): (&Path, &Path),
        variables: &Variables,
        scale: &BTreeMap<String, u32>,
    ) -> Result<Resolved, String> {
        let wrong = |error| variables.hide(&reason(project, error));
        let probe = self.probe().await.map_err(wrong)?;
        let inside = || self.inside(&probe, project, folder, lasting);
        let (config, hash) = (inside()?, inside()?);
        // Started beside the first: that a plugin starts takes longer than what it then does.
        let (read, to_read) = oneshot::channel();
        let text = async {
            let text = model(config, lasting, variables).await?;
            // Nobody waits for it any more when the other one failed.
            let _ = read.send(text.clone());
            Ok(text)
        };
        let hash = hash.args(["--file", "-", "config"]).input_later(to_read);
        let (text, hashes) = tokio::try_join!(text, hashes(hash)).map_err(wrong)?;
        let mut model = unescaped(&text)?;
        set_scale(&mut model, scale)?;
        let names = sources(&model);
        let found = match names.is_empty() {
            true => BTreeMap::new(),
            false => values(inside()?, lasting, variables, &names).await.map_err(wrong)?,
        };
        Ok(Resolved { model, hashes, variables: found, version: probe.version })
    }

    /// The config hashes of a resolved model that was changed.
    pub(super) async fn hashes(
        &self,
        project: &Project,
        lasting: &Path,
        model: &Value,
    ) -> Result<BTreeMap<String, String>, String> {
        let text = model.to_string().replace('$', "$$");
        // What was resolved once is complete; completed again, it would gain what the change implies.
        let probe = self.probe().await.map_err(|error| reason(project, error))?;
        let again = self.inside(&probe, project, lasting, lasting)?;
        hashes(again.args(["--file", "-", "config", "--no-normalize"]).input(text))
            .await
            .map_err(|error| reason(project, error))
    }

    /// Runs a command of the plugin that changes something, on a resolved model: outside of its room, because it has to
    /// reach Docker, and without a file that it could read.
    pub(super) async fn act(
        &self,
        project: &Project,
        (lasting, model): (&Path, Option<&Value>),
        variables: &Variables,
        host: &str,
        (words, timeout): (&[&str], Duration),
    ) -> Result<(), String> {
        let program = bare(Program::new(self.path.to_string_lossy())).env("DOCKER_HOST", host).timeout(timeout);
        let program = variables.give(program).args(["--project-name", project.as_str()]);
        let program = match model {
            Some(model) => {
                let text = model.to_string().replace('$', "$$");
                program.arg("--project-directory").arg(lasting).args(["--file", "-"]).input(text)
            }
            None => program,
        };
        program
            .args(words.iter().copied())
            .run()
            .await
            .map(drop)
            .map_err(|error| variables.hide(&reason(project, error)))
    }

    async fn probe(&self) -> Result<Probe, ProgramError> {
        Probe::of(&self.path, &self.identity, &self.kept).await
    }

    fn inside(&self, probe: &Probe, project: &Project, folder: &Path, lasting: &Path) -> Result<Program, String> {
        let program = self.room.program(&self.path, &probe.libraries, folder, lasting);
        let program = program.map_err(|error| error.to_string())?;
        Ok(bare(program).args(["--project-name", project.as_str()]))
    }
}

/// Sets how many containers services have. It is no part of what Compose's hash is of.
fn set_scale(model: &mut Value, scale: &BTreeMap<String, u32>) -> Result<(), String> {
    for (name, containers) in scale {
        let Some(service) = model.pointer_mut("/services").and_then(|services| services.get_mut(name)) else {
            return Err(format!("cannot scale {name}: the project has no such service"));
        };
        if service.pointer("/deploy/mode").is_some_and(|mode| mode == "global") {
            return Err(format!("cannot scale {name}: its `deploy.mode` is `global`"));
        }
        if let Some(replicas) = service.pointer_mut("/deploy/replicas") {
            *replicas = (*containers).into();
        }
        if let Some(service) = service.as_object_mut() {
            service.insert("scale".to_owned(), (*containers).into());
        }
    }
    Ok(())
}

async fn model(program: Program, lasting: &Path, variables: &Variables) -> Result<Vec<u8>, ProgramError> {
    let program = variables.give(program).arg("--project-directory").arg(lasting);
    Ok(program.args(["config", "--format", "json"]).run().await?.stdout)
}

/// `config` doubles each `$` so that its output can be read again; nothing else in it may be one.
fn unescaped(text: &[u8]) -> Result<Value, String> {
    let text = String::from_utf8_lossy(text).replace("$$", "$");
    serde_json::from_str(&text).map_err(|_| "the Compose plugin did not print JSON".to_owned())
}

/// The variables that configs and secrets take their content from.
fn sources(model: &Value) -> BTreeSet<&str> {
    let sections = ["configs", "secrets"].into_iter().filter_map(|section| model.get(section)?.as_object());
    sections.flat_map(|section| section.values()).filter_map(|source| source.get("environment")?.as_str()).collect()
}

/// The values of variables as the project's own files see them. `config` prints the names only, so a file that
/// interpolates them is read in the same place.
async fn values(
    program: Program,
    lasting: &Path,
    variables: &Variables,
    names: &BTreeSet<&str>,
) -> Result<BTreeMap<String, Secret<String>>, ProgramError> {
    let asked: serde_json::Map<String, Value> = names
        .iter()
        .flat_map(|name| {
            [(format!("is_{name}"), format!("${{{name}+yes}}")), (format!("of_{name}"), format!("${{{name}}}"))]
        })
        .map(|(name, value)| (name, value.into()))
        .collect();
    let file = serde_json::json!({ "services": { "ask": { "image": "none", "environment": asked } } }).to_string();
    let program = variables.give(program).arg("--project-directory").arg(lasting).input(file);
    let text = program.args(["--file", "-", "config", "--format", "json"]).run().await?.stdout;
    let model = unescaped(&text).unwrap_or_default();
    let said = |kind: &str, name: &str| {
        let value = model.pointer("/services/ask/environment")?.get(format!("{kind}_{name}"))?;
        value.as_str().map(str::to_owned)
    };
    let is_set = names.iter().filter(|name| said("is", name).is_some_and(|said| said == "yes"));
    Ok(is_set.filter_map(|name| Some(((*name).to_owned(), Secret::new(said("of", name)?)))).collect())
}

/// The hashes of the resolved model. Those of the files are wrong where `docker compose up` completes what it hashes:
/// by an `env_file`, a variable without a value, or a service whose profile is not active.
async fn hashes(program: Program) -> Result<BTreeMap<String, String>, ProgramError> {
    let text = program.args(["--hash", "*"]).run().await?.text();
    let pair = |line: &str| line.split_once(' ').map(|(service, hash)| (service.to_owned(), hash.trim().to_owned()));
    Ok(text.lines().filter_map(pair).collect())
}

/// Only what is declared reaches the files: no variable of whoever runs stead does.
fn bare(program: Program) -> Program {
    program.timeout(LONGEST).bare().env("HOME", "/root").env("COMPOSE_ANSI", "never")
}

impl Variables {
    fn give(&self, program: Program) -> Program {
        let program = self.public.iter().fold(program, |program, (name, value)| program.env(name, value));
        let secret = self.secret.iter().filter(|(name, _)| *name != credentials::VARIABLE);
        secret.fold(program, |program, (name, value)| program.env(name, value.reveal()))
    }

    /// The text without values of secrets.
    pub(super) fn hide(&self, text: &str) -> String {
        let values = self.secret.values().map(|secret| secret.reveal().as_str()).filter(|value| !value.is_empty());
        values.fold(text.to_owned(), |text, value| text.replace(value, HIDDEN))
    }
}

fn reason(project: &Project, error: ProgramError) -> String {
    match error {
        ProgramError::Failed { words, .. }
            if ["no such file", "not found"].iter().any(|lacks| words.contains(lacks)) =>
        {
            format!("{words}; its compose file can read files of its own folder, apps/{project}, and no others")
        }
        ProgramError::Timeout { .. } => ENDLESS.to_owned(),
        ProgramError::Failed { words, .. } if words.trim().is_empty() || words.contains("out of memory") => {
            ENDLESS.to_owned()
        }
        ProgramError::Failed { words, .. } => words,
        ProgramError::TooMuch { most, .. } => {
            format!("the Compose plugin printed more than {} MiB, and was stopped: is it the real one?", most >> 20)
        }
        error => error.to_string(),
    }
}
