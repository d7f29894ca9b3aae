//! The interface `vm`.

use super::vm;
use crate::policy::job::call::{Answer, Call, Command, Content, Ended, Failure, Outcome, Request};
use crate::policy::job::guest::{JobGuest, mismatched};

/// An hour.
const LIFETIME: u32 = 3600;

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

    async fn launch_any(
        &mut self,
        machine: String,
        requests: Vec<vm::Request>,
    ) -> wasmtime::Result<Result<u32, vm::Failure>> {
        let requests = requests.into_iter().map(Request::from).collect();
        self.number(Call::LaunchAny { machine, requests }).await
    }

    async fn wait_ready(&mut self, machines: Vec<String>) -> wasmtime::Result<Result<(), vm::Failure>> {
        self.act(Call::WaitReady { machines }).await
    }

    async fn start(&mut self, machine: String, command: vm::Command) -> wasmtime::Result<Result<u32, vm::Failure>> {
        self.number(Call::Start { machine, command: command.into() }).await
    }

    async fn start_with_secrets(
        &mut self,
        machine: String,
        command: vm::Command,
        secrets: Vec<String>,
    ) -> wasmtime::Result<Result<u32, vm::Failure>> {
        self.number(Call::StartWithSecrets { machine, command: command.into(), secrets }).await
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

impl From<vm::Command> for Command {
    fn from(command: vm::Command) -> Self {
        let vm::Command { script, environment, timeout } = command;
        Self { script, environment, timeout }
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
            Failure::Unreachable(words) | Failure::Other(words) => Self::Other(words),
            refused => Self::Refused(refused.into_error()),
        }
    }
}
