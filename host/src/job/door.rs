//! The door that every call of a running job goes through: answered from the record, or done and recorded.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use stead_queue::{Artifact, ArtifactName, Lease, Progress, Queue, Timestamp};
use tokio::sync::{Mutex, mpsc};
use tokio::time::sleep;

use super::asks::Asked;
use super::commands::{Commands, Followed, Unit, run_id, script};
use super::containers::{self, Asked as Contained, Containers};
use super::files::{FileError, Files, Kept};
use super::halt::{Halt, Halting};
use super::log::Log;
use super::machines::{Machines, Trouble};
use super::price::Prices;
use super::record::{Known, Record};
use super::requests::{self, Http};
use super::scope::Scope;
use super::service::Store;
use super::vault::Vault;
use crate::digest::Digest;
use crate::policy::job::{Answer, Call, Command, Content, Failure, Request};

mod ask;
mod contain;
mod launch;

/// How much a file that is copied may have.
const FILE: u64 = 16 << 30;
/// How much of an artifact a policy can be told.
const TOLD: u64 = 512 << 10;

/// One running job.
pub(super) struct JobDoor {
    pub(super) queue: Queue,
    pub(super) lease: Lease,
    pub(super) policy: String,
    /// `None`: the policy has no grant `vm`, and imports nothing that needs it.
    pub(super) scope: Option<Arc<Scope>>,
    /// The same for `http`.
    pub(super) requests: Option<Arc<requests::Scope>>,
    /// The same for `container`.
    pub(super) contained: Option<Arc<containers::Scope>>,
    pub(super) record: Record,
    pub(super) log: Arc<Mutex<Log>>,
    pub(super) machines: Arc<Mutex<Machines>>,
    pub(super) commands: Commands,
    pub(super) containers: Containers,
    pub(super) files: Files,
    pub(super) store: Store,
    /// Whether the queue knows that the run has made something on this server.
    pub(super) is_bound: bool,
    pub(super) vault: Vault,
    pub(super) prices: Arc<Prices>,
    pub(super) http: Http,
    /// Artifacts by name.
    pub(super) artifacts: BTreeMap<String, Digest>,
    pub(super) halting: Halting,
    /// What last went wrong with a machine, for whoever decides about another attempt.
    pub(super) trouble: Arc<std::sync::Mutex<Option<stead_queue::Cause>>>,
}

impl JobDoor {
    /// Answers until the policy has ended, or the job is to stop.
    pub(super) async fn serve(mut self, mut asked: mpsc::Receiver<Asked>) {
        while let Some(asked) = asked.recv().await {
            if self.halting.said().is_some() {
                return;
            }
            if let Err(halt) = self.one(asked).await {
                return self.halting.say(halt);
            }
        }
    }

    async fn one(&mut self, asked: Asked) -> Result<(), Halt> {
        // A policy that has ended meanwhile wants no answer.
        match asked {
            Asked::Call(call, answer) => {
                let said = self.answer(&call).await?;
                self.remember(&said);
                let _ = answer.send(said);
            }
            Asked::Said(lines, done) => {
                self.log.lock().await.policy(lines).await.map_err(Halt::Lost)?;
                let _ = done.send(());
            }
            Asked::Progress(permille, message, done) => {
                if self.record.is_live() {
                    let progress = Progress { permille, message };
                    self.queue.set_progress(self.lease, progress).await.map_err(Halt::Lost)?;
                }
                let _ = done.send(());
            }
        }
        Ok(())
    }

    async fn answer(&mut self, call: &Call) -> Result<Answer, Halt> {
        let known = self.record.find(call).await?;
        if let Known::Answered(answer, at) = known {
            self.replay(call, &answer, at).await;
            return Ok(answer);
        }
        self.take_up().await;
        // Afterwards nobody could tell whether there is a machine.
        if matches!((call, &known), (Call::Launch { .. } | Call::LaunchAny { .. }, Known::Nothing)) {
            self.record.intend(call).await.map_err(Halt::Lost)?;
        }
        if matches!(call, Call::Launch { .. } | Call::LaunchAny { .. } | Call::StartContainer { .. }) && !self.is_bound
        {
            self.queue.bind(self.lease).await.map_err(Halt::Lost)?;
            self.is_bound = true;
        }
        let halting = self.halting.clone();
        let done = tokio::select! {
            done = self.act(call) => done,
            () = halting.wait() => Err(Trouble::Queue(stead_queue::QueueError::Closed)),
        };
        let answer = match done {
            Ok(answer) => answer,
            Err(Trouble::Failure(failure)) => Answer::Failed(failure),
            Err(Trouble::Queue(error)) => return Err(self.halting.said().unwrap_or(Halt::Lost(error))),
        };
        self.record.answered(call, &answer).await.map_err(Halt::Lost)?;
        Ok(answer)
    }

    /// What the record says, as if it had been done.
    async fn replay(&mut self, call: &Call, answer: &Answer, at: Timestamp) {
        match (call, answer) {
            (Call::Launch { machine, request }, answer) => self.replay_launch(machine, request, answer).await,
            (Call::LaunchAny { machine, requests }, answer) => match requests.first() {
                Some(request) => self.replay_launch(machine, request, answer).await,
                None => self.machines.lock().await.skip(),
            },
            (Call::Start { machine, command }, Answer::Number(_)) => drop(self.replay_start(machine, command, at)),
            (Call::StartWithSecrets { machine, command, secrets }, Answer::Number(_)) => {
                let number = self.replay_start(machine, command, at);
                // What it writes must not be seen before they can be hidden in it.
                if let (Some(number), Err(failure)) = (number, self.mask(secrets).await) {
                    self.commands.ended(number, Err(failure));
                }
            }
            (Call::Wait { command }, Answer::Ended(ended)) => self.commands.ended(*command, Ok(ended.clone())),
            (Call::Wait { command }, Answer::Failed(failure)) => self.commands.ended(*command, Err(failure.clone())),
            (Call::Destroy { machine }, Answer::Done) => self.machines.lock().await.replay_destroy(machine),
            (Call::StartContainer { project, service, options }, Answer::Number(number)) => {
                let Some(scope) = self.contained.clone() else { return };
                self.containers.replay_start(Contained { project, service, options }, &scope, at).await;
                if let Err(failure) = self.mask(&options.secrets).await {
                    self.containers.commands.ended(*number, Err(failure));
                }
            }
            (Call::WaitContainer { container }, Answer::Ended(ended)) => {
                self.containers.commands.ended(*container, Ok(ended.clone()));
            }
            (Call::WaitContainer { container }, Answer::Failed(failure)) => {
                self.containers.commands.ended(*container, Err(failure.clone()));
            }
            (Call::RemoveContainer { container }, Answer::Done) => self.containers.replay_remove(*container),
            _ => {}
        }
    }

    async fn replay_launch(&mut self, machine: &str, request: &Request, answer: &Answer) {
        let mut machines = self.machines.lock().await;
        let granted = self.scope.as_ref().and_then(|scope| scope.only_provider().map(str::to_owned));
        match (answer, request.provider.clone().or(granted)) {
            (Answer::Failed(Failure::Denied { .. } | Failure::Invalid { .. }), _) | (_, None) => machines.skip(),
            (_, Some(provider)) => machines.replay_launch(machine, &provider),
        }
    }

    fn replay_start(&mut self, machine: &str, command: &Command, at: Timestamp) -> Option<u32> {
        self.commands.next().ok()?;
        Some(self.commands.add(machine, at, time(command)))
    }

    /// Follows what an earlier attempt has started, and what still runs.
    async fn take_up(&mut self) {
        for (number, machine) in self.commands.alone() {
            let way = self.machines.lock().await.access(&machine).await;
            let run = run_id(usize::try_from(number).unwrap_or(usize::MAX));
            let way =
                way.and_then(|(machine, access)| Ok(unit(Unit { machine, access, run: run?, begun: None.into() })));
            self.commands.follow(number, way);
        }
        self.containers.take_up().await;
    }

    async fn act(&mut self, call: &Call) -> Result<Answer, Trouble> {
        match call {
            Call::Launch { machine, request } => {
                self.launch(machine, std::slice::from_ref(request)).await?;
                Ok(Answer::Done)
            }
            Call::LaunchAny { machine, requests } => {
                let served = self.launch(machine, requests).await?;
                Ok(Answer::Number(u32::try_from(served).unwrap_or(u32::MAX)))
            }
            Call::WaitReady { machines } => {
                self.machines.lock().await.ready(machines).await?;
                Ok(Answer::Done)
            }
            Call::Start { machine, command } => self.start(machine, command, &[]).await,
            Call::StartWithSecrets { machine, command, secrets } => self.start(machine, command, secrets).await,
            Call::Wait { command } => Ok(Answer::Ended(self.commands.wait(*command).await?)),
            Call::WaitAny { commands } => Ok(Answer::Number(self.commands.wait_any(commands).await?)),
            Call::Upload { machine, content, path } => self.upload(machine, content, path).await,
            Call::Download { machine, path, artifact } => self.download(machine, path, artifact).await,
            Call::Destroy { machine } => {
                self.machines.lock().await.destroy(machine).await?;
                self.queue.settle(self.lease, machine, true).await?;
                Ok(Answer::Done)
            }
            Call::Put { artifact, content } => {
                let kept = self.files.keep(&mut content.as_slice()).map_err(unkept)?;
                self.keep(artifact, kept).await
            }
            Call::Get { artifact } => self.get(artifact).await,
            Call::Names => Ok(Answer::Names(self.artifacts.keys().cloned().collect())),
            Call::Now => Ok(Answer::Text(now())),
            Call::Sleep { seconds } => {
                sleep(Duration::from_secs((*seconds).into())).await;
                Ok(Answer::Done)
            }
            Call::Send { request } => self.send(request).await,
            Call::Fetch { request, artifact } => self.fetch(request, artifact).await,
            Call::StartContainer { project, service, options } => self.start_container(project, service, options).await,
            Call::WaitContainer { container } => Ok(Answer::Ended(self.containers.commands.wait(*container).await?)),
            Call::WaitAnyContainer { containers } => {
                Ok(Answer::Number(self.containers.commands.wait_any(containers).await?))
            }
            Call::CopyOut { container, path, artifact } => self.copy_out(*container, path, artifact).await,
            Call::RemoveContainer { container } => {
                self.containers.remove(*container).await?;
                Ok(Answer::Done)
            }
        }
    }

    async fn start(&mut self, machine: &str, command: &Command, secrets: &[String]) -> Result<Answer, Trouble> {
        let script = script(command)?;
        let run = self.commands.next()?;
        let credentials = self.credentials(secrets).await?;
        let (there, access) = self.machines.lock().await.access(machine).await?;
        let begun = match access.start(&run, &script, &credentials).await.map_err(Trouble::from) {
            Ok(begun) => Some(begun).into(),
            Err(Trouble::Failure(failure)) => return Err(there.why(failure).await.into()),
            Err(trouble) => return Err(trouble),
        };
        let number = self.commands.add(machine, Timestamp::now(), time(command));
        self.commands.follow(number, Ok(unit(Unit { machine: there, access, run, begun })));
        Ok(Answer::Number(number))
    }

    async fn upload(&mut self, machine: &str, content: &Content, path: &str) -> Result<Answer, Trouble> {
        absolute(path)?;
        let from = match content {
            Content::Bytes(bytes) => self.files.path(&self.files.keep(&mut bytes.as_slice()).map_err(unkept)?.digest),
            Content::Artifact(name) => self.artifact(name).await?,
        };
        let (_, access) = self.machines.lock().await.access(machine).await?;
        access.upload(&from, path, FILE).await?;
        Ok(Answer::Done)
    }

    async fn download(&mut self, machine: &str, path: &str, artifact: &str) -> Result<Answer, Trouble> {
        absolute(path)?;
        name(artifact)?;
        let (_, access) = self.machines.lock().await.access(machine).await?;
        let room = self.files.room().map_err(unkept)?;
        access.download(path, &room, FILE).await?;
        let kept = self.keep_file(&room).map_err(unkept)?;
        self.keep(artifact, kept).await
    }

    pub(super) fn keep_file(&self, path: &Path) -> Result<Kept, FileError> {
        let mut file = std::fs::File::open(path).map_err(|source| FileError { path: path.to_owned(), source })?;
        self.files.keep(&mut file)
    }

    pub(super) async fn keep(&mut self, artifact: &str, kept: Kept) -> Result<Answer, Trouble> {
        let name = name(artifact)?;
        let digest = hex::decode(kept.digest.as_str()).ok().and_then(|bytes| bytes.try_into().ok()).unwrap_or_default();
        let place = kept.digest.as_str().to_owned();
        self.store.share(&kept.digest).await.map_err(|error| Failure::Other(error.to_string()))?;
        self.queue.record_artifact(self.lease, Artifact { name, size: kept.size, digest, place }).await?;
        self.artifacts.insert(artifact.to_owned(), kept.digest);
        Ok(Answer::Done)
    }

    async fn get(&self, artifact: &str) -> Result<Answer, Trouble> {
        let path = self.artifact(artifact).await?;
        let unread = |source| unkept(FileError { path: path.clone(), source });
        let size = path.metadata().map_err(unread)?.len();
        if size > TOLD {
            return Err(
                Failure::TooLarge(format!("{artifact} has {size} bytes, and a policy gets at most {TOLD}")).into()
            );
        }
        Ok(Answer::Bytes(std::fs::read(&path).map_err(unread)?))
    }

    /// Where the content of an artifact is.
    pub(super) async fn artifact(&self, name: &str) -> Result<PathBuf, Failure> {
        let none = || Failure::invalid("artifact", format!("there is no artifact {name:?}"));
        let digest = self.artifacts.get(name).ok_or_else(none)?;
        let found = self.store.fetch(digest.as_str()).await.map_err(|error| Failure::Other(error.to_string()))?;
        found.ok_or_else(|| Failure::Other(format!("the content of {name} is on no server that can be reached")))
    }

    fn remember(&self, answer: &Answer) {
        let Answer::Failed(failure) = answer else { return };
        let cause = match failure {
            Failure::NoCapacity(_) => stead_queue::Cause::NoCapacity,
            Failure::Preempted(_) => stead_queue::Cause::Preempted,
            Failure::Lost(_) => stead_queue::Cause::VmLost,
            Failure::Unreachable(_) => stead_queue::Cause::Temporary,
            _ => return,
        };
        *self.trouble.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(cause);
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

pub(super) fn unkept(error: FileError) -> Trouble {
    Failure::Other(error.to_string()).into()
}

fn time(command: &Command) -> Option<Duration> {
    command.timeout.map(|seconds| Duration::from_secs(seconds.into()))
}

fn unit(unit: Unit) -> Box<dyn Followed> {
    Box::new(unit)
}

fn absolute(path: &str) -> Result<(), Failure> {
    if path.starts_with('/') && !path.ends_with('/') && !path.contains(['\0', '\n']) {
        return Ok(());
    }
    Err(Failure::invalid("path", format!("{path:?} is not the absolute path of a file")))
}

/// The name of an artifact.
pub(super) fn name(text: &str) -> Result<ArtifactName, Failure> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let wrong = || {
        Failure::invalid("artifact", format!("{text:?} is not 1 to 200 letters, digits and ._- without a leading dot"))
    };
    if text.len() > 200 || text.starts_with('.') || !text.bytes().all(fits) {
        return Err(wrong());
    }
    ArtifactName::new(text).map_err(|_| wrong())
}

fn now() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}
