//! The Compose plugin as the reader of compose files: nothing else reads all of them as their authors mean them.
//!
//! Relative paths must come out as those of the project's lasting folder, and includes and variable files must be
//! found in it, while the shipped files still lie elsewhere. So the plugin runs in a room of its own, in which the
//! shipped folder lies at the lasting place, and no other file can be read. Nothing is written.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use self::room::Room;
use super::spec::Project;
use crate::machine::{Machine, Program, ProgramError};
use crate::secret::Secret;

mod room;

/// Where the docker command line looks for plugins.
const FOLDERS: &[&str] = &[
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
];
const NAME: &str = "docker-compose";
/// What becomes of a secret in an error message.
const HIDDEN: &str = "•••";

/// The installed plugin.
#[derive(Debug)]
pub(super) struct Plugin {
    path: PathBuf,
    room: Room,
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
            let identity = format!("{}:{}:{}", metadata.len(), metadata.mtime(), metadata.mtime_nsec());
            Some(Self { path, room: Room::of(machine), identity })
        })
    }

    /// Reads the files in `folder` as if they lay in `lasting`.
    pub(super) async fn resolve(
        &self,
        project: &Project,
        folder: &Path,
        lasting: &Path,
        variables: &Variables,
    ) -> Result<Resolved, String> {
        let inside = || {
            let program = self.room.program(&self.path, folder, lasting).map_err(|error| error.to_string())?;
            Ok::<_, String>(bare(program).args(["--project-name", project.as_str()]))
        };
        let (config, hash) = (inside()?, inside()?);
        let read = async {
            let (model, version) = tokio::try_join!(model(config, lasting, variables), self.version())?;
            Ok::<_, ProgramError>((hashes(hash, &model).await?, model, version))
        };
        let (hashes, model, version) = read.await.map_err(|error| variables.hide(&reason(project, error)))?;
        // `config` doubles each `$` so that its output can be read again; nothing else in it may be one.
        let model = String::from_utf8_lossy(&model).replace("$$", "$");
        let model = serde_json::from_str(&model).map_err(|_| "the Compose plugin did not print JSON".to_owned())?;
        Ok(Resolved { model, hashes, version })
    }

    async fn version(&self) -> Result<String, ProgramError> {
        let program = bare(Program::new(self.path.to_string_lossy()));
        let text = program.args(["version", "--short"]).run().await?.text();
        // A distribution's own number behind it is not part of the label that Compose writes.
        let number = text.trim().trim_start_matches('v').split(['-', '+', '~']).next();
        Ok(number.unwrap_or_default().to_owned())
    }
}

async fn model(program: Program, lasting: &Path, variables: &Variables) -> Result<Vec<u8>, ProgramError> {
    let program = variables.public.iter().fold(program, |program, (name, value)| program.env(name, value));
    let secret = variables.secret.iter();
    let program = secret.fold(program, |program, (name, value)| program.env(name, value.reveal()));
    let program = program.arg("--project-directory").arg(lasting);
    Ok(program.args(["config", "--format", "json"]).run().await?.stdout)
}

/// The hashes of the resolved model. Those of the files themselves are wrong where there is an `env_file`:
/// `docker compose up` reads it before it hashes, and `config --hash` does not.
async fn hashes(program: Program, model: &[u8]) -> Result<BTreeMap<String, String>, ProgramError> {
    let program = program.args(["--file", "-", "config", "--hash", "*"]);
    let text = program.input(model).run().await?.text();
    let pair = |line: &str| line.split_once(' ').map(|(service, hash)| (service.to_owned(), hash.trim().to_owned()));
    Ok(text.lines().filter_map(pair).collect())
}

/// Only what is declared reaches the files: no variable of whoever runs stead does.
fn bare(program: Program) -> Program {
    program.bare().env("HOME", "/root").env("COMPOSE_ANSI", "never")
}

impl Variables {
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
        ProgramError::Failed { words, .. } => words,
        error => error.to_string(),
    }
}
