//! From the contract's world `job` to calls as plain data, and back.

use wasmtime::component::Linker;

use super::call::{Answer, Call, Command, Content, Ended, Failure, Outcome, Request};
use super::guest::{JobGuest, error, mismatched};
use crate::policy::log::Level;
use crate::policy::reads::Mismatched;
use crate::policy::types;

wasmtime::component::bindgen!({
    inline: "package stead:bind-job; world bind {
        import stead:host/config@0.1.0;
        import stead:host/log@0.1.0;
        import stead:host/clock@0.1.0;
        import stead:host/progress@0.1.0;
        import stead:host/artifact@0.1.0;
        import stead:host/vm@0.1.0;
        export stead:host/run@0.1.0;
    }",
    path: "../wit",
    imports: { default: async | trappable },
    exports: { default: async },
    with: { "stead:host/types": crate::policy::types::stead::host::types },
});

use stead::host::{artifact, clock, config, log, progress, vm};

pub(in crate::policy) use BindPre as Job;
pub(in crate::policy) use exports::stead::host::run::Failure as GaveUp;

/// An hour.
const LIFETIME: u32 = 3600;

/// Tells the linker where the state is.
pub(in crate::policy) struct HasJobGuest;

impl wasmtime::component::HasData for HasJobGuest {
    type Data<'a> = &'a mut JobGuest;
}

/// Instantiates a job policy and calls its `run`.
pub(in crate::policy) async fn run(
    policy: &Job<JobGuest>,
    store: &mut wasmtime::Store<JobGuest>,
    input: &str,
) -> wasmtime::Result<Result<String, GaveUp>> {
    let instance = policy.instance_pre().instantiate_async(&mut *store).await?;
    let exports = policy.indices.load(&mut *store, &instance).map_err(|error| Mismatched::new(&error))?;
    exports.stead_host_run().call_run(store, input).await
}

/// All but `vm`, which needs a grant.
pub(in crate::policy) fn link(linker: &mut Linker<JobGuest>, with_vm: bool) -> wasmtime::Result<()> {
    config::add_to_linker::<_, HasJobGuest>(linker, |guest| guest)?;
    log::add_to_linker::<_, HasJobGuest>(linker, |guest| guest)?;
    clock::add_to_linker::<_, HasJobGuest>(linker, |guest| guest)?;
    progress::add_to_linker::<_, HasJobGuest>(linker, |guest| guest)?;
    artifact::add_to_linker::<_, HasJobGuest>(linker, |guest| guest)?;
    if with_vm { vm::add_to_linker::<_, HasJobGuest>(linker, |guest| guest) } else { Ok(()) }
}

impl config::Host for JobGuest {
    async fn get(&mut self) -> wasmtime::Result<String> {
        Ok(self.config().to_string())
    }
}

impl log::Host for JobGuest {
    async fn log(&mut self, level: log::Level, message: String) -> wasmtime::Result<()> {
        let level = match level {
            log::Level::Debug => Level::Debug,
            log::Level::Info => Level::Info,
            log::Level::Warn => Level::Warn,
            log::Level::Error => Level::Error,
        };
        self.said(level, &message).await
    }
}

impl progress::Host for JobGuest {
    async fn report(&mut self, permille: u16, message: String) -> wasmtime::Result<()> {
        self.progress(permille, message).await
    }
}

impl clock::Host for JobGuest {
    async fn now(&mut self) -> wasmtime::Result<String> {
        match self.pass(Call::Now).await? {
            Answer::Text(now) => Ok(now),
            other => Err(mismatched(&other)),
        }
    }

    async fn sleep(&mut self, seconds: u32) -> wasmtime::Result<()> {
        match self.pass(Call::Sleep { seconds }).await? {
            Answer::Done => Ok(()),
            other => Err(mismatched(&other)),
        }
    }
}

impl artifact::Host for JobGuest {
    async fn put(&mut self, artifact: String, content: Vec<u8>) -> wasmtime::Result<Result<(), types::Error>> {
        match self.pass(Call::Put { artifact, content }).await? {
            Answer::Done => Ok(Ok(())),
            Answer::Failed(failure) => Ok(Err(error(failure))),
            other => Err(mismatched(&other)),
        }
    }

    async fn get(&mut self, artifact: String) -> wasmtime::Result<Result<Vec<u8>, types::Error>> {
        match self.pass(Call::Get { artifact }).await? {
            Answer::Bytes(bytes) => Ok(Ok(bytes)),
            Answer::Failed(failure) => Ok(Err(error(failure))),
            other => Err(mismatched(&other)),
        }
    }

    async fn names(&mut self) -> wasmtime::Result<Vec<String>> {
        match self.pass(Call::Names).await? {
            Answer::Names(names) => Ok(names),
            other => Err(mismatched(&other)),
        }
    }
}

impl JobGuest {
    async fn act(&mut self, call: Call) -> wasmtime::Result<Result<(), vm::Failure>> {
        match self.pass(call).await? {
            Answer::Done => Ok(Ok(())),
            Answer::Failed(failure) => Ok(Err(failure.into())),
            other => Err(mismatched(&other)),
        }
    }

    async fn number(&mut self, call: Call) -> wasmtime::Result<Result<u32, vm::Failure>> {
        match self.pass(call).await? {
            Answer::Number(number) => Ok(Ok(number)),
            Answer::Failed(failure) => Ok(Err(failure.into())),
            other => Err(mismatched(&other)),
        }
    }
}

impl vm::Host for JobGuest {
    async fn launch(&mut self, machine: String, asked: vm::Request) -> wasmtime::Result<Result<(), vm::Failure>> {
        self.act(Call::Launch { machine, request: asked.into() }).await
    }

    async fn wait_ready(&mut self, machines: Vec<String>) -> wasmtime::Result<Result<(), vm::Failure>> {
        self.act(Call::WaitReady { machines }).await
    }

    async fn start(&mut self, machine: String, command: vm::Command) -> wasmtime::Result<Result<u32, vm::Failure>> {
        let vm::Command { script, environment, timeout } = command;
        self.number(Call::Start { machine, command: Command { script, environment, timeout } }).await
    }

    async fn wait(&mut self, command: u32) -> wasmtime::Result<Result<vm::Ended, vm::Failure>> {
        match self.pass(Call::Wait { command }).await? {
            Answer::Ended(ended) => Ok(Ok(ended.into())),
            Answer::Failed(failure) => Ok(Err(failure.into())),
            other => Err(mismatched(&other)),
        }
    }

    async fn wait_any(&mut self, commands: Vec<u32>) -> wasmtime::Result<Result<u32, vm::Failure>> {
        self.number(Call::WaitAny { commands }).await
    }

    async fn upload(
        &mut self,
        machine: String,
        content: vm::Content,
        path: String,
    ) -> wasmtime::Result<Result<(), vm::Failure>> {
        let content = match content {
            vm::Content::Bytes(bytes) => Content::Bytes(bytes),
            vm::Content::Text(text) => Content::Bytes(text.into_bytes()),
            vm::Content::Artifact(name) => Content::Artifact(name),
        };
        self.act(Call::Upload { machine, content, path }).await
    }

    async fn download(
        &mut self,
        machine: String,
        path: String,
        artifact: String,
    ) -> wasmtime::Result<Result<(), vm::Failure>> {
        self.act(Call::Download { machine, path, artifact }).await
    }

    async fn destroy(&mut self, machine: String) -> wasmtime::Result<Result<(), vm::Failure>> {
        self.act(Call::Destroy { machine }).await
    }
}

impl From<vm::Request> for Request {
    fn from(asked: vm::Request) -> Self {
        Self {
            provider: asked.provider,
            image: asked.image,
            instance_type: asked.instance_type,
            cpus: asked.cpus,
            memory: asked.memory,
            disk: asked.disk,
            region: asked.region,
            spot: asked.spot.unwrap_or(false),
            network: asked.network.unwrap_or(true),
            lifetime: asked.lifetime.unwrap_or(LIFETIME),
        }
    }
}

impl From<Ended> for vm::Ended {
    fn from(ended: Ended) -> Self {
        let outcome = match ended.outcome {
            Outcome::Exited(status) => vm::Outcome::Exited(status),
            Outcome::Killed(signal) => vm::Outcome::Killed(signal),
            Outcome::OutOfMemory => vm::Outcome::OutOfMemory,
            Outcome::TimedOut => vm::Outcome::TimedOut,
        };
        Self { outcome, output: ended.output }
    }
}

impl From<Failure> for vm::Failure {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NoCapacity(words) => Self::NoCapacity(words),
            Failure::Lost(words) | Failure::Preempted(words) => Self::Lost(words),
            Failure::TooLarge(words) => Self::TooLarge(words),
            Failure::Other(words) => Self::Other(words),
            refused => Self::Refused(refused.into_error()),
        }
    }
}
